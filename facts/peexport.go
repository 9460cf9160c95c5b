package facts

import (
	"bytes"
	"encoding/binary"

	"hallmark/artifact"
)

// section is a run of a Windows executable: where it is in memory and in the file.
type section struct{ address, size, offset int64 }

const (
	maxSections = 96 // what Windows itself takes
	maxPEName   = 1 << 10
	exportTable = 40 // bytes of the export directory
)

// readPEExports reads the names that a Windows library defines for others: data directory 0 of the
// PE format, https://learn.microsoft.com/windows/win32/debug/pe-format#the-edata-section-image-only.
func readPEExports(c *content) {
	if len(c.head) < 0x40 || string(c.head[:2]) != "MZ" {
		return
	}
	at := int64(binary.LittleEndian.Uint32(c.head[0x3c:]))
	b := c.bytes(artifact.Range{Off: at, Len: 24 + 240})
	if len(b) < 24+96+8 || string(b[:4]) != "PE\x00\x00" {
		return
	}
	count, optional := int(binary.LittleEndian.Uint16(b[6:])), int64(binary.LittleEndian.Uint16(b[20:]))
	directory := 24 + 96
	if binary.LittleEndian.Uint16(b[24:]) == 0x20b { // PE32+
		directory += 16
	}
	if len(b) < directory+8 {
		return
	}
	sections := peSections(c.bytes(artifact.Range{Off: at + 24 + optional, Len: 40 * int64(min(count, maxSections))}))
	table := c.bytes(artifact.Range{Off: inFile(sections, binary.LittleEndian.Uint32(b[directory:])), Len: exportTable})
	if len(table) < exportTable {
		return
	}
	names := int64(min(binary.LittleEndian.Uint32(table[24:]), MaxSymbols))
	list := c.bytes(artifact.Range{Off: inFile(sections, binary.LittleEndian.Uint32(table[32:])), Len: 4 * names})
	for ; len(list) >= 4; list = list[4:] {
		off := inFile(sections, binary.LittleEndian.Uint32(list))
		name, _, ended := bytes.Cut(c.bytes(artifact.Range{Off: off, Len: maxPEName}), []byte{0})
		if ended && len(name) > 0 {
			c.say("pe.export", string(name), artifact.Range{Off: off, Len: int64(len(name))})
		}
	}
}

func peSections(b []byte) (out []section) {
	for ; len(b) >= 40; b = b[40:] {
		out = append(out, section{
			address: int64(binary.LittleEndian.Uint32(b[12:])),
			size:    int64(binary.LittleEndian.Uint32(b[16:])),
			offset:  int64(binary.LittleEndian.Uint32(b[20:])),
		})
	}
	return out
}

// inFile returns where the byte at an address in memory stands in the file; -1 if nowhere.
func inFile(sections []section, address uint32) int64 {
	for _, s := range sections {
		if a := int64(address); a >= s.address && a < s.address+s.size {
			return s.offset + a - s.address
		}
	}
	return -1
}
