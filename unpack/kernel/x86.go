package kernel

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// BzImage is the self-extracting kernel of x86.
var BzImage = format.Format{
	Name:   "bzimage",
	Title:  "Linux bzImage (x86)",
	Kind:   format.Boot,
	Magics: []format.Magic{{Bytes: "HdrS", Off: 0x202}},
	Refs:   []format.Ref{{Title: "Linux arch/x86 boot protocol", URL: "https://docs.kernel.org/arch/x86/boot.html"}},
	Limits: []string{"Kernels with a boot protocol before 2.08 do not tell where their payload is; it is left to its own magic.", "A signature behind the kernel is not part of it."},
	Open:   func(src format.Source) (format.Chunk, error) { return openBzImage(src) },
}

// openBzImage reads the header of the boot protocol, little endian: setup sectors at 0x1f1, rest
// of the kernel in units of 16 bytes at 0x1f4, 0xaa55 at 0x1fe, protocol at 0x206, version text
// at 0x20e, payload and its length at 0x248.
func openBzImage(src format.Source) (*image, error) {
	b := make([]byte, 0x250)
	if n, _ := src.ReadAt(b, 0); n < len(b) || string(b[0x202:0x206]) != "HdrS" || binary.LittleEndian.Uint16(b[0x1fe:]) != 0xaa55 {
		return nil, format.Not("bzimage: header")
	}
	sectors, protocol := int64(b[0x1f1]), binary.LittleEndian.Uint16(b[0x206:])
	if sectors == 0 {
		sectors = 4 // as the specification has it
	}
	setup := (sectors + 1) * 512
	m := &image{size: setup + 16*int64(binary.LittleEndian.Uint32(b[0x1f4:])), path: "piggy"}
	if protocol < 0x200 || protocol > 0x2ff || m.size == setup {
		return nil, format.Not("bzimage: protocol %#x", protocol)
	}
	if m.size > src.Size() {
		m.problem = format.Errorf(artifact.Truncated, src.Size(), "bzimage: %d bytes, %d left", m.size, src.Size())
		m.size = src.Size()
	}
	m.tell("protocol", fmt.Sprintf("%d.%02d", protocol>>8, protocol&0xff), 0x206, 2)
	if at := int64(binary.LittleEndian.Uint16(b[0x20e:])); at > 0 {
		text := make([]byte, 256)
		n, _ := src.ReadAt(text, at+0x200)
		if v, _, ok := bytes.Cut(text[:n], []byte{0}); ok && len(v) > 0 {
			m.tell("version", string(v), at+0x200, int64(len(v)))
		}
	}
	if protocol < 0x208 {
		m.payload = artifact.Range{Off: min(setup, m.size), Len: max(0, m.size-setup)}
		return m, nil
	}
	at := artifact.Range{Off: setup + int64(binary.LittleEndian.Uint32(b[0x248:])), Len: int64(binary.LittleEndian.Uint32(b[0x24c:]))}
	if at.Len < streamHead || !at.Within(m.size) {
		if m.problem == nil {
			m.problem = format.Errorf(artifact.Damaged, 0x248, "bzimage: payload at %#x: %d bytes of an image of %d", at.Off, at.Len, m.size)
		}
		return m, nil
	}
	m.payload = at
	head := make([]byte, streamHead)
	src.ReadAt(head, at.Off)
	if s, off, ok := findStream(head, 0); ok && off == 0 {
		m.tell("compression", s.name, at.Off, int64(len(s.magic)))
		m.payload.Len = payloadEnd(s, at.Len-4)
	}
	return m, nil
}
