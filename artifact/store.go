package artifact

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"sync"
)

// ErrNoContent is wrapped by errors of a [Store] that does not hold the content asked for.
var ErrNoContent = errors.New("content is not in the store")

// Store keeps contents by digest. What stands somewhere as it is (the image, a file stored
// uncompressed in it) is kept by reference; everything else goes to one append-only spool, which
// is in memory up to spoolMemory and a file from there on.
// A Store is safe for concurrent use. Its memory does not grow with the size of the contents.
type Store struct {
	mu    sync.RWMutex
	blobs map[Digest]blob
	spool spool
}

// blob says where a content stands: in an input, or in the spool.
type blob struct {
	r        io.ReaderAt
	off, len int64
}

// NewStore returns an empty store that spools to a new file in dir ("" is the system's
// directory for temporary files). The file is made when first needed.
func NewStore(dir string) *Store {
	s := &Store{blobs: map[Digest]blob{}}
	s.spool.dir = dir
	return s
}

// Close gives the spool back. Contents kept by reference stay with their owner.
func (s *Store) Close() error { return s.spool.close() }

// Open returns the content named d.
func (s *Store) Open(d Digest) (*io.SectionReader, error) {
	s.mu.RLock()
	b, ok := s.blobs[d]
	s.mu.RUnlock()
	if !ok {
		return nil, fmt.Errorf("artifact: %s: %w", d, ErrNoContent)
	}
	return io.NewSectionReader(b.r, b.off, b.len), nil
}

// Add takes in a content by reference: r must stay readable and unchanged as long as the store is used.
// It reads r once to name it.
func (s *Store) Add(r *io.SectionReader) (Digest, error) {
	h := sha256.New()
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for off := int64(0); off < r.Size(); {
		n, err := r.ReadAt((*buf)[:min(int64(len(*buf)), r.Size()-off)], off)
		h.Write((*buf)[:n])
		off += int64(n)
		if err != nil && (err != io.EOF || off < r.Size()) {
			return Digest{}, fmt.Errorf("artifact: content of %d bytes at %#x: %w", r.Size(), off, err)
		}
	}
	d := Digest(h.Sum(nil))
	outer, off, n := r.Outer()
	s.keep(d, blob{outer, off, n})
	return d, nil
}

// keep records b as d unless d is there already, and reports whether it did.
func (s *Store) keep(d Digest, b blob) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.blobs[d]; ok {
		return false
	}
	s.blobs[d] = b
	return true
}

// Put copies r to its end into the store. When r fails, what it gave before is kept and named,
// and r's error is returned beside the digest and size of that part.
func (s *Store) Put(r io.Reader) (Digest, int64, error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	h := sha256.New()
	var segs segments
	var fault error
	for fault == nil {
		n, err := fill(r, *buf)
		fault = err
		h.Write((*buf)[:n])
		if n == 0 {
			break
		}
		if err != nil && len(segs) == 0 && s.Has(Digest(h.Sum(nil))) {
			segs = append(segs, stretch{len: int64(n)}) // known already: nothing to write
			break
		}
		x, werr := s.spool.write((*buf)[:n])
		if werr != nil {
			s.spool.release(segs)
			return Digest{}, 0, werr
		}
		segs = append(segs, stretch{start: segs.size(), at: x, len: int64(n)})
	}
	if fault == io.EOF {
		fault = nil
	}
	d := Digest(h.Sum(nil))
	size := segs.size()
	b := blob{&s.spool, 0, size}
	if len(segs) == 1 {
		b.off = segs[0].at
	} else if len(segs) > 1 {
		b.r = &spooled{&s.spool, slices.Clip(segs)}
	}
	if !s.keep(d, b) {
		s.spool.release(segs)
	}
	return d, size, fault
}

// fill reads until b is full or r ends. Unlike io.ReadFull it tells r's own io.ErrUnexpectedEOF
// from a last block that is short.
func fill(r io.Reader, b []byte) (n int, err error) {
	for empty := 0; n < len(b) && err == nil; {
		var k int
		if k, err = r.Read(b[n:]); k > 0 {
			empty = 0
		} else if empty++; empty > 100 {
			return n, io.ErrNoProgress
		}
		n += k
	}
	return n, err
}

// Has reports whether s holds d.
func (s *Store) Has(d Digest) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.blobs[d]
	return ok
}

// Check reads the bytes that e cites again and compares them with its excerpt.
// It returns nil if they are still there and say so.
func (s *Store) Check(e Evidence) error {
	r, err := s.Open(e.Content)
	if err != nil {
		return err
	}
	if !e.At.Within(r.Size()) {
		return fmt.Errorf("artifact: %s: evidence at %#x+%d lies outside its %d bytes", e.Rule, e.At.Off, e.At.Len, r.Size())
	}
	got := make([]byte, min(e.At.Len, MaxExcerpt))
	if _, err := r.ReadAt(got, e.At.Off); err != nil && err != io.EOF {
		return err
	}
	if want := []byte(e.Excerpt); !bytes.Equal(got, want) {
		return fmt.Errorf("artifact: %s: bytes at %#x are %q, want %q", e.Rule, e.At.Off, got, want)
	}
	return nil
}

const (
	segment     = 256 << 10 // unit of the spool, in bytes
	slab        = 1 << 20   // unit of its memory
	spoolMemory = 64 << 20
)

var buffers = sync.Pool{New: func() any { b := make([]byte, segment); return &b }}

// spool is one append-only run of bytes; stretches of it that are given up are used again. What
// lies before spoolMemory is in slabs, the rest in a file.
type spool struct {
	mu    sync.Mutex
	dir   string
	slabs [spoolMemory / slab][]byte
	file  *os.File
	end   int64
	free  []int64 // whole segments given up
}

// write puts b, a segment at most, somewhere and returns where.
func (s *spool) write(b []byte) (int64, error) {
	at, err := s.reserve(len(b))
	if err != nil {
		return 0, fmt.Errorf("artifact: spool: %w", err)
	}
	if at < spoolMemory {
		copy(s.slabs[at/slab][at%slab:], b)
	} else if _, err := s.file.WriteAt(b, at-spoolMemory); err != nil {
		return 0, fmt.Errorf("artifact: spool: %w", err)
	}
	return at, nil
}

// reserve returns where n bytes may be written. Within slabs they are in one.
func (s *spool) reserve(n int) (at int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := len(s.free); k > 0 && n == segment {
		at, s.free = s.free[k-1], s.free[:k-1]
		return at, nil
	}
	at = s.end
	if room := slab - at%slab; at < spoolMemory && int64(n) > room {
		at += room
	}
	if at < spoolMemory && s.slabs[at/slab] == nil {
		s.slabs[at/slab] = make([]byte, slab)
	}
	if at >= spoolMemory && s.file == nil {
		if s.file, err = os.CreateTemp(s.dir, "hallmark-spool-"); err != nil {
			return 0, err
		}
		os.Remove(s.file.Name()) // on systems that allow it; close tries again
	}
	s.end = at + int64(n)
	return at, nil
}

// ReadAt reads what one write wrote.
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	if off < spoolMemory {
		return copy(p, s.slabs[off/slab][off%slab:]), nil
	}
	return s.file.ReadAt(p, off-spoolMemory)
}

func (s *spool) release(segs segments) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range segs {
		if x.len == segment {
			s.free = append(s.free, x.at)
		}
	}
}

func (s *spool) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.slabs[:])
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	os.Remove(s.file.Name())
	s.file = nil
	return err
}

// segments is where the spool holds one content, in order.
type segments []stretch

type stretch struct{ start, at, len int64 }

func (s segments) size() int64 {
	if len(s) == 0 {
		return 0
	}
	last := s[len(s)-1]
	return last.start + last.len
}

type spooled struct {
	spool *spool
	segs  segments
}

// ReadAt reads across stretches. [io.SectionReader] bounds off.
func (r *spooled) ReadAt(p []byte, off int64) (n int, err error) {
	i := sort.Search(len(r.segs), func(i int) bool { return r.segs[i].start+r.segs[i].len > off })
	for ; n < len(p) && i < len(r.segs); i++ {
		x := r.segs[i]
		in := off + int64(n) - x.start
		k, err := r.spool.ReadAt(p[n:n+int(min(int64(len(p)-n), x.len-in))], x.at+in)
		if n += k; err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
