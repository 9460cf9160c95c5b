package sbom

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"testing"

	"hallmark/artifact"
	"hallmark/facts"
	"hallmark/internal/literal"
	"hallmark/internal/work"
)

// made is an image made up for a test: chunks with files, in chunks.
type made struct {
	t     *testing.T
	tree  *artifact.Tree
	store *artifact.Store
}

// part is a file of a made image, or with parts of its own an inner filesystem.
type part struct {
	path  string
	bytes string
	parts []part
}

// newMade makes a tree of which the root is one filesystem of parts.
func newMade(t *testing.T, parts ...part) *made {
	t.Helper()
	m := &made{t: t, tree: artifact.NewTree("camera.bin"), store: artifact.NewStore(t.TempDir())}
	t.Cleanup(func() { m.store.Close() })
	m.content(part{parts: parts}, artifact.Step{})
	return m
}

func (m *made) content(p part, first artifact.Step) artifact.Digest {
	text := p.bytes
	for _, q := range p.parts {
		text += q.path + "\x00" + q.bytes + "\x00"
	}
	d, err := m.store.Add(io.NewSectionReader(bytes.NewReader([]byte(text)), 0, int64(len(text))))
	if err != nil {
		m.t.Fatal(err)
	}
	c := &artifact.Content{Digest: d, Size: int64(len(text)), First: first}
	x := artifact.Extent{Range: artifact.Range{Len: c.Size}, Kind: artifact.Unknown, Figures: artifact.Measure([]byte(text))}
	if p.parts != nil {
		x.Kind, x.Chunk = artifact.InChunk, &artifact.Chunk{Format: "squashfs"}
	}
	c.Extents = []artifact.Extent{x}
	m.tree.Add(c)
	for i, q := range p.parts {
		n := artifact.Node{Path: q.path, Size: int64(len(q.bytes))}
		n.Digest = m.content(q, artifact.Step{Content: d, Node: i})
		x.Chunk.Nodes = append(x.Chunk.Nodes, n)
	}
	return d
}

// identify runs the whole way from bytes to components.
func (m *made) identify(workers int, finders ...Finder) *BOM {
	m.t.Helper()
	r, err := Load()
	if err != nil {
		m.t.Fatal(err)
	}
	pool := work.NewPool(workers)
	other := literal.Pattern{Bytes: "of someone else"} // the caller's list begins with others
	set := literal.Compile(append([]literal.Pattern{other}, r.Patterns()...))
	found, problems := facts.Collect(context.Background(), m.tree, m.store, pool, set)
	for _, p := range problems {
		m.t.Errorf("facts: %v", p)
	}
	b, err := Identify(context.Background(), m.tree, m.store, found, r, pool, Options{FirstPattern: 1, Finders: finders})
	if err != nil {
		m.t.Error(err)
	}
	for _, c := range b.Components {
		for _, e := range c.Evidence {
			if err := m.store.Check(e.Evidence); err != nil {
				m.t.Errorf("%s: %v", c.Name, err)
			}
		}
	}
	return b
}

// elf makes a little-endian 32-bit shared object for ARM: its SONAME if it has one, the
// libraries that it needs, and text in its loaded bytes.
func elf(soname, text string, needed ...string) string {
	const header, segment = 52, 32
	le := binary.LittleEndian
	strs := []byte{0}
	str := func(s string) uint32 {
		at := len(strs)
		strs = append(append(strs, s...), 0)
		return uint32(at)
	}
	var dynamic []byte
	tag := func(t, v uint32) { dynamic = le.AppendUint32(le.AppendUint32(dynamic, t), v) }
	for _, n := range needed {
		tag(1, str(n)) // DT_NEEDED
	}
	if soname != "" {
		tag(14, str(soname)) // DT_SONAME
	}
	const start = header + 2*segment
	tag(5, start)              // DT_STRTAB: the file is mapped at address 0
	tag(10, uint32(len(strs))) // DT_STRSZ
	tag(0, 0)
	body := append([]byte{}, strs...)
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	at := uint32(start + len(body))
	body = append(body, dynamic...)
	body = append(body, "\x00"+text+"\x00"...)
	total := uint32(start + len(body))
	h := append([]byte("\x7fELF\x01\x01\x01"), make([]byte, 9)...)
	for _, v := range []uint16{3, 40} { // ET_DYN, EM_ARM
		h = le.AppendUint16(h, v)
	}
	for _, v := range []uint32{1, 0, header, 0, 0} { // version, entry, phoff, shoff, flags
		h = le.AppendUint32(h, v)
	}
	for _, v := range []uint16{header, segment, 2, 0, 0, 0} {
		h = le.AppendUint16(h, v)
	}
	for _, p := range [][8]uint32{
		{1, 0, 0, 0, total, total, 5, 4},
		{2, at, at, at, uint32(len(dynamic)), uint32(len(dynamic)), 6, 4},
	} {
		for _, v := range p {
			h = le.AppendUint32(h, v)
		}
	}
	return string(append(h, body...))
}

// finder finds what it is.
type finder []Found

func (f finder) Find(context.Context, *artifact.Tree, *artifact.Store) ([]Found, error) {
	return f, nil
}

// camera is a small image with one of each kind of component, and a part that cannot be read.
var camera = []part{
	{path: "rootfs", parts: []part{
		{path: "var/lib/dpkg/status", bytes: "Package: busybox-tiny\n"},
		{path: "bin/busybox", bytes: elf("", busybox, "libc.so.0")},
		{path: "lib/libuClibc-0.9.33.2.so", bytes: elf("libc.so.0", "")},
		{path: "usr/bin/app", bytes: elf("", "gSOAP/2.8\x00 deflate 1.2.3 Copyright 1995-2005 Jean-loup Gailly ", "libc.so.0", "libjson-c.so.2", "libgone.so")},
		{path: "lib/libjson-c.so.2", bytes: elf("libjson-c.so.2", "", "libc.so.0", "libgone.so")},
		{path: "www/a\x1b[31m\xff.js", bytes: "/*! jQuery v1.7.2 jquery.com | jquery.org/license */"},
	}},
	{path: "uboot", bytes: "\x00U-Boot 2013.07 (Mar 08 2017 - 15:58:30)\x00"},
	{path: "secret", bytes: noise(4096)},
}

// noise returns n bytes that look like nothing.
func noise(n int) string {
	b := make([]byte, n)
	x := uint32(2463534242)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x >> 11)
	}
	return string(b)
}
