package mtdparts

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const fdtMagic = "\xd0\x0d\xfe\xed"

// DeviceTree is a flash image with a device tree in it that divides it.
var DeviceTree = format.Format{
	Name:   "fdtparts",
	Title:  "Flash image divided by fixed partitions of a device tree",
	Kind:   format.Layout,
	Magics: []format.Magic{{Bytes: fdtMagic}},
	Whole:  true,
	Refs: []format.Ref{
		{Title: "Linux bindings, fixed-partitions.yaml", URL: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/Documentation/devicetree/bindings/mtd/partitions/fixed-partitions.yaml"},
		{Title: "Devicetree Specification", URL: "https://www.devicetree.org/specifications/"},
	},
	Limits: []string{"Device trees inside of compressed kernels are not seen.", "A table that does not cover the image to its end is not used."},
	Open:   func(src format.Source) (format.Chunk, error) { return openTree(src) },
}

// What a blob may have; those of boards have some 100 KiB, 1,000 nodes and 8 levels.
const (
	maxBlob  = 1 << 20
	maxNodes = 1 << 14
	maxDepth = 32
	maxBlobs = 256 // looked at in one image
)

func openTree(src format.Source) (*layout, error) {
	if src.Size() < minImage {
		return nil, format.Not("fdtparts: %d bytes", src.Size())
	}
	var list []table
	parsed, blobs, tried := int64(0), 0, 0
	for behind := range occurrences(src, fdtMagic) {
		at := behind - int64(len(fdtMagic))
		b := readBlob(src, at)
		if tried++; tried == maxMagics || parsed > 2*src.Size() || len(list) >= maxTables {
			break
		}
		if b == nil {
			continue
		}
		t := tree{blob: b, at: at, pos: int(binary.BigEndian.Uint32(b[8:]))}
		t.walk()
		list = append(list, t.tables...)
		parsed += int64(len(b))
		if blobs++; blobs == maxBlobs {
			break
		}
	}
	if l := divide(src, list); l != nil {
		return l, nil
	}
	return nil, format.Not("fdtparts: no table that fits")
}

// readBlob returns the device tree at at, nil if there is none. Its header, big endian: magic,
// size, offset of the structure, of the strings, of memory reservations, version, last
// compatible version, boot CPU, size of the strings, size of the structure (from version 17 on).
func readBlob(src format.Source, at int64) []byte {
	var head [40]byte
	if n, _ := src.ReadAt(head[:], at); n < len(head) {
		return nil
	}
	u32 := func(i int) int64 { return int64(binary.BigEndian.Uint32(head[4*i:])) }
	size := u32(1)
	if size < 72 || size > min(maxBlob, src.Size()-at) || u32(5) < 16 || u32(5) > 32 || u32(2) < 36 || u32(2)%4 != 0 || u32(2) >= size || u32(3) < 36 || u32(3) > size {
		return nil
	}
	b := make([]byte, size)
	if n, _ := src.ReadAt(b, at); n < len(b) {
		return nil
	}
	return b
}

// Tokens of the structure.
const (
	beginNode = 1
	endNode   = 2
	property  = 3
	nop       = 4
)

// tree collects the tables of a device tree in one pass over its structure.
type tree struct {
	blob   []byte
	at     int64 // of the blob in the image
	pos    int
	tables []table
}

// node is one on the way from the root to where the pass is.
type node struct {
	name                string
	off                 int
	compatible, label   string
	reg                 []byte
	regAt               int
	readOnly            bool
	addrCells, lenCells uint32
	parts               []partition // its children, if they are partitions
}

// walk reads up to the end or the first defect.
func (t *tree) walk() {
	var open []*node
	for nodes := 0; nodes < maxNodes; {
		switch token, _ := t.u32(); {
		case token == beginNode && len(open) < maxDepth:
			nodes++
			n := &node{off: t.pos - 4, addrCells: 2, lenCells: 1}
			n.name = cstring(t.blob[t.pos:])
			t.pos += (len(n.name) + 4) &^ 3
			open = append(open, n)
		case token == property && len(open) > 0:
			if !t.property(open[len(open)-1]) {
				return
			}
		case token == endNode && len(open) > 0:
			t.leave(open)
			open = open[:len(open)-1]
		case token == nop:
		default:
			return
		}
	}
}

func (t *tree) u32() (uint32, bool) {
	if t.pos < 0 || t.pos > len(t.blob)-4 {
		t.pos = len(t.blob)
		return 0, false
	}
	t.pos += 4
	return binary.BigEndian.Uint32(t.blob[t.pos-4:]), true
}

func cstring(b []byte) string {
	b, _, _ = bytes.Cut(b[:min(len(b), 256)], []byte{0})
	return string(b)
}

func (t *tree) property(n *node) bool {
	size, _ := t.u32()
	name, ok := t.u32()
	names := int64(binary.BigEndian.Uint32(t.blob[12:]))
	if !ok || int64(size) > int64(len(t.blob)-t.pos) || int64(name) >= int64(len(t.blob))-names {
		return false
	}
	value := t.blob[t.pos : t.pos+int(size)]
	number := func() uint32 {
		if len(value) != 4 {
			return 0
		}
		return binary.BigEndian.Uint32(value)
	}
	switch cstring(t.blob[names+int64(name):]) {
	case "compatible":
		n.compatible = string(value)
	case "label":
		n.label = cstring(value)
	case "reg":
		n.reg, n.regAt = value, t.pos
	case "read-only":
		n.readOnly = true
	case "#address-cells":
		n.addrCells = number()
	case "#size-cells":
		n.lenCells = number()
	}
	t.pos += (int(size) + 3) &^ 3
	return true
}

// leave closes the last node of open: a partition is noted in its parent, a table is complete.
// A table is a node that says so, or in the old binding one that has nodes partition@ADDRESS.
func (t *tree) leave(open []*node) {
	n := open[len(open)-1]
	if len(open) > 1 {
		parent := open[len(open)-2]
		if p, ok := t.partition(n, parent); ok && len(parent.parts) <= maxPartitions {
			parent.parts = append(parent.parts, p)
		}
	}
	fixed := slices.Contains(strings.Split(n.compatible, "\x00"), "fixed-partitions")
	old := len(n.parts) > 0 && strings.HasPrefix(cstring(t.blob[n.parts[0].node+4:]), "partition@")
	if len(n.parts) == 0 || len(n.parts) > maxPartitions || !fixed && !old {
		return
	}
	path := ""
	for _, o := range open[1:] {
		path += "/" + o.name
	}
	t.tables = append(t.tables, table{
		source: "device tree", text: path, parts: n.parts,
		at: artifact.Range{Off: t.at + int64(n.off), Len: int64(t.pos - n.off)},
	})
}

// partition reads node n as a partition: an address and a size, the latter 0 for the rest.
func (t *tree) partition(n, parent *node) (p partition, ok bool) {
	a, l := int(parent.addrCells), int(parent.lenCells)
	if a < 1 || a > 2 || l < 1 || l > 2 || len(n.reg) != 4*(a+l) {
		return p, false
	}
	off, size := cells(n.reg[:4*a]), cells(n.reg[4*a:])
	if off > 1<<40 || size > 1<<40 {
		return p, false
	}
	p = partition{name: n.label, off: int64(off), size: int64(size), readOnly: n.readOnly, node: n.off, text: artifact.Range{Off: t.at + int64(n.regAt), Len: int64(len(n.reg))}}
	if p.name == "" {
		p.name, _, _ = strings.Cut(n.name, "@")
	}
	if p.name = strings.ReplaceAll(p.name, "/", "_"); p.name == "" {
		p.name = fmt.Sprintf("partition@%#x", off)
	}
	if size == 0 {
		p.size = -1
	}
	return p, true
}

func cells(b []byte) (v uint64) {
	for ; len(b) > 0; b = b[4:] {
		v = v<<32 | uint64(binary.BigEndian.Uint32(b))
	}
	return v
}
