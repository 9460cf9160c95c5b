// Package ubootenv reads the environment that the U-Boot boot loader keeps in flash: a CRC-32,
// in a redundant pair also a flag, and variables "name=value" that end with a NUL each.
//
// Specification: struct environment_s in U-Boot's include/env_internal.h,
// https://source.denx.de/u-boot/u-boot/-/blob/master/include/env_internal.h
//
// The size stands nowhere: it is the length for which the CRC fits. Default environments
// inside of boot loaders, which have no CRC, are not read; nor are encrypted ones.
package ubootenv

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is one environment; each of a redundant pair is one by itself.
var Format = format.Format{
	Name:   "ubootenv",
	Title:  "U-Boot environment",
	Kind:   format.Boot,
	Align:  0x400,
	Begins: starts,
	Refs:   []format.Ref{{Title: "U-Boot include/env_internal.h", URL: "https://source.denx.de/u-boot/u-boot/-/blob/master/include/env_internal.h"}},
	Limits: []string{"Environments of more than 256 KiB, or of a size that is no multiple of 256, are not found.", "Default environments without CRC are not read."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

const (
	maxSize  = 0x40000
	sizeStep = 0x100
	maxFirst = 0x1000 // length of the first variable
)

type env struct {
	raw  []byte // the whole of it
	data int64  // where the variables start: 4, or 5 behind a flag
	vars []variable
}

type variable struct {
	name, value string
	at          artifact.Range // of the value
}

func open(src format.Source) (*env, error) {
	head := make([]byte, min(maxFirst, src.Size()))
	n, _ := src.ReadAt(head, 0)
	if !starts(head[:min(n, format.HeadLen)]) {
		return nil, errNoVariable
	}
	for data := int64(4); data <= 5; data++ {
		if first, _, ok := bytes.Cut(head[data:n], []byte{0}); !ok || !isVariable(first) {
			continue
		}
		b := make([]byte, min(maxSize, src.Size()))
		n, _ := src.ReadAt(b, 0)
		if e := find(b[:n], data); e != nil {
			return e, nil
		}
	}
	return nil, format.Not("ubootenv: no CRC fits")
}

var errNoVariable = format.Not("ubootenv: no variable")

// starts reports whether an environment may start with head.
func starts(head []byte) bool {
	return len(head) >= 16 && (begins(head[4:]) || begins(head[5:]))
}

// begins reports whether b starts as a variable does: a name and "=", or a name as long as b.
func begins(b []byte) bool {
	for i, c := range b {
		if !nameByte(c) {
			return c == '=' && i > 0
		}
	}
	return true
}

// nameByte leaves out what no shell-like name has. U-Boot itself forbids only "=" and NUL.
func nameByte(c byte) bool {
	return c > ' ' && c <= '~' && c != '=' && c != '"' && c != '\'' && c != ';'
}

func isVariable(b []byte) bool {
	name, value, ok := bytes.Cut(b, []byte("="))
	if !ok || len(name) == 0 {
		return false
	}
	for _, c := range name {
		if !nameByte(c) {
			return false
		}
	}
	for _, c := range value {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != 0x1b || c == 0x7f {
			return false
		}
	}
	return true
}

// find returns the environment at the start of b whose variables start at data: the shortest
// length that holds the variables and fits the CRC.
func find(b []byte, data int64) *env {
	e := &env{data: data}
	end, ok := e.read(b)
	if !ok {
		return nil
	}
	want := binary.LittleEndian.Uint32(b)
	big := binary.BigEndian.Uint32(b) // the CRC is in the byte order of the machine
	size := (end + sizeStep - 1) / sizeStep * sizeStep
	if size > int64(len(b)) {
		return nil
	}
	sum := crc32.ChecksumIEEE(b[data:size])
	for sum != want && sum != big {
		next := size + sizeStep
		if next > int64(len(b)) {
			return nil
		}
		sum = crc32.Update(sum, crc32.IEEETable, b[size:next])
		size = next
	}
	e.raw = b[:size:size]
	return e
}

// read takes in the variables up to the empty one and returns the offset behind it.
func (e *env) read(b []byte) (end int64, ok bool) {
	for off := e.data; ; {
		n := bytes.IndexByte(b[off:], 0)
		if n <= 0 {
			return off + 1, n == 0 && len(e.vars) > 0
		}
		v := b[off : off+int64(n)]
		if !isVariable(v) {
			return 0, false
		}
		name, value, _ := bytes.Cut(v, []byte("="))
		at := artifact.Range{Off: off + int64(len(name)) + 1, Len: int64(len(value))}
		e.vars = append(e.vars, variable{string(name), string(value), at})
		off += int64(n) + 1
	}
}

func (e *env) Size() int64 { return int64(len(e.raw)) }

// Entries yields nothing: an environment holds facts, no files.
func (e *env) Entries() iter.Seq2[format.Entry, error] {
	return func(func(format.Entry, error) bool) {}
}

// Describe tells size, CRC, flag and then every variable by its name.
func (e *env) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	attrs := []artifact.Attr{
		{Name: "size", Value: strconv.Itoa(len(e.raw)), At: at(0, e.Size())},
		{Name: "crc", Value: "ok", At: at(0, 4)},
		{Name: "redundant", Value: "no", At: at(4, 0)},
	}
	if e.data == 5 {
		attrs[2] = artifact.Attr{Name: "redundant", Value: fmt.Sprintf("yes, flag %d", e.raw[4]), At: at(4, 1)}
	}
	for _, v := range e.vars {
		attrs = append(attrs, artifact.Attr{Name: v.name, Value: v.value, At: v.at})
	}
	return attrs
}
