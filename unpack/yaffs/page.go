package yaffs

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"iter"
	"slices"

	"hallmark/unpack/format"
)

// layout is how pages stand in an image.
type layout struct {
	order    binary.ByteOrder
	words    binary.ByteOrder // of tags: a tool that swaps headers may leave them as they are
	page     int64            // bytes of data in a page
	stride   int64            // bytes from page to page
	tags     int64            // where the tags are in it
	version1 bool
	packed   bool // version 1: the tags stand together, as newer drivers write them
}

// page is what tags say.
type page struct {
	at            int64
	sequence      uint32 // of the block, in version 2
	object, chunk uint32 // a chunk of 0 is the object's header
	bytes         uint32
	serial        byte // of version 1
	deleted       bool
}

// state is what a page looks like.
type state int

const (
	used state = iota
	erased
	strange
)

// Sequence numbers of blocks. Aleph One's yaffs_guts.h. The numbers above mark bad blocks.
const (
	lowestSequence  = 0x1000
	highestSequence = 0xefffff00
	maxObject       = 1 << 18 // YAFFS_MAX_OBJECT_ID of version 1; version 2 has up to 28 bits
)

// detect returns the layout that makes sense of the most bytes from offset 0 on, where a header must stand.
func detect(src format.Source) (layout, error) {
	const look = 64 // pages
	head := make([]byte, headerSize)
	if n, _ := src.ReadAt(head, 0); n < headerSize {
		return layout{}, format.Not("yaffs: %d bytes", n)
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 0 {
		order = binary.BigEndian
	}
	if h, ok := parseHeader(head, order); !ok || h.name == "" {
		return layout{}, format.Not("yaffs: no header of an object")
	}
	bytes := func(n int64) []byte {
		b := make([]byte, min(src.Size(), n))
		k, _ := src.ReadAt(b, 0)
		return b[:k]
	}
	var best layout
	var b []byte
	most := 0
	first := bytes(maxStride)
	for l := range layouts(order) {
		if l.stride > int64(len(first)) || l.score(first[:l.stride]) == 0 {
			continue
		}
		if b == nil {
			b = bytes(look * maxStride)
		}
		if good := l.score(b); good*int(l.stride) > most {
			best, most = l, good*int(l.stride)
		}
	}
	if most == 0 {
		return layout{}, format.Not("yaffs: no tags that fit the header")
	}
	return best, nil
}

// detectFlash returns the layout that makes sense of the pages around the first header, for a partition that does
// not begin with one.
func detectFlash(src format.Source) (best layout, err error) {
	if _, err := detect(src); err == nil {
		return layout{}, format.Not("yaffs: an image, not a partition")
	}
	const around = 64 // pages
	most := 0
	tried := 0
	for at, order := range found(src) {
		if tried++; tried > 16 || most > 0 {
			break
		}
		for l := range layouts(order) {
			if at%l.stride != 0 {
				continue
			}
			from := max(0, at-around*l.stride)
			b := make([]byte, min(2*around*l.stride, src.Size()-from))
			n, _ := src.ReadAt(b, from)
			good, bad := 0, 0
			for i := int64(0); i+l.stride <= int64(n); i += l.stride {
				switch _, s := l.read(b[i : i+l.stride]); s {
				case used:
					good++
				case strange:
					bad++
				}
			}
			if good >= 4 && bad <= good/8 && good*int(l.stride) > most {
				best, most = l, good*int(l.stride)
			}
		}
	}
	if most == 0 || !best.leads(src) {
		return best, format.Not("yaffs: no tags that fit a header, or something else before it")
	}
	return best, nil
}

// leads reports whether the first page that is not erased makes sense: nothing else is in front of the file system.
func (l layout) leads(src format.Source) bool {
	b := make([]byte, l.stride)
	for at := int64(0); at+l.stride <= src.Size(); at += l.stride {
		if n, _ := src.ReadAt(b, at); n < len(b) {
			break
		}
		if _, s := l.read(b); s != erased {
			return s == used
		}
	}
	return false
}

// found yields where headers of objects in the root directory stand, and their byte order.
func found(src format.Source) iter.Seq2[int64, binary.ByteOrder] {
	return func(yield func(int64, binary.ByteOrder) bool) {
		type header struct {
			at    int64
			order binary.ByteOrder
		}
		var all []header
		for i, offsets := range src.Occurrences(headers()) {
			order := binary.ByteOrder(binary.LittleEndian)
			if headers()[i].Bytes[0] == 0 {
				order = binary.BigEndian
			}
			for _, at := range offsets {
				all = append(all, header{at, order})
			}
		}
		slices.SortFunc(all, func(x, y header) int { return cmp.Compare(x.at, y.at) })
		b := make([]byte, headerSize)
		for _, x := range all {
			if n, _ := src.ReadAt(b, x.at); n < len(b) {
				continue
			}
			if h, ok := parseHeader(b, x.order); ok && h.parent == objectRoot && !yield(x.at, x.order) {
				return
			}
		}
	}
}

// maxStride is the longest page with its spare area.
const maxStride = 16384 + 512

// layouts yields those that are tried.
func layouts(order binary.ByteOrder) iter.Seq[layout] {
	return func(yield func(layout) bool) {
		try := func(l layout) bool {
			l.order, l.words = order, order
			if ok := yield(l); !ok || l.version1 || order == binary.LittleEndian {
				return ok
			}
			l.words = binary.LittleEndian
			return yield(l)
		}
		ok := try(layout{page: 512, stride: 528, tags: 512, version1: true})
		for tags := int64(0); ok && tags <= 8; tags++ {
			ok = try(layout{page: 512, stride: 528, tags: 512 + tags, version1: true, packed: true})
		}
		for _, page := range [...]int64{2048, 4096, 8192, 16384, 1024, 512} {
			for _, spare := range [...]int64{64, 128, 16, 28, 32, 112, 218, 224, 256, 512} {
				for tags := int64(0); ok && tags <= min(48, spare-16); tags += 2 {
					ok = try(layout{page: page, stride: page + spare, tags: page + tags})
				}
				ok = ok && try(layout{page: page - 16, stride: page + spare, tags: page - 16})
			}
			ok = ok && try(layout{page: page - 16, stride: page, tags: page - 16})
		}
	}
}

// score counts the pages of b that make sense, up to the first that does not. The first one must be the header of the
// object that its tags name, and a second one must be there, unless the image ends.
func (l layout) score(b []byte) (good int) {
	for at := int64(0); at+l.stride <= int64(len(b)); at += l.stride {
		p, s := l.read(b[at : at+l.stride])
		if at == 0 && (s != used || p.chunk != 0 || p.object <= objectDeleted) || s == strange {
			break
		}
		if s == used {
			good++
		}
	}
	if good == 1 && int64(len(b)) >= 2*l.stride {
		second := b[l.stride:]
		if len(bytes.Trim(second[:l.stride], "\xff")) > 0 {
			return 0
		}
	}
	return good
}

// read returns what the tags of a page say.
func (l layout) read(b []byte) (p page, s state) {
	if l.version1 {
		return l.read1(b)
	}
	u32 := func(off int64) uint32 { return l.words.Uint32(b[l.tags+off:]) }
	p.sequence, p.object, p.chunk, p.bytes = u32(0), u32(4), u32(8), u32(12)
	if p.sequence == 1<<32-1 {
		if p.object&p.chunk&p.bytes == 1<<32-1 {
			return p, erased
		}
		return p, strange
	}
	if p.sequence < lowestSequence || p.sequence > highestSequence {
		return p, strange
	}
	// The header of an object may say more in its tags: type, parent, flags and size.
	const extra = 1 << 31
	if p.chunk&extra != 0 {
		if l.order.Uint32(b) != p.object>>28 || l.order.Uint32(b[4:]) != p.chunk&(1<<28-1) {
			return p, strange
		}
		if _, ok := parseHeader(b, l.order); !ok {
			return p, strange
		}
		p.object, p.chunk, p.bytes = p.object&(1<<28-1), 0, 0
		return p, used
	}
	return p, l.sane(p, b, 1<<28)
}

// sane checks a page against what its tags say.
func (l layout) sane(p page, b []byte, objects uint32) state {
	if p.object == 0 || p.object >= objects {
		return strange
	}
	if p.chunk > 0 {
		if int64(p.bytes) > l.page || p.bytes == 0 || p.chunk >= 1<<28 {
			return strange
		}
		return used
	}
	if _, ok := parseHeader(b, l.order); !ok || p.bytes != 0 && p.bytes&0x3ff != 0x3ff && p.bytes != 0xffff {
		return strange
	}
	return used
}

// read1 reads tags of version 1, 64 bits in 2 words. They stand in bytes 0-3, 6-7 and 11-12 of the spare area, between
// the marks of a deleted page (4) and a bad block (5) and the code for the data, or together.
//
//	chunk (20 bits), serial (2), bytes, low (10); object (18), code (12), bytes, high (2)
//
// Newer drivers have a mark instead of the last two bits, which they clear, without a new code, when they delete the page.
func (l layout) read1(b []byte) (p page, s state) {
	spare := b[512:528]
	var t [8]byte
	if l.packed {
		copy(t[:], b[l.tags:])
	} else {
		copy(t[:4], spare)
		copy(t[4:6], spare[6:])
		copy(t[6:], spare[11:13])
	}
	if t == [8]byte{255, 255, 255, 255, 255, 255, 255, 255} {
		return p, erased
	}
	v, w := l.order.Uint32(t[:]), l.order.Uint32(t[4:])
	var code uint32
	if l.order == binary.BigEndian {
		p.chunk, p.serial, p.bytes = v>>12, byte(v>>10&3), v&0x3ff
		p.object, code = w>>14, w>>2&0xfff
		w &^= 0xfff << 2
		l.order.PutUint32(t[4:], w)
		w &= 3
	} else {
		p.chunk, p.serial, p.bytes = v&0xfffff, byte(v>>20&3), v>>22
		p.object, code = w&0x3ffff, w>>18&0xfff
		w &^= 0xfff << 18
		l.order.PutUint32(t[4:], w)
		w >>= 30
	}
	if !l.packed {
		p.bytes |= w << 10
		p.deleted = spare[4] == 0
	}
	if p.bytes == 0x3ff || p.bytes == 0xfff {
		p.bytes = 0xffff // of a header
	}
	if sum(t) != code {
		if l.order == binary.BigEndian {
			t[7] |= 2
		} else {
			t[7] |= 0x40
		}
		if p.deleted = true; !l.packed || sum(t) != code {
			return p, strange
		}
	}
	return p, l.sane(p, b, maxObject)
}

// sum computes the code of tags: the numbers of the bits that are set, from 1 on, added without carry.
func sum(t [8]byte) (code uint32) {
	for i := range uint32(64) {
		if t[i/8]>>(i%8)&1 != 0 {
			code ^= i + 1
		}
	}
	return code
}
