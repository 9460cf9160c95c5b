package ubi

import (
	"encoding/binary"
	"fmt"
	"slices"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// A fastmap says which erase block holds what, so that a driver need not read all headers. The
// headers were read here; what is checked is whether both say the same. Its structures are those
// of ubi-media.h, big-endian:
//
//	superblock: 0 magic, 4 version u8, 8 CRC of all, this field as 0, 12 erase blocks, 16 where these are [32]
//	header:     0 magic, 4, 8, 12, 16 and 20 free, used, scrubbed, bad and erasable blocks, 24 volumes
//	two pools:  0 magic, 8 blocks that may have been written since
//	then 8 bytes for each free, used, scrubbed and erasable block, and for each volume
//	volume:     0 magic, 4 id, and behind it: 0 magic, 4 number of LEBs, 8 the block of each, or -1
const (
	fastmapVolume = layoutVolume + 1 // of its superblock; its other blocks have the next id

	fastmapMagic   = 0x7b11d69f
	fastmapHeader  = 0xd4b82ef7
	fastmapPool    = 0x67af4d08
	fastmapVolHead = 0xfa370ed1
	fastmapTable   = 0xf0c040a8

	fastmapSize     = 312
	fastmapHeadSize = 32
	fastmapPoolSize = 1048
	fastmapVolSize  = 32
	maxFastmap      = 32 // blocks
)

// checkFastmap compares the fastmap, if there is one, with what the headers say.
func (r *Reader) checkFastmap() {
	super, ok := r.lebs[leb{fastmapVolume, 0}]
	if !ok {
		return
	}
	damaged := func(text string, args ...any) {
		r.problem = append(r.problem, format.Errorf(artifact.Damaged, super.data, "ubi: fastmap at %#x: %s", super.data, fmt.Sprintf(text, args...)))
	}
	b := r.bytes(super.data, min(r.lebSize(), r.limit-super.data))
	u32 := binary.BigEndian.Uint32
	if len(b) < fastmapSize || u32(b) != fastmapMagic || u32(b[12:]) == 0 || u32(b[12:]) > maxFastmap {
		damaged("no superblock")
		return
	}
	for i := range u32(b[12:]) - 1 {
		at := int64(u32(b[20+4*i:]))*r.peb + int64(r.first.data)
		part := r.bytes(at, r.lebSize())
		if part == nil {
			damaged("block %d is outside of the data", i+1)
			return
		}
		b = append(b, part...)
	}
	sum := u32(b[8:])
	clear(b[8:12])
	if checksum(b) != sum {
		damaged("checksum %#08x, want %#08x", checksum(b), sum)
		return
	}
	table, err := parseFastmap(b)
	if err != nil {
		damaged("%v", err)
	}
	r.compare(super, table)
}

// parseFastmap returns which erase block holds which LEB.
func parseFastmap(b []byte) (table map[leb]uint32, err error) {
	table = map[leb]uint32{}
	u32 := binary.BigEndian.Uint32
	pos := fastmapSize
	next := func(magic uint32, size int, what string) []byte {
		if err != nil || len(b)-pos < size || u32(b[pos:]) != magic {
			if err == nil {
				err = fmt.Errorf("no %s at %#x", what, pos)
			}
			return nil
		}
		pos += size
		return b[pos-size : pos]
	}
	h := next(fastmapHeader, fastmapHeadSize, "header")
	next(fastmapPool, fastmapPoolSize, "pool")
	next(fastmapPool, fastmapPoolSize, "pool")
	if err != nil {
		return table, err
	}
	counts := int64(u32(h[4:])) + int64(u32(h[8:])) + int64(u32(h[12:])) + int64(u32(h[20:]))
	if counts > int64(len(b)-pos)/8 {
		return table, fmt.Errorf("%d blocks", counts)
	}
	pos += 8 * int(counts)
	for range min(u32(h[24:]), maxVolumes+1) {
		v := next(fastmapVolHead, fastmapVolSize, "volume")
		t := next(fastmapTable, 8, "table")
		if err != nil {
			return table, err
		}
		n := int64(u32(t[4:]))
		if n > int64(len(b)-pos)/4 {
			return table, fmt.Errorf("volume %d of %d blocks", u32(v[4:]), n)
		}
		for i := range uint32(n) {
			const none = 1<<32 - 1
			if peb := u32(b[pos:]); peb != none {
				table[leb{u32(v[4:]), i}] = peb
			}
			pos += 4
		}
	}
	return table, nil
}

// compare tells where headers and fastmap differ, but for blocks that were written after it.
func (r *Reader) compare(super vid, table map[leb]uint32) {
	var lost, differ []leb
	for k, peb := range table {
		switch v, ok := r.lebs[k]; {
		case !ok:
			lost = append(lost, k)
		case v.data != int64(peb)*r.peb+int64(r.first.data) && v.sequence < super.sequence:
			differ = append(differ, k)
		}
	}
	r.attrs = append(r.attrs, artifact.Attr{
		Name: "fastmap", Value: fmt.Sprintf("%d blocks, %d of them elsewhere, %d nowhere", len(table), len(differ), len(lost)),
		At: artifact.Range{Off: super.data, Len: fastmapSize},
	})
	for _, x := range []struct {
		list []leb
		text string
	}{{lost, "no erase block holds"}, {differ, "another erase block holds"}} {
		if len(x.list) == 0 {
			continue
		}
		first := slices.MinFunc(x.list, func(a, b leb) int {
			if a.volume != b.volume {
				return int(int64(a.volume) - int64(b.volume))
			}
			return int(int64(a.lnum) - int64(b.lnum))
		})
		r.problem = append(r.problem, format.Errorf(artifact.Damaged, super.data, "ubi: fastmap at %#x: %s %d of its %d blocks, first block %d of volume %d",
			super.data, x.text, len(x.list), len(table), first.lnum, first.volume))
	}
}
