// Package mbr reads the partition table of a master boot record and the extended partitions that
// hang off it.
//
// The table is described in the UEFI specification, 5.2 (https://uefi.org/specs/UEFI/2.10/05_GUID_Partition_Table_Format.html).
// Sectors have 512 bytes. Partitions are windows named by number and type. What lies between them and
// is not of one value is a window too: boot loaders stand there.
package mbr

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/bits"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is a disk divided by a master boot record.
var Format = format.Format{
	Name:   "mbr",
	Title:  "MBR partition table",
	Kind:   format.Layout,
	Magics: []format.Magic{{Bytes: "\x55\xaa", Off: 510, Start: true}},
	Refs: []format.Ref{
		{Title: "UEFI 2.10, 5.2: LBA 0 format", URL: "https://uefi.org/specs/UEFI/2.10/05_GUID_Partition_Table_Format.html"},
		{Title: "Brouwer, partition types", URL: "https://www.win.tue.nl/~aeb/partitions/partition_types-1.html"},
	},
	Limits: []string{"Sectors of other than 512 bytes are not known.", "A table is read only at the start of a content."},
	Open:   Open,
}

const (
	sector   = 512
	tableOff = 446
	maxChain = 256 // logical partitions
)

type disk struct {
	src      format.Source
	parts    []partition
	end      int64            // of the last partition, extended ones included
	used     []artifact.Range // sectors of tables
	problems []*format.Error
}

type partition struct {
	number int
	kind   byte
	at     artifact.Range
}

// Open opens the disk whose boot record is at offset 0 of src.
func Open(src format.Source) (format.Chunk, error) {
	b, err := format.ReadAt(src, 0, sector, "mbr: boot record")
	if err != nil {
		return nil, format.Not("mbr: %v", err)
	}
	// A Linux kernel for x86 has the signature too, and its header at 0x202: Documentation/arch/x86/boot.rst.
	var kernel [4]byte
	if n, _ := src.ReadAt(kernel[:], 0x202); n == 4 && string(kernel[:]) == "HdrS" {
		return nil, format.Not("mbr: boot sector of a Linux kernel")
	}
	if fileSystem(b) {
		return nil, format.Not("mbr: boot sector of a file system")
	}
	entries, err := readTable(b)
	if err != nil {
		return nil, format.Not("mbr: %v", err)
	}
	d := &disk{src: src, used: []artifact.Range{{Off: 0, Len: sector}}}
	inside := false
	for i, e := range entries {
		switch {
		case e.kind == 0:
			continue
		case e.kind == 0xee:
			return nil, format.Not("mbr: it only protects a GPT")
		case e.count == 0 || e.start == 0:
			return nil, format.Not("mbr: partition %d: %d sectors at %d", i+1, e.count, e.start)
		}
		p := partition{number: i + 1, kind: e.kind, at: artifact.Range{Off: e.start * sector, Len: e.count * sector}}
		for _, q := range d.parts {
			if overlap(p.at, q.at) {
				return nil, format.Not("mbr: partitions %d and %d overlap", q.number, p.number)
			}
		}
		inside = inside || p.at.Off < src.Size()
		d.end = max(d.end, p.at.End())
		d.parts = append(d.parts, p)
	}
	if !inside {
		return nil, format.Not("mbr: no partition in %d bytes", src.Size())
	}
	d.extended()
	return d, nil
}

func overlap(a, b artifact.Range) bool { return a.Off < b.End() && b.Off < a.End() }

// fileSystem reports whether b is the boot sector of FAT or NTFS, which have code where the table would be.
func fileSystem(b []byte) bool {
	size := int(binary.LittleEndian.Uint16(b[11:]))
	fat := (b[0] == 0xeb || b[0] == 0xe9) && size >= 512 && size <= 4096 && bits.OnesCount(uint(size)) == 1 &&
		bits.OnesCount8(b[13]) == 1 && b[16] > 0 && b[16] <= 4 && (b[21] == 0xf0 || b[21] >= 0xf8)
	return fat || string(b[3:11]) == "NTFS    " || string(b[3:11]) == "EXFAT   "
}

type entry struct {
	kind         byte
	start, count int64 // in sectors
}

// readTable reads four entries of 16 bytes: 0 status, 1 first in cylinders (3), 4 type, 5 last (3), 8 start, 12 count.
func readTable(b []byte) (out [4]entry, err error) {
	le := binary.LittleEndian
	if le.Uint16(b[510:]) != 0xaa55 {
		return out, fmt.Errorf("signature %#x", b[510:512])
	}
	for i := range out {
		e := b[tableOff+16*i:]
		if e[0]&0x7f != 0 {
			return out, fmt.Errorf("entry %d: status %#x", i+1, e[0])
		}
		out[i] = entry{e[4], int64(le.Uint32(e[8:])), int64(le.Uint32(e[12:]))}
	}
	return out, nil
}

func extended(kind byte) bool { return kind == 0x05 || kind == 0x0f || kind == 0x85 }

// extended replaces extended partitions by the logical ones in them: a chain of tables, of which each has
// a partition, that starts from it, and the next table, counted from the first.
func (d *disk) extended() {
	primary := d.parts
	d.parts = nil
	number := 5
	for _, p := range primary {
		if !extended(p.kind) {
			d.parts = append(d.parts, p)
			continue
		}
		seen := map[int64]bool{}
		for at := p.at.Off; ; {
			if seen[at] || len(seen) >= maxChain {
				d.problem(artifact.Damaged, p.at.Off, "mbr: tables of extended partition %d at %#x: chain of %d loops at %#x", p.number, p.at.Off, len(seen), at)
				break
			}
			seen[at] = true
			b, err := format.ReadAt(d.src, at, sector, "mbr: table")
			if err != nil {
				d.problem(artifact.Truncated, at, "%v", err)
				break
			}
			t, err := readTable(b)
			if err != nil {
				d.problem(artifact.Damaged, at, "mbr: table at %#x: %v", at, err)
				break
			}
			d.used = append(d.used, artifact.Range{Off: at, Len: sector})
			if e := t[0]; e.kind != 0 && e.count > 0 && !extended(e.kind) {
				d.parts = append(d.parts, partition{number, e.kind, artifact.Range{Off: at + e.start*sector, Len: e.count * sector}})
				number++
			}
			if !extended(t[1].kind) || t[1].count == 0 {
				break
			}
			at = p.at.Off + t[1].start*sector
		}
	}
}

func (d *disk) problem(kind artifact.ProblemKind, at int64, text string, args ...any) {
	d.problems = append(d.problems, format.Errorf(kind, min(at, d.src.Size()), text, args...))
}

// Size returns the end of the last partition, or of the content if it ends before.
func (d *disk) Size() int64 {
	end := d.end
	for _, p := range d.parts {
		end = max(end, p.at.End())
	}
	return min(end, d.src.Size())
}

// Entries yields the partitions in order of their number, then what lies between them.
func (d *disk) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, p := range d.problems {
			if !yield(format.Entry{}, p) {
				return
			}
		}
		used := append([]artifact.Range(nil), d.used...)
		size := d.src.Size()
		for _, p := range d.parts {
			name := fmt.Sprintf("%d-%s", p.number, kindName(p.kind))
			clash := false
			for _, r := range used {
				clash = clash || overlap(r, p.at)
			}
			if clash || p.at.Off >= size {
				kind, why := artifact.Truncated, "lies behind the end"
				if clash {
					kind, why = artifact.Damaged, "overlaps another"
				}
				if !yield(format.Entry{}, format.Errorf(kind, min(p.at.Off, size), "mbr: partition %s at %#x+%#x: %s", name, p.at.Off, p.at.Len, why)) {
					return
				}
				continue
			}
			w := p.at
			e := format.Entry{Path: name, Size: w.Len, Window: &w}
			if w.End() > size {
				w.Len = size - w.Off
				e.Problems = []artifact.Problem{{Kind: artifact.Truncated, At: artifact.Range{Off: size}, Detail: fmt.Sprintf("mbr: partition %s: %d bytes, %d left", name, p.at.Len, w.Len)}}
			}
			used = append(used, w)
			if !yield(e, nil) {
				return
			}
		}
		for _, g := range format.Gaps(d.src, used, d.Size()) {
			if !yield(format.Entry{Path: fmt.Sprintf("gap-%#x", g.Off), Size: g.Len, Window: &g}, nil) {
				return
			}
		}
	}
}

// kindName returns what a partition type is for.
func kindName(kind byte) string {
	switch kind {
	case 0x01:
		return "fat12"
	case 0x04, 0x06, 0x0e:
		return "fat16"
	case 0x07:
		return "ntfs"
	case 0x0b, 0x0c:
		return "fat32"
	case 0x82:
		return "swap"
	case 0x83:
		return "linux"
	case 0x8e:
		return "lvm"
	case 0xef:
		return "efi"
	case 0xfd:
		return "raid"
	}
	return fmt.Sprintf("type-%02x", kind)
}
