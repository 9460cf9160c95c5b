package sevenzip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// startLen is the length of the first header, little endian:
//
//	0 magic (6), 6 major, 7 minor, 8 CRC of what follows, 12 offset of the header from here on (8),
//	20 size of the header (8), 28 CRC of the header
const startLen = 32

type startHeader struct {
	major, minor byte
	offset, size int64 // of the header, from the archive's first byte
	crc          uint32
}

func (s startHeader) end() int64 { return s.offset + s.size }

func readStart(src format.Source) (startHeader, error) {
	var b [startLen]byte
	if n, _ := src.ReadAt(b[:], 0); n < len(b) || string(b[:6]) != magic {
		return startHeader{}, format.Not("7z: start header of %d bytes", n)
	}
	le := binary.LittleEndian
	s := startHeader{major: b[6], minor: b[7], offset: int64(le.Uint64(b[12:])), size: int64(le.Uint64(b[20:])), crc: le.Uint32(b[28:])}
	if got, want := crc32.ChecksumIEEE(b[12:]), le.Uint32(b[8:]); got != want {
		return s, format.Not("7z: start header: CRC-32 %08x, want %08x", got, want)
	}
	const most = 1 << 61
	if s.major != 0 || s.offset < 0 || s.size < 0 || s.offset > most || s.size > most {
		return s, format.Not("7z: version %d, header at %#x+%d", s.major, s.offset, s.size)
	}
	s.offset += startLen
	return s, nil
}

// header is what the header says.
type header struct {
	folders []folder
	streams []stream
	files   []file
}

// stream is one file's part of what a folder decodes to.
type stream struct {
	folder       *folder
	offset, size int64
	crc          uint32
	hasCRC       bool
}

// file is a stream with a name, or a name alone.
type file struct {
	stream
	name   string
	mtime  int64
	attrs  uint32
	empty  bool // has no stream
	isFile bool // of those without a stream
	anti   bool
}

// Windows' attributes, and the bit with which p7zip says that the upper half is a Unix mode.
const (
	attrDirectory = 0x10
	attrUnix      = 0x8000
)

func (f *file) mode() fs.FileMode {
	dir := f.empty && !f.isFile || f.attrs&attrDirectory != 0
	if f.attrs&attrUnix == 0 {
		if dir {
			return fs.ModeDir
		}
		return 0
	}
	mode := format.UnixMode(f.attrs >> 16)
	if mode.IsRegular() && dir {
		mode |= fs.ModeDir
	}
	return mode
}

// read takes the header in, and notes what is wrong with it.
func (a *archive) read() {
	if a.start.size == 0 {
		return // an archive without files
	}
	b, err := format.ReadAt(a.src, a.start.offset, a.start.size, "7z: header")
	if err != nil {
		a.problems = append(a.problems, err)
		return
	}
	if got := crc32.ChecksumIEEE(b); got != a.start.crc {
		a.problems = append(a.problems, format.Errorf(artifact.Checksum, a.start.offset, "7z: header at %#x: CRC-32 %08x, want %08x", a.start.offset, got, a.start.crc))
	}
	if a.header, err = a.parse(b); errors.Is(err, errSealed) {
		a.sealed = true
	} else if err != nil {
		a.problems = append(a.problems, headerFault(a.start.offset, err))
	}
}

// parse reads a header, which may have to be decoded first. Decoded it may be an encoded one again.
func (a *archive) parse(b []byte) (header, error) {
	for range 4 {
		c := &cursor{b: b, memory: a.src.Memory()}
		switch id := c.byte(); id {
		case idHeader:
			h := c.header()
			return h, c.bad
		case idEncodedHeader:
			h := c.streamsInfo()
			if c.bad != nil {
				return header{}, c.bad
			}
			var err error
			if b, err = a.decodeHeader(h.folders); err != nil {
				return header{}, err
			}
		default:
			return header{}, fmt.Errorf("property %#x", id)
		}
	}
	return header{}, errors.New("encoded four times")
}

func headerFault(at int64, err error) error {
	var e *format.Error
	if errors.As(err, &e) {
		return err
	}
	return format.Errorf(kindOf(err), at, "7z: header at %#x: %v", at, err)
}

func (a *archive) decodeHeader(folders []folder) ([]byte, error) {
	if len(folders) != 1 {
		return nil, fmt.Errorf("encoded in %d folders", len(folders))
	}
	f := &folders[0]
	size := f.size()
	if size > a.src.Memory()/4 {
		return nil, format.Errorf(artifact.Limit, a.start.offset, "7z: header of %d bytes > %d of memory allowed", size, a.src.Memory()/4)
	}
	r, err := f.open(a.src)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, size)) // grows with what comes out, not with size
	switch {
	case err != nil:
		return nil, err
	case int64(len(b)) < size:
		return nil, fmt.Errorf("decodes to %d bytes, want %d", len(b), size)
	case f.hasCRC && crc32.ChecksumIEEE(b) != f.crc:
		return nil, fmt.Errorf("decoded: CRC-32 %08x, want %08x", crc32.ChecksumIEEE(b), f.crc)
	}
	return b, nil
}
