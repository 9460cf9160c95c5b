package unpack

import (
	"bytes"
	"encoding/binary"
	"sort"

	"hallmark/unpack/format"
)

// searcher finds the offsets of a content where a format may start, in one pass that skips what
// chunks cover already.
type searcher struct {
	formats []format.Format
	keys    [1 << 16]uint8      // 1 for the keys of all magics
	anchors map[uint16][]anchor // by key
	longest int                 // bytes of the longest magic
	reach   int64               // largest Off of a magic
	start   []anchor            // magics that count at offset 0 only
	whole   []wholeMagic
}

// anchor is a magic and its key: two neighbouring bytes of it that are rare in most contents.
type anchor struct {
	bytes  string
	key    int // index in bytes
	off    int64
	format int // index in formats, which is precedence
}

type wholeMagic struct {
	bytes  []byte
	format int
}

func newSearcher(formats []format.Format) *searcher {
	s := &searcher{formats: formats, anchors: map[uint16][]anchor{}}
	for i, f := range formats {
		for _, m := range f.Magics {
			if f.Whole {
				s.whole = append(s.whole, wholeMagic{[]byte(m.Bytes), i})
				continue
			}
			if m.Start {
				s.start = append(s.start, anchor{m.Bytes, 0, m.Off, i})
				continue
			}
			at := rarest(m.Bytes)
			k := uint16(m.Bytes[at]) | uint16(m.Bytes[at+1])<<8
			s.anchors[k] = append(s.anchors[k], anchor{m.Bytes, at, m.Off, i})
			s.keys[k] = 1
			s.longest = max(s.longest, len(m.Bytes))
			s.reach = max(s.reach, m.Off)
		}
	}
	return s
}

// rarest returns the index of the two bytes of magic to search for: small numbers and filling
// are everywhere in binaries.
func rarest(magic string) int {
	best, most := 0, 9
	for i := 0; i+1 < len(magic); i++ {
		common := 0
		for _, c := range []byte(magic[i : i+2]) {
			switch {
			case c == 0 || c == 0xff:
				common += 4
			case c < 0x20 || c == ' ':
				common += 2
			case c == '0':
				common++
			}
		}
		if common < most {
			best, most = i, common
		}
	}
	return best
}

// candidate is an offset at which format may start.
type candidate struct {
	off    int64
	format int
}

// pass is one search over one content.
type pass struct {
	*searcher
	h     *hot
	at    int64 // every magic that starts before at has been seen
	found []candidate
}

const searchBlock = 256 << 10

func (s *searcher) pass(h *hot) *pass {
	p := &pass{searcher: s, h: h}
	for _, a := range s.start {
		if b, _ := h.span(a.off, int64(len(a.bytes))); string(b) == a.bytes {
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
	for p.at < p.h.src.Size() && (len(p.found) == 0 || p.found[0].off+p.reach >= p.at) {
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
	b, err := p.h.span(p.at, searchBlock+int64(p.longest))
	if err != nil {
		return err
	}
	last := min(searchBlock, len(b)) // magics that start before last belong to this block
	had := len(p.found)
	for i := 0; ; i++ {
		if i = p.nextKey(b, i); i+1 >= len(b) {
			break
		}
		for _, a := range p.anchors[uint16(b[i])|uint16(b[i+1])<<8] {
			start := i - a.key
			off := p.at + int64(start) - a.off
			if start < 0 || start >= last || off < from || len(b)-start < len(a.bytes) || string(b[start:start+len(a.bytes)]) != a.bytes {
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

// nextKey returns the index of the first key in b[i:], or one from which no key fits into b.
func (s *searcher) nextKey(b []byte, i int) int {
	is := &s.keys
	for ; i+8 <= len(b); i += 7 { // seven keys in eight bytes
		w := binary.LittleEndian.Uint64(b[i:])
		if is[uint16(w)]|is[uint16(w>>8)]|is[uint16(w>>16)]|is[uint16(w>>24)]|
			is[uint16(w>>32)]|is[uint16(w>>40)]|is[uint16(w>>48)] != 0 {
			break
		}
	}
	for ; i+1 < len(b) && is[uint16(b[i])|uint16(b[i+1])<<8] == 0; i++ {
	}
	return i
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
func (s *searcher) wholeFormats(h *hot) ([]int, error) {
	seen := map[int]bool{}
	for at := int64(0); at < h.src.Size() && len(s.whole) > 0; at += searchBlock {
		b, err := h.span(at, hotBlock)
		if err != nil {
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
