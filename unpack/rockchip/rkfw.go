// Package rockchip reads the update images of Rockchip's tools: RKFW, a boot loader and an image
// with an MD5 behind them, and RKAF, a table of up to 64 partitions with a CRC behind them.
//
// There is no official specification. The layouts follow public tools that agree,
// https://github.com/neo-technologies/rockchip-mkbootimg and
// https://github.com/rockchip-linux/rkdeveloptool.
package rockchip

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Firmware is an RKFW image.
var Firmware = format.Format{
	Name:   "rkfw",
	Title:  "Rockchip update image (RKFW)",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: "RKFW\x66\x00"}},
	Refs:   []format.Ref{{Title: "rockchip-mkbootimg", URL: "https://github.com/neo-technologies/rockchip-mkbootimg"}},
	Limits: []string{"The boot loader is handed out as it stands."},
	Open:   func(src format.Source) (format.Chunk, error) { return openFirmware(src) },
}

// The header, little endian:
//
//	 0  4  "RKFW"
//	 4  2  size of the header
//	 6  4  version: major, minor, build[2]
//	10  4  code
//	14  7  time: year[2], month, day, hour, minute, second
//	21  4  chip
//	25  8  offset and size of the boot loader
//	33  8  offset and size of the image
const firmwareHeader = 0x66

// chunk is what both formats come to.
type chunk struct {
	size    int64
	parts   []part
	attrs   []artifact.Attr
	problem error
}

type part struct {
	path string
	at   artifact.Range
}

func (c *chunk) Size() int64               { return c.size }
func (c *chunk) Describe() []artifact.Attr { return c.attrs }

func (c *chunk) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if c.problem != nil && !yield(format.Entry{}, c.problem) {
			return
		}
		for _, p := range c.parts {
			if !yield(format.Entry{Path: p.path, Size: p.at.Len, Window: &p.at}, nil) {
				return
			}
		}
	}
}

func (c *chunk) tell(name, value string, off, n int64) {
	c.attrs = append(c.attrs, artifact.Attr{Name: name, Value: value, At: artifact.Range{Off: off, Len: n}})
}

func openFirmware(src format.Source) (*chunk, error) {
	b := make([]byte, firmwareHeader)
	if n, _ := src.ReadAt(b, 0); n < len(b) || string(b[:6]) != "RKFW\x66\x00" {
		return nil, format.Not("rkfw: header")
	}
	u32 := func(off int) int64 { return int64(binary.LittleEndian.Uint32(b[off:])) }
	loader, image := artifact.Range{Off: u32(25), Len: u32(29)}, artifact.Range{Off: u32(33), Len: u32(37)}
	if loader.Off < firmwareHeader || image.Off < loader.End() || image.Len == 0 || b[16] > 12 || b[17] > 31 {
		return nil, format.Not("rkfw: boot loader at %#x+%#x, image at %#x+%#x", loader.Off, loader.Len, image.Off, image.Len)
	}
	c := &chunk{size: image.End()}
	c.tell("version", fmt.Sprintf("%d.%d.%d", b[9], b[8], binary.LittleEndian.Uint16(b[6:])), 6, 4)
	c.tell("time", fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", binary.LittleEndian.Uint16(b[14:]), b[16], b[17], b[18], b[19], b[20]), 14, 7)
	c.tell("chip", fmt.Sprintf("%#x", u32(21)), 21, 4)
	if c.size > src.Size() {
		c.problem = format.Errorf(artifact.Truncated, src.Size(), "rkfw: %d bytes, %d left", c.size, src.Size())
		c.size = src.Size()
	} else {
		c.checkMD5(src)
	}
	for _, p := range []part{{"loader", loader}, {"image", image}} {
		p.at.Len = min(p.at.Len, c.size-p.at.Off)
		if p.at.Len > 0 {
			c.parts = append(c.parts, p)
		}
	}
	return c, nil
}

// checkMD5 takes in the digest in hexadecimal that stands behind the image, if one does.
func (c *chunk) checkMD5(src format.Source) {
	stored := make([]byte, 2*md5.Size)
	want := make([]byte, md5.Size)
	if n, _ := src.ReadAt(stored, c.size); n < len(stored) {
		return
	}
	if _, err := hex.Decode(want, stored); err != nil {
		return
	}
	h := md5.New()
	io.Copy(h, io.NewSectionReader(format.Summed(src), 0, c.size))
	if got := h.Sum(nil); !bytes.Equal(got, want) {
		c.problem = format.Errorf(artifact.Checksum, c.size, "rkfw: MD5 at %#x: %x, want %x", c.size, got, want)
		c.tell("md5", "bad", c.size, 2*md5.Size)
	} else {
		c.tell("md5", "ok", c.size, 2*md5.Size)
	}
	c.size += 2 * md5.Size
}
