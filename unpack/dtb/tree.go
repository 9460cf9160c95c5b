package dtb

import (
	"bytes"
	"encoding/binary"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "\xd0\x0d\xfe\xed"

// The header, big endian, of versions 16 and 17:
//
//	 0 magic                      16 offset of memory reservations   32 size of strings
//	 4 size of the whole blob     20 version                         36 size of structure (17)
//	 8 offset of the structure    24 last compatible version
//	12 offset of the strings      28 boot CPU
const (
	headerSize16 = 36
	headerSize17 = 40
)

// Tokens of the structure block.
const (
	beginNode = 1
	endNode   = 2
	property  = 3
	nop       = 4
	end       = 9
)

// What a tree may have at most. The largest of mainline Linux have some 5,000 nodes.
const (
	maxNodes   = 1 << 16
	maxProps   = 1 << 18
	maxDepth   = 64
	maxName    = 256
	maxStrings = 1 << 22
)

// tree is a parsed blob. Values stay where they are.
type tree struct {
	src     format.Source
	size    int64 // of the blob
	version uint32
	root    *node
	problem error
}

type node struct {
	name  string
	props []prop
	kids  []*node
}

type prop struct {
	name string
	at   artifact.Range // of the value
}

// parse reads the tree at the start of src. What has no valid header is not one; what has is, and
// ends at its first defect, which is its problem.
func parse(src format.Source) (*tree, error) {
	b := make([]byte, headerSize17)
	if n, _ := src.ReadAt(b, 0); n < headerSize17 || string(b[:4]) != magic {
		return nil, format.Not("dtb: header")
	}
	u32 := func(off int) int64 { return int64(binary.BigEndian.Uint32(b[off:])) }
	size, structs, names, rsv := u32(4), u32(8), u32(12), u32(16)
	version, compatible, namesLen := u32(20), u32(24), u32(32)
	head, structsLen := int64(headerSize16), size-structs
	if version >= 17 {
		head, structsLen = headerSize17, u32(36)
	}
	switch {
	case version < 16 || version > 32 || compatible < 2 || compatible > 17 || compatible > version:
		return nil, format.Not("dtb: version %d, compatible with %d", version, compatible)
	case structs < head || structs%4 != 0 || structs > size || structsLen < 16 || structsLen > size-structs:
		return nil, format.Not("dtb: structure at %#x+%#x, blob of %#x bytes", structs, structsLen, size)
	case names < head || names > size || namesLen > size-names || namesLen > maxStrings:
		return nil, format.Not("dtb: strings at %#x+%#x, blob of %#x bytes", names, namesLen, size)
	case rsv < head || rsv%8 != 0 || rsv > size-16:
		return nil, format.Not("dtb: memory reservations at %#x, blob of %#x bytes", rsv, size)
	}
	t := &tree{src: src, size: size, version: uint32(version)}
	if size > src.Size() {
		t.problem = format.Errorf(artifact.Truncated, src.Size(), "dtb: blob of %d bytes, %d left", size, src.Size())
		t.size = max(structs+structsLen, names+namesLen) // what can be read, if any
		if t.size > src.Size() {
			return nil, t.problem
		}
	}
	p := parser{cursor: cursor{src: src, off: structs, end: structs + structsLen}, strings: artifact.Range{Off: names, Len: namesLen}, seen: map[uint32]string{}}
	if err := p.parse(); err != nil {
		t.problem, t.size = err, p.off // what was read so far
	}
	if t.root = p.root; t.root == nil {
		return nil, format.Not("%v", t.problem)
	}
	return t, nil
}

type parser struct {
	cursor
	strings      artifact.Range
	seen         map[uint32]string
	root         *node
	nodes, props int
}

// parse reads the structure block up to its end token.
func (p *parser) parse() error {
	var open []*node // from the root to the node being read
	for {
		at := p.off
		switch token := p.u32(); {
		case p.bad:
			return format.Errorf(artifact.Damaged, at, "dtb: structure at %#x: ends without end token", at)
		case token == nop:
		case token == beginNode:
			n := &node{name: p.name()}
			if p.nodes++; p.nodes > maxNodes || len(open) == maxDepth {
				return format.Errorf(artifact.Limit, at, "dtb: structure at %#x: more than %d nodes or %d levels", at, maxNodes, maxDepth)
			}
			if len(open) > 0 {
				parent := open[len(open)-1]
				parent.kids = append(parent.kids, n)
			} else if p.root == nil {
				p.root = n
			} else {
				return format.Errorf(artifact.Damaged, at, "dtb: structure at %#x: second root", at)
			}
			open = append(open, n)
		case token == endNode && len(open) > 0:
			open = open[:len(open)-1]
		case token == property && len(open) > 0:
			size, name := int64(p.u32()), p.u32()
			n := open[len(open)-1]
			n.props = append(n.props, prop{p.stringAt(name), artifact.Range{Off: p.off, Len: size}})
			if p.props++; p.props > maxProps {
				return format.Errorf(artifact.Limit, at, "dtb: structure at %#x: more than %d properties", at, maxProps)
			}
			p.skip((size + 3) &^ 3)
		case token == end && len(open) == 0 && p.root != nil:
			return nil
		default:
			return format.Errorf(artifact.Damaged, at, "dtb: structure at %#x: token %#x at depth %d", at, token, len(open))
		}
	}
}

// stringAt returns the property name at off of the strings block.
func (p *parser) stringAt(off uint32) string {
	s, ok := p.seen[off]
	if !ok && int64(off) < p.strings.Len {
		b := make([]byte, min(maxName, p.strings.Len-int64(off)))
		n, _ := p.src.ReadAt(b, p.strings.Off+int64(off))
		b, _, _ = bytes.Cut(b[:n], []byte{0})
		s = string(b)
		p.seen[off] = s
	}
	return s
}

// cursor reads the structure block in steps; values are skipped, not read. Once it ran over the
// end it is bad and reads 0.
type cursor struct {
	src      format.Source
	off, end int64
	buf      []byte // of the bytes at start
	start    int64
	bad      bool
}

// next returns n bytes, n being at most maxName.
func (c *cursor) next(n int64) []byte {
	if c.bad || n > c.end-c.off {
		c.bad = true
		return make([]byte, n)
	}
	if c.off < c.start || c.off+n > c.start+int64(len(c.buf)) {
		c.start = c.off
		c.buf = make([]byte, min(4096, c.end-c.off))
		if got, _ := c.src.ReadAt(c.buf, c.start); got < len(c.buf) {
			c.bad = true
			return make([]byte, n)
		}
	}
	b := c.buf[c.off-c.start:][:n]
	c.off += n
	return b
}

func (c *cursor) u32() uint32 { return binary.BigEndian.Uint32(c.next(4)) }

func (c *cursor) skip(n int64) {
	if n > c.end-c.off {
		c.bad = true
		return
	}
	c.off += n
}

// name returns the string at the cursor and moves to the multiple of 4 behind its NUL.
func (c *cursor) name() string {
	var s []byte
	for len(s) < maxName {
		b := c.next(4)
		if i := bytes.IndexByte(b, 0); i >= 0 {
			return string(append(s, b[:i]...))
		}
		s = append(s, b...)
	}
	c.bad = true
	return ""
}

// child returns the node called name, or nil.
func (n *node) child(name string) *node {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

func (n *node) prop(name string) (prop, bool) {
	for _, p := range n.props {
		if p.name == name {
			return p, true
		}
	}
	return prop{}, false
}

// maxValue bounds a value that is read into memory: a command line, a list of names, a hash.
const maxValue = 4096

func (t *tree) bytes(p prop) []byte {
	b := make([]byte, min(p.at.Len, maxValue))
	n, _ := t.src.ReadAt(b, p.at.Off)
	return b[:n]
}

// text returns the strings of property name of n, joined by commas.
func (t *tree) text(n *node, name string) (string, artifact.Range) {
	p, ok := n.prop(name)
	if !ok {
		return "", artifact.Range{}
	}
	s := strings.TrimRight(string(t.bytes(p)), "\x00")
	return strings.ReplaceAll(s, "\x00", ","), p.at
}

// cells returns property name of n as 32-bit numbers, nil if there is none.
func (t *tree) cells(n *node, name string) []uint32 {
	p, ok := n.prop(name)
	if !ok {
		return nil
	}
	var v []uint32
	for b := t.bytes(p); len(b) >= 4; b = b[4:] {
		v = append(v, binary.BigEndian.Uint32(b))
	}
	return v
}

// cell returns property name of n as one number of 32 or 64 bits.
func (t *tree) cell(n *node, name string) (uint64, bool) {
	switch v := t.cells(n, name); len(v) {
	case 1:
		return uint64(v[0]), true
	case 2:
		return uint64(v[0])<<32 | uint64(v[1]), true
	}
	return 0, false
}
