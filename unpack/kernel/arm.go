package kernel

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// ZImage is the self-extracting kernel of 32-bit ARM.
var ZImage = format.Format{
	Name:   "zimage",
	Title:  "Linux zImage (ARM)",
	Kind:   format.Boot,
	Magics: []format.Magic{{Bytes: "\x18\x28\x6f\x01", Off: zMagic}, {Bytes: "\x01\x6f\x28\x18", Off: zMagic}},
	Refs:   []format.Ref{{Title: "Linux arch/arm booting", URL: "https://docs.kernel.org/arch/arm/booting.html"}},
	Limits: []string{"Where the decompressor does not tell the end of the payload, it is handed out to the end of the image."},
	Open:   func(src format.Source) (format.Chunk, error) { return openZImage(src) },
}

// The header of a zImage, in the byte order of the kernel (arch/arm/boot/compressed/head.S).
const (
	zMagic  = 0x24
	zStart  = 0x28 // address of the image; 0 in all that are position independent
	zEnd    = 0x2c // address behind it
	zMarker = 0x34 // 0x45454545 if a table is told at 0x38, since Linux 4.15
	zTable  = 0x38
	zHeader = 0x40

	zTableSize = 0x5a534c4b // tag of the record that tells where the length word of the payload is
)

// maxDecompressor bounds the code before the payload; with device tree support it has some 60 KiB.
const maxDecompressor = 1 << 20

func openZImage(src format.Source) (*image, error) {
	b := make([]byte, min(maxDecompressor, src.Size()))
	if n, _ := src.ReadAt(b[:min(zHeader, len(b))], 0); n < zHeader {
		return nil, format.Not("zimage: %d bytes", n)
	}
	var order binary.ByteOrder = binary.LittleEndian
	byteOrder := "little endian"
	if order.Uint32(b[zMagic:]) != 0x016f2818 {
		order, byteOrder = binary.BigEndian, "big endian"
	}
	start, end := int64(order.Uint32(b[zStart:])), int64(order.Uint32(b[zEnd:]))
	if order.Uint32(b[zMagic:]) != 0x016f2818 || end-start < zHeader {
		return nil, format.Not("zimage: from %#x to %#x", start, end)
	}
	// Five equal instructions that do nothing stand at the start. Boot loaders hold the magic too.
	for i := 8; i < 24; i += 4 {
		if order.Uint32(b[i:]) != order.Uint32(b[i+4:]) {
			return nil, format.Not("zimage: no start of code")
		}
	}
	m := &image{size: end - start, path: "piggy"}
	if m.size > src.Size() {
		m.problem = format.Errorf(artifact.Truncated, src.Size(), "zimage: %d bytes, %d left", m.size, src.Size())
		m.size = src.Size()
	}
	n, _ := src.ReadAt(b, 0)
	b = b[:min(int64(n), m.size)]
	m.tell("size", strconv.FormatInt(end-start, 10), zStart, 8)
	m.tell("byte-order", byteOrder, zMagic, 4)
	s, off, ok := findStream(b, zHeader)
	if !ok { // not compressed, or in a way that is not known
		m.path, m.payload = "kernel", artifact.Range{Off: zHeader, Len: m.size - zHeader}
		return m, nil
	}
	m.payload = artifact.Range{Off: int64(off), Len: m.size - int64(off)}
	m.tell("compression", s.name, int64(off), int64(len(s.magic)))
	if word := zLength(b, order, start, int64(off), m.size); word > 0 {
		m.payload.Len = payloadEnd(s, word) - int64(off)
		var size [4]byte // little endian always: scripts/Makefile.lib, size_append
		if n, _ := src.ReadAt(size[:], word); n == 4 {
			m.tell("payload-size", strconv.FormatUint(uint64(binary.LittleEndian.Uint32(size[:])), 10), word, 4)
		}
	}
	return m, nil
}

// zLength returns the offset of the length word that follows the payload at off, or 0. It stands
// in the table that the header leads to; before, among the addresses that the decompressor
// relocates itself with (LC0: bss, end, edata, length word, start and end of the GOT).
func zLength(b []byte, order binary.ByteOrder, start, off, size int64) int64 {
	good := func(v int64) bool { return v > off && v <= size-4 }
	u32 := func(i int64) int64 { return int64(order.Uint32(b[i:])) - start }
	if order.Uint32(b[zMarker:]) == 0x45454545 {
		t := int64(order.Uint32(b[zTable:]))
		if t >= zHeader && t <= off-12 && order.Uint32(b[t+4:]) == zTableSize {
			if v := int64(order.Uint32(b[t+8:])); good(v) {
				return v
			}
		}
	}
	for i := int64(zHeader); i+16 <= off; i += 4 {
		if u32(i) == size && good(u32(i+4)) && u32(i+8) > u32(i+4) && u32(i+12) >= u32(i+8) && u32(i+12) <= size {
			return u32(i + 4)
		}
	}
	return 0
}

// Image is the kernel of 64-bit ARM. It is not compressed by itself.
var Image = format.Format{
	Name:   "arm64-image",
	Title:  "Linux Image (ARM64)",
	Kind:   format.Boot,
	Magics: []format.Magic{{Bytes: "ARM\x64", Off: 0x38}},
	Refs:   []format.Ref{{Title: "Linux arch/arm64 booting", URL: "https://docs.kernel.org/arch/arm64/booting.html"}},
	Limits: []string{"A kernel without the header of an EFI program does not tell how long its file is, and is read only if it fills the content."},
	Open:   func(src format.Source) (format.Chunk, error) { return openImage(src) },
}

// The header of an Image, little endian: code[8], text offset, image size (with memory that is
// not in the file), flags, reserved[24], magic, offset of the PE header.
func openImage(src format.Source) (*image, error) {
	b := make([]byte, 64)
	if n, _ := src.ReadAt(b, 0); n < len(b) {
		return nil, format.Not("arm64-image: %d bytes", n)
	}
	u64 := binary.LittleEndian.Uint64
	text, memory, flags := u64(b[8:]), u64(b[16:]), u64(b[24:])
	if string(b[0x38:0x3c]) != "ARM\x64" || u64(b[0x20:])|u64(b[0x28:])|u64(b[0x30:]) != 0 || flags > 0xff || text&0xfff != 0 || text > 1<<26 || memory > 1<<31 {
		return nil, format.Not("arm64-image: header")
	}
	m := &image{size: peSize(src, b), path: "kernel"}
	switch {
	case m.size > src.Size():
		m.problem = format.Errorf(artifact.Truncated, src.Size(), "arm64-image: %d bytes, %d left", m.size, src.Size())
		m.size = src.Size()
	case m.size == 0 && src.Before == 0 && (memory == 0 || int64(memory) >= src.Size()):
		m.size = src.Size()
	case m.size == 0:
		return nil, format.Not("arm64-image: length is not told")
	}
	m.payload = artifact.Range{Off: 64, Len: m.size - 64}
	m.tell("text-offset", fmt.Sprintf("%#x", text), 8, 8)
	m.tell("memory-size", strconv.FormatUint(memory, 10), 16, 8)
	m.tell("flags", fmt.Sprintf("%#x", flags), 24, 8)
	return m, nil
}

// peSize returns where the last section of a PE file ends, or 0 if b is not the start of one.
func peSize(src format.Source, b []byte) (end int64) {
	const coff, section, maxSections = 24, 40, 16
	at := int64(binary.LittleEndian.Uint32(b[0x3c:]))
	h := make([]byte, coff)
	if n, _ := src.ReadAt(h, at); string(b[:2]) != "MZ" || n < coff || string(h[:4]) != "PE\x00\x00" {
		return 0
	}
	count, optional := int(binary.LittleEndian.Uint16(h[6:])), int64(binary.LittleEndian.Uint16(h[20:]))
	for i := range min(count, maxSections) {
		s := make([]byte, section)
		if n, _ := src.ReadAt(s, at+coff+optional+int64(i)*section); n < section {
			return 0
		}
		end = max(end, int64(binary.LittleEndian.Uint32(s[16:]))+int64(binary.LittleEndian.Uint32(s[20:])))
	}
	if end <= 64 {
		return 0
	}
	return end
}
