package mtdparts

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Anyka is a flash image of an Anyka chip with the partition table that its burning tool wrote.
var Anyka = format.Format{
	Name:   "anyka",
	Title:  "Flash image divided by Anyka's partition table",
	Kind:   format.Layout,
	Magics: []format.Magic{{Bytes: "ANYKA"}, {Bytes: "SPIP"}}, // both in the first page of the boot loader
	Whole:  true,
	Refs:   []format.Ref{{Title: "OpenIPC Linux, partition_lib.h", URL: "https://github.com/OpenIPC/linux/blob/9d45606c78f3826c544df7e1bb7025ec67aac876/include/mach-anyka/partition_lib.h"}},
	Limits: []string{"The table is looked for in the first MiB of NOR flash alone.", "Its layout is known from sources; no image was at hand."},
	Open:   func(src format.Source) (format.Chunk, error) { return openAnyka(src) },
}

// The table fills 512 bytes at a page of 256, little endian: number of partitions, then each with
// type (0 data, 1 program, 2 file system), flags (writable in the lower half, hidden in the
// upper), name[6], size in KiB, start in bytes, and 16 bytes on what was written there.
const (
	anykaBoot  = 0x300 // the boot loader's first pages: the marks stand there
	anykaArea  = 1 << 20
	anykaPage  = 256
	anykaTable = 512
	anykaEntry = 32
	anykaMost  = 15
	anykaFS    = 2
)

func openAnyka(src format.Source) (*layout, error) {
	area := make([]byte, min(anykaArea, src.Size()))
	if n, _ := src.ReadAt(area, 0); n < len(area) || src.Size() < minImage {
		return nil, format.Not("anyka: %d bytes", src.Size())
	}
	if !bytes.Contains(area[:anykaBoot], []byte("ANYKA")) && !bytes.Contains(area[:anykaBoot], []byte("SPIP")) {
		return nil, format.Not("anyka: boot loader")
	}
	var list []table
	for off := anykaBoot; off+anykaTable <= len(area) && len(list) < maxTables; off += anykaPage {
		if t, ok := parseAnyka(src, area[off:off+anykaTable], int64(off)); ok {
			list = append(list, t)
		}
	}
	if l := divide(src, list); l != nil {
		return l, nil
	}
	return nil, format.Not("anyka: no table that fits")
}

// parseAnyka reads the table b, which stands at off. Partitions come behind it, in order, and
// those for file systems begin with one or are erased.
func parseAnyka(src format.Source, b []byte, off int64) (t table, ok bool) {
	count := binary.LittleEndian.Uint32(b)
	if count < 2 || count > anykaMost {
		return t, false
	}
	t = table{source: "anyka", text: strconv.Itoa(int(count)) + " partitions", open: true, at: artifact.Range{Off: off, Len: 4 + int64(count)*anykaEntry}}
	next := off
	head := make([]byte, 4096)
	for i := range int64(count) {
		e := b[4+i*anykaEntry:][:anykaEntry]
		name := bytes.TrimRight(e[2:8], "\x00 ")
		p := partition{name: string(name), off: int64(binary.LittleEndian.Uint32(e[12:])), size: int64(binary.LittleEndian.Uint32(e[8:])) << 10, text: artifact.Range{Off: off + 4 + i*anykaEntry, Len: anykaEntry}}
		p.readOnly = e[1]&15 == 0
		if e[0] > anykaFS || e[1]&0xee != 0 || !plain(name) || p.size == 0 || p.off < next || p.off > src.Size() || p.size > src.Size()-p.off {
			return t, false
		}
		n, _ := src.ReadAt(head[:min(int64(len(head)), p.size)], p.off)
		if e[0] == anykaFS && !known(head[:n]) && len(bytes.TrimLeft(head[:n], "\xff")) > 0 {
			return t, false
		}
		next = p.off + p.size
		t.parts = append(t.parts, p)
	}
	return t, true
}

// plain reports whether name is one of letters, digits and _.
func plain(name []byte) bool {
	for _, c := range name {
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return len(name) > 0
}
