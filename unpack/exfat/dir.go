package exfat

import (
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf16"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// stream is where a file or directory stands.
type stream struct {
	first   uint32
	plain   bool  // clusters follow each other, the FAT says nothing
	size    int64 // -1 is as long as the chain
	written int64 // bytes of it; the rest is zeros
}

type entry struct {
	stream
	off        int64 // of the entry
	name       string
	attributes uint16
	mtime      int64
	problems   []artifact.Problem
}

const attrDirectory = 0x10

// Types of directory entries in use.
const (
	typeBitmap = 0x81
	typeUpcase = 0x82
	typeLabel  = 0x83
	typeFile   = 0x85
	typeStream = 0xc0
	typeName   = 0xc1
	inUse      = 0x80
	entrySize  = 32
)

// directory returns the files of a directory. What is damaged is passed over.
func (r *Reader) directory(s stream) (list []entry, errs []error) {
	if s.size < 0 {
		s.size = int64(r.clusters) * r.cluster
	}
	f := &file{r: r, stream: s, left: s.size, next: s.first, tail: true}
	var set []byte // entries of a file, once one has begun
	var setAt int64
	for {
		b := make([]byte, entrySize)
		if _, err := io.ReadFull(f, b); err == io.EOF {
			return list, errs
		} else if err != nil {
			return list, append(errs, err)
		}
		if r.budget -= entrySize; r.budget < 0 {
			return list, append(errs, format.Errorf(artifact.Limit, f.at, "exfat: directories share their clusters"))
		}
		off := f.at - entrySize
		switch {
		case b[0] == 0: // the end
			return list, errs
		case len(set) > 0:
			set = append(set, b...)
		case b[0] == typeLabel && b[1] <= 11:
			r.label, r.labelAt = text(b[2:], int(b[1])), off
		case b[0] == typeBitmap || b[0] == typeUpcase:
			r.system(b)
		case b[0] == typeFile:
			set, setAt = b, off
		}
		if len(set) == 0 || len(set) < entrySize*(1+int(set[1])) {
			continue
		}
		e, err := r.parse(set, setAt)
		if err != nil {
			errs = append(errs, err)
		} else {
			list = append(list, e)
		}
		set = nil
	}
}

// system reads what an entry of the file system itself leads to, if it is that: 4 checksum of a
// table of upper case, 20 cluster, 24 bytes (8). The bitmap has a bit for each cluster.
func (r *Reader) system(b []byte) {
	le := binary.LittleEndian
	first, size := le.Uint32(b[20:]), int64(le.Uint64(b[24:]))
	const most = 128 << 10 // 2 bytes for each character
	at := r.offset(first)
	if !r.valid(first) || size < 0 || size > r.Size()-at || b[0] == typeBitmap && size != (int64(r.clusters)+7)/8 || b[0] == typeUpcase && size > most {
		return
	}
	if b[0] == typeUpcase {
		table := make([]byte, size)
		var sum uint32
		n, _ := format.Summed(r.src).ReadAt(table, at)
		for _, c := range table[:n] {
			sum = (sum<<31 | sum>>1) + uint32(c)
		}
		if sum != le.Uint32(b[4:]) {
			return
		}
	}
	io.Copy(io.Discard, io.NewSectionReader(r.src, at, size))
}

// parse reads the entries of a file:
//
//	file: 1 entries that follow (1), 2 checksum (2), 4 attributes (2), 12 mtime, 21 its 10 ms (1), 23 its zone (1)
//	stream: 1 flags (1), 3 length of name (1), 8 bytes written (8), 20 cluster, 24 bytes (8)
//	name: 2 characters (30)
func (r *Reader) parse(set []byte, off int64) (entry, error) {
	le := binary.LittleEndian
	if len(set) < 3*entrySize || set[entrySize] != typeStream {
		return entry{}, fault(off, "file at %#x: entry %#x and %d more behind it", off, set[min(entrySize, len(set)-1)], set[1])
	}
	e := entry{off: off, attributes: le.Uint16(set[4:]), mtime: format.DOSTime(le.Uint16(set[14:]), le.Uint16(set[12:]))}
	if e.mtime != 0 {
		e.mtime += int64(set[21]) / 100
	}
	if zone := set[23]; zone&0x80 != 0 { // in quarters of an hour, 7 bits with a sign
		e.mtime -= int64(int8(zone<<1)>>1) * 15 * 60
	}
	s := set[entrySize:]
	e.stream = stream{first: le.Uint32(s[20:]), plain: s[1]&2 != 0, size: int64(le.Uint64(s[24:])), written: int64(le.Uint64(s[8:]))}
	var chars []byte
	for at := 2 * entrySize; at < len(set) && set[at] == typeName; at += entrySize {
		chars = append(chars, set[at+2:at+entrySize]...)
	}
	e.name = text(chars, int(s[3]))
	limit := int64(r.clusters) * r.cluster
	if e.name == "" || e.size < 0 || e.size > limit || e.written < 0 || e.written > e.size || e.size > 0 && !r.valid(e.first) {
		return e, fault(off, "file at %#x: %q, %d of %d bytes from cluster %d", off, e.name, e.written, e.size, e.first)
	}
	if got, want := checksum(set), le.Uint16(set[2:]); got != want {
		e.problems = []artifact.Problem{{Kind: artifact.Checksum, At: artifact.Range{Off: off, Len: int64(len(set))}, Detail: fmt.Sprintf("exfat: file at %#x: checksum %#x, want %#x", off, got, want)}}
	}
	return e, nil
}

// checksum is that of a file's entries, without its own field.
func checksum(set []byte) (sum uint16) {
	for i, c := range set {
		if i != 2 && i != 3 {
			sum = (sum<<15 | sum>>1) + uint16(c)
		}
	}
	return sum
}

// text reads n characters of UTF-16.
func text(b []byte, n int) string {
	u := make([]uint16, min(n, len(b)/2))
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}

// file reads a chain of clusters.
type file struct {
	r *Reader
	stream
	left int64
	next uint32 // cluster to go on with
	at   int64  // offset in the volume, of the next byte
	have int64  // bytes from there to the end of the cluster
	tail bool   // the chain may end early
	seen uint32 // clusters read
}

func (f *file) Read(p []byte) (int, error) {
	if f.left == 0 || len(p) == 0 {
		return 0, io.EOF
	}
	if f.have == 0 {
		if err := f.step(); err != nil {
			return 0, err
		}
	}
	n, err := f.r.src.ReadAt(p[:min(int64(len(p)), f.have, f.left)], f.at)
	if n == 0 {
		return 0, format.Errorf(artifact.Truncated, f.at, "exfat: cluster at %#x: %v", f.at, err)
	}
	f.at, f.have, f.left = f.at+int64(n), f.have-int64(n), f.left-int64(n)
	return n, nil
}

// step goes to the next cluster.
func (f *file) step() error {
	const last = 0xfffffff8
	switch {
	case f.next >= last && f.tail:
		f.left = 0
		return io.EOF
	case !f.r.valid(f.next) || f.seen == f.r.clusters:
		return fault(f.r.fat+4*int64(f.next), "file from cluster %d: cluster %#x behind %d others", f.first, f.next, f.seen)
	}
	f.seen++
	f.at, f.have = f.r.offset(f.next), f.r.cluster
	if f.plain {
		f.next++
		return nil
	}
	b, err := format.ReadAt(f.r.src, f.r.fat+4*int64(f.next), 4, "exfat: FAT")
	if err != nil {
		return err
	}
	f.next = binary.LittleEndian.Uint32(b)
	return nil
}
