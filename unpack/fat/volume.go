package fat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// volume is what the boot sector says, in bytes from the start.
type volume struct {
	bits      int   // of an entry of the table: 12, 16 or 32
	size      int64 // of the file system
	table     int64 // offset of the first table
	tableSize int64
	tables    int64 // copies
	rootOff   int64 // of the root directory, which has a fixed place but on FAT32
	rootSize  int64
	data      int64 // offset of cluster 2
	cluster   int64 // size of a cluster
	clusters  int64
	root      uint32 // first cluster of the root directory on FAT32
	oem       artifact.Attr
	serial    artifact.Attr
}

// readVolume reads
//
//	0 jump (3), 3 OEM name (8), 11 sector size (2), 13 sectors a cluster (1), 14 reserved sectors (2), 16 tables (1), 17 root entries (2),
//	19 sectors (2), 21 medium (1), 22 sectors a table (2), 32 sectors; FAT32: 36 sectors a table, 42 version (2), 44 root cluster;
//	serial number at 39 if 38 is 0x29, on FAT32 at 67 if 66 is; 510 signature (2)
//
// Every field is checked, as boot sectors of other systems look alike.
func readVolume(src format.Source) (volume, error) {
	b := make([]byte, 512)
	if n, _ := src.ReadAt(b, 0); n < len(b) {
		return volume{}, format.Not("fat: %d bytes", n)
	}
	le := binary.LittleEndian
	u16 := func(off int) int64 { return int64(le.Uint16(b[off:])) }
	u32 := func(off int) int64 { return int64(le.Uint32(b[off:])) }
	sector, perCluster, reserved, tables := u16(11), int64(b[13]), u16(14), int64(b[16])
	switch {
	case b[0] != 0xeb && b[0] != 0xe9 || u16(510) != 0xaa55:
		return volume{}, format.Not("fat: jump %#x, signature %#x", b[0], u16(510))
	case sector < 512 || sector > 4096 || bits.OnesCount64(uint64(sector)) != 1 || bits.OnesCount64(uint64(perCluster)) != 1:
		return volume{}, format.Not("fat: sectors of %d bytes, clusters of %d", sector, perCluster)
	case reserved == 0 || tables == 0 || tables > 4 || b[21] != 0xf0 && b[21] < 0xf8:
		return volume{}, format.Not("fat: %d reserved sectors, %d tables, medium %#x", reserved, tables, b[21])
	}
	v := volume{cluster: sector * perCluster, table: reserved * sector, tables: tables}
	sectors := u16(19)
	if sectors == 0 {
		sectors = u32(32)
	}
	v.size = sectors * sector
	v.tableSize = u16(22) * sector
	serial := 38
	if v.tableSize == 0 {
		v.bits, v.tableSize, v.root = 32, u32(36)*sector, uint32(u32(44))
		serial = 66
		if u16(42) != 0 || u16(17) != 0 {
			return v, format.Not("fat: FAT32 version %#x with %d root entries", u16(42), u16(17))
		}
	}
	v.rootOff = v.table + tables*v.tableSize
	v.rootSize = u16(17) * 32
	v.data = v.rootOff + (v.rootSize+sector-1)/sector*sector
	v.clusters = (v.size - v.data) / v.cluster
	if v.bits == 0 {
		if v.bits = 16; v.clusters < 4085 {
			v.bits = 12
		}
	}
	if v.tableSize == 0 || v.clusters < 1 || v.rootSize == 0 && v.bits != 32 || v.clusters >= 1<<28 || v.bits == 16 && v.clusters >= 65525 ||
		v.tableSize < (v.clusters+2)*int64(v.bits)/8 {
		return v, format.Not("fat: %d clusters, tables of %d bytes, %d root entries", v.clusters, v.tableSize, u16(17))
	}
	if v.bits == 32 && !v.has(v.root) {
		return v, format.Not("fat: root directory in cluster %d", v.root)
	}
	// The first entry of the table repeats the medium.
	var first [1]byte
	if n, _ := src.ReadAt(first[:], v.table); n == 1 && first[0] != b[21] {
		return v, format.Not("fat: table begins with %#x, want medium %#x", first[0], b[21])
	}
	if b[serial] == 0x29 {
		v.serial = artifact.Attr{Name: "serial", Value: fmt.Sprintf("%04X-%04X", u16(serial+3), u16(serial+1)), At: artifact.Range{Off: int64(serial) + 1, Len: 4}}
	}
	if oem := strings.TrimRight(string(b[3:11]), " \x00"); printable(oem) {
		v.oem = artifact.Attr{Name: "oem", Value: oem, At: artifact.Range{Off: 3, Len: 8}}
	}
	return v, nil
}

func printable(s string) bool {
	for _, c := range []byte(s) {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}

// has reports whether the file system has cluster n.
func (v *volume) has(n uint32) bool { return n >= 2 && int64(n) < v.clusters+2 }

// offset returns where cluster n stands.
func (v *volume) offset(n uint32) int64 { return v.data + (int64(n)-2)*v.cluster }

// chain walks the clusters of a file. It ends with io.EOF.
type chain struct {
	r       *Reader
	first   uint32
	at      uint32
	started bool
	// Brent's cycle detection: mark is moved to at when count reaches limit, a power of two.
	mark         uint32
	count, limit int64
	buf          [512]byte // of the table
	bufOff       int64
	bufLen       int
}

func (r *Reader) chain(first uint32) *chain { return &chain{r: r, first: first, at: first, limit: 1} }

func (c *chain) next() (uint32, error) {
	if c.started {
		n, err := c.entry(c.at)
		if err != nil {
			return 0, err
		}
		last := uint32(1)<<c.r.bits - 8 // and above
		if c.r.bits == 32 {
			n, last = n&0x0fffffff, 0x0ffffff8
		}
		if n >= last {
			return 0, io.EOF
		}
		c.at = n
		if c.count++; c.at == c.mark {
			return 0, c.fault("loops")
		}
		if c.count == c.limit {
			c.mark, c.count, c.limit = c.at, 0, 2*c.limit
		}
	}
	if !c.started {
		c.started, c.mark = true, c.at
	}
	if !c.r.has(c.at) {
		return 0, c.fault("leads to cluster %d of %d", c.at, c.r.clusters)
	}
	return c.at, nil
}

func (c *chain) fault(text string, args ...any) error {
	off := c.r.table + int64(c.at)*int64(c.r.bits)/8
	return format.Errorf(artifact.Damaged, off, "fat: chain of cluster %d "+text, append([]any{c.first}, args...)...)
}

// entry returns entry n of the table.
func (c *chain) entry(n uint32) (uint32, error) {
	le := binary.LittleEndian
	bit := int64(n) * int64(c.r.bits)
	b, err := c.bytes(c.r.table+bit/8, (c.r.bits+7)/8)
	if err != nil {
		return 0, err
	}
	switch c.r.bits {
	case 32:
		return le.Uint32(b), nil
	case 16:
		return uint32(le.Uint16(b)), nil
	}
	return uint32(le.Uint16(b)) >> (bit % 8) & 0xfff, nil
}

// bytes returns n bytes of the table at off, through a small buffer.
func (c *chain) bytes(off int64, n int) ([]byte, error) {
	if i := off - c.bufOff; i >= 0 && i+int64(n) <= int64(c.bufLen) {
		return c.buf[i:], nil
	}
	k, err := c.r.src.ReadAt(c.buf[:], off)
	c.bufOff, c.bufLen = off, k
	if k < n {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, format.Errorf(artifact.Truncated, off, "fat: table at %#x: %v", off, err)
	}
	return c.buf[:], nil
}
