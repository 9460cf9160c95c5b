// Package ubi reads UBI, the layer of volumes over raw NAND and NOR flash.
//
// The format is described by T. Gleixner, F. Haverkamp and A. Bityutskiy, "UBI - Unsorted Block
// Images", http://www.linux-mtd.infradead.org/doc/ubidesign/ubidesign.pdf, and by the kernel's
// drivers/mtd/ubi/ubi-media.h, whose names are used. Numbers are big-endian.
//
// Each physical erase block (PEB) begins with an erase counter header and, if it holds a logical
// one (LEB), has a volume identifier header; so PEBs may stand in any order. Where two PEBs hold
// the same LEB the higher sequence number counts, unless it is a copy that was not completed.
// Every volume is one entry that ends with its last mapped LEB. A LEB that no PEB holds reads as
// erased flash, as in the driver; in a static volume, where each has to be there, it is reported.
//
// A fastmap only repeats what the headers say; where it says something else, that is told.
//
// Not read: images that still hold the spare areas of the pages.
package ubi

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is UBI to the unpacker.
var Format = format.Format{
	Name:   "ubi",
	Title:  "Unsorted block images (UBI)",
	Kind:   format.Layout,
	Magics: []format.Magic{{Bytes: ecMagic + "\x01"}},
	Refs: []format.Ref{
		{Title: "UBI - Unsorted Block Images", URL: "http://www.linux-mtd.infradead.org/doc/ubidesign/ubidesign.pdf"},
		{Title: "On-flash structures", URL: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/drivers/mtd/ubi/ubi-media.h"},
	},
	Limits: []string{
		"A single erase block is not recognised: its size is known only from the next one.",
		"The content of a dynamic volume has no checksum in UBI; it is taken as it is.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return NewReader(src, src.Size()) },
}

const (
	ecMagic    = "UBI#"
	vidMagic   = "UBI!"
	headerSize = 64

	minPEB = 4 << 10
	maxPEB = 8 << 20
	// maxForeign is how many PEBs in a row may hold something else: bad or torn blocks.
	maxForeign = 8

	// maxSparse bounds how many LEBs a volume may have for each PEB of the data.
	maxSparse = 64

	layoutVolume   = 0x7fffefff // of the volume table; this and higher ids are UBI's own
	volumeStatic   = 2
	maxVolumes     = 128
	recordSize     = 172
	flagAutoresize = 1
)

// ec is the erase counter header:
//
//	0 magic, 4 version u8, 8 erase counter u64, 16 offset of the VID header u32,
//	20 offset of the data u32, 24 image sequence number u32, 60 CRC of 0-59
type ec struct{ vid, data, image uint32 }

func parseEC(b []byte) (h ec, ok bool) {
	if string(b[:4]) != ecMagic || b[4] != 1 || checksum(b[:60]) != binary.BigEndian.Uint32(b[60:]) {
		return h, false
	}
	u32 := binary.BigEndian.Uint32
	h = ec{u32(b[16:]), u32(b[20:]), u32(b[24:])}
	return h, h.vid >= headerSize && h.data >= headerSize && h.vid <= h.data-headerSize && h.data < maxPEB
}

// vid is the volume identifier header:
//
//	0 magic, 4 version u8, 5 volume type u8, 6 copy flag u8, 7 compat u8, 8 volume u32, 12 LEB u32,
//	20 data size u32, 24 used LEBs u32, 28 data pad u32, 32 CRC of the data, 40 sequence number u64, 60 CRC of 0-59
type vid struct {
	typ            byte
	copied         bool
	volume, lnum   uint32
	size, used     uint32
	pad            uint32
	crc            uint32
	sequence       uint64
	headerAt, data int64 // in the image
}

func parseVID(b []byte) (h vid, ok bool) {
	u32 := binary.BigEndian.Uint32
	if string(b[:4]) != vidMagic || checksum(b[:60]) != u32(b[60:]) {
		return h, false
	}
	return vid{
		typ: b[5], copied: b[6] != 0, volume: u32(b[8:]), lnum: u32(b[12:]), size: u32(b[20:]), used: u32(b[24:]),
		pad: u32(b[28:]), crc: u32(b[32:]), sequence: binary.BigEndian.Uint64(b[40:]),
	}, true
}

// checksum is the CRC-32 of IEEE 802.3, not inverted at the end.
func checksum(b []byte) uint32 { return ^crc32.ChecksumIEEE(b) }

// A Reader is an opened UBI area. It is safe for concurrent use.
type Reader struct {
	src     io.ReaderAt
	limit   int64 // bytes that src has
	size    int64
	peb     int64
	first   ec
	volumes []*volume
	lebs    map[leb]vid
	attrs   []artifact.Attr
	problem []*format.Error
}

type leb struct{ volume, lnum uint32 }

// NewReader reads the headers of all PEBs of the area that begins at offset 0 of src. The error
// wraps format.ErrFormat if there is none.
func NewReader(src io.ReaderAt, size int64) (*Reader, error) {
	r := &Reader{src: src, limit: size, lebs: map[leb]vid{}}
	first, ok := r.ec(0)
	if !ok {
		return nil, format.Not("ubi: no erase counter header with a good checksum at offset 0")
	}
	if b := r.bytes(int64(first.vid), 4); string(b) != vidMagic && !r.erased(int64(first.vid)) {
		return nil, format.Not("ubi: neither a volume identifier header nor erased flash at %#x", first.vid)
	}
	r.first = first
	if r.peb = r.pebSize(); r.peb == 0 {
		return nil, format.Not("ubi: no second erase block")
	}
	r.scan()
	r.readTable()
	r.checkFastmap()
	return r, nil
}

func (r *Reader) ec(off int64) (h ec, ok bool) {
	var b [headerSize]byte
	if off > r.limit-headerSize {
		return h, false
	}
	if n, _ := r.src.ReadAt(b[:], off); n < headerSize {
		return h, false
	}
	return parseEC(b[:])
}

// own reports whether h is a header of the same area. Old tools set no image sequence number.
func (r *Reader) own(h ec) bool {
	return h.vid == r.first.vid && h.data == r.first.data && (h.image == r.first.image || h.image == 0 || r.first.image == 0)
}

// pebSize returns the size of an erase block, or 0. It is the smallest power of two of which an
// odd multiple has a header, or the multiple of it that all of the first headers fit.
func (r *Reader) pebSize() int64 {
	for size := int64(minPEB); size <= maxPEB; size *= 2 {
		if size <= int64(r.first.data) {
			continue
		}
		for k := int64(1); k < 16; k += 2 {
			if h, ok := r.ec(k * size); !ok || !r.own(h) {
				continue
			}
			peb := k * size
			for i := int64(1); i < 64; i++ {
				if h, ok := r.ec(i * size); ok && r.own(h) {
					peb = gcd(peb, i*size)
				}
			}
			return peb
		}
	}
	return 0
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// scan reads the headers of all PEBs.
func (r *Reader) scan() {
	var badVID, foreign, badCopies places
	var firstLEB *leb
	run, pending := 0, places{}
	for off := int64(0); off+headerSize <= r.limit; off += r.peb {
		h, ok := r.ec(off)
		if !ok {
			if !r.erased(off) {
				pending.add(off)
				if run++; run > maxForeign {
					break
				}
			}
			continue
		}
		if !r.own(h) {
			break // another area
		}
		b := make([]byte, headerSize)
		at := off + int64(h.vid)
		n, _ := r.src.ReadAt(b[:max(0, min(headerSize, r.limit-at))], at)
		v, ok := parseVID(b)
		v.headerAt, v.data = at, off+int64(h.data)
		key := leb{v.volume, v.lnum}
		old, double := r.lebs[key]
		if ok && double && old.sequence == v.sequence && firstLEB != nil && key == *firstLEB {
			break // the same image once more
		}
		run = 0
		foreign.merge(&pending)
		r.size = min(off+r.peb, r.limit)
		switch {
		case !ok && (n < headerSize || r.erased(at)):
		case !ok:
			badVID.add(at)
		case int64(v.lnum) > maxSparse*(r.limit/r.peb) || int64(v.pad) >= r.lebSize():
			badVID.add(at)
		default:
			if firstLEB == nil {
				firstLEB = &key
			}
			if double {
				var good bool
				if v, good = r.newer(old, v); !good {
					badCopies.add(v.headerAt)
				}
			}
			r.lebs[key] = v
		}
	}
	r.report(&foreign, "erase blocks without a good erase counter header")
	r.report(&badVID, "bad volume identifier headers")
	r.report(&badCopies, "copies of erase blocks with a bad checksum, the older ones are read")
	if end := (r.size + r.peb - 1) / r.peb * r.peb; end > r.limit {
		r.problem = append(r.problem, format.Errorf(artifact.Truncated, r.limit, "ubi: last erase block ends at %#x, data at %#x", end, r.limit))
	}
}

// newer decides between two PEBs with the same LEB. It is not good if the newer was not taken.
func (r *Reader) newer(a, b vid) (v vid, good bool) {
	if b.sequence < a.sequence {
		a, b = b, a
	}
	if b.copied {
		data := r.bytes(b.data, min(int64(b.size), r.lebSize()))
		if data == nil || checksum(data) != b.crc {
			return a, false
		}
	}
	return b, true
}

// lebSize returns the number of bytes of a LEB.
func (r *Reader) lebSize() int64 { return r.peb - int64(r.first.data) }

// places counts occurrences and keeps the first.
type places struct {
	n     int
	first int64
}

func (p *places) add(off int64) {
	if p.n++; p.n == 1 {
		p.first = off
	}
}

func (p *places) merge(o *places) {
	if o.n > 0 && p.n == 0 {
		p.first = o.first
	}
	p.n += o.n
	*o = places{}
}

func (r *Reader) report(p *places, what string) {
	if p.n > 0 {
		r.problem = append(r.problem, format.Errorf(artifact.Damaged, p.first, "ubi: %s: %d, first at %#x", what, p.n, p.first))
	}
}

// erased reports whether the 64 bytes at off, or what is left of them, are FF.
func (r *Reader) erased(off int64) bool {
	for _, c := range r.bytes(off, max(0, min(headerSize, r.limit-off))) {
		if c != 0xff {
			return false
		}
	}
	return true
}

// bytes returns n bytes at off, or nil.
func (r *Reader) bytes(off, n int64) []byte {
	if off < 0 || n < 0 || off > r.limit || n > r.limit-off {
		return nil
	}
	b := make([]byte, n)
	if got, _ := r.src.ReadAt(b, off); int64(got) < n {
		return nil
	}
	return b
}

// Size returns the number of bytes up to the end of the last PEB with an erase counter header.
func (r *Reader) Size() int64 { return r.size }

// Describe tells the geometry and the volumes.
func (r *Reader) Describe() []artifact.Attr {
	return append([]artifact.Attr{
		{Name: "erase block", Value: strconv.FormatInt(r.peb, 10)},
		{Name: "data offset", Value: strconv.FormatUint(uint64(r.first.data), 10), At: artifact.Range{Off: 20, Len: 4}},
		{Name: "image sequence", Value: fmt.Sprintf("%#x", r.first.image), At: artifact.Range{Off: 24, Len: 4}},
	}, r.attrs...)
}

// Entries yields the volumes in the order of their ids.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, p := range r.problem {
			if !yield(format.Entry{}, p) {
				return
			}
		}
		for _, v := range r.volumes {
			if !yield(v.entry(), nil) {
				return
			}
		}
	}
}
