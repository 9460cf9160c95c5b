package iso9660

import (
	"encoding/binary"
	"fmt"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// visit reads the directories below root, which name the same files as the tree that is yielded
// or, if they name others, leave these unread.
func (r *Reader) visit(root record) {
	r.budget = 64<<10 + 4*r.src.Size()
	seen := map[uint32]bool{}
	for todo := []record{root}; len(todo) > 0; {
		dir := todo[len(todo)-1]
		if todo = todo[:len(todo)-1]; seen[dir.extent] {
			continue
		}
		seen[dir.extent] = true
		list, _ := r.directory(dir, 0)
		for _, d := range list {
			if d.flags&flagDirectory != 0 && d.name != "\x00" && d.name != "\x01" {
				todo = append(todo, d)
			}
		}
	}
}

// tables are the path tables of a volume descriptor: 132 size, 140 and 144 blocks of those in
// little-endian order, 148 and 152 of those in big-endian order.
type tables struct {
	size   int64
	blocks [4]uint32
}

func tablesOf(b []byte) tables {
	le, be := binary.LittleEndian, binary.BigEndian
	return tables{int64(le.Uint32(b[132:])), [4]uint32{le.Uint32(b[140:]), le.Uint32(b[144:]), be.Uint32(b[148:]), be.Uint32(b[152:])}}
}

// readTables reads path tables, whose records are: 0 length of the name (1), 1 blocks of
// attributes (1), 2 block, 6 record of the parent (2), 8 name, padded to even. What is none is
// left unread.
func (r *Reader) readTables(t tables) {
	const most = 1 << 20
	for i, block := range t.blocks {
		at := int64(block) * r.block
		if block == 0 || t.size <= 0 || t.size > most || at > r.src.Size()-t.size {
			continue
		}
		b := make([]byte, t.size)
		if n, _ := format.Summed(r.src).ReadAt(b, at); n < len(b) {
			continue
		}
		order := binary.ByteOrder(binary.LittleEndian)
		if i >= 2 {
			order = binary.BigEndian
		}
		pos, count := 0, 0
		for ; pos+8 <= len(b) && b[pos] > 0; count++ {
			if int64(order.Uint32(b[pos+2:])) >= r.blocks || int(order.Uint16(b[pos+6:])) > count+1 {
				break
			}
			pos += 8 + int(b[pos]+1)&^1
		}
		format.ReadAt(r.src, at, int64(min(pos, len(b))), "")
	}
}

// bootImages yields what the boot catalogue names. Its entries of 32 bytes are one to validate
// it, one for the usual platform, and then headers and entries for others:
//
//	validation: 0 1, 1 platform (1), 4 maker (24), 28 checksum (2), 30 55 AA
//	entry: 0 88 if bootable (1), 1 kind of medium (1), 6 sectors of 512 bytes (2), 8 block
//	header: 0 90, or 91 if it is the last (1), 1 platform (1), 2 entries (2)
func (r *Reader) bootImages(yield func(format.Entry, error) bool) {
	const (
		item     = 32
		header   = 0x90
		last     = 0x91
		bootable = 0x88
	)
	if r.boot == 0 {
		return
	}
	at := r.boot * sector
	b, err := format.ReadAt(r.src, at, min(sector, max(0, r.src.Size()-at)), "iso9660: boot catalogue")
	if err != nil {
		yield(format.Entry{}, err)
		return
	}
	if len(b) < 2*item || b[0] != 1 || b[30] != 0x55 || b[31] != 0xaa {
		yield(format.Entry{}, fault(at, "boot catalogue at %#x: no validation entry", at))
		return
	}
	le := binary.LittleEndian
	platform := b[1]
	for pos, n := item, 1; pos+item <= len(b); pos += item {
		e := b[pos:][:item]
		if e[0] == header || e[0] == last {
			platform = e[1]
			continue
		}
		if e[0] != bootable {
			if e[0] == 0 && pos > item {
				return
			}
			continue
		}
		w := artifact.Range{Off: int64(le.Uint32(e[8:])) * sector, Len: 512 * int64(le.Uint16(e[6:]))}
		out := format.Entry{Path: fmt.Sprintf("[boot]/%d-%s.img", n, platformName(platform))}
		if size := floppies[e[1]&15]; size > 0 {
			w.Len = size
		}
		if w.Off > r.src.Size() {
			if !yield(format.Entry{}, format.Errorf(artifact.Truncated, at+int64(pos), "iso9660: boot image at %#x of %#x bytes", w.Off, r.src.Size())) {
				return
			}
			continue
		}
		if left := r.src.Size() - w.Off; w.Len > left {
			out.Problems = []artifact.Problem{{Kind: artifact.Truncated, At: artifact.Range{Off: w.Off}, Detail: fmt.Sprintf("iso9660: boot image at %#x: %d bytes, %d left", w.Off, w.Len, left)}}
			w.Len = left
		}
		if out.Size, out.Window = w.Len, &w; !yield(out, nil) {
			return
		}
		n++
	}
}

// floppies is how large the medium is that a boot image stands for.
var floppies = map[byte]int64{1: 1200 << 10, 2: 1440 << 10, 3: 2880 << 10}

func platformName(p byte) string {
	switch p {
	case 0:
		return "x86"
	case 1:
		return "powerpc"
	case 2:
		return "mac"
	case 0xef:
		return "efi"
	}
	return fmt.Sprintf("platform-%#x", p)
}
