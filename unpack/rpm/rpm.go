// Package rpm reads RPM packages of versions 3 and 4: lead, signature, header and payload.
//
// Specification: RPM V4 Package format (https://rpm.org/docs/4.20.x/manual/format_v4.html) and
// tags (https://rpm.org/docs/4.20.x/manual/tags.html). The digests of the header and of the
// header with the payload are checked. The payload is a window, named after its format and compressor.
//
// Not read: signatures, which need the signer's key; what the header says of files, as the payload says it too.
package rpm

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

const magic = "\xed\xab\xee\xdb"

// Format is RPM.
var Format = format.Format{
	Name:   "rpm",
	Title:  "RPM package",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs: []format.Ref{
		{Title: "RPM V4 Package format", URL: "https://rpm.org/docs/4.20.x/manual/format_v4.html"},
		{Title: "RPM Tags", URL: "https://rpm.org/docs/4.20.x/manual/tags.html"},
	},
	Limits: []string{"Signatures are not verified."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// leadLen is the length of the lead, big endian: 0 magic, 4 major, 5 minor, 6 type, 8 architecture,
// 10 name (66), 76 system, 78 kind of signature, 80 reserved. Only magic and kind still mean anything.
const (
	leadLen      = 96
	headerSigned = 5 // kind of signature
)

// Tags of the signature. RPM Tags, "Signatures and digests".
const (
	sigSHA1     = 269 // of the header
	sigLongSize = 270
	sigSHA256   = 273  // of the header
	sigSize     = 1000 // of header and payload
	sigMD5      = 1004 // of header and payload
)

// Tags of the header.
const (
	tagPayloadFormat = 1124
	tagCompressor    = 1125
)

// described are the tags that Describe tells.
var described = [...]struct {
	tag  uint32
	name string
}{
	{1000, "name"}, {1001, "version"}, {1002, "release"}, {1022, "arch"}, {1021, "os"}, {1014, "license"}, {1011, "vendor"},
	{1020, "url"}, {1044, "source-package"}, {1007, "build-host"}, {tagPayloadFormat, "payload-format"}, {tagCompressor, "compressor"},
}

type pkg struct {
	src      format.Source
	header   *index
	payload  artifact.Range
	problems []error
}

func open(src format.Source) (*pkg, error) {
	var lead [leadLen]byte
	if n, _ := src.ReadAt(lead[:], 0); n < len(lead) || string(lead[:4]) != magic {
		return nil, format.Not("rpm: lead of %d bytes", n)
	}
	if kind := binary.BigEndian.Uint16(lead[78:]); lead[4] < 3 || lead[4] > 4 || kind != headerSigned {
		return nil, format.Not("rpm: version %d, signature of kind %d", lead[4], kind)
	}
	sig, err := readIndex(src, leadLen)
	if err != nil {
		return nil, format.Not("rpm: signature: %v", err)
	}
	p := &pkg{src: src}
	if p.header, err = readIndex(src, (sig.at.End()+7)&^7); err != nil {
		return nil, format.Not("rpm: header: %v", err)
	}
	p.payload.Off = p.header.at.End()
	p.checkHeader(sig)
	p.findEnd(sig)
	return p, nil
}

// findEnd sets where the payload ends: where the signature says or, as that may be left out, where its stream does.
func (p *pkg) findEnd(sig *index) {
	left := p.src.Size() - p.payload.Off
	size, ok := sig.number(sigLongSize)
	if !ok {
		size, ok = sig.number(sigSize)
	}
	switch size -= p.header.at.Len; {
	case ok && size >= 0 && size <= left:
		p.payload.Len = size
		p.checkAll(sig)
	case ok && size >= 0:
		p.payload.Len = left
		p.problems = append(p.problems, format.Errorf(artifact.Truncated, p.src.Size(), "rpm: payload at %#x: %d bytes, %d left", p.payload.Off, size, left))
	default:
		p.payload.Len = p.measure(left)
	}
}

// decoder is how a compressor's output is read, and what its files end with.
type decoder struct {
	suffix string
	open   func(r io.ReaderAt, size, maxMemory int64) (codec.Stream, error)
}

func (p *pkg) decoder() decoder {
	name, _, ok := p.header.text(tagCompressor)
	if !ok { // not compressed, or from before there was the tag
		var b [2]byte
		if p.src.ReadAt(b[:], p.payload.Off); b == [2]byte{0x1f, 0x8b} {
			name = "gzip"
		}
	}
	switch name {
	case "gzip":
		return decoder{".gz", codec.NewGzip}
	case "bzip2":
		return decoder{".bz2", codec.NewBzip2}
	case "xz":
		return decoder{".xz", codec.NewXZ}
	case "lzma":
		return decoder{".lzma", codec.NewLZMA}
	case "zstd":
		return decoder{".zst", codec.NewZstd}
	}
	return decoder{}
}

// measure finds the end of the payload's stream by decoding it.
func (p *pkg) measure(left int64) int64 {
	if d := p.decoder(); d.open != nil {
		s, err := d.open(io.NewSectionReader(p.src, p.payload.Off, left), left, p.src.Memory())
		if err == nil {
			// No package has more than this; a bomb costs no more.
			_, err = io.Copy(io.Discard, io.LimitReader(s, 1<<30+32*left))
		}
		if err == nil {
			return min(left, s.Consumed())
		}
	}
	p.problems = append(p.problems, format.Errorf(artifact.Damaged, p.payload.Off, "rpm: payload at %#x: end not found", p.payload.Off))
	return left
}

// checkHeader compares the header with its digests.
func (p *pkg) checkHeader(sig *index) {
	b := p.header.raw
	if want, at, ok := sig.text(sigSHA256); ok {
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
			p.problems = append(p.problems, format.Errorf(artifact.Checksum, at.Off, "rpm: header at %#x: SHA-256 %x, want %s", p.header.at.Off, sum, want))
		}
	} else if want, at, ok := sig.text(sigSHA1); ok {
		if sum := sha1.Sum(b); hex.EncodeToString(sum[:]) != want {
			p.problems = append(p.problems, format.Errorf(artifact.Checksum, at.Off, "rpm: header at %#x: SHA-1 %x, want %s", p.header.at.Off, sum, want))
		}
	}
}

// checkAll compares header and payload with their digest.
func (p *pkg) checkAll(sig *index) {
	want, at, ok := sig.bytes(sigMD5)
	if !ok || len(want) != md5.Size {
		return
	}
	h := md5.New()
	_, err := io.Copy(h, io.NewSectionReader(format.Summed(p.src), p.header.at.Off, p.header.at.Len+p.payload.Len))
	if got := h.Sum(nil); err != nil {
		p.problems = append(p.problems, format.Errorf(artifact.Damaged, p.header.at.Off, "rpm: payload at %#x: %v", p.payload.Off, err))
	} else if !bytes.Equal(got, want) {
		p.problems = append(p.problems, format.Errorf(artifact.Checksum, at.Off, "rpm: header and payload at %#x: MD5 %x, want %x", p.header.at.Off, got, want))
	}
}

// Size returns where the payload ends.
func (p *pkg) Size() int64 { return p.payload.End() }

// Entries yields the payload.
func (p *pkg) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, err := range p.problems {
			if !yield(format.Entry{}, err) {
				return
			}
		}
		name := "payload"
		if s, _, ok := p.header.text(tagPayloadFormat); !ok || s == "cpio" {
			name += ".cpio"
		}
		name += p.decoder().suffix
		yield(format.Entry{Path: name, Size: p.payload.Len, Window: &p.payload}, nil)
	}
}

// Describe tells what names the package, and who built it.
func (p *pkg) Describe() []artifact.Attr {
	var attrs []artifact.Attr
	for _, d := range described {
		if s, at, ok := p.header.text(d.tag); ok {
			attrs = append(attrs, artifact.Attr{Name: d.name, Value: s, At: at})
		}
	}
	return attrs
}
