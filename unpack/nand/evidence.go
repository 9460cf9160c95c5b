package nand

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"hallmark/unpack/format"
)

const (
	magicUBI      = "UBI#\x01"
	magicUBIFS    = "\x31\x18\x10\x06"
	magicJFFS2    = "\x85\x19\x02\xe0"
	magicJFFS2Big = "\x19\x85\xe0\x02"
	magicSquashFS = "hsqs"
	magicUImage   = "\x27\x05\x19\x56"
)

// witness is a structure whose bytes say whether they are all there.
type witness struct {
	name  string
	magic string
	// check looks at the structure at off of the data. It returns how many parts of it are right,
	// and how many of these go over the end of a page.
	check func(s stripped, off int64) (good, across int)
	large bool // more than some pages: asked only if the others have nothing to say
}

var witnesses = [...]witness{
	{name: "UBI", magic: magicUBI, check: checkUBI},
	{name: "UBIFS", magic: magicUBIFS, check: checkUBIFS},
	{name: "JFFS2", magic: magicJFFS2, check: func(s stripped, off int64) (int, int) { return checkJFFS2(s, off, binary.LittleEndian) }},
	{name: "JFFS2", magic: magicJFFS2Big, check: func(s stripped, off int64) (int, int) { return checkJFFS2(s, off, binary.BigEndian) }},
	{name: "SquashFS", magic: magicSquashFS, check: checkSquashFS},
	{name: "uImage", magic: magicUImage, check: checkUImage, large: true},
}

func magics() (list []format.Magic) {
	for _, w := range witnesses {
		list = append(list, format.Magic{Bytes: w.magic})
	}
	return list
}

// hit is a magic at an offset of the dump.
type hit struct {
	off     int64
	witness int
}

// evidence is what speaks for a geometry.
type evidence struct {
	good, across int            // structures that are right, and those of them that go over the end of a page
	by           map[string]int // the latter by name
	first        hit            // of them
	block        int64          // size of an erase block without its spare areas, 0 if not known
}

// String writes it as "UBI 10, UBIFS 400".
func (e evidence) String() string {
	var out []string
	for i, w := range witnesses {
		if n := e.by[w.name]; n > 0 && (i == 0 || witnesses[i-1].name != w.name) {
			out = append(out, fmt.Sprintf("%s %d", w.name, n))
		}
	}
	return strings.Join(out, ", ")
}

const (
	// maxHits is how many magics of a kind are looked at.
	maxHits = 256
	// maxHashed bounds a uImage: it is read once for each geometry.
	maxHashed    = 16 << 20
	maxLargeHits = 2
)

// detect returns the geometry with which more structures are right than with any other, and
// than without spare areas.
func detect(src format.Source) (geometry, evidence, error) {
	hits := find(src)
	for _, large := range []bool{false, true} {
		plain := judge(stripped{src: src}, hits, large)
		if plain.good > 0 && plain.good >= seen(hits, large) {
			break // nothing is left to explain
		}
		var best geometry
		var most evidence
		for _, g := range geometries {
			if e := judge(stripped{src, g}, hits, large); e.good > most.good {
				best, most = g, e
			}
		}
		// One checksum over the end of a page may be chance, once in many dumps.
		if most.good > plain.good && most.across >= 2 && (src.Size()%best.whole() == 0 || most.across >= 8) {
			most.block = block(stripped{src, best}, hits)
			return best, most, nil
		}
		if plain.good > 0 {
			break
		}
	}
	return geometry{}, evidence{}, format.Not("nand: no geometry explains what is stored")
}

// seen returns how many parts there would have to be at least if every hit were right.
func seen(hits []hit, large bool) (n int) {
	for _, h := range hits {
		if witnesses[h.witness].large == large && witnesses[h.witness].magic != magicUBI {
			n++
		}
	}
	return max(n, 1)
}

func judge(s stripped, hits []hit, large bool) evidence {
	e := evidence{by: map[string]int{}}
	for _, h := range hits {
		w := witnesses[h.witness]
		off, ok := s.place(h.off)
		if !ok || w.large != large {
			continue
		}
		good, across := w.check(s, off)
		e.good += good
		if across > 0 {
			if e.across == 0 {
				e.first = h
			}
			e.across += across
			e.by[w.name] += across
		}
	}
	return e
}

// find returns the first hits of each witness, in order of place.
func find(src format.Source) []hit {
	var hits []hit
	for w, found := range src.Occurrences(magics()) {
		bound := maxHits
		if witnesses[w].large {
			bound = maxLargeHits
		}
		for _, off := range found[:min(len(found), bound)] {
			hits = append(hits, hit{off, w})
		}
	}
	slices.SortFunc(hits, func(x, y hit) int { return cmp.Or(cmp.Compare(x.off, y.off), cmp.Compare(x.witness, y.witness)) })
	return hits
}

// block returns the distance of erase counter headers in the data, if it is a power of two.
func block(s stripped, hits []hit) int64 {
	var distance, first int64
	n := 0
	for _, h := range hits {
		if witnesses[h.witness].magic != magicUBI {
			continue
		}
		off, ok := s.place(h.off)
		if _, _, good := headerEC(s, off); !ok || !good {
			continue
		}
		if n++; n == 1 {
			first = off
		}
		for a, b := distance, off-first; ; a, b = b, a%b {
			if b == 0 {
				distance = a
				break
			}
		}
	}
	if distance&(distance-1) != 0 {
		return 0
	}
	return distance
}

// headerEC reads the offsets of the other header and of the data from an erase counter header.
func headerEC(s stripped, off int64) (vid, data int64, ok bool) {
	b := s.bytes(off, 64)
	if b == nil || string(b[:5]) != magicUBI || ^crc32.ChecksumIEEE(b[:60]) != binary.BigEndian.Uint32(b[60:]) {
		return 0, 0, false
	}
	return int64(binary.BigEndian.Uint32(b[16:])), int64(binary.BigEndian.Uint32(b[20:])), true
}

// checkUBI looks at a block of the volume table, which is 128 records of 172 bytes. The headers of
// other blocks stand in one page each and say nothing. See unpack/ubi for the structures.
func checkUBI(s stripped, off int64) (good, across int) {
	const layoutVolume, records, recordSize = 0x7fffefff, 128, 172
	vid, data, ok := headerEC(s, off)
	if !ok {
		return 0, 0
	}
	b := s.bytes(off+vid, 64)
	if b == nil || string(b[:4]) != "UBI!" || ^crc32.ChecksumIEEE(b[:60]) != binary.BigEndian.Uint32(b[60:]) || binary.BigEndian.Uint32(b[8:]) != layoutVolume {
		return 0, 0
	}
	table := s.bytes(off+data, records*recordSize)
	for i := int64(0); int(i+1)*recordSize <= len(table); i++ {
		r := table[i*recordSize:][:recordSize]
		if ^crc32.ChecksumIEEE(r[:168]) != binary.BigEndian.Uint32(r[168:]) {
			continue
		}
		good++
		if s.crosses(off+data+i*recordSize, recordSize) {
			across++
		}
	}
	return good, across
}

func one(ok bool, s stripped, off, n int64) (good, across int) {
	switch {
	case !ok:
		return 0, 0
	case s.crosses(off, n):
		return 1, 1
	}
	return 1, 0
}

// checkUBIFS looks at a node: 4 CRC of what follows, 16 length, 20 type.
func checkUBIFS(s stripped, off int64) (good, across int) {
	const maxNode = 64 << 10
	b := s.bytes(off, 24)
	if b == nil {
		return 0, 0
	}
	n := int64(binary.LittleEndian.Uint32(b[16:]))
	if n < 24 || n > maxNode || b[20] > 12 {
		return 0, 0
	}
	sum := binary.LittleEndian.Uint32(b[4:])
	b = s.bytes(off, n)
	return one(b != nil && ^crc32.ChecksumIEEE(b[8:]) == sum, s, off, n)
}

// checkJFFS2 looks at an inode node: 8 CRC of the 8 bytes before, 52 length of the data, 60 CRC of
// the data, 64 CRC of the 60 bytes at 0, 68 data. The CRCs start from 0.
func checkJFFS2(s stripped, off int64, order binary.ByteOrder) (good, across int) {
	const head, maxData = 68, 64 << 10
	sum := func(b []byte) uint32 { return ^crc32.Update(^uint32(0), crc32.IEEETable, b) }
	b := s.bytes(off, head)
	if b == nil || sum(b[:8]) != order.Uint32(b[8:]) {
		return 0, 0
	}
	n := int64(order.Uint32(b[52:]))
	if sum(b[:60]) != order.Uint32(b[64:]) || n > maxData {
		return 0, 0
	}
	want := order.Uint32(b[60:])
	b = s.bytes(off+head, n)
	return one(b != nil && sum(b) == want, s, off, head+n)
}

// checkSquashFS goes through the metadata blocks from the inode table on, each of which says where
// the next begins, and counts them if they come by the directory table and end where the next index
// begins. See unpack/squashfs for the structures.
func checkSquashFS(s stripped, off int64) (good, across int) {
	const maxBlocks = 256
	b := s.bytes(off, 96)
	if b == nil || b[28] != 4 {
		return 0, 0
	}
	field := func(at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }
	size, inodes, dirs, end := field(40), field(64), field(72), field(48)
	for _, table := range []int{80, 88} { // of fragments and for export, if there are any
		if t := field(table); t > dirs {
			end = min(end, t)
		}
	}
	if size > uint64(s.size()) || inodes < 96 || dirs <= inodes || end <= dirs || end >= size {
		return 0, 0
	}
	for at := int64(inodes); at != int64(end) && good < maxBlocks; {
		if at == int64(dirs) {
			dirs = 0
		}
		h := s.bytes(off+at, 2)
		if h == nil {
			return 0, 0
		}
		n := 2 + int64(binary.LittleEndian.Uint16(h)&0x7fff)
		if n == 2 || n > 2+8192 || n > int64(end)-at || dirs > 0 && n > int64(dirs)-at {
			return 0, 0
		}
		good++
		if s.crosses(off+at, n+1) {
			across++
		}
		at += n
	}
	return good, across
}

// checkUImage looks at a legacy U-Boot image: 4 CRC of the header without it, 12 size, 24 CRC of the
// data behind the 64 bytes of header.
func checkUImage(s stripped, off int64) (good, across int) {
	b := s.bytes(off, 64)
	if b == nil {
		return 0, 0
	}
	want, n, data := binary.BigEndian.Uint32(b[4:]), int64(binary.BigEndian.Uint32(b[12:])), binary.BigEndian.Uint32(b[24:])
	clear(b[4:8])
	if crc32.ChecksumIEEE(b) != want || n > maxHashed {
		return 0, 0
	}
	b = s.bytes(off+64, n)
	if b == nil || crc32.ChecksumIEEE(b) != data || n == 0 {
		return 0, 0
	}
	// Each page that it fills had to be put together rightly.
	if s.g.page > 0 {
		across = int(n / s.g.page)
	}
	return 1, across
}
