package elf

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"hallmark/artifact"
)

// image is a File that is being read.
type image struct {
	File
	r      io.ReaderAt
	size   int64
	budget int64 // bytes still to be read: tables that overlap again and again end here

	phoff, shoff            int64
	phnum, phsize           int
	shnum, shsize, shstrndx int
	dynamic                 dynamic
}

// problem keeps a problem; of at, which may be as declared, what lies in the content.
func (m *image) problem(kind artifact.ProblemKind, at artifact.Range, format string, args ...any) {
	at.Off = max(0, min(at.Off, m.size))
	at.Len = max(0, min(at.Len, m.size-at.Off))
	if len(m.Problems) < maxProblems {
		m.Problems = append(m.Problems, artifact.Problem{Kind: kind, At: at, Detail: "elf: " + fmt.Sprintf(format, args...)})
	}
}

// bytes returns what the content has of at, at most limit bytes.
func (m *image) bytes(at artifact.Range, limit int64) []byte {
	if at.Off < 0 || at.Len <= 0 || at.Off >= m.size {
		return nil
	}
	b := make([]byte, min(at.Len, limit, m.size-at.Off))
	if m.budget -= int64(len(b)); m.budget < 0 {
		m.problem(artifact.Limit, at, "tables overlap: more read than twice the %#x bytes of the content", m.size)
		m.budget = 0
		return nil
	}
	n, err := m.r.ReadAt(b, at.Off)
	if n < len(b) {
		m.problem(artifact.Damaged, artifact.Range{Off: at.Off + int64(n)}, "read: %v", err)
	}
	return b[:n]
}

// declare notes that the file's own bytes reach to the end of at.
func (m *image) declare(at artifact.Range) {
	if at.Off >= 0 && at.Len > 0 && at.Len <= math.MaxInt64-at.Off {
		m.DeclaredSize = max(m.DeclaredSize, at.End())
	}
}

// fileRange makes a Range of fields that a file claims; what cannot be one becomes empty.
func fileRange(off, n uint64) artifact.Range {
	if off > math.MaxInt64 || n > math.MaxInt64-off {
		return artifact.Range{}
	}
	return artifact.Range{Off: int64(off), Len: int64(n)}
}

// locate returns where in the file the bytes from addr on stand, to the end of their segment.
func (m *image) locate(addr uint64) (artifact.Range, bool) {
	for _, s := range m.Segments {
		if in := addr - s.Addr; s.Type == ptLoad && addr >= s.Addr && in < uint64(s.File.Len) {
			return artifact.Range{Off: s.File.Off + int64(in), Len: s.File.Len - int64(in)}, true
		}
	}
	return artifact.Range{}, false
}

// fields reads the fields of one structure in order; behind its end they are zero.
type fields struct {
	b     []byte
	order binary.ByteOrder
	wide  bool
}

func (f *fields) take(n int) []byte {
	if n > len(f.b) {
		f.b = nil
		return make([]byte, n)
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) u8() byte    { return f.take(1)[0] }
func (f *fields) u16() uint16 { return f.order.Uint16(f.take(2)) }
func (f *fields) u32() uint32 { return f.order.Uint32(f.take(4)) }
func (f *fields) u64() uint64 { return f.order.Uint64(f.take(8)) }

// word is an address, offset or size of the file's class.
func (f *fields) word() uint64 {
	if f.wide {
		return f.u64()
	}
	return uint64(f.u32())
}

func (m *image) fields(b []byte) *fields { return &fields{b, m.Order, m.Bits == 64} }

// text returns the NUL-terminated string at off of table, whose bytes stand at base.
func text(table string, base int64, off uint64) (Value, bool) {
	if off >= uint64(len(table)) {
		return Value{}, false
	}
	s := table[off:min(uint64(len(table)), off+maxName)]
	s, _, _ = strings.Cut(s, "\x00")
	return Value{s, artifact.Range{Off: base + int64(off), Len: int64(len(s))}}, true
}
