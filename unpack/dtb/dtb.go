// Package dtb reads flattened device trees, which tell a kernel the hardware of a board, and
// FIT images, which are device trees that hold kernels, ramdisks and other device trees.
//
// Specifications: Devicetree Specification 0.4, chapter 5 (versions 16 and 17 of the blob),
// https://www.devicetree.org/specifications/, and Flat Image Tree,
// https://fitspec.osfw.foundation/. Signatures of FIT images are told but not verified, and
// encrypted images are not decrypted.
package dtb

import (
	"fmt"
	"iter"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is a flattened device tree that is no FIT image.
var Format = format.Format{
	Name:   "dtb",
	Title:  "Flattened device tree",
	Kind:   format.Boot,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "Devicetree Specification", URL: "https://www.devicetree.org/specifications/"}},
	Limits: []string{"Blobs of versions before 16 are not read.", "Only values of 512 bytes and more are handed out as files."},
	Open:   open,
}

// largeValue is the size from which a value is taken for an embedded file.
const largeValue = 512

func open(src format.Source) (format.Chunk, error) {
	t, err := parse(src)
	if err != nil {
		return nil, err
	}
	if len(t.images()) > 0 {
		return nil, format.Not("dtb: FIT image")
	}
	return t, nil
}

func (t *tree) Size() int64 { return t.size }

// Entries yields large values, named by their node and property.
func (t *tree) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if t.problem != nil && !yield(format.Entry{}, t.problem) {
			return
		}
		t.root.walk("", func(path string, n, _ *node) bool {
			for _, p := range n.props {
				if p.at.Len >= largeValue && !yield(format.Entry{Path: path + p.name, Size: p.at.Len, Window: &p.at}, nil) {
					return false
				}
			}
			return true
		})
	}
}

// walk calls f for n and all below it, until f returns false. path is that of the node, ending in a slash.
func (n *node) walk(path string, f func(path string, n, parent *node) bool) bool {
	return n.walkBelow(path, nil, f)
}

func (n *node) walkBelow(path string, parent *node, f func(path string, n, parent *node) bool) bool {
	if !f(path, n, parent) {
		return false
	}
	for _, k := range n.kids {
		if !k.walkBelow(path+k.name+"/", n, f) {
			return false
		}
	}
	return true
}

// Describe tells the board, its kernel command line, memory and flash partitions.
func (t *tree) Describe() []artifact.Attr {
	attrs := []artifact.Attr{{Name: "version", Value: strconv.Itoa(int(t.version)), At: artifact.Range{Off: 20, Len: 4}}}
	add := func(name string, n *node, prop string) {
		if s, at := t.text(n, prop); s != "" {
			attrs = append(attrs, artifact.Attr{Name: name, Value: s, At: at})
		}
	}
	add("model", t.root, "model")
	add("compatible", t.root, "compatible")
	if chosen := t.root.child("chosen"); chosen != nil {
		add("bootargs", chosen, "bootargs")
	}
	t.root.walk("", func(_ string, n, parent *node) bool {
		if len(attrs) >= maxAttrs || parent == nil {
			return len(attrs) < maxAttrs
		}
		reg, _ := n.prop("reg")
		kind, _ := t.text(n, "device_type")
		for _, r := range t.reg(n, parent) {
			switch {
			case kind == "memory":
				attrs = append(attrs, artifact.Attr{Name: "memory", Value: r, At: reg.at})
			case parent.name == "partitions" || strings.HasPrefix(n.name, "partition@"):
				attrs = append(attrs, artifact.Attr{Name: "partition", Value: t.partitionName(n) + " " + r, At: reg.at})
			}
		}
		return true
	})
	return attrs
}

// maxAttrs bounds what one tree tells.
const maxAttrs = 1000

func (t *tree) partitionName(n *node) string {
	if s, _ := t.text(n, "label"); s != "" {
		return s
	}
	s, _, _ := strings.Cut(n.name, "@")
	return s
}

// reg returns the address ranges of n as "0xADDRESS+0xLENGTH". The parent says how many cells
// each number has, 2 and 1 unless told.
func (t *tree) reg(n, parent *node) []string {
	nAddr, ok := t.cell(parent, "#address-cells")
	if !ok {
		nAddr = 2
	}
	nSize, ok := t.cell(parent, "#size-cells")
	if !ok {
		nSize = 1
	}
	if nAddr < 1 || nAddr > 2 || nSize < 1 || nSize > 2 {
		return nil
	}
	number := func(v []uint32) (x uint64) {
		for _, c := range v {
			x = x<<32 | uint64(c)
		}
		return x
	}
	var out []string
	for v := t.cells(n, "reg"); uint64(len(v)) >= nAddr+nSize; v = v[nAddr+nSize:] {
		out = append(out, fmt.Sprintf("%#x+%#x", number(v[:nAddr]), number(v[nAddr:nAddr+nSize])))
	}
	return out
}
