package unpack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"hallmark/artifact"
	"hallmark/internal/work"
	"hallmark/unpack/format"
)

// Run takes apart the size bytes of src and returns what it found. The contents are in store,
// which refers to src: both must stay open as long as the tree is used. name is for display only.
//
// The tree depends on the bytes and the limits alone, not on the number of workers. Run returns
// an error only if src cannot be read; everything else is a problem in the tree.
func Run(ctx context.Context, name string, src io.ReaderAt, size int64, store *artifact.Store, opts Options) (*artifact.Tree, error) {
	r := newRun(name, store, opts)
	ctx, cancel := r.deadline(ctx)
	defer cancel()
	root, err := r.root(ctx, io.NewSectionReader(src, 0, size))
	if err != nil {
		return nil, err
	}
	r.levels(ctx, 1, r.below(root))
	return r.finish(ctx), nil
}

// root opens the image and names it at the same time: both take long for a large one.
func (r *run) root(ctx context.Context, src *io.SectionReader) (*artifact.Content, error) {
	r.report(0, 1, 0)
	defer r.report(0, 1, 1)
	var digest artifact.Digest
	var opened []*artifact.Content
	name := func() (err error) { digest, err = r.store.Add(src); return err }
	if r.opts.Explain != nil || r.opts.Cache != nil { // asks for the name, so that comes first
		if err := name(); err != nil {
			return nil, err
		}
		name = func() error { return nil }
	}
	image := pending{digest: digest, src: src}
	open := func() error { opened = r.openAll(ctx, []pending{image}, nil, 0); return nil }
	_, errs := work.Map(context.WithoutCancel(ctx), r.pool, []func() error{open, name}, func(_ context.Context, job func() error) (struct{}, error) { return struct{}{}, job() })
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	opened[0].Digest = digest
	r.tree.Add(opened[0])
	return opened[0], nil
}

// Part is one file of a folder that is scanned as a whole.
type Part struct {
	Path string // slash-separated, relative to the folder
	Mode fs.FileMode
	Link string      // of a symbolic link
	Src  io.ReaderAt // of a regular file
	Size int64
}

// RunFolder is [Run] for a folder of parts, such as the dumped partitions of one device or an
// unpacked root filesystem. The root of the tree is the folder's manifest: a line for each part
// with its digest, size and path, in order of path.
func RunFolder(ctx context.Context, name string, parts []Part, store *artifact.Store, opts Options) (*artifact.Tree, error) {
	r := newRun(name, store, opts)
	ctx, cancel := r.deadline(ctx)
	defer cancel()
	parts = slices.SortedFunc(slices.Values(parts), func(a, b Part) int { return strings.Compare(a.Path, b.Path) })
	digests, errs := work.Map(ctx, r.pool, parts, func(_ context.Context, p Part) (artifact.Digest, error) {
		if p.Src == nil {
			return artifact.Digest{}, nil
		}
		return store.Add(io.NewSectionReader(p.Src, 0, p.Size))
	})
	var manifest strings.Builder
	chunk := &artifact.Chunk{Format: "folder"}
	for i, p := range parts {
		n := artifact.Node{Path: cleanPath(p.Path), Mode: p.Mode, Link: p.Link, Size: p.Size, Digest: digests[i]}
		if errs[i] != nil {
			n.Problems = append(n.Problems, problemOf(errs[i], artifact.Damaged))
		}
		chunk.Nodes = append(chunk.Nodes, n)
		fmt.Fprintf(&manifest, "%s %d %q %q\n", digests[i], p.Size, p.Path, p.Link)
	}
	text := strings.NewReader(manifest.String())
	root, err := store.Add(io.NewSectionReader(text, 0, text.Size()))
	if err != nil {
		return nil, err
	}
	c := &artifact.Content{Digest: root, Size: text.Size(), Type: "folder", Extents: []artifact.Extent{
		{Range: artifact.Range{Len: text.Size()}, Kind: artifact.InChunk, Chunk: chunk},
	}}
	r.tree.Add(c)
	r.levels(ctx, 1, r.below(c))
	return r.finish(ctx), nil
}

func newRun(name string, store *artifact.Store, opts Options) *run {
	formats := opts.Formats
	if formats == nil {
		formats = Formats()
	}
	opts.Formats = formats
	limits := opts.Limits.withDefaults()
	return &run{
		plan:     planOf(opts, limits),
		store:    store,
		searcher: newSearcher(formats),
		pool:     work.NewPool(opts.Workers),
		limits:   limits,
		opts:     opts,
		tree:     artifact.NewTree(name),
		seen:     map[artifact.Digest]bool{},
	}
}

func (r *run) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.limits.Time <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, r.limits.Time, fmt.Errorf("time limit of %v reached", r.limits.Time))
}

func (r *run) finish(ctx context.Context) *artifact.Tree {
	if err := context.Cause(ctx); err != nil {
		r.tree.Problems = append(r.tree.Problems, artifact.Problem{Kind: artifact.Limit, Detail: "run ended early: " + err.Error()})
	}
	markCycles(r.tree)
	return r.tree
}

type run struct {
	store    *artifact.Store
	searcher *searcher
	pool     *work.Pool
	limits   Limits
	opts     Options
	tree     *artifact.Tree
	seen     map[artifact.Digest]bool
	plan     []byte // for the cache

	spentBytes   int64 // committed, in order of place
	spentEntries int
	searched     atomic.Int64
	progress     sync.Mutex
}

// pending is a content that waits to be opened.
type pending struct {
	digest artifact.Digest
	first  artifact.Step
	src    *io.SectionReader // of the image, which may have no name yet
	early  *early            // if it was opened before its turn
}

// early is a content that was opened while the level above it was still at work. It counts only
// if that was no error and took less than all that was left. What it took is charged in its turn.
type early struct {
	content *artifact.Content
	spent   *allowance
}

func (r *run) source(p pending) (*io.SectionReader, error) {
	if p.src != nil {
		return p.src, nil
	}
	return r.store.Open(p.digest)
}

// window is how many contents are opened before their results are committed. It is a constant
// so that what a limit cuts off does not depend on the number of workers.
const window = 256

// levels opens the contents of one level, then all that they hold, and so on: each distinct
// content once, at its smallest depth. What the first contents of a level hold is opened beside
// the last of it: a kernel within a kernel does not wait for ten thousand files, nor they for it.
func (r *run) levels(ctx context.Context, depth int, level []pending) {
	for ; len(level) > 0; depth++ {
		var next []pending
		ahead := 0 // how many of next were opened early
		for i := 0; i < len(level); i += window {
			r.report(depth, len(level), i)
			below := next[ahead:min(ahead+window, len(next))]
			ahead += len(below)
			for _, c := range r.openAll(ctx, level[i:min(i+window, len(level))], below, depth) {
				r.tree.Add(c)
				next = append(next, r.below(c)...)
			}
		}
		r.report(depth, len(level), len(level))
		level = next
	}
}

// below returns what c holds and was not met before.
func (r *run) below(c *artifact.Content) []pending {
	var out []pending
	r.seen[c.Digest] = true
	for x, e := range c.Chunks() {
		for n := range e.Chunk.Nodes {
			if d := e.Chunk.Nodes[n].Digest; !d.IsZero() && !r.seen[d] {
				r.seen[d] = true
				out = append(out, pending{digest: d, first: artifact.Step{Content: c.Digest, Extent: x, Node: n}})
			}
		}
	}
	return out
}

func (r *run) report(depth, contents, done int) {
	if r.opts.Progress != nil {
		r.progress.Lock()
		r.opts.Progress(Progress{depth, contents, done, r.searched.Load()})
		r.progress.Unlock()
	}
}

// openAll opens a batch of contents in parallel and returns them in order. If together they
// overstep what is left of the limits, they are opened again one by one, so that the cut is
// where the order of places puts it.
//
// Contents of below, which are of the next level, are opened early.
func (r *run) openAll(ctx context.Context, batch, below []pending, depth int) []*artifact.Content {
	shared := r.allowance()
	jobs := make([]*pending, 0, len(batch)+len(below))
	for i := range batch {
		jobs = append(jobs, &batch[i])
	}
	for i := range below {
		below[i].early = &early{spent: r.allowance()}
		jobs = append(jobs, &below[i])
	}
	contents, errs := work.MapBySize(ctx, r.pool, jobs, r.size, func(ctx context.Context, p *pending) (*artifact.Content, error) {
		switch e := p.early; {
		case e == nil:
			return r.cachedOpen(ctx, *p, depth, shared)
		case e.content == nil:
			return r.cachedOpen(ctx, *p, depth+1, e.spent)
		default:
			return e.content, shared.take(e.spent.spentBytes.Load(), int(e.spent.spentEntries.Load()))
		}
	})
	for i := range below {
		p, k := &below[i], len(batch)+i
		if p.early.content = contents[k]; errs[k] != nil || p.early.spent.exceeded.Load() {
			p.early = nil // to be opened in its turn
		}
	}
	contents, errs = contents[:len(batch)], errs[:len(batch)]
	if shared.exceeded.Load() && (len(batch) > 1 || shared.spentBytes.Load() > shared.bytes) { // entries of one content are counted in order
		shared = r.allowance()
		contents, errs = work.Map(ctx, nil, batch, func(ctx context.Context, p pending) (*artifact.Content, error) {
			return r.cachedOpen(ctx, p, depth, shared)
		})
	}
	r.spentBytes += shared.spentBytes.Load()
	r.spentEntries += int(shared.spentEntries.Load())
	for i, err := range errs {
		if err != nil {
			contents[i] = r.unopened(batch[i], depth, problemOf(err, artifact.Internal))
		}
	}
	return contents
}

func (r *run) size(p *pending) int64 {
	if src, err := r.source(*p); err == nil {
		return src.Size()
	}
	return 0
}

// unopened is a content that could not be analysed at all.
func (r *run) unopened(p pending, depth int, problem artifact.Problem) *artifact.Content {
	c := &artifact.Content{Digest: p.digest, Depth: depth, First: p.first, Problems: []artifact.Problem{problem}}
	if sr, err := r.source(p); err == nil {
		c.Size = sr.Size()
		buf := hotBuffers.Get().(*[]byte)
		defer hotBuffers.Put(buf)
		c.Extents = unclaimed(&hot{src: sr, buf: *buf}, artifact.Range{Len: c.Size}, "")
	}
	return c
}

// allowance is what the contents of one batch may spend together.
type allowance struct {
	bytes        int64
	entries      int
	spentBytes   atomic.Int64
	spentEntries atomic.Int64
	exceeded     atomic.Bool
	up           *allowance // what is spent counts there, too
}

func (r *run) allowance() *allowance {
	return &allowance{bytes: r.limits.Bytes - r.spentBytes, entries: r.limits.Entries - r.spentEntries}
}

func (a *allowance) take(bytes int64, entries int) error {
	if a.spentBytes.Add(bytes) > a.bytes {
		a.exceeded.Store(true)
		return format.Errorf(artifact.Limit, 0, "limit on bytes in all reached")
	}
	if a.spentEntries.Add(int64(entries)) > int64(a.entries) {
		a.exceeded.Store(true)
		return format.Errorf(artifact.Limit, 0, "limit on entries in all reached")
	}
	if a.up != nil {
		return a.up.take(bytes, entries)
	}
	return nil
}

// takeBack undoes a take of bytes.
func (a *allowance) takeBack(bytes int64) {
	for ; a != nil; a = a.up {
		a.spentBytes.Add(-bytes)
	}
}

// takeAll takes both if there is enough for both, and reports whether.
func (a *allowance) takeAll(bytes int64, entries int) bool {
	enough := a.spentBytes.Add(bytes) <= a.bytes
	if a.spentEntries.Add(int64(entries)) <= int64(a.entries) && enough {
		return true
	}
	a.spentBytes.Add(-bytes)
	a.spentEntries.Add(int64(-entries))
	return false
}

// problemOf turns an error into a problem; one that says no kind gets kind.
func problemOf(err error, kind artifact.ProblemKind) artifact.Problem {
	var e *format.Error
	var p *work.PanicError
	switch {
	case errors.As(err, &e):
		return artifact.Problem{Kind: e.Kind, At: e.At, Detail: e.Text}
	case errors.As(err, &p):
		return artifact.Problem{Kind: artifact.Internal, Detail: p.Error()}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return artifact.Problem{Kind: artifact.Limit, Detail: "not read: the run ended early"}
	}
	return artifact.Problem{Kind: kind, Detail: err.Error()}
}

// markCycles finds nodes whose content is one that holds them, and says so.
func markCycles(t *artifact.Tree) {
	const (
		active = 1
		done   = 2
	)
	state := map[artifact.Digest]int{}
	var visit func(c *artifact.Content)
	visit = func(c *artifact.Content) {
		state[c.Digest] = active
		for _, x := range c.Chunks() {
			for i := range x.Chunk.Nodes {
				n := &x.Chunk.Nodes[i]
				inner := t.Content(n.Digest)
				if inner == nil {
					continue
				}
				switch state[n.Digest] {
				case active:
					n.Problems = append(n.Problems, artifact.Problem{Kind: artifact.Recursive, Detail: "holds itself"})
				case 0:
					visit(inner)
				}
			}
		}
		state[c.Digest] = done
	}
	if root := t.Content(t.Root); root != nil {
		visit(root)
	}
}
