package unpack

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"slices"

	"hallmark/artifact"
)

// record is what the cache keeps of one content that was opened: what is in it, and what that took.
type record struct {
	Content artifact.Content
	Bytes   int64
	Entries int
}

// planOf is what the result of opening a content depends on, beside the content and the program.
func planOf(opts Options, limits Limits) []byte {
	limits.Time = 0 // what it cuts is not kept
	h := sha256.New()
	fmt.Fprintf(h, "%+v %v\n", limits, opts.Recover)
	for _, f := range opts.Formats {
		fmt.Fprintln(h, f.Name)
	}
	var names []string
	for name := range opts.Keys {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(h, "%q %x\n", name, opts.Keys[name])
	}
	return h.Sum(nil)
}

// cachedOpen is open for a content that may have been opened by an earlier run.
func (r *run) cachedOpen(ctx context.Context, p pending, depth int, shared *allowance) (*artifact.Content, error) {
	if r.opts.Cache == nil || r.opts.Explain != nil || depth >= r.limits.Depth {
		return r.open(ctx, p, depth, shared)
	}
	key := r.opts.Cache.KeyOf(p.digest, []byte("opened"), r.plan)
	var rec record
	if r.opts.Cache.Get(key, &rec) && rec.Content.Digest == p.digest && r.holds(p, &rec.Content) && shared.takeAll(rec.Bytes, rec.Entries) {
		c := &rec.Content
		c.Depth, c.First = depth, p.first
		r.searched.Add(c.Size)
		return c, nil
	}
	spent := &allowance{bytes: math.MaxInt64, entries: math.MaxInt, up: shared}
	c, err := r.open(ctx, p, depth, spent)
	// What the limits of the whole run or an interruption cut is not what another run would find.
	if err == nil && ctx.Err() == nil && !shared.exceeded.Load() && !faulty(c) && r.keep(c) {
		kept := *c
		kept.Depth, kept.First = 0, artifact.Step{}
		r.opts.Cache.Put(key, &record{kept, spent.spentBytes.Load(), int(spent.spentEntries.Load())})
	}
	return c, err
}

// faulty reports whether a fault of ours is among the problems of c.
func faulty(c *artifact.Content) bool {
	internal := func(problems []artifact.Problem) bool {
		return slices.ContainsFunc(problems, func(p artifact.Problem) bool { return p.Kind == artifact.Internal })
	}
	if internal(c.Problems) {
		return true
	}
	for _, x := range c.Chunks() {
		if internal(x.Chunk.Problems) || slices.ContainsFunc(x.Chunk.Nodes, func(n artifact.Node) bool { return internal(n.Problems) }) {
			return true
		}
	}
	return false
}

// holds takes in what c, which a record describes, holds, and reports whether every name is right.
func (r *run) holds(p pending, c *artifact.Content) bool {
	src, err := r.source(p)
	if err != nil || c.Size != src.Size() {
		return false
	}
	for _, x := range c.Chunks() {
		for i := range x.Chunk.Nodes {
			n := &x.Chunk.Nodes[i]
			if n.Digest.IsZero() || r.store.Has(n.Digest) {
				continue
			}
			kept := r.opts.Cache.Bytes(n.Digest)
			if w := n.Window; w != nil {
				if !w.Within(src.Size()) {
					return false
				}
				outer, base, _ := src.Outer()
				kept = io.NewSectionReader(outer, base+w.Off, w.Len)
			}
			if kept == nil {
				return false
			}
			if d, err := r.store.Add(kept); err != nil || d != n.Digest {
				r.opts.Cache.Damaged(n.Digest)
				return false
			}
		}
	}
	return true
}

// keep gives the cache the bytes of what c holds, as far as they do not stand in c as they are. It
// reports whether all could be read.
func (r *run) keep(c *artifact.Content) bool {
	for _, x := range c.Chunks() {
		for i := range x.Chunk.Nodes {
			n := &x.Chunk.Nodes[i]
			if n.Digest.IsZero() || n.Window != nil {
				continue
			}
			b, err := r.store.Open(n.Digest)
			if err != nil {
				return false
			}
			r.opts.Cache.PutBytes(n.Digest, b)
		}
	}
	return true
}
