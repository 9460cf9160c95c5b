package hikvision

import (
	"encoding/binary"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// sealedStart is where encryption begins in HK30: magic, CRC-32, header size and, on one
// platform, the number of files are masked only. The CRC is over decrypted bytes.
const sealedStart = 0x10

// sealed is an HK30 package. It ends where the content does: its own length is encrypted.
type sealed struct {
	src    format.Source
	header []byte // the first 16 bytes, unmasked
	masked bool
	files  uint32 // 0 if not told
}

// openSealed checks the size of the header against the two layouts that were seen: 0x100 and
// 0x40 a file, with the number of files in clear, or 0x400 and 0x100 a file.
func openSealed(src format.Source, header []byte, masked bool) (*sealed, error) {
	s := &sealed{src: src, header: header, masked: masked}
	size, n := binary.LittleEndian.Uint32(header[8:]), binary.LittleEndian.Uint32(header[12:])
	switch {
	case n > 0 && n <= maxCount && size == 0x100+n*0x40:
		s.files = n
	case size > 0x400 && size <= maxSize && size%0x100 == 0:
	default:
		return nil, format.Not("hikvision: HK30 header of %#x bytes for %d files", size, n)
	}
	if int64(size) >= src.Size() {
		return nil, format.Not("hikvision: HK30 header of %#x bytes, %d left", size, src.Size())
	}
	return s, nil
}

func (s *sealed) Size() int64 { return s.src.Size() }

func (s *sealed) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		at := artifact.Range{Off: sealedStart, Len: s.Size() - sealedStart}
		yield(format.Entry{Path: "encrypted", Size: at.Len, Window: &at, Problems: []artifact.Problem{
			{Kind: artifact.Encrypted, At: at, Detail: "hikvision: HK30 table and bodies at 0x10: recognised, not unpackable without a key"},
		}}, nil)
	}
}

func (s *sealed) Describe() []artifact.Attr {
	a := &attrs{header: s.header}
	a.magic(sealedMagic, s.masked)
	a.add("checksum", "encrypted", 4, 4)
	a.number("header-size", "%d", 8)
	if s.files > 0 {
		a.number("files", "%d", 12)
	}
	return a.list
}
