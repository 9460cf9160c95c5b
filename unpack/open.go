package unpack

import (
	"context"
	"errors"
	"io"
	"iter"
	"path"
	"strings"
	"sync/atomic"

	"hallmark/artifact"
	"hallmark/internal/work"
	"hallmark/unpack/format"
)

// opening is one content being covered by extents.
type opening struct {
	*run
	ctx    context.Context
	src    *io.SectionReader
	hot    *hot // reads src
	out    *artifact.Content
	shared *allowance
	left   int64   // bytes that may still come out of this content; one chunk may take half of them
	reads  counter // bytes read by formats, and bytes that came out of candidates which were none
	full   bool    // a limit was reached: open nothing more
}

// counter is an io.ReaderAt that counts.
type counter struct {
	r io.ReaderAt
	n atomic.Int64
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.n.Add(int64(n))
	return n, err
}

// waste is how many bytes candidates that turn out to be none may read and decode, all together.
func (o *opening) waste() int64 { return 64<<20 + 32*o.src.Size() }

// open covers one content.
func (r *run) open(ctx context.Context, p pending, depth int, shared *allowance) (*artifact.Content, error) {
	src, err := r.source(p)
	if err != nil {
		return nil, err
	}
	o := &opening{
		run: r, ctx: ctx, src: src, shared: shared,
		out:  &artifact.Content{Digest: p.digest, Size: src.Size(), Depth: depth, First: p.first},
		left: r.limits.perContent(src.Size()),
	}
	buf := hotBuffers.Get().(*[]byte)
	defer hotBuffers.Put(buf)
	o.hot = &hot{src: src, buf: *buf}
	o.reads.r = o.hot
	o.out.Type = identify(o.hot)
	if depth >= r.limits.Depth {
		o.out.Problems = append(o.out.Problems, artifact.Problem{Kind: artifact.Limit, Detail: "not opened: limit on depth reached"})
	} else if err := o.cover(); err != nil {
		return nil, err
	}
	o.fillGaps()
	r.searched.Add(src.Size())
	return o.out, nil
}

// cover finds the chunks of the content, in order.
func (o *opening) cover() error {
	pass := o.searcher.pass(o.hot)
	whole, err := pass.wholeFormats()
	if err != nil {
		return err
	}
	for f, found := range whole {
		if found != nil && o.tryWithin(candidate{0, f}, o.src.Size(), found) {
			break
		}
	}
	from := o.end()
	for !o.full {
		found, err := pass.next(from)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			break
		}
		from = found[0].off + 1
		for _, c := range found {
			if o.try(c) {
				from = o.end()
				break
			}
		}
	}
	o.aligned()
	return nil
}

// end is the offset behind the last chunk.
func (o *opening) end() int64 {
	if n := len(o.out.Extents); n > 0 {
		return o.out.Extents[n-1].End()
	}
	return 0
}

// aligned tries the formats without a magic in what the others left.
func (o *opening) aligned() {
	for i, f := range o.searcher.formats {
		if f.Align <= 0 {
			continue
		}
		chunks := o.out.Extents
		o.out.Extents = nil
		at := int64(0)
		for k := 0; k <= len(chunks); k++ {
			limit := o.src.Size()
			if k < len(chunks) {
				limit = chunks[k].Off
			}
			for at = (at + f.Align - 1) / f.Align * f.Align; at < limit && !o.full; at += f.Align {
				head, _ := o.hot.span(at, f.Align) // reads ahead; the format meets an error again
				head = head[:min(int64(len(head)), format.HeadLen, limit-at)]
				if (f.Begins == nil || f.Begins(head)) && o.tryWithin(candidate{at, i}, limit, nil) {
					at = (o.end() - 1) / f.Align * f.Align
				}
			}
			if k < len(chunks) {
				o.out.Extents = append(o.out.Extents, chunks[k])
				at = chunks[k].End()
			}
		}
	}
}

func (o *opening) try(c candidate) bool { return o.tryWithin(c, o.src.Size(), nil) }

// tryWithin opens candidate c in the bytes up to limit and reports whether it is a chunk. If so
// it is the last extent. found is where the magics of a format about the whole content stand.
func (o *opening) tryWithin(c candidate, limit int64, found [][]int64) bool {
	f := &o.searcher.formats[c.format]
	if o.ctx.Err() != nil {
		o.full = true
		return false
	}
	account := &account{r: &o.reads}
	src := format.Source{
		SectionReader: io.NewSectionReader(account, c.off, limit-c.off),
		Unnoted:       io.NewSectionReader(&o.reads, c.off, limit-c.off),
		Before:        c.off, MaxMemory: o.limits.Memory, Keys: o.opts.Keys, Recover: o.opts.Recover, Found: found,
	}
	before := o.reads.n.Load()
	chunk, size, err := o.read(f, src, account)
	if o.opts.Explain != nil && (f.Align == 0 || err == nil) {
		o.opts.Explain(Candidate{o.out.Digest.String(), c.off, f.Name, err})
	}
	if err != nil {
		if !errors.Is(err, format.ErrFormat) {
			p := problemOf(err, artifact.Damaged)
			p.At = p.At.Shift(c.off)
			o.problem(p)
		}
		if o.reads.n.Load() > o.waste() {
			o.full = true
			o.problem(artifact.Problem{Kind: artifact.Limit, At: artifact.Range{Off: c.off}, Detail: "too many false candidates: the rest was not searched"})
		}
		return false
	}
	o.reads.n.Store(before) // what a chunk reads is no waste
	o.out.Extents = append(o.out.Extents, artifact.Extent{Range: artifact.Range{Off: c.off, Len: size}, Kind: artifact.InChunk, Chunk: chunk})
	return true
}

// problem records a problem of the content.
func (o *opening) problem(p artifact.Problem) {
	if len(o.out.Problems) < maxProblems || p.Kind == artifact.Limit {
		o.out.Problems = append(o.out.Problems, p)
	}
}

// read opens a candidate and drains it. A panic of the format is recorded and the candidate refused.
func (o *opening) read(f *format.Format, src format.Source, account *account) (chunk *artifact.Chunk, size int64, err error) {
	defer func() {
		if v := recover(); v != nil {
			chunk, size, err = nil, 0, format.Errorf(artifact.Internal, 0, "%s: panic: %v", f.Name, v)
		}
	}()
	opened, err := f.Open(src)
	if err != nil {
		return nil, 0, err
	}
	d := &drain{opening: o, chunk: &artifact.Chunk{Format: f.Name}, src: src, left: o.left / 2}
	if err := d.entries(opened); err != nil {
		o.reads.n.Add(d.spent)
		return nil, 0, err
	}
	if size = opened.Size(); (d.stopped || d.cuts > 0) && size <= 0 {
		size = src.Size() // a stream that was cut: where it ends is not known, and the problem says so
	}
	if size <= 0 || size > src.Size() {
		return nil, 0, format.Errorf(artifact.Internal, 0, "%s: size %d of %d bytes", f.Name, size, src.Size())
	}
	if dsc, ok := opened.(format.Describer); ok {
		d.chunk.Attrs = dsc.Describe()
		for i := range d.chunk.Attrs {
			d.chunk.Attrs[i].At = d.chunk.Attrs[i].At.Shift(src.Before)
		}
	}
	if !d.stopped && d.cuts == 0 {
		if err := d.unread(opened, account, size); err != nil {
			return nil, 0, err
		}
	}
	o.left -= d.spent
	return d.chunk, size, nil
}

// drain reads the entries of one chunk.
type drain struct {
	*opening
	chunk *artifact.Chunk
	src   format.Source
	paths map[string]int // first node of each path, once a hard link asked
	left  int64          // bytes that may come out
	spent int64          // bytes that came out
	// stopped means that a limit was reached: no further entry is read.
	stopped bool
	cuts    int // entries that were cut
}

// Entries are read in batches: many small files at a time on all workers, order kept.
const (
	batchEntries = 1024
	batchBytes   = 64 << 20
)

func (d *drain) entries(opened format.Chunk) error {
	next, stop := iter.Pull2(opened.Entries())
	defer stop()
	for more := true; more && !d.stopped; {
		var batch []format.Entry
		var declared int64
		for len(batch) < batchEntries && declared < batchBytes {
			e, err, ok := next()
			if more = ok; !ok {
				break
			}
			if errors.Is(err, format.ErrFormat) {
				return err
			}
			if err != nil {
				d.problem(problemOf(err, artifact.Damaged))
				continue
			}
			batch = append(batch, e)
			declared += max(0, e.Size)
		}
		if err := d.batch(batch); err != nil {
			return err
		}
	}
	return nil
}

// problem records a problem of the chunk; ranges count from the chunk's start.
func (d *drain) problem(p artifact.Problem) {
	if len(d.chunk.Problems) < maxProblems || p.Kind == artifact.Limit {
		p.At = p.At.Shift(d.src.Before)
		d.chunk.Problems = append(d.chunk.Problems, p)
	}
}

// maxProblems bounds the problems recorded for one chunk. One more would say nothing new.
const maxProblems = 100

// batch reads the contents of entries in parallel. When together they exceed what this chunk may
// yield, they are read again one after the other, so that the cut is where the order puts it.
func (d *drain) batch(entries []format.Entry) error {
	left := d.left - d.spent
	var total, charged atomic.Int64
	nodes, errs := work.MapBySize(d.ctx, d.pool, entries, func(e format.Entry) int64 { return e.Size }, func(_ context.Context, e format.Entry) (artifact.Node, error) {
		if e.Size > left {
			total.Add(e.Size)
			return artifact.Node{}, errTooMuch
		}
		return d.node(e, func(n int64) error {
			if total.Add(n) > left {
				return errTooMuch
			}
			charged.Add(n)
			return d.shared.take(n, 0)
		})
	})
	if total.Load() > left {
		d.shared.takeBack(charged.Load())
		nodes, errs = work.Map(d.ctx, nil, entries, func(_ context.Context, e format.Entry) (artifact.Node, error) { return d.alone(e) })
	} else {
		d.spent += total.Load()
	}
	for i, n := range nodes {
		if d.stopped {
			break
		}
		if err := errs[i]; errors.Is(err, format.ErrFormat) {
			return err
		} else if err != nil {
			n = node(entries[i])
			n.Problems = append(n.Problems, problemOf(err, artifact.Damaged))
		}
		if err := d.shared.take(0, 1); err != nil {
			d.problem(problemOf(err, artifact.Limit))
			d.stopped, d.full = true, true
			break
		}
		d.add(n, entries[i])
	}
	return nil
}

// alone reads one entry within what is left. One that is too long is cut, and costs half of what
// is left, so that entries behind it still have a chance and the sum stays bounded.
func (d *drain) alone(e format.Entry) (artifact.Node, error) {
	left := d.left - d.spent
	if e.Size <= left {
		var n int64
		out, err := d.node(e, func(k int64) error {
			if n += k; n > left {
				return errTooMuch
			}
			return d.shared.take(k, 0)
		})
		if !errors.Is(err, errTooMuch) {
			d.spent += n
			return out, err
		}
	}
	d.spent += left / 2
	d.cuts++
	return d.cut(e)
}

// cut reads the beginning of an entry that was too long, so that what is kept shows what it was.
// If it ends in an error before that, its size was no more than a claim, and the error says why.
func (d *drain) cut(e format.Entry) (artifact.Node, error) {
	n := node(e)
	n.Problems = append(n.Problems, problemOf(errTooMuch, artifact.Limit))
	if e.Open == nil {
		return n, nil
	}
	r, err := e.Open()
	if err != nil {
		return n, nil
	}
	digest, size, err := d.store.Put(io.LimitReader(r, min(cutBytes, d.left-d.spent)))
	if errors.Is(err, format.ErrFormat) {
		return n, err
	}
	if err == nil || size > 0 {
		n.Digest, n.Size = digest, size
	}
	if err != nil {
		n.Problems[len(n.Problems)-1] = problemOf(err, artifact.Damaged)
	}
	return n, nil
}

const cutBytes = 16 << 20

var errTooMuch error = format.Errorf(artifact.Limit, 0, "limit on the ratio of output to input reached")

// add appends a node, with its links resolved and its ranges counted from the content's start.
func (d *drain) add(n artifact.Node, e format.Entry) {
	if n.HardLink != "" {
		if first := d.first(cleanPath(n.HardLink)); first != nil && n.Digest.IsZero() {
			n.HardLink, n.Digest, n.Size = first.Path, first.Digest, first.Size
			n.Window = first.Window
		}
	}
	if n.Window != nil && n.HardLink == "" {
		w := n.Window.Shift(d.src.Before)
		n.Window = &w
	}
	for i := range n.Problems {
		n.Problems[i].At = n.Problems[i].At.Shift(d.src.Before)
	}
	if escapes(e.Path) {
		n.Problems = append(n.Problems, artifact.Problem{Kind: artifact.Unsafe, Detail: "path as stored leads out of the tree: " + quote(e.Path)})
	}
	d.chunk.Nodes = append(d.chunk.Nodes, n)
	if d.paths != nil {
		d.index(len(d.chunk.Nodes) - 1)
	}
}

// first returns the first node of path, or nil. Most chunks have no hard link and need no index.
func (d *drain) first(path string) *artifact.Node {
	if d.paths == nil {
		d.paths = make(map[string]int, len(d.chunk.Nodes))
		for i := range d.chunk.Nodes {
			d.index(i)
		}
	}
	if i, ok := d.paths[path]; ok {
		return &d.chunk.Nodes[i]
	}
	return nil
}

func (d *drain) index(i int) {
	if _, ok := d.paths[d.chunk.Nodes[i].Path]; !ok {
		d.paths[d.chunk.Nodes[i].Path] = i
	}
}

// node copies what an entry says of itself.
func node(e format.Entry) artifact.Node {
	n := artifact.Node{
		Path: cleanPath(e.Path), Mode: e.Mode, UID: e.UID, GID: e.GID, ModTime: e.ModTime,
		Link: e.Link, HardLink: e.HardLink, Dev: e.Dev, Xattrs: e.Xattrs,
		Problems: append([]artifact.Problem(nil), e.Problems...),
	}
	if n.Path == "" && e.Mode.IsRegular() {
		n.Path = "data"
	}
	return n
}

// node reads one entry's content into the store. spend is asked before bytes are taken in.
func (d *drain) node(e format.Entry, spend func(int64) error) (artifact.Node, error) {
	n := node(e)
	if !e.Mode.IsRegular() || e.Window == nil && e.Open == nil {
		return n, nil
	}
	both := func(k int64) error {
		if err := spend(k); err != nil {
			return err
		}
		return d.ctx.Err()
	}
	if e.Window != nil {
		if !e.Window.Within(d.src.Size()) {
			return n, format.Errorf(artifact.Truncated, e.Window.Off, "%s: content at %#x+%d: %d bytes in all", d.chunk.Format, e.Window.Off, e.Window.Len, d.src.Size())
		}
		if err := both(e.Window.Len); err != nil {
			return n, err
		}
		outer, base, _ := d.opening.src.Outer()
		w := *e.Window
		digest, err := d.store.Add(io.NewSectionReader(outer, base+d.src.Before+w.Off, w.Len))
		if err != nil {
			return n, err
		}
		n.Digest, n.Size, n.Window = digest, w.Len, &w
		return n, nil
	}
	r, err := e.Open()
	if err != nil {
		return n, err
	}
	digest, size, err := d.store.Put(&metered{r, both})
	if errors.Is(err, errTooMuch) || errors.Is(err, format.ErrFormat) {
		return n, err
	}
	if err == nil || size > 0 {
		n.Digest, n.Size = digest, size
	}
	if err != nil {
		n.Problems = append(n.Problems, problemOf(err, artifact.Damaged))
	}
	return n, nil
}

// metered asks before it passes bytes on.
type metered struct {
	r     io.Reader
	spend func(int64) error
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if n > 0 {
		if serr := m.spend(int64(n)); serr != nil {
			return 0, serr
		}
	}
	return n, err
}

// cleanPath returns p without anything that leads out of the tree.
func cleanPath(p string) string {
	p = strings.ReplaceAll(p, "\x00", "")
	return strings.TrimPrefix(path.Clean("/"+p), "/")
}

// escapes reports whether p as stored is absolute or climbs above its start.
func escapes(p string) bool {
	if strings.Contains(p, "\x00") {
		return true
	}
	depth := 0
	for _, c := range strings.Split(p, "/") {
		switch c {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return strings.HasPrefix(p, "/") && depth < 0
}
