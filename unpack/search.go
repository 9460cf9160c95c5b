package unpack

import (
	"bytes"
	"io"
	"sort"

	"hallmark/unpack/format"
)

// searcher finds the offsets of a content where a format may start, in one pass that skips what
// chunks cover already.
type searcher struct {
	formats []format.Format
	first   [1 << 16][]anchor // by the first two bytes of the magic
	longest int               // bytes of the longest magic
	reach   int64             // largest Off of a magic
	start   []anchor          // magics that count at offset 0 only
	whole   []wholeMagic
}

type anchor struct {
	bytes  string
	off    int64
	format int // index in formats, which is precedence
}

type wholeMagic struct {
	bytes  []byte
	format int
}

func newSearcher(formats []format.Format) *searcher {
	s := &searcher{formats: formats}
	for i, f := range formats {
		for _, m := range f.Magics {
			if f.Whole {
				s.whole = append(s.whole, wholeMagic{[]byte(m.Bytes), i})
				continue
			}
			if m.Start {
				s.start = append(s.start, anchor{m.Bytes, m.Off, i})
				continue
			}
			k := int(m.Bytes[0]) | int(m.Bytes[1])<<8
			s.first[k] = append(s.first[k], anchor{m.Bytes, m.Off, i})
			s.longest = max(s.longest, len(m.Bytes))
			s.reach = max(s.reach, m.Off)
		}
	}
	return s
}

// candidate is an offset at which format may start.
type candidate struct {
	off    int64
	format int
}

// pass is one search over one content.
type pass struct {
	*searcher
	r     io.ReaderAt
	size  int64
	at    int64 // every magic that starts before at has been seen
	found []candidate
	buf   []byte
}

const searchBlock = 256 << 10

func (s *searcher) pass(r io.ReaderAt, size int64) *pass {
	p := &pass{searcher: s, r: r, size: size, buf: make([]byte, min(searchBlock+int64(s.longest), size))}
	for _, a := range s.start {
		b := make([]byte, len(a.bytes))
		if n, _ := r.ReadAt(b, a.off); n == len(b) && string(b) == a.bytes {
			p.found = append(p.found, candidate{0, a.format})
		}
	}
	return p
}

// next returns the candidates at the smallest offset at or behind from, in order of precedence,
// or none at the end. from must not go backwards.
func (p *pass) next(from int64) ([]candidate, error) {
	i := sort.Search(len(p.found), func(i int) bool { return p.found[i].off >= from })
	p.found = p.found[i:]
	p.at = max(p.at, from)
	for p.at < p.size && (len(p.found) == 0 || p.found[0].off+p.reach >= p.at) {
		if err := p.block(from); err != nil {
			return nil, err
		}
	}
	n := 0
	for n < len(p.found) && p.found[n].off == p.found[0].off {
		n++
	}
	return p.found[:n], nil
}

// block searches the next searchBlock bytes for magics.
func (p *pass) block(from int64) error {
	want := int(min(int64(len(p.buf)), p.size-p.at))
	n, err := p.r.ReadAt(p.buf[:want], p.at)
	if n < want {
		return err
	}
	b := p.buf[:n]
	last := min(searchBlock, n) // magics that start before last belong to this block
	had := len(p.found)
	for i := 0; i+1 < n && i < last; i++ {
		anchors := p.first[uint16(b[i])|uint16(b[i+1])<<8]
		if anchors == nil {
			continue
		}
		for _, a := range anchors {
			off := p.at + int64(i) - a.off
			if off < from || n-i < len(a.bytes) || string(b[i:i+len(a.bytes)]) != a.bytes {
				continue
			}
			p.found = append(p.found, candidate{off, a.format})
		}
	}
	p.at += int64(last)
	if len(p.found) > had {
		sort.SliceStable(p.found, func(i, j int) bool {
			a, b := p.found[i], p.found[j]
			return a.off < b.off || a.off == b.off && a.format < b.format
		})
		p.found = dedupe(p.found)
	}
	return nil
}

func dedupe(c []candidate) []candidate {
	out := c[:0]
	for i, x := range c {
		if i == 0 || x != c[i-1] {
			out = append(out, x)
		}
	}
	return out
}

// wholeFormats returns the formats about the whole content that have a magic in it.
func (s *searcher) wholeFormats(r io.ReaderAt, size int64) ([]int, error) {
	if len(s.whole) == 0 {
		return nil, nil
	}
	seen := map[int]bool{}
	const overlap = 64
	buf := make([]byte, min(searchBlock+overlap, size))
	for at := int64(0); at < size; at += searchBlock {
		b := buf[:min(int64(len(buf)), size-at)]
		if n, err := r.ReadAt(b, at); n < len(b) {
			return nil, err
		}
		for _, m := range s.whole {
			if !seen[m.format] && bytes.Contains(b, m.bytes) {
				seen[m.format] = true
			}
		}
	}
	var out []int
	for i := range s.formats {
		if seen[i] {
			out = append(out, i)
		}
	}
	return out, nil
}
