// Package xor reads programs that somebody hid under XOR with a short key.
//
// There is nothing to specify: the header of an ELF program is known well enough that the key follows from its first
// bytes, and its other fields say whether that is right (https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html).
package xor

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is an ELF program under XOR.
var Format = format.Format{
	Name:  "xor",
	Title: "ELF under XOR",
	Kind:  format.Container,
	Align: 4 << 10,
	Begins: func(head []byte) bool {
		for range guesses(head) {
			return true
		}
		return false
	},
	Refs: []format.Ref{{Title: "System V ABI, ELF header", URL: "https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html"}},
	Limits: []string{
		"Only ELF programs are recognised, with keys of up to 16 bytes, at multiples of 4 KiB.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return open(src) },
}

const (
	maxKey     = 16
	headerLen  = 64
	maxEntries = 1 << 12 // of the table of segments
)

type program struct {
	src     format.Source
	key     []byte
	size    int64
	problem error
}

func open(src format.Source) (*program, error) {
	var h [headerLen]byte
	if n, _ := src.ReadAt(h[:], 0); n < headerLen {
		return nil, format.Not("xor: %d bytes", n)
	}
	for g := range guesses(h[:]) {
		if p := (&program{src: src, key: g.key(h[:])}); p.measure(h) {
			return p, nil
		}
	}
	return nil, format.Not("xor: no program")
}

// guess is how long the key may be, and what the program under it is.
type guess struct {
	length       int
	class, order byte
}

// guesses yields those under which h may be a header, short keys first; none for one that is not hidden.
func guesses(h []byte) iter.Seq[guess] {
	return func(yield func(guess) bool) {
		if len(h) < headerLen || string(h[:4]) == "\x7fELF" {
			return
		}
		for length := 1; length <= maxKey; length++ {
			for _, class := range [...]byte{1, 2} {
				for _, order := range [...]byte{1, 2} {
					if g := (guess{length, class, order}); g.fits(h) && !yield(g) {
						return
					}
				}
			}
		}
	}
}

// fits reports whether all that is known of a header, its first 16 bytes and its version, gives the same key.
func (g guess) fits(h []byte) bool {
	plain := g.plain()
	for i := g.length; i < len(plain); i++ {
		if h[i]^plain[i] != h[i-g.length]^plain[i-g.length] {
			return false
		}
	}
	version := [4]byte{1, 0, 0, 0}
	if g.order == 2 {
		version = [4]byte{0, 0, 0, 1}
	}
	for i, v := range version {
		if k := (20 + i) % g.length; h[20+i]^v != h[k]^plain[k] {
			return false
		}
	}
	return true
}

func (g guess) plain() [16]byte { return [16]byte{0x7f, 'E', 'L', 'F', g.class, g.order, 1} }

func (g guess) key(h []byte) []byte {
	plain, key := g.plain(), make([]byte, g.length)
	for i := range key {
		key[i] = h[i] ^ plain[i]
	}
	return key
}

// measure finds the end of the program, where its tables and segments end. It reports whether the header is one.
func (p *program) measure(h [headerLen]byte) bool {
	p.undo(h[:], 0)
	var o binary.ByteOrder = binary.LittleEndian
	if h[5] == 2 {
		o = binary.BigEndian
	}
	wide := h[4] == 2
	// Offsets in the header of 32 and 64 bits: where the tables are, then sizes and numbers of 2 bytes each.
	word, phoff, shoff, sizes, segment := int64(4), 28, 32, 40, int64(32)
	if wide {
		word, phoff, shoff, sizes, segment = 8, 32, 40, 52, 56
	}
	number := func(b []byte) int64 {
		if wide {
			return int64(min(o.Uint64(b), 1<<60))
		}
		return int64(o.Uint32(b))
	}
	size := func(i int) int64 { return int64(o.Uint16(h[sizes+2*i:])) }
	kind := o.Uint16(h[16:])
	segments, sections := size(2), size(4)
	if kind == 0 || kind > 4 || o.Uint32(h[20:]) != 1 || size(0) != int64(sizes)+12 || segments > maxEntries || segments > 0 && size(1) != segment {
		return false
	}
	p.size = size(0)
	if sections > 0 {
		p.size = max(p.size, number(h[shoff:])+sections*size(3))
	}
	if segments > 0 {
		table := make([]byte, segments*segment)
		at := number(h[phoff:])
		n, _ := p.src.ReadAt(table, at)
		p.undo(table[:n], at)
		for b := table[:int64(n)/segment*segment]; len(b) > 0; b = b[segment:] {
			// 32 bits: type, offset, two addresses, size in the file. 64 bits: type and flags, the same.
			offset, stored := number(b[word:]), number(b[4*word:])
			p.size = max(p.size, offset+stored)
		}
	}
	if p.size > p.src.Size() {
		p.problem = format.Errorf(artifact.Truncated, p.src.Size(), "xor: program of %d bytes, %d left", p.size, p.src.Size())
		p.size = p.src.Size()
	}
	return true
}

func (p *program) undo(b []byte, at int64) {
	for i := range b {
		b[i] ^= p.key[(at+int64(i))%int64(len(p.key))]
	}
}

// Size returns the end of the program.
func (p *program) Size() int64 { return p.size }

// Describe tells the key.
func (p *program) Describe() []artifact.Attr {
	return []artifact.Attr{{Name: "key", Value: fmt.Sprintf("%x", p.key), At: artifact.Range{Len: 16}}}
}

// Entries yields the program.
func (p *program) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if p.problem != nil && !yield(format.Entry{}, p.problem) {
			return
		}
		yield(format.Entry{Size: p.size, Open: func() (io.Reader, error) {
			return &reader{p: p, r: io.NewSectionReader(p.src, 0, p.size)}, nil
		}}, nil)
	}
}

type reader struct {
	p  *program
	r  io.Reader
	at int64
}

func (r *reader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	r.p.undo(b[:n], r.at)
	r.at += int64(n)
	return n, err
}
