// Package gpt reads GUID partition tables.
//
// The specification is UEFI 2.10, 5.3 (https://uefi.org/specs/UEFI/2.10/05_GUID_Partition_Table_Format.html).
// Either copy of the table does, if its checksums fit; sectors have 512 or 4096 bytes. Partitions are
// windows named by number and name. What lies between them and is not of one value is a window too.
package gpt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"strings"
	"unicode/utf16"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is a disk divided by a GPT.
var Format = format.Format{
	Name:   "gpt",
	Title:  "GUID partition table",
	Kind:   format.Layout,
	Magics: []format.Magic{{Bytes: signature}},
	Whole:  true, // the copy at the end does if the one at the start is lost
	Refs:   []format.Ref{{Title: "UEFI 2.10, 5.3: GPT disk layout", URL: "https://uefi.org/specs/UEFI/2.10/05_GUID_Partition_Table_Format.html"}},
	Limits: []string{"The table is looked for at the start and at the very end of a content.", "At most 1024 partitions are read."},
	Open:   Open,
}

const (
	signature  = "EFI PART"
	maxEntries = 1024
)

type disk struct {
	src      format.Source
	header   header
	sector   int64
	parts    []partition
	problems []*format.Error
}

// header is a header with what it points at.
type header struct {
	at           int64 // offset
	my, other    uint64
	entries      uint64 // first sector of the array
	count, size  uint32
	crc          uint32 // of the array
	guid         [16]byte
	sound, array bool // the checksums of header and array fit
	raw          []byte
}

type partition struct {
	number      int
	kind        [16]byte
	first, last uint64
	name        string
}

// Open opens the disk at offset 0 of src.
func Open(src format.Source) (format.Chunk, error) {
	var best *disk
	for _, sector := range [...]int64{512, 4096} {
		for i, at := range [...]int64{sector, src.Size()/sector*sector - sector} {
			h, err := readHeader(src, at)
			if err != nil || i == 0 && h.my != 1 || i == 1 && h.my != uint64(at/sector) || h.entries > uint64(src.Size()/sector) {
				continue
			}
			h.readArray(src, sector)
			d := &disk{src: src, header: h, sector: sector}
			if best == nil || score(d) > score(best) {
				best = d
			}
		}
	}
	if best == nil {
		return nil, format.Not("gpt: no header")
	}
	best.read()
	for _, p := range best.parts {
		if p.first == 0 { // an ISO 9660 image that boots from a disk too: the partition is the image
			return nil, format.Not("gpt: partition %d begins before the table", p.number)
		}
	}
	return best, nil
}

// score prefers a copy whose checksums fit, and the first.
func score(d *disk) int {
	n := 0
	if d.header.sound {
		n++
	}
	if d.header.array {
		n++
	}
	return n
}

var errHeader = errors.New("no header")

// readHeader reads
//
//	0 signature (8), 8 revision, 12 size, 16 CRC-32, 24 this sector (8), 32 the other copy's (8), 40 first usable (8), 48 last usable (8),
//	56 GUID (16), 72 array (8), 80 entries, 84 size of an entry, 88 CRC-32 of the array
func readHeader(src format.Source, at int64) (header, error) {
	b, err := format.ReadAt(src, at, 512, "gpt: header")
	if err != nil {
		return header{}, err
	}
	le := binary.LittleEndian
	size := le.Uint32(b[12:])
	h := header{
		at: at, my: le.Uint64(b[24:]), other: le.Uint64(b[32:]), guid: [16]byte(b[56:72]),
		entries: le.Uint64(b[72:]), count: le.Uint32(b[80:]), size: le.Uint32(b[84:]), crc: le.Uint32(b[88:]),
	}
	if string(b[:8]) != signature || le.Uint32(b[8:])>>16 != 1 || size < 92 || size > 512 || h.size < 128 || h.size > 4096 || h.size%8 != 0 {
		return h, errHeader
	}
	want := le.Uint32(b[16:])
	clear(b[16:20])
	h.sound = crc32.ChecksumIEEE(b[:size]) == want
	return h, nil
}

// readArray reads the array of entries as far as it is of use.
func (h *header) readArray(src format.Source, sector int64) {
	off := int64(h.entries) * sector
	n := int64(min(h.count, maxEntries)) * int64(h.size)
	n = max(0, min(n, src.Size()-off))
	h.raw, _ = format.ReadAt(src, off, n, "gpt: entries")
	h.array = h.count <= maxEntries && int64(len(h.raw)) == int64(h.count)*int64(h.size) && crc32.ChecksumIEEE(h.raw) == h.crc
}

// read reads the entries: 0 type (16), 16 GUID (16), 32 first (8), 40 last (8), 48 attributes (8), 56 name in UTF-16 (72).
func (d *disk) read() {
	h := &d.header
	if !h.sound {
		d.problem(artifact.Checksum, h.at, "gpt: header at %#x: CRC-32 does not fit", h.at)
	}
	switch {
	case h.count > maxEntries:
		d.problem(artifact.Limit, h.at, "gpt: header at %#x: %d entries > %d", h.at, h.count, maxEntries)
	case !h.array:
		d.problem(artifact.Checksum, int64(h.entries)*d.sector, "gpt: entries at %#x: CRC-32 does not fit", int64(h.entries)*d.sector)
	}
	le := binary.LittleEndian
	for i := 0; (i+1)*int(h.size) <= len(h.raw); i++ {
		e := h.raw[i*int(h.size):][:128]
		p := partition{number: i + 1, kind: [16]byte(e[:16]), first: le.Uint64(e[32:]), last: le.Uint64(e[40:])}
		if p.kind == [16]byte{} {
			continue
		}
		var name []uint16
		for c := e[56:128]; len(c) > 0 && le.Uint16(c) != 0; c = c[2:] {
			name = append(name, le.Uint16(c))
		}
		p.name = strings.ReplaceAll(string(utf16.Decode(name)), "/", "_")
		if p.name == "" {
			p.name = kindName(p.kind)
		}
		d.parts = append(d.parts, p)
	}
}

func (d *disk) problem(kind artifact.ProblemKind, at int64, text string, args ...any) {
	d.problems = append(d.problems, format.Errorf(kind, max(0, min(at, d.src.Size())), text, args...))
}

// Size returns the end of the copy at the end of the disk, or of the content if it ends before.
func (d *disk) Size() int64 {
	last := max(d.header.my, d.header.other)
	for _, p := range d.parts {
		if p.last < uint64(d.src.Size()/d.sector) {
			last = max(last, p.last)
		}
	}
	if last >= uint64(d.src.Size()/d.sector) {
		return d.src.Size()
	}
	return (int64(last) + 1) * d.sector
}

func (d *disk) Describe() []artifact.Attr {
	at := artifact.Range{Off: d.header.at + 56, Len: 16}
	return []artifact.Attr{{Name: "guid", Value: guidText(d.header.guid), At: at}}
}

// Entries yields the partitions in order of their number, then what lies between them.
func (d *disk) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, p := range d.problems {
			if !yield(format.Entry{}, p) {
				return
			}
		}
		var used []artifact.Range
		sectors := uint64(d.src.Size() / d.sector)
		for _, p := range d.parts {
			name := fmt.Sprintf("%d-%s", p.number, p.name)
			if p.first >= sectors || p.last < p.first {
				if !yield(format.Entry{}, format.Errorf(artifact.Truncated, d.src.Size(), "gpt: partition %q: sectors %d to %d of %d", name, p.first, p.last, sectors)) {
					return
				}
				continue
			}
			w := artifact.Range{Off: int64(p.first) * d.sector}
			e := format.Entry{Path: name, Window: &w}
			if p.last >= sectors {
				w.Len = d.src.Size() - w.Off
				e.Problems = []artifact.Problem{{Kind: artifact.Truncated, At: artifact.Range{Off: d.src.Size()}, Detail: fmt.Sprintf("gpt: partition %q: sectors %d to %d of %d", name, p.first, p.last, sectors)}}
			} else {
				w.Len = int64(p.last-p.first+1) * d.sector
			}
			e.Size = w.Len
			clash := false
			for _, r := range used {
				clash = clash || r.Off < w.End() && w.Off < r.End()
			}
			var err error
			if clash {
				e, err = format.Entry{}, format.Errorf(artifact.Damaged, w.Off, "gpt: partition %q at %#x+%#x: overlaps another", name, w.Off, w.Len)
			} else {
				used = append(used, w)
			}
			if !yield(e, err) {
				return
			}
		}
		for _, g := range format.Gaps(d.src, append(used, d.tables()...), d.Size()) {
			if !yield(format.Entry{Path: fmt.Sprintf("gap-%#x", g.Off), Size: g.Len, Window: &g}, nil) {
				return
			}
		}
	}
}

// tables returns where the boot record, both headers and both arrays stand.
func (d *disk) tables() []artifact.Range {
	h := &d.header
	out := []artifact.Range{{Off: 0, Len: d.sector}}
	add := func(sector uint64, n int64) {
		if sector < uint64(d.src.Size()/d.sector) {
			out = append(out, artifact.Range{Off: int64(sector) * d.sector, Len: n})
		}
	}
	array := (int64(len(h.raw)) + d.sector - 1) / d.sector
	add(h.my, d.sector)
	add(h.other, d.sector)
	add(h.entries, array*d.sector)
	// The other copy has its array behind the header at the start, and before it at the end.
	if h.my == 1 {
		add(h.other-uint64(array), array*d.sector)
	} else {
		add(h.other+1, array*d.sector)
	}
	return out
}

// guidText writes a GUID as people do: its first three fields are little endian.
func guidText(g [16]byte) string {
	le := binary.LittleEndian
	return fmt.Sprintf("%08X-%04X-%04X-%X-%X", le.Uint32(g[0:]), le.Uint16(g[4:]), le.Uint16(g[6:]), g[8:10], g[10:])
}

// kindName returns what a partition type is for.
func kindName(kind [16]byte) string {
	switch guidText(kind) {
	case "0FC63DAF-8483-4772-8E79-3D69D8477DE4":
		return "linux"
	case "C12A7328-F81F-11D2-BA4B-00A0C93EC93B":
		return "efi"
	case "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7":
		return "data"
	case "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F":
		return "swap"
	case "21686148-6449-6E6F-744E-656564454649":
		return "bios-boot"
	case "E6D6D379-F507-44C2-A23C-238F2A3DF928":
		return "lvm"
	}
	return "partition"
}
