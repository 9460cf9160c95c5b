// Package inno reads installers made by Inno Setup from 5.1.5 on, in one file.
//
// There is no specification but the source, https://github.com/jrsoftware/issrc (Projects/Src/Shared.Struct.pas,
// Compression.Base.pas and Setup.FileExtractor.pas); https://github.com/dscharrer/innoextract tells how older
// versions differ.
//
// The chunk is the program as a whole: the loader, the setup program that it unpacks and runs, the
// texts of the script, and every file under the path where it is installed, a constant such as {app} being the first
// folder. The records of the script change with each version, so only those of files are read, and they are
// searched for: they are the longest run of records that name files there are. Checksums of all parts are checked.
// Not read: older versions, what stands in other files (disk spanning), encrypted files, and what the script does.
package inno

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// Format is Inno Setup.
var Format = format.Format{
	Name:   "inno",
	Title:  "Inno Setup installer",
	Kind:   format.Archive,
	Magics: []format.Magic{{Bytes: "MZP", Start: true}}, // the loader is made with Delphi
	Refs: []format.Ref{
		{Title: "Inno Setup, Shared.Struct.pas", URL: "https://github.com/jrsoftware/issrc/blob/main/Projects/Src/Shared.Struct.pas"},
		{Title: "innoextract", URL: "https://github.com/dscharrer/innoextract"},
	},
	Limits: []string{
		"Installers of versions before 5.1.5 are not read.",
		"Encrypted files are yielded as they are stored.",
		"Installers split over several files are not joined.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The table of offsets, little endian, stands in a resource of the loader. Versions from 6.5 on have
// the second form, with longer offsets:
//
//	 0 12  magic
//	12  4  form, 1 or 2
//	16  4  size of all; 8
//	20  4  offset of the setup program; 24 8
//	24  4  its size, decoded; 32
//	28  4  its CRC-32, decoded; 36
//	32  4  offset of the script; 40 8
//	36  4  offset of the files, 0 if they are in other files; 48 8
//	40  4  CRC-32 of what is before; 60
const (
	tableMagic = "rDlPtS\xcd\xe6\xd7{\x0b*"
	tableLen1  = 44
	tableLen2  = 64
	maxLoader  = 8 << 20

	scriptMagic = "Inno Setup Setup Data ("
	scriptID    = 64
	partMagic   = "zlb\x1a"
)

type table struct {
	at                                   artifact.Range
	total, program, script, files, plain int64
	crc                                  uint32
}

type installer struct {
	src     format.Source
	table   table
	size    int64
	id      string // of the script's format
	version int    // major * 1,000,000 + minor * 1,000 + patch
	sealed  artifact.Range
	texts   []byte // the first block of the script
	textsAt artifact.Range
	names   []name
	parts   []part
	faults  []error
	passes  codec.Passes
}

func open(src format.Source) (*installer, error) {
	s := &installer{src: src}
	var err error
	if s.table, err = findTable(src); err != nil {
		return nil, err
	}
	if first := s.loader(); first <= 0 || first >= src.Size() {
		return nil, format.Not("inno: parts from %#x on, content of %d bytes", first, src.Size())
	}
	if s.size = s.table.total; s.size > src.Size() {
		s.fault(artifact.Truncated, src.Size(), "%d bytes, %d left", s.size, src.Size())
		s.size = src.Size()
	}
	s.readScript()
	return s, nil
}

func (s *installer) fault(kind artifact.ProblemKind, at int64, text string, args ...any) {
	s.faults = append(s.faults, format.Errorf(kind, at, "inno: "+text, args...))
}

// loader is the size of the program in front of all.
func (s *installer) loader() int64 {
	n := min(s.table.program, s.table.script)
	if s.table.files > 0 {
		n = min(n, s.table.files)
	}
	return n
}

// findTable searches the loader for a table whose checksum holds.
func findTable(src format.Source) (t table, err error) {
	const block = 256 << 10
	buf := make([]byte, min(block+tableLen2, src.Size()))
	for at := int64(0); at < min(src.Size(), maxLoader); at += block {
		n, _ := src.ReadAt(buf, at)
		for i := 0; i < min(n, block); {
			k := bytes.Index(buf[i:n], []byte(tableMagic))
			if k < 0 {
				break
			}
			if i += k; t.parse(buf[i:n]) {
				t.at.Off = at + int64(i)
				return t, nil
			}
			i++
		}
	}
	return t, format.Not("inno: no table of offsets")
}

func (t *table) parse(b []byte) bool {
	le := binary.LittleEndian
	switch {
	case len(b) >= tableLen1 && le.Uint32(b[12:]) == 1 && crc32.ChecksumIEEE(b[:tableLen1-4]) == le.Uint32(b[tableLen1-4:]):
		u32 := func(off int) int64 { return int64(le.Uint32(b[off:])) }
		t.at.Len, t.total, t.program, t.plain, t.crc, t.script, t.files = tableLen1, u32(16), u32(20), u32(24), le.Uint32(b[28:]), u32(32), u32(36)
		return true
	case len(b) >= tableLen2 && le.Uint32(b[12:]) == 2 && crc32.ChecksumIEEE(b[:tableLen2-4]) == le.Uint32(b[tableLen2-4:]):
		i64 := func(off int) int64 { return int64(min(le.Uint64(b[off:]), 1<<62)) }
		t.at.Len, t.total, t.program, t.plain, t.crc, t.script, t.files = tableLen2, i64(16), i64(24), int64(le.Uint32(b[32:])), le.Uint32(b[36:]), i64(40), i64(48)
		return true
	}
	return false
}

// Size returns the size that the table tells, or what is there of it.
func (s *installer) Size() int64 { return s.size }

// Describe tells the version and what the script says of the program and its maker.
func (s *installer) Describe() []artifact.Attr {
	list := []artifact.Attr{{Name: "version", Value: s.id, At: artifact.Range{Off: s.table.script, Len: int64(len(s.id))}}}
	c := cursor{b: s.texts}
	for _, name := range [...]string{"app-name", "app-title", "app-id", "app-copyright", "app-publisher", "app-publisher-url"} {
		if v := c.text(s.wide()); v != "" && !c.bad {
			list = append(list, artifact.Attr{Name: name, Value: strings.ToValidUTF8(v, "\uFFFD"), At: s.textsAt})
		}
	}
	return list
}

// Entries yields the loader, the setup program, the texts of the script and the files.
func (s *installer) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, err := range s.faults {
			if !yield(format.Entry{}, err) {
				return
			}
		}
		loader := artifact.Range{Len: s.loader()}
		if !yield(format.Entry{Path: "loader.exe", Size: loader.Len, Window: &loader}, nil) {
			return
		}
		if s.table.program < s.src.Size() && !yield(format.Entry{Path: "setup.exe", Size: s.table.plain, Open: s.program}, nil) {
			return
		}
		if len(s.texts) > 0 {
			text := s.records()
			if !yield(format.Entry{Path: "script.txt", Size: int64(len(text)), Open: func() (io.Reader, error) { return bytes.NewReader(text), nil }}, nil) {
				return
			}
		}
		if s.sealed.Len > 0 && !yield(format.Entry{Path: "script", Size: s.sealed.Len, Window: &s.sealed, Problems: []artifact.Problem{
			{Kind: artifact.Encrypted, At: s.sealed, Detail: fmt.Sprintf("inno: script at %#x: XChaCha20", s.sealed.Off)},
		}}, nil) {
			return
		}
		for e := range s.files() {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// program decodes the setup program. No field says how its calls were changed: the checksum decides.
func (s *installer) program() (io.Reader, error) {
	at := artifact.Range{Off: s.table.program}
	plain, _, err := s.block(s.table.program, s.table.plain)
	if err != nil {
		return nil, err
	}
	for _, undo := range []func([]byte){
		func([]byte) {},
		func(b []byte) { (&calls{flip: true}).undo(b) },
		func(b []byte) { (&calls{}).undo(b) },
		func(b []byte) { (&calls{old: true}).undo(b) },
	} {
		b := bytes.Clone(plain)
		if undo(b); crc32.ChecksumIEEE(b) == s.table.crc {
			return bytes.NewReader(b), nil
		}
	}
	return &failing{bytes.NewReader(plain), &format.Error{Kind: artifact.Checksum, At: at, Text: fmt.Sprintf("inno: setup program at %#x: CRC-32 is not %08x", at.Off, s.table.crc)}}, nil
}

// failing reads r and then ends in err.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err == io.EOF {
		err = f.err
	}
	return n, err
}
