package iso9660

import (
	"encoding/binary"
	"strings"

	"hallmark/unpack/format"
)

// node is a record with what its system use entries say.
type node struct {
	record
	name      string
	mode      uint32 // 0 if there is none
	links     uint32
	uid, gid  uint32
	serial    uint32
	mtime     int64
	target    string
	device    [2]uint32
	isLink    bool
	relocated bool   // it has its place elsewhere
	child     uint32 // block of the directory that has its place here
	zisofs    bool
	plainSize uint32 // of it, decompressed
}

// maxUse bounds the system use entries of a record, in bytes over all areas.
const maxUse = 64 << 10

// rockRidge reports whether the first record of the root says that the sharing protocol is used.
func (r *Reader) rockRidge(d record) bool {
	for _, skip := range []int{0, 15} { // an extended attribute of CD-ROM XA may be before
		if u := d.use; len(u) >= skip+7 && string(u[skip:skip+2]) == "SP" && u[skip+2] == 7 && u[skip+4] == 0xbe && u[skip+5] == 0xef {
			r.skip = int(u[skip+6])
			return true
		}
	}
	return false
}

// node reads what is known of a record. An error is beside what could be read.
func (r *Reader) node(d record) (n node, err error) {
	n = node{record: d, name: r.plainName(d.name), mtime: shortDate(d.date)}
	if r.tree != "rock ridge" || len(d.use) < r.skip {
		return n, nil
	}
	err = r.use(&n, d.use[r.skip:])
	if n.child == 0 {
		return n, err
	}
	// The directory's own record is the first one in it.
	dir := record{off: d.off, extent: n.child, size: sector, flags: flagDirectory}
	list, derr := r.directory(dir, 1)
	if derr != nil || len(list) == 0 {
		return n, fault(d.off, "record at %#x: no directory in block %d", d.off, n.child)
	}
	moved := node{record: list[0]}
	if err := r.use(&moved, list[0].use); err != nil {
		return n, err
	}
	moved.name, moved.relocated = n.name, false
	moved.flags |= flagDirectory
	return moved, err
}

// use reads system use entries: name (2), length (1), version (1), and then by name. Numbers of 4 bytes stand
// there in both byte orders.
func (r *Reader) use(n *node, b []byte) error {
	le := binary.LittleEndian
	var name, target strings.Builder
	named, open := false, false // open: the last component of the target goes on
	left := maxUse
	for {
		var more []byte // a continuation's block, offset and length
		for len(b) >= 4 && b[2] >= 4 && int(b[2]) <= len(b) {
			e := b[:b[2]]
			b = b[b[2]:]
			left -= len(e)
			has := func(size int) bool { return len(e) >= size }
			switch string(e[:2]) {
			case "NM":
				if has(5) && e[4]&6 == 0 {
					named = true
					name.Write(e[5:])
				}
			case "PX":
				if has(36) {
					n.mode, n.links, n.uid, n.gid = le.Uint32(e[4:]), le.Uint32(e[12:]), le.Uint32(e[20:]), le.Uint32(e[28:])
				}
				if has(44) {
					n.serial = le.Uint32(e[36:])
				}
			case "PN":
				if has(20) {
					n.device = [2]uint32{le.Uint32(e[4:]), le.Uint32(e[12:])}
				}
			case "SL":
				n.isLink = true
				if has(5) {
					open = components(&target, e[5:], open)
				}
			case "TF":
				if has(5) {
					n.modified(e[4], e[5:])
				}
			case "CL":
				if has(12) {
					n.child = le.Uint32(e[4:])
				}
			case "RE":
				n.relocated = true
			case "ZF":
				if has(16) && string(e[4:6]) == "pz" {
					n.zisofs, n.plainSize = true, le.Uint32(e[8:])
				}
			case "CE":
				if has(28) {
					more = e[4:28]
				}
			case "ST":
				b = nil
			}
		}
		if more == nil {
			break
		}
		size := int64(le.Uint32(more[16:]))
		if left -= 64; size > int64(left) {
			return fault(n.off, "record at %#x: more than %d bytes of system use", n.off, maxUse)
		}
		at := int64(le.Uint32(more))*r.block + int64(le.Uint32(more[8:]))
		var err error
		if b, err = format.ReadAt(r.src, at, size, "iso9660: system use"); err != nil {
			return err
		}
	}
	if named {
		n.name = name.String()
	}
	n.target = target.String()
	return nil
}

// components writes those of a symbolic link: flags (1), length (1), text. It reports whether the last one goes on.
func components(w *strings.Builder, b []byte, open bool) bool {
	for len(b) >= 2 && 2+int(b[1]) <= len(b) {
		if s := w.String(); !open && s != "" && s != "/" {
			w.WriteByte('/')
		}
		switch flags := b[0]; {
		case flags&0x8 != 0:
			w.WriteByte('/')
		case flags&0x4 != 0:
			w.WriteString("..")
		case flags&0x2 != 0:
			w.WriteByte('.')
		default:
			w.Write(b[2 : 2+b[1]])
		}
		open = b[0]&1 != 0
		b = b[2+b[1]:]
	}
	return open
}

// modified reads the second of the times whose bits are set in flags.
func (n *node) modified(flags byte, b []byte) {
	size := 7
	if flags&0x80 != 0 {
		size = 17
	}
	if flags&1 != 0 {
		b = b[min(len(b), size):]
	}
	if flags&2 == 0 || len(b) < size {
		return
	}
	if size == 7 {
		n.mtime = shortDate(b)
	} else {
		n.mtime = longDate(b)
	}
}

// shortDate reads year from 1900, month, day, hour, minute, second and zone in quarters of an hour, a byte each.
func shortDate(b []byte) int64 {
	return seconds(int(b[0])+1900, int(b[1]), int(b[2]), int(b[3]), int(b[4]), int(b[5]), int(int8(b[6])))
}

// longDate reads YYYYMMDDhhmmss in digits, hundredths, and a zone as above.
func longDate(b []byte) int64 {
	number := func(from, to int) (v int) {
		for _, c := range b[from:to] {
			v = 10*v + int(c-'0')
		}
		return v
	}
	return seconds(number(0, 4), number(4, 6), number(6, 8), number(8, 10), number(10, 12), number(12, 14), int(int8(b[16])))
}

// seconds returns the seconds since 1970, or 0 for years that DOS does not have.
func seconds(year, month, day, hour, minute, second, zone int) int64 {
	if year < 1980 || year > 2107 || month > 15 || day > 31 || hour > 31 || minute > 63 || second > 63 {
		return 0
	}
	t := format.DOSTime(uint16(year-1980)<<9|uint16(month)<<5|uint16(day), uint16(hour)<<11|uint16(minute)<<5|uint16(second/2))
	if t == 0 {
		return 0
	}
	return t + int64(second&1) - int64(zone)*15*60
}
