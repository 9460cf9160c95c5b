// Package seama reads SEAMA, the update container of Alpha Networks, which D-Link and others use:
// a seal that describes the whole, and images with an MD5 each.
//
// Specification: seama.h of Alpha Networks, in OpenWrt
// (https://git.openwrt.org/?p=openwrt/svn-archive/archive.git;a=blob;f=tools/firmware-utils/src/seama.h;hb=HEAD).
package seama

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "\x5e\xa3\xa4\x17"

// Format is the container.
var Format = format.Format{
	Name:   "seama",
	Title:  "SEAMA",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "OpenWrt, seama.h", URL: "https://git.openwrt.org/?p=openwrt/svn-archive/archive.git;a=blob;f=tools/firmware-utils/src/seama.h;hb=HEAD"}},
	Limits: []string{"An image whose MD5 does not fit is taken for something else, unless another came before it."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// A header, big endian: 0 magic, 4 reserved (2), 6 length of the metadata (2), 8 length of the image (4), 12 MD5 of
// the image (16), if there is one, then the metadata, which are strings with a zero each, and the image.
const (
	sealLen   = 12
	headerLen = sealLen + md5.Size
)

type container struct {
	images []artifact.Range
	attrs  []artifact.Attr
	end    int64
}

func open(src format.Source) (*container, error) {
	c := &container{}
	for c.end < src.Size() {
		next, err := c.read(src, c.end)
		if err == nil {
			c.end = next
			continue
		}
		if len(c.images) == 0 {
			return nil, format.Not("seama: %v", err)
		}
		break
	}
	if len(c.images) == 0 {
		return nil, format.Not("seama: no image")
	}
	return c, nil
}

// read takes in a seal or an image at pos and returns its end.
func (c *container) read(src format.Source, pos int64) (int64, error) {
	h := make([]byte, sealLen, headerLen)
	if n, _ := src.ReadAt(h, pos); n < sealLen || string(h[:4]) != magic {
		return 0, fmt.Errorf("no header at %#x", pos)
	}
	meta, size := int64(binary.BigEndian.Uint16(h[6:])), int64(binary.BigEndian.Uint32(h[8:]))
	at := pos + sealLen
	if size > 0 {
		h = h[:headerLen]
		if n, _ := src.ReadAt(h, pos); n < headerLen {
			return 0, fmt.Errorf("header at %#x: cut off", pos)
		}
		at = pos + headerLen
	}
	text, err := format.ReadAt(src, at, meta, "metadata")
	if err != nil {
		return 0, err
	}
	image := artifact.Range{Off: at + meta, Len: size}
	if !image.Within(src.Size()) {
		return 0, fmt.Errorf("image at %#x: %d bytes, %d left", image.Off, size, src.Size()-image.Off)
	}
	if size > 0 {
		sum := md5.New()
		if _, err := io.Copy(sum, io.NewSectionReader(format.Summed(src), image.Off, size)); err != nil {
			return 0, err
		}
		if got := sum.Sum(nil); string(got) != string(h[sealLen:]) {
			return 0, fmt.Errorf("image at %#x: MD5 %x, want %x", image.Off, got, h[sealLen:])
		}
		c.images = append(c.images, image)
	}
	c.describe(text, at)
	return image.End(), nil
}

// describe takes metadata of the form name=value.
func (c *container) describe(b []byte, at int64) {
	for text := range strings.SplitSeq(string(b), "\x00") {
		if name, value, ok := strings.Cut(text, "="); ok && len(c.attrs) < 32 {
			c.attrs = append(c.attrs, artifact.Attr{Name: name, Value: value, At: artifact.Range{Off: at, Len: int64(len(text))}})
		}
		at += int64(len(text)) + 1
	}
}

// Size returns the end of the last image.
func (c *container) Size() int64 { return c.end }

// Describe tells the metadata of the seal and the images.
func (c *container) Describe() []artifact.Attr { return c.attrs }

// Entries yields the images by number.
func (c *container) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for i := range c.images {
			if !yield(format.Entry{Path: strconv.Itoa(i), Size: c.images[i].Len, Window: &c.images[i]}, nil) {
				return
			}
		}
	}
}
