package dtb

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"iter"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// FIT is a device tree with images in it or behind it.
var FIT = format.Format{
	Name:   "fit",
	Title:  "Flat Image Tree (FIT, uImage.FIT)",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "Flat Image Tree Specification", URL: "https://fitspec.osfw.foundation/"}},
	Limits: []string{"Signatures are told but not verified.", "Encrypted images are not decrypted."},
	Open:   openFIT,
}

type fit struct {
	*tree
	list  []image
	end   int64
	attrs []artifact.Attr // of the hashes checked
}

type image struct {
	*node
	at       artifact.Range
	problems []artifact.Problem
}

func openFIT(src format.Source) (format.Chunk, error) {
	t, err := parse(src)
	if err != nil {
		return nil, format.Not("fit: %v", err) // if it is a defect, Format tells it
	}
	f := &fit{tree: t, end: t.size}
	total := int64(0)
	for _, n := range t.images() {
		m := f.locate(n)
		// Images that share bytes are odd; so many that they add up to more than there is are an attack.
		if total += m.at.Len; total > src.Size() {
			m.at.Len = 0
			m.add(artifact.Damaged, "fit: image %q at %#x: images overlap", n.name, m.at.Off)
		}
		f.end = max(f.end, m.at.End())
		f.list = append(f.list, m)
	}
	if len(f.list) == 0 {
		return nil, format.Not("fit: no image")
	}
	return f, nil
}

// images returns the nodes below /images that have data, here or elsewhere.
func (t *tree) images() []*node {
	dir := t.root.child("images")
	if dir == nil {
		return nil
	}
	var list []*node
	for _, n := range dir.kids {
		for _, p := range n.props {
			if p.name == "data" || p.name == "data-size" {
				list = append(list, n)
				break
			}
		}
	}
	return list
}

// locate finds the data of n: in the tree, at a position from the start of the FIT, or at an
// offset from the end of the tree, rounded up to a multiple of 4.
func (f *fit) locate(n *node) image {
	m := image{node: n}
	if p, ok := n.prop("data"); ok {
		m.at = p.at
		return m
	}
	size, _ := f.cell(n, "data-size")
	off, ok := f.cell(n, "data-position")
	if !ok {
		rel, ok := f.cell(n, "data-offset")
		off = uint64(f.size+3)&^3 + rel
		if !ok || off < rel {
			m.add(artifact.Damaged, "fit: image %q: data-size without a place", n.name)
			return m
		}
	}
	left := uint64(f.src.Size())
	if off > left {
		m.add(artifact.Truncated, "fit: image %q at %#x: content ends at %#x", n.name, off, left)
		return m
	}
	if left -= off; size > left {
		m.add(artifact.Truncated, "fit: image %q at %#x: %d bytes, %d left", n.name, off, size, left)
		size = left
	}
	m.at = artifact.Range{Off: int64(off), Len: int64(size)}
	return m
}

func (m *image) add(kind artifact.ProblemKind, text string, args ...any) {
	m.problems = append(m.problems, artifact.Problem{Kind: kind, At: m.at, Detail: fmt.Sprintf(text, args...)})
}

func (f *fit) Size() int64 { return f.end }

func (f *fit) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		f.attrs = nil
		if f.problem != nil && !yield(format.Entry{}, f.problem) {
			return
		}
		stamp, _ := f.cell(f.root, "timestamp")
		for _, m := range f.list {
			if len(m.problems) == 0 {
				f.check(&m)
			}
			if c := m.child("cipher"); c != nil {
				algo, _ := f.text(c, "algo")
				m.add(artifact.Encrypted, "fit: image %q at %#x: encrypted with %s", m.name, m.at.Off, algo)
			}
			e := format.Entry{Path: m.name, Size: m.at.Len, ModTime: int64(stamp), Window: &m.at, Problems: m.problems}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// check compares the data of m with each of its hash nodes and notes the outcome.
func (f *fit) check(m *image) {
	sums := map[string][]byte{} // an algorithm runs once, however many nodes name it
	for _, n := range m.kids {
		if !strings.HasPrefix(n.name, "hash") {
			continue
		}
		algo, _ := f.text(n, "algo")
		p, ok := n.prop("value")
		if !ok {
			continue
		}
		sum, done := sums[algo]
		if !done {
			sum = f.sum(algo, m.at)
			sums[algo] = sum
		}
		outcome := "ok"
		switch want := f.bytes(p); {
		case sum == nil:
			outcome = "not checked"
		case !bytes.Equal(sum, want):
			outcome = "bad"
			m.problems = append(m.problems, artifact.Problem{Kind: artifact.Checksum, At: p.at,
				Detail: fmt.Sprintf("fit: image %q at %#x: %s %x, want %x", m.name, m.at.Off, algo, sum, want)})
		}
		if len(f.attrs) < maxAttrs {
			f.attrs = append(f.attrs, artifact.Attr{Name: "hash", Value: m.name + " " + algo + " " + outcome, At: p.at})
		}
	}
}

// sum returns nil if the algorithm is not known or the data cannot be read.
func (f *fit) sum(algo string, at artifact.Range) []byte {
	var h hash.Hash
	switch algo {
	case "crc32":
		h = crc32.NewIEEE()
	case "md5":
		h = md5.New()
	case "sha1":
		h = sha1.New()
	case "sha256":
		h = sha256.New()
	case "sha384":
		h = sha512.New384()
	case "sha512":
		h = sha512.New()
	default:
		return nil
	}
	if _, err := io.Copy(h, io.NewSectionReader(f.src, at.Off, at.Len)); err != nil {
		return nil
	}
	return h.Sum(nil)
}

// Describe tells the images with their properties, the hashes checked, and the configurations.
func (f *fit) Describe() []artifact.Attr {
	var attrs []artifact.Attr
	if s, at := f.text(f.root, "description"); s != "" {
		attrs = append(attrs, artifact.Attr{Name: "description", Value: s, At: at})
	}
	if v, ok := f.cell(f.root, "timestamp"); ok {
		p, _ := f.root.prop("timestamp")
		attrs = append(attrs, artifact.Attr{Name: "time", Value: strconv.FormatUint(v, 10), At: p.at})
	}
	for _, m := range f.list {
		attrs = f.describe(attrs, "images/"+m.name, m.node, "description", "type", "arch", "os", "compression", "load", "entry")
	}
	attrs = append(attrs, f.attrs...)
	confs := f.root.child("configurations")
	if confs == nil {
		return attrs
	}
	if s, at := f.text(confs, "default"); s != "" {
		attrs = append(attrs, artifact.Attr{Name: "default", Value: s, At: at})
	}
	for _, n := range confs.kids {
		attrs = f.describe(attrs, "configurations/"+n.name, n, "description", "kernel", "fdt", "ramdisk", "firmware", "loadables", "fpga", "compatible")
		for _, k := range n.kids {
			if strings.HasPrefix(k.name, "signature") {
				attrs = f.describe(attrs, "configurations/"+n.name+"/"+k.name, k, "algo", "key-name-hint")
			}
		}
	}
	return attrs
}

// describe appends one attribute for each property of n that is among names, called by its path.
func (f *fit) describe(attrs []artifact.Attr, path string, n *node, names ...string) []artifact.Attr {
	for _, name := range names {
		value, at := f.text(n, name)
		if name == "load" || name == "entry" {
			v, ok := f.cell(n, name)
			if !ok {
				continue
			}
			value = fmt.Sprintf("%#x", v)
		}
		if value != "" && len(attrs) < maxAttrs {
			attrs = append(attrs, artifact.Attr{Name: path + "/" + name, Value: value, At: at})
		}
	}
	return attrs
}
