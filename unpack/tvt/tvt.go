// Package tvt recognises the FLS update of TVT cameras. Its header and parts of its SquashFS are
// encrypted, so nothing of it is unpacked; but it says whose it is.
//
// There is no official specification. The layout was published with
// https://github.com/zb3/tvt-firmware-decryptor. Longse uses the same file suffix for something else.
package tvt

import (
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "\xa7\x99\x27\x34\x3c\xa5\xae\x49\x89\x3c\x88\xeb\x9b\x6a\xfe\x23"

// Format is the update.
var Format = format.Format{
	Name:   "tvt",
	Title:  "TVT update (FLS)",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic, Start: true}},
	Refs:   []format.Ref{{Title: "tvt-firmware-decryptor", URL: "https://github.com/zb3/tvt-firmware-decryptor"}},
	Limits: []string{"Recognised only: header and parts of the file system are encrypted."},
	Open:   open,
}

const headerSize = 0x1000

type update struct{ size int64 }

func open(src format.Source) (format.Chunk, error) {
	b := make([]byte, len(magic))
	if n, _ := src.ReadAt(b, 0); n < len(b) || string(b) != magic || src.Size() <= headerSize {
		return nil, format.Not("tvt: header")
	}
	return update{src.Size()}, nil
}

// Size is that of the content: the length of the update is encrypted.
func (u update) Size() int64 { return u.size }

func (u update) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		at := artifact.Range{Off: headerSize, Len: u.size - headerSize}
		yield(format.Entry{Path: "firmware", Size: at.Len, Window: &at, Problems: []artifact.Problem{
			{Kind: artifact.Encrypted, At: at, Detail: "tvt: file system at 0x1000: encrypted in parts, not unpackable without a key"},
		}}, nil)
	}
}

func (u update) Describe() []artifact.Attr {
	return []artifact.Attr{{Name: "magic", Value: "a79927343ca5ae49893c88eb9b6afe23", At: artifact.Range{Off: 0, Len: 16}}}
}
