package unpack

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"

	"hallmark/unpack/format"
)

// searcher finds the offsets of a content where a format may start, in one pass that skips what
// chunks cover already.
type searcher struct {
	formats []format.Format
	keys    [1 << 16]uint8 // 1 more than the index in anchors, 0 for what is no key
	anchors [][]anchor     // by key; the last may be of several
	longest int            // bytes of the longest magic
	reach   int64          // largest Off of a magic
	start   []anchor       // magics that count at offset 0 only
}

// anchor is a magic and its key: two neighbouring bytes of it that are rare in most contents.
type anchor struct {
	bytes  string
	key    int // index in bytes
	off    int64
	format int // index in formats, which is precedence
	magic  int // index in its Magics
	whole  bool
}

func newSearcher(formats []format.Format) *searcher {
	s := &searcher{formats: formats}
	for i, f := range formats {
		for k, m := range f.Magics {
			if m.Start && !f.Whole {
				s.start = append(s.start, anchor{bytes: m.Bytes, off: m.Off, format: i})
				continue
			}
			s.enter(anchor{m.Bytes, rarest(m.Bytes), m.Off, i, k, f.Whole})
			s.longest = max(s.longest, len(m.Bytes))
			s.reach = max(s.reach, m.Off)
		}
	}
	return s
}

func (s *searcher) enter(a anchor) {
	k := &s.keys[uint16(a.bytes[a.key])|uint16(a.bytes[a.key+1])<<8]
	if *k == 0 {
		if len(s.anchors) < 255 {
			s.anchors = append(s.anchors, nil)
		}
		*k = uint8(len(s.anchors))
	}
	s.anchors[*k-1] = append(s.anchors[*k-1], a)
}

// rarest returns the index of the two bytes of magic to search for. In programs, small numbers,
// filling and doubled bytes are everywhere, and so is what instructions of ARM and x86 end on;
// then come small letters, then the rest.
func rarest(magic string) int {
	best, most := 0, 99
	for i := 0; i+1 < len(magic); i++ {
		common := 0
		for _, c := range []byte(magic[i : i+2]) {
			switch {
			case c == 0:
				common += 8
			case c == 0xc0, 0xe0 <= c && c <= 0xe5:
				common += 5
			case c < 0x20:
				common += 4
			case c == 0xff, c == ' ', c == '-':
				common += 3
			case 'a' <= c && c <= 'z', c == '0':
				common += 2
			}
		}
		if magic[i] == magic[i+1] {
			common += 6
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
	whole [][][]int64 // what wholeFormats found so far
}

const (
	searchBlock = 256 << 10
	maxAhead    = 1 << 12 // candidates kept from a search for other things
)

func (s *searcher) pass(h *hot) *pass {
	p := &pass{searcher: s, h: h}
	for _, a := range s.start {
		if b, _ := h.span(a.off, int64(len(a.bytes))); string(b) == a.bytes {
			p.found = append(p.found, candidate{0, a.format})
		}
	}
	return p
}

// wholeFormats returns, by format, where the magics of those about the whole content stand; nil if
// nowhere. It reads the content to its end, and keeps the first candidates that it meets for next.
func (p *pass) wholeFormats() ([][][]int64, error) {
	p.whole = make([][][]int64, len(p.formats))
	kept := int64(-1)
	for p.at < p.h.src.Size() {
		n := len(p.found)
		if err := p.block(0); err != nil {
			return nil, err
		}
		if kept >= 0 {
			p.found = p.found[:n]
		} else if len(p.found) > maxAhead {
			kept = p.at
		}
	}
	if kept >= 0 {
		p.at = kept
	}
	p.sort()
	found := p.whole
	p.whole = nil
	return found, nil
}

// next returns the candidates at the smallest offset at or behind from, in order of precedence,
// or none at the end. from must not go backwards.
func (p *pass) next(from int64) ([]candidate, error) {
	i := sort.Search(len(p.found), func(i int) bool { return p.found[i].off >= from })
	p.found = p.found[i:]
	p.at = max(p.at, from)
	for p.at < p.h.src.Size() && (len(p.found) == 0 || p.found[0].off+p.reach >= p.at) {
		had := len(p.found)
		if err := p.block(from); err != nil {
			return nil, err
		}
		if len(p.found) > had {
			p.sort()
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
	for i := 0; ; i++ {
		if i = p.nextKey(b, i); i+1 >= len(b) {
			break
		}
		anchors := p.anchors[p.keys[uint16(b[i])|uint16(b[i+1])<<8]-1]
		for k := range anchors {
			a := &anchors[k]
			start := i - a.key
			if start < 0 || start >= last || len(b)-start < len(a.bytes) || string(b[start:start+len(a.bytes)]) != a.bytes {
				continue
			}
			if off := p.at + int64(start) - a.off; a.whole {
				if p.whole != nil {
					p.met(a, off)
				}
			} else if off >= from {
				p.found = append(p.found, candidate{off, a.format})
			}
		}
	}
	p.at += int64(last)
	return nil
}

// met notes a magic of a format about the whole content.
func (p *pass) met(a *anchor, off int64) {
	magics := p.whole[a.format]
	if magics == nil {
		magics = make([][]int64, len(p.formats[a.format].Magics))
		p.whole[a.format] = magics
	}
	if len(magics[a.magic]) < format.MaxFound {
		magics[a.magic] = append(magics[a.magic], off)
	}
}

// sort puts candidates in order of offset, then of precedence, each once.
func (p *pass) sort() {
	slices.SortFunc(p.found, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.off, b.off), cmp.Compare(a.format, b.format)) })
	p.found = slices.Compact(p.found)
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
