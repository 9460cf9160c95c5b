package cab

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Lengths of structures without their optional fields, all little endian. [MS-CAB] 2.
const (
	headerLen = 36 // 0 magic, 8 size, 16 offset of files, 24 minor, 25 major, 26 folders, 28 files, 30 flags, 32 set, 34 number
	folderLen = 8  // 0 offset of data, 4 blocks, 6 method
	fileLen   = 16 // 0 size, 4 offset in folder, 8 folder, 10 date, 12 time, 14 attributes, then a name
	dataLen   = 8  // 0 checksum, 4 size, 6 size decoded
)

const (
	flagPrevious = 1
	flagNext     = 2
	flagReserve  = 4

	maxName   = 256 // with its zero; [MS-CAB] 2.3
	maxBlock  = 32768
	maxPacked = maxBlock + 6144 // what a block can grow to; [MS-CAB] 2.4
)

// Methods, and the bits that tell one. [MS-CAB] 2.2.
const (
	methodMask    = 0x0f
	methodNone    = 0
	methodMSZIP   = 1
	methodQuantum = 2
	methodLZX     = 3
)

func methodName(m uint16) string {
	switch m {
	case methodNone:
		return "none"
	case methodMSZIP:
		return "MSZIP"
	case methodQuantum:
		return "Quantum"
	case methodLZX:
		return "LZX"
	}
	return "unknown"
}

type folder struct {
	header   int64
	method   uint16
	count    int            // of its data blocks
	reserved int64          // bytes in the header of each
	at       artifact.Range // of them all
	blocks   []block
	bad      []block // whose checksum does not fit
	size     int64   // decoded
}

type block struct {
	at, stored  int64
	plain, size int64 // offset in the folder and length, decoded
}

type file struct {
	header       int64
	name         string
	index        uint16  // of its folder as stored
	folder       *folder // nil if it is in another cabinet too
	offset, size int64
	mtime        int64
}

func open(src format.Source) (*cabinet, error) {
	var h [headerLen]byte
	if n, _ := src.ReadAt(h[:], 0); n < len(h) {
		return nil, format.Not("cab: header of %d bytes", n)
	}
	le := binary.LittleEndian
	c := &cabinet{src: src, size: int64(le.Uint32(h[8:])), set: le.Uint16(h[32:]), number: le.Uint16(h[34:])}
	files, flags, nFolders, nFiles := int64(le.Uint32(h[16:])), le.Uint16(h[30:]), int(le.Uint16(h[26:])), int(le.Uint16(h[28:]))
	if string(h[:8]) != magic || le.Uint32(h[12:]) != 0 || le.Uint32(h[20:]) != 0 || h[24] > 3 || h[25] != 1 || flags > 7 || nFolders == 0 || nFiles == 0 {
		return nil, format.Not("cab: header")
	}
	if files < headerLen+folderLen || files > c.size-fileLen {
		return nil, format.Not("cab: files at %#x of %d bytes", files, c.size)
	}
	if left := src.Size(); c.size > left {
		c.problems = append(c.problems, format.Errorf(artifact.Truncated, left, "cab: %d bytes, %d left", c.size, left))
	}
	pos, reserved, err := optional(src, flags)
	if err != nil {
		return nil, format.Not("cab: %v", err)
	}
	if err := c.readFolders(pos, nFolders, reserved); err != nil {
		return nil, err
	}
	if err := c.readFiles(files, nFiles); err != nil {
		return nil, err
	}
	c.walk()
	return c, nil
}

// reserve is how many bytes are added to each structure of a kind.
type reserve struct{ folder, data int64 }

// optional reads the fields between header and folders, and returns where they end.
func optional(src format.Source, flags uint16) (pos int64, r reserve, err error) {
	pos = headerLen
	if flags&flagReserve != 0 {
		var b [4]byte
		if n, _ := src.ReadAt(b[:], pos); n < len(b) {
			return 0, r, errors.New("header cut off")
		}
		pos += 4 + int64(binary.LittleEndian.Uint16(b[:]))
		r = reserve{int64(b[2]), int64(b[3])}
	}
	for _, flag := range [...]uint16{flagPrevious, flagNext} {
		if flags&flag == 0 {
			continue
		}
		for range 2 { // file and disk
			s, err := text(src, pos)
			if err != nil {
				return 0, r, err
			}
			pos += int64(len(s)) + 1
		}
	}
	return pos, r, nil
}

// text reads a string up to a zero.
func text(src format.Source, off int64) (string, error) {
	var b [maxName]byte
	n, _ := src.ReadAt(b[:], off)
	end := bytes.IndexByte(b[:n], 0)
	if end < 0 {
		return "", errors.New("string without an end")
	}
	return string(b[:end]), nil
}

func (c *cabinet) readFolders(pos int64, n int, r reserve) error {
	step := folderLen + r.folder
	b, err := format.ReadAt(c.src, pos, int64(n)*step, "cab: folders")
	if err != nil {
		return format.Not("%v", err)
	}
	le := binary.LittleEndian
	c.folders = make([]folder, n)
	for i := range c.folders {
		h := b[int64(i)*step:]
		f := &c.folders[i]
		f.header, f.method = pos+int64(i)*step, le.Uint16(h[6:])
		f.at.Off = int64(le.Uint32(h))
		if f.method&methodMask > methodLZX || f.at.Off < headerLen || f.at.Off > c.size {
			return format.Not("cab: folder %d: method %#x, data at %#x", i, f.method, f.at.Off)
		}
		f.count, f.reserved = int(le.Uint16(h[4:])), r.data
	}
	return nil
}

// walk finds the data of the folders. Those that share theirs could make much of little.
func (c *cabinet) walk() {
	left := 2 * c.Size()
	for i := range c.folders {
		f := &c.folders[i]
		if err := f.walk(c.src); err != nil {
			c.problems = append(c.problems, err)
		}
		if left -= f.at.Len; left <= 0 {
			c.problems = append(c.problems, format.Errorf(artifact.Limit, f.header, "cab: folder %d at %#x: shares its data with others", i, f.header))
			return
		}
	}
}

// walk finds the data blocks of f and checks their checksums, which cover what is stored.
func (f *folder) walk(src format.Source) error {
	pos := f.at.Off
	buf := make([]byte, dataLen+255+1<<16)
	le := binary.LittleEndian
	for i := range f.count {
		h := buf[:dataLen+f.reserved]
		if k, _ := src.ReadAt(h, pos); k < len(h) {
			return format.Errorf(artifact.Truncated, pos, "cab: data block %d of %d at %#x: %d bytes left", i, f.count, pos, k)
		}
		b := block{at: pos + int64(len(h)), stored: int64(le.Uint16(h[4:])), plain: f.size, size: int64(le.Uint16(h[6:]))}
		if b.stored > maxPacked || b.size > maxBlock {
			return format.Errorf(artifact.Damaged, pos, "cab: data block %d at %#x: %d bytes stored, %d decoded", i, pos, b.stored, b.size)
		}
		data := buf[len(h) : int64(len(h))+b.stored]
		if k, _ := src.ReadAt(data, b.at); k < len(data) {
			return format.Errorf(artifact.Truncated, b.at, "cab: data block %d at %#x: %d bytes, %d left", i, pos, len(data), k)
		}
		// Writers differ in whether the reserved bytes count.
		if want := le.Uint32(h); want != 0 && want != checksum(h[4:dataLen], checksum(data, 0)) && want != checksum(buf[4:int64(len(h))+b.stored], 0) {
			f.bad = append(f.bad, b)
		}
		f.blocks = append(f.blocks, b)
		f.size += b.size
		pos = b.at + b.stored
		f.at.Len = pos - f.at.Off
	}
	return nil
}

// checksum is [MS-CAB] 3.1: the words of b one upon the other, what is left over in another order.
func checksum(b []byte, sum uint32) uint32 {
	for ; len(b) >= 4; b = b[4:] {
		sum ^= binary.LittleEndian.Uint32(b)
	}
	var last uint32
	for _, x := range b {
		last = last<<8 | uint32(x)
	}
	return sum ^ last
}

func (c *cabinet) readFiles(pos int64, n int) error {
	le := binary.LittleEndian
	for i := range n {
		var h [fileLen]byte
		if k, _ := c.src.ReadAt(h[:], pos); k < len(h) || pos >= c.size {
			c.problems = append(c.problems, format.Errorf(artifact.Truncated, pos, "cab: file %d of %d at %#x: cut off", i, n, pos))
			break
		}
		name, err := text(c.src, pos+fileLen)
		if err != nil || name == "" {
			c.problems = append(c.problems, format.Errorf(artifact.Damaged, pos, "cab: file %d of %d at %#x: no name", i, n, pos))
			break
		}
		f := file{header: pos, name: name, index: le.Uint16(h[8:]), size: int64(le.Uint32(h[:])), offset: int64(le.Uint32(h[4:])), mtime: format.DOSTime(le.Uint16(h[10:]), le.Uint16(h[12:]))}
		if int(f.index) < len(c.folders) {
			f.folder = &c.folders[f.index]
		}
		c.files = append(c.files, f)
		pos += fileLen + int64(len(name)) + 1
	}
	if len(c.files) == 0 {
		return format.Not("cab: no file")
	}
	// Files that go to and fro in a folder would have it decoded for each.
	slices.SortStableFunc(c.files, func(a, b file) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.offset, b.offset))
	})
	return nil
}
