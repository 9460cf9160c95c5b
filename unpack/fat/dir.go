package fat

import (
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf16"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Attributes of directory entries.
const (
	attrVolume    = 0x08
	attrDirectory = 0x10
	attrLong      = 0x0f // a piece of a long name
)

type dirent struct {
	name        string
	attrs       byte
	cluster     uint32
	size        uint32
	date, clock uint16
	off         int64
}

// directory returns the entries of the directory that begins in cluster first, or of the root.
func (r *Reader) directory(first uint32, root bool) (list []dirent, errs []error) {
	var p parser
	if root && r.bits != 32 {
		b, err := format.ReadAt(r.src, r.rootOff, r.rootSize, "fat: root directory")
		if err != nil {
			return nil, []error{err}
		}
		p.block(r, b, r.rootOff, root)
		return p.list, nil
	}
	if root {
		first = r.root
	}
	for c := r.chain(first); !p.done; {
		n, err := c.next()
		if err == io.EOF {
			break
		}
		if err == nil && r.budget == 0 {
			err = format.Errorf(artifact.Limit, r.offset(n), "fat: directories share their clusters")
		}
		if err != nil {
			errs = append(errs, err)
			break
		}
		r.budget--
		b, err := format.ReadAt(r.src, r.offset(n), r.cluster, "fat: directory")
		if err != nil {
			errs = append(errs, err)
			continue
		}
		p.block(r, b, r.offset(n), root)
	}
	return p.list, errs
}

// parser reads entries of 32 bytes:
//
//	0 name (8), 8 extension (3), 11 attributes (1), 12 case (1), 20 cluster, upper half (2), 22 time (2), 24 date (2), 26 cluster (2), 28 size
//
// and the pieces of a long name before the entry that it belongs to, the last piece first:
//
//	0 number of the piece, 0x40 on the last, 1 five letters (10), 11 attributes, 13 sum of the short name, 14 six letters (12), 28 two letters (4)
type parser struct {
	list   []dirent
	done   bool
	pieces [20][13]uint16
	count  int // pieces of the long name
	want   int // number of the piece that comes next, 0 when all are there
	sum    byte
}

func (p *parser) block(r *Reader, b []byte, off int64, root bool) {
	le := binary.LittleEndian
	for i := 0; i+32 <= len(b) && !p.done; i += 32 {
		e := b[i : i+32]
		attrs := e[11]
		switch {
		case e[0] == 0:
			p.done = true
		case e[0] == 0xe5: // deleted
			p.count = 0
		case attrs&0x3f == attrLong:
			p.piece(e)
		case attrs&attrVolume != 0:
			if root && r.label.Value == "" {
				r.label = artifact.Attr{Name: "label", Value: strings.TrimRight(string(e[:11]), " "), At: artifact.Range{Off: off + int64(i), Len: 11}}
			}
			p.count = 0
		default:
			d := dirent{
				name: p.name(e), attrs: attrs, cluster: uint32(le.Uint16(e[26:])), size: le.Uint32(e[28:]),
				clock: le.Uint16(e[22:]), date: le.Uint16(e[24:]), off: off + int64(i),
			}
			if r.bits == 32 {
				d.cluster |= uint32(le.Uint16(e[20:])) << 16
			}
			p.count = 0
			if d.name != "." && d.name != ".." {
				p.list = append(p.list, d)
			}
		}
	}
}

// piece takes in a piece of a long name. One out of order makes the name none.
func (p *parser) piece(e []byte) {
	n := int(e[0] & 0x1f)
	switch {
	case n == 0 || n > len(p.pieces):
		p.count = 0
		return
	case e[0]&0x40 != 0:
		p.count, p.sum = n, e[13]
	case p.count == 0 || n != p.want || e[13] != p.sum:
		p.count = 0
		return
	}
	p.want = n - 1
	for i := range 13 {
		at := 1 + 2*i
		if i >= 11 {
			at = 28 + 2*(i-11)
		} else if i >= 5 {
			at = 14 + 2*(i-5)
		}
		p.pieces[n-1][i] = binary.LittleEndian.Uint16(e[at:])
	}
}

// name returns the long name that goes with entry e, or else its short one.
func (p *parser) name(e []byte) string {
	var sum byte
	for _, c := range e[:11] {
		sum = sum<<7 + sum>>1 + c
	}
	if p.count > 0 && p.want == 0 && p.sum == sum {
		var all []uint16
		for _, piece := range p.pieces[:p.count] {
			all = append(all, piece[:]...)
		}
		for i, c := range all {
			if c == 0 {
				all = all[:i]
				break
			}
		}
		if len(all) > 0 {
			return string(utf16.Decode(all))
		}
	}
	base, ext := strings.TrimRight(string(e[:8]), " "), strings.TrimRight(string(e[8:11]), " ")
	if strings.HasPrefix(base, "\x05") { // stands for 0xe5, which marks deleted entries
		base = "\xe5" + base[1:]
	}
	// Windows NT notes here that a name is in lower case.
	if e[12]&0x08 != 0 {
		base = lower(base)
	}
	if e[12]&0x10 != 0 {
		ext = lower(ext)
	}
	if ext != "" {
		return base + "." + ext
	}
	return base
}

// lower turns the letters of ASCII, and leaves the bytes of code pages alone.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
