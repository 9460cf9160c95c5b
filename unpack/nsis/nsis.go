// Package nsis reads installers of the Nullsoft Scriptable Install System, versions 2 and 3.
//
// There is no specification but the source, https://github.com/kichik/nsis (Source/exehead/fileform.h
// and Source/build.cpp); 7-Zip's reader, https://github.com/ip7z/7zip (CPP/7zip/Archive/Nsis), tells
// how to find out the compression, which no field says.
//
// The chunk begins behind the program that unpacks it, with the first header. Every file comes out,
// under the path that the script writes it to: relative to $INSTDIR, or below another variable.
// Data that no instruction of the script names as a file, such as the uninstaller, comes out by its
// place. The texts of the script come out as a file in UTF-8, for they may name somebody.
// Not read: other instructions of the script, the checksum (it covers the program before), installers
// made with a changed compression or a changed order of instructions.
package nsis

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// Format is NSIS.
var Format = format.Format{
	Name:   "nsis",
	Title:  "NSIS installer",
	Kind:   format.Archive,
	Magics: []format.Magic{{Bytes: "\xef\xbe\xad\xdeNullsoftInst", Off: 4}},
	Refs: []format.Ref{
		{Title: "NSIS, fileform.h", URL: "https://github.com/kichik/nsis/blob/master/Source/exehead/fileform.h"},
		{Title: "7-Zip, NsisIn.cpp", URL: "https://github.com/ip7z/7zip/blob/main/CPP/7zip/Archive/Nsis/NsisIn.cpp"},
	},
	Limits: []string{
		"Paths are those of the script read from first to last; what it decides when it runs is not known.",
		"Of a solid installer no more is decoded than a format may hold in memory.",
		"The checksum is not checked.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The first header, little endian:
//
//	 0  4  flags
//	 4  4  0xdeadbeef
//	 8 12  "NullsoftInst"
//	20  4  size of the header, decoded
//	24  4  size of all, with this header and the checksum behind it
//
// What follows is one compressed stream (solid), or each part by itself. A part is its length,
// 4 bytes, then its bytes; the highest bit of the length says that they are compressed. The
// first part is the header, the others are files. In a solid stream the lengths are inside.
const (
	firstHeader = 28
	compressed  = 1 << 31

	flagUninstaller = 1
	flagNoCRC       = 4
	flagForceCRC    = 8

	maxHeader = 64 << 20
)

type method string

const (
	stored  method = "none"
	deflate method = "zlib"
	bzip2   method = "bzip2"
	lzma    method = "lzma"
)

type installer struct {
	src        format.Source
	flags      uint32
	headerSize int64
	size       int64          // of the chunk, as far as it is there
	data       artifact.Range // without first header and checksum
	method     method
	filter     bool // a byte before LZMA says whether code was filtered
	solid      bool
	script     *script
	files      int64 // where the parts behind the header begin: in data, or in the solid stream
	truncated  error
}

func open(src format.Source) (*installer, error) {
	b := make([]byte, firstHeader+12)
	n, _ := src.ReadAt(b, 0)
	if n < len(b) || string(b[4:20]) != "\xef\xbe\xad\xdeNullsoftInst" {
		return nil, format.Not("nsis: first header")
	}
	s := &installer{
		src: src, flags: binary.LittleEndian.Uint32(b),
		headerSize: int64(binary.LittleEndian.Uint32(b[20:])), size: int64(binary.LittleEndian.Uint32(b[24:])),
	}
	if s.flags > 15 || s.headerSize < blocks32 || s.headerSize > min(maxHeader, src.Memory()) || s.size < firstHeader+12 {
		return nil, format.Not("nsis: header of %d bytes in %d", s.headerSize, s.size)
	}
	end := s.size
	if s.flags&flagNoCRC == 0 || s.flags&flagForceCRC != 0 {
		end -= 4
	}
	if s.size > src.Size() {
		s.truncated = format.Errorf(artifact.Truncated, src.Size(), "nsis: %d bytes, %d left", s.size, src.Size())
		s.size, end = src.Size(), src.Size()
	}
	s.data = artifact.Range{Off: firstHeader, Len: end - firstHeader}
	s.detect(b[firstHeader:])
	header, err := s.header()
	if err != nil {
		return nil, err
	}
	if s.script, err = parseScript(header); err != nil {
		return nil, err
	}
	return s, nil
}

// detect finds out the compression from the first bytes of the data.
func (s *installer) detect(b []byte) {
	isLZMA := func(b []byte) bool { return b[0] == 0x5d && b[1] == 0 && b[2] == 0 && b[5] == 0 && b[6]&0x80 == 0 }
	isBzip2 := func(b []byte) bool { return b[0] == 0x31 && b[1] < 14 } // the origin of a block of 900,000 bytes
	size := binary.LittleEndian.Uint32(b)
	part := b
	switch {
	case int64(size) == s.headerSize:
		s.method = stored
		return
	case isLZMA(b), b[0] <= 1 && isLZMA(b[1:]):
		s.solid = true
	case size&compressed != 0 && int64(size&^compressed) <= s.data.Len-4 && size>>24 == compressed>>24:
		part = b[4:]
	default:
		s.solid = true
	}
	switch {
	case isLZMA(part):
		s.method = lzma
	case part[0] <= 1 && len(part) > 7 && isLZMA(part[1:]):
		s.method, s.filter = lzma, true
	case isBzip2(part):
		s.method = bzip2
	default:
		s.method = deflate
	}
}

// decoder decodes what stands at at.
func (s *installer) decoder(at artifact.Range) (io.Reader, error) {
	r := io.NewSectionReader(s.src, at.Off, at.Len)
	switch s.method {
	case deflate:
		return codec.NewDeflate(r, at.Len, s.src.Memory())
	case bzip2:
		return codec.NewBzip2Bare(r, at.Len, s.src.Memory())
	}
	head := make([]byte, 6)
	skip := 0
	if s.filter {
		skip = 1
	}
	if n, _ := r.ReadAt(head[:skip+5], 0); n < skip+5 {
		return nil, codec.ErrHeader
	}
	n := int64(skip + 5)
	z, err := codec.NewLZMARaw(io.NewSectionReader(r, n, at.Len-n), at.Len-n, head[skip:n], -1, s.src.Memory())
	if err == nil && skip == 1 && head[0] == 1 {
		const x86 = 4
		return codec.NewFilter(z, x86, nil)
	}
	return z, err
}

// header decodes the header and finds where the files begin.
func (s *installer) header() ([]byte, error) {
	r, err := s.part(0)
	if s.solid {
		if r, err = s.decoder(s.data); err == nil {
			var size [4]byte
			if _, err = io.ReadFull(r, size[:]); err == nil && int64(binary.LittleEndian.Uint32(size[:])) != s.headerSize {
				return nil, format.Not("nsis: header in the stream: %d bytes, want %d", binary.LittleEndian.Uint32(size[:]), s.headerSize)
			}
		}
		s.files = 4 + s.headerSize
	}
	if err != nil {
		return nil, format.Not("nsis: header: %v", err)
	}
	var b bytes.Buffer // grows with what is there, not with what is claimed
	if n, err := io.Copy(&b, io.LimitReader(r, s.headerSize)); n < s.headerSize {
		return nil, format.Not("nsis: header: %d bytes, want %d: %v", n, s.headerSize, err)
	}
	return b.Bytes(), nil
}

// part opens the part at off of the data of an installer that is not solid.
func (s *installer) part(off int64) (io.Reader, error) {
	at, packed, ok := s.locate(off)
	if !ok {
		return nil, format.Errorf(artifact.Damaged, s.data.Off+off, "nsis: part at %#x: beyond the data", s.data.Off+off)
	}
	if off == 0 {
		s.files = at.End() - s.data.Off
	}
	if !packed {
		return io.NewSectionReader(s.src, at.Off, at.Len), nil
	}
	return s.decoder(at)
}

// locate returns where the bytes of the part at off of the data stand in the chunk.
func (s *installer) locate(off int64) (at artifact.Range, packed, ok bool) {
	if off < 0 || off > s.data.Len-4 {
		return at, false, false
	}
	var b [4]byte
	if n, _ := s.src.ReadAt(b[:], s.data.Off+off); n < 4 {
		return at, false, false
	}
	size := binary.LittleEndian.Uint32(b[:])
	at = artifact.Range{Off: s.data.Off + off + 4, Len: int64(size &^ compressed)}
	return at, size&compressed != 0, at.End() <= s.data.End()
}

func (s *installer) Size() int64 { return s.size }

// Entries yields the files in the order of their data, and the texts of the script.
func (s *installer) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if s.truncated != nil && !yield(format.Entry{}, s.truncated) {
			return
		}
		text := s.script.text()
		if !yield(memory("nsis.strings", text), nil) {
			return
		}
		if s.solid {
			s.eachSolid(yield)
		} else {
			s.eachPart(yield)
		}
	}
}

func memory(path string, b []byte) format.Entry {
	return format.Entry{Path: path, Size: int64(len(b)), Open: func() (io.Reader, error) { return bytes.NewReader(b), nil }}
}

// named yields e under the first name of the part at pos of the files, and links for the others.
func (s *installer) named(pos int64, e format.Entry, yield func(format.Entry, error) bool) bool {
	files := s.script.files[pos]
	if len(files) == 0 {
		e.Path = fmt.Sprintf("data-%#x", pos)
		return yield(e, nil)
	}
	e.Path, e.ModTime = files[0].path, files[0].time
	if !yield(e, nil) {
		return false
	}
	said := map[string]bool{e.Path: true}
	for _, f := range files[1:] {
		if !said[f.path] && !yield(format.Entry{Path: f.path, HardLink: e.Path, Size: e.Size, ModTime: f.time}, nil) {
			return false
		}
		said[f.path] = true
	}
	return true
}

// eachPart follows the parts of an installer that is not solid.
func (s *installer) eachPart(yield func(format.Entry, error) bool) {
	for off := s.files; off < s.data.Len; {
		at, packed, ok := s.locate(off)
		if !ok {
			if s.truncated == nil {
				yield(format.Entry{}, format.Errorf(artifact.Damaged, s.data.Off+off, "nsis: part at %#x: beyond the data", s.data.Off+off))
			}
			return
		}
		e := format.Entry{Size: at.Len, Window: &at}
		if packed {
			e.Size, e.Window = -1, nil
			e.Open = func() (io.Reader, error) { return s.decoder(at) }
		}
		if !s.named(off-s.files, e, yield) {
			return
		}
		off = at.End() - s.data.Off
	}
}

// eachSolid decodes the stream once and yields the parts in it.
func (s *installer) eachSolid(yield func(format.Entry, error) bool) {
	r, err := s.decoder(s.data)
	if err != nil {
		yield(format.Entry{}, format.Errorf(artifact.Damaged, s.data.Off, "nsis: stream at %#x: %v", s.data.Off, err))
		return
	}
	if _, err := io.CopyN(io.Discard, r, s.files); err != nil {
		yield(format.Entry{}, format.Errorf(artifact.Damaged, s.data.Off, "nsis: stream at %#x: %v", s.data.Off, err))
		return
	}
	left := s.src.Memory()
	for pos := int64(0); ; {
		var head [4]byte
		if n, err := io.ReadFull(r, head[:]); n < len(head) {
			if err != io.EOF && s.truncated == nil {
				yield(format.Entry{}, format.Errorf(artifact.Damaged, s.data.Off, "nsis: stream at %#x: part at %#x: %v", s.data.Off, pos, err))
			}
			return
		}
		size := int64(binary.LittleEndian.Uint32(head[:]))
		if size > left {
			yield(format.Entry{}, format.Errorf(artifact.Limit, s.data.Off, "nsis: stream at %#x: part at %#x: %d bytes > %d of memory allowed", s.data.Off, pos, size, left))
			return
		}
		var b bytes.Buffer
		n, err := io.Copy(&b, io.LimitReader(r, size))
		left -= n
		e := memory("", b.Bytes())
		e.Size = size
		if n < size {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			kind := artifact.Damaged
			if s.truncated != nil {
				kind = artifact.Truncated
			}
			e.Problems = append(e.Problems, artifact.Problem{Kind: kind, At: s.data, Detail: fmt.Sprintf("nsis: part at %#x: %d bytes of %d: %v", pos, n, size, err)})
		}
		if !s.named(pos, e, yield) || n < size {
			return
		}
		pos += 4 + size
	}
}

func (s *installer) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	kind := "installer"
	if s.flags&flagUninstaller != 0 {
		kind = "uninstaller"
	}
	solid := "no"
	if s.solid {
		solid = "yes"
	}
	return []artifact.Attr{
		{Name: "kind", Value: kind, At: at(0, 4)},
		{Name: "header-size", Value: strconv.FormatInt(s.headerSize, 10), At: at(20, 4)},
		{Name: "compression", Value: string(s.method), At: at(firstHeader, 12)},
		{Name: "solid", Value: solid, At: at(firstHeader, 12)},
		{Name: "strings", Value: s.script.encoding(), At: at(firstHeader, 12)},
	}
}
