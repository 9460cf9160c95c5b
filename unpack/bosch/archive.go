package bosch

import (
	"bytes"
	"encoding/binary"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const fileMagic = "\xde\xad\xaf\xfe"

// Archive is what payloads are, and RomFS.
var Archive = format.Format{
	Name:   "bosch-archive",
	Title:  "Bosch camera archive, RomFS",
	Kind:   format.Archive,
	Magics: []format.Magic{{Bytes: fileMagic}},
	Refs:   []format.Ref{{Title: "BoschFirmwareTool", URL: "https://github.com/anvilsecure/BoschFirmwareTool"}},
	Open:   func(src format.Source) (format.Chunk, error) { return openArchive(src) },
}

// A file, big endian: magic, offset of the next from here, name[32], size, 20 bytes, data. One
// of size 0 ends the archive.
const (
	fileHeader = 0x40
	maxPadding = 4096
	maxFiles   = 1 << 16
)

type archive struct {
	files   []file
	end     int64
	problem error
}

type file struct {
	name string
	at   artifact.Range
}

func openArchive(src format.Source) (*archive, error) {
	a := &archive{}
	for a.problem == nil && len(a.files) < maxFiles {
		more, err := a.next(src)
		if err != nil && len(a.files) == 0 {
			return nil, format.Not("%v", err)
		}
		if a.problem = err; !more {
			break
		}
	}
	if len(a.files) == 0 {
		return nil, format.Not("bosch: archive without a file")
	}
	return a, nil
}

func (a *archive) next(src format.Source) (more bool, err error) {
	var b [fileHeader]byte
	n, _ := src.ReadAt(b[:], a.end)
	next, size := int64(binary.BigEndian.Uint32(b[4:])), int64(binary.BigEndian.Uint32(b[40:]))
	name, _, _ := bytes.Cut(b[8:40], []byte{0})
	switch {
	case n == 0 && a.end == src.Size():
		return false, nil // some end without the last record
	case n < fileHeader:
		return false, format.Errorf(artifact.Truncated, a.end, "bosch: file at %#x: %d bytes left", a.end, n)
	case size == 0 && (string(b[:4]) == fileMagic || bytes.Equal(b[:], make([]byte, fileHeader))):
		a.end += fileHeader
		return false, nil
	case string(b[:4]) != fileMagic || len(name) == 0 || next < fileHeader+size || next > fileHeader+size+maxPadding:
		return false, format.Errorf(artifact.Damaged, a.end, "bosch: file %q at %#x: %d bytes, next after %d", name, a.end, size, next)
	}
	off := a.end + fileHeader
	if left := src.Size() - off; size > left {
		if len(a.files) > 0 || src.Before == 0 {
			a.files = append(a.files, file{string(name), artifact.Range{Off: off, Len: left}})
			a.end = src.Size()
		}
		return false, format.Errorf(artifact.Truncated, off, "bosch: file %q at %#x: %d bytes, %d left", name, off, size, left)
	}
	a.files = append(a.files, file{string(name), artifact.Range{Off: off, Len: size}})
	a.end = min(a.end+next, src.Size())
	return true, nil
}

func (a *archive) Size() int64 { return a.end }

func (a *archive) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if a.problem != nil && !yield(format.Entry{}, a.problem) {
			return
		}
		for _, f := range a.files {
			if !yield(format.Entry{Path: f.name, Size: f.at.Len, Window: &f.at}, nil) {
				return
			}
		}
	}
}

func (a *archive) Describe() []artifact.Attr {
	return []artifact.Attr{{Name: "files", Value: strconv.Itoa(len(a.files)), At: artifact.Range{Len: a.end}}}
}
