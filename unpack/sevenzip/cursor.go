package sevenzip

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"

	"hallmark/artifact"
)

// Ids of properties. 7zFormat.txt, "Property IDs".
const (
	idEnd              = 0x00
	idHeader           = 0x01
	idArchive          = 0x02
	idAdditional       = 0x03
	idMainStreams      = 0x04
	idFiles            = 0x05
	idPackInfo         = 0x06
	idUnpackInfo       = 0x07
	idSubStreams       = 0x08
	idSize             = 0x09
	idCRC              = 0x0a
	idFolder           = 0x0b
	idCodersUnpackSize = 0x0c
	idNumUnpackStream  = 0x0d
	idEmptyStream      = 0x0e
	idEmptyFile        = 0x0f
	idAnti             = 0x10
	idNames            = 0x11
	idMTime            = 0x14
	idAttributes       = 0x15
	idEncodedHeader    = 0x17
)

// cursor reads a header. After the first fault, bad, everything it reads is 0.
type cursor struct {
	b      []byte
	memory int64
	bad    error
}

// header reads what follows idHeader.
func (c *cursor) header() header {
	var h header
	id := c.byte()
	if id == idArchive {
		for c.bad == nil && c.byte() != idEnd {
			c.take(c.number())
		}
		id = c.byte()
	}
	if id == idAdditional {
		c.streamsInfo()
		id = c.byte()
	}
	if id == idMainStreams {
		h = c.streamsInfo()
		id = c.byte()
	}
	if id == idFiles && c.bad == nil {
		h.files = c.files(h.streams)
		id = c.byte()
	}
	if id != idEnd {
		c.fail("property %#x, want the end", id)
	}
	return h
}

func (c *cursor) streamsInfo() header {
	var h header
	id := c.byte()
	var packed []artifact.Range
	if id == idPackInfo {
		packed = c.packInfo()
		id = c.byte()
	}
	if id == idUnpackInfo {
		h.folders = c.unpackInfo(packed)
		id = c.byte()
	}
	if c.bad != nil {
		return header{}
	}
	if id == idSubStreams {
		h.streams = c.subStreams(h.folders)
		id = c.byte()
	} else {
		for i := range h.folders {
			f := &h.folders[i]
			f.files = 1
			h.streams = append(h.streams, stream{f, 0, f.size(), f.crc, f.hasCRC})
		}
	}
	if id != idEnd {
		c.fail("property %#x, want the end of streams", id)
	}
	return h
}

func (c *cursor) packInfo() []artifact.Range {
	pos := c.size() + startLen
	n := c.count("packed streams", 64)
	var out []artifact.Range
	id := c.byte()
	if id == idSize {
		for range n {
			size := c.size()
			if c.bad == nil && pos > 1<<62-size {
				c.fail("packed stream at %#x: %d bytes", pos, size)
			}
			if c.bad != nil {
				return nil
			}
			out = append(out, artifact.Range{Off: pos, Len: size})
			pos += size
		}
		id = c.byte()
	}
	if id == idCRC {
		c.digests(n, func(int, uint32) {}) // the files have their own
		id = c.byte()
	}
	if id != idEnd {
		c.fail("property %#x, want the end of packed streams", id)
	}
	return out
}

func (c *cursor) unpackInfo(packed []artifact.Range) []folder {
	c.skipTo(idFolder)
	n := c.count("folders", 1024)
	c.external()
	var folders []folder
	for i := 0; i < n && c.bad == nil; i++ {
		f := c.folder()
		k := f.packs()
		if k > len(packed) {
			c.fail("folder %d: packed streams %d, %d left", i, k, len(packed))
			return nil
		}
		f.packed, packed = packed[:k], packed[k:]
		if k > 0 {
			f.at = artifact.Range{Off: f.packed[0].Off, Len: f.packed[k-1].End() - f.packed[0].Off}
		}
		folders = append(folders, f)
	}
	c.skipTo(idCodersUnpackSize)
	for i := range folders {
		for k := range folders[i].coders {
			folders[i].coders[k].size = c.size()
		}
	}
	for c.bad == nil {
		switch id := c.byte(); id {
		case idEnd:
			return folders
		case idCRC:
			c.digests(len(folders), func(i int, crc uint32) { folders[i].crc, folders[i].hasCRC = crc, true })
		default:
			c.take(c.number())
		}
	}
	return nil
}

// subStreams reads how the output of folders divides into files.
func (c *cursor) subStreams(folders []folder) []stream {
	for i := range folders {
		folders[i].files = 1
	}
	id := c.byte()
	for c.bad == nil && id != idNumUnpackStream && id != idCRC && id != idSize && id != idEnd {
		c.take(c.number())
		id = c.byte()
	}
	total := len(folders)
	if id == idNumUnpackStream {
		total = 0
		for i := range folders {
			folders[i].files = c.count("streams", 128)
			total += folders[i].files
		}
		id = c.byte()
	}
	if total > len(c.b)+len(folders) { // each but the last of a folder has a size
		c.fail("%d streams in %d bytes", total, len(c.b))
	}
	if c.bad != nil {
		return nil
	}
	streams := make([]stream, 0, total)
	for i := range folders {
		f := &folders[i]
		left, at := f.size(), int64(0)
		for k := range f.files {
			size := left
			if k < f.files-1 {
				if size = 0; id == idSize {
					size = c.size()
				}
			}
			if size > left {
				c.fail("folder %d: stream of %d bytes, %d left", i, size, left)
				return nil
			}
			streams = append(streams, stream{folder: f, offset: at, size: size})
			left, at = left-size, at+size
		}
		if f.files == 1 && f.hasCRC {
			s := &streams[len(streams)-1]
			s.crc, s.hasCRC = f.crc, true
		}
	}
	if id == idSize {
		id = c.byte()
	}
	for ; c.bad == nil && id != idEnd; id = c.byte() {
		if id != idCRC {
			c.take(c.number())
			continue
		}
		var open []*stream // those whose CRC the folder does not tell
		for i := range streams {
			if !streams[i].hasCRC {
				open = append(open, &streams[i])
			}
		}
		c.digests(len(open), func(i int, crc uint32) { open[i].crc, open[i].hasCRC = crc, true })
	}
	return streams
}

func (c *cursor) files(streams []stream) []file {
	n := c.count("files", 256)
	if c.bad != nil {
		return nil
	}
	files := make([]file, n)
	var empties []*file
	for c.bad == nil {
		id := c.byte()
		if id == idEnd {
			break
		}
		p := &cursor{b: c.take(c.number()), memory: c.memory}
		switch id {
		case idEmptyStream:
			empties = empties[:0]
			for i, is := range p.bits(n) {
				if files[i].empty = is; is {
					empties = append(empties, &files[i])
				}
			}
		case idEmptyFile:
			for i, is := range p.bits(len(empties)) {
				empties[i].isFile = is
			}
		case idAnti:
			for i, is := range p.bits(len(empties)) {
				empties[i].anti = is
			}
		case idNames:
			p.external()
			for i := range files {
				files[i].name = p.name()
			}
		case idMTime:
			has := p.defined(n)
			p.external()
			for i := range files {
				if has(i) {
					files[i].mtime = p.time()
				}
			}
		case idAttributes:
			has := p.defined(n)
			p.external()
			for i := range files {
				if has(i) {
					files[i].attrs = p.u32()
				}
			}
		}
		if p.bad != nil {
			c.fail("files, property %#x: %w", id, p.bad)
			return nil
		}
	}
	for i := range files {
		if files[i].empty {
			continue
		}
		if len(streams) == 0 {
			c.fail("file %d of %d: no stream left", i, n)
			return files[:i]
		}
		files[i].stream, streams = streams[0], streams[1:]
	}
	return files
}

func (c *cursor) fail(text string, args ...any) {
	if c.bad == nil {
		c.bad = fmt.Errorf(text, args...)
	}
	c.b = nil
}

func (c *cursor) take(n uint64) []byte {
	if c.bad != nil || n > uint64(len(c.b)) {
		c.fail("%d bytes wanted, %d left", n, len(c.b))
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// time reads a count of 100 ns since 1601.
func (c *cursor) time() int64 {
	if b := c.take(8); b != nil {
		return int64(binary.LittleEndian.Uint64(b)/10_000_000) - 11_644_473_600
	}
	return 0
}

// number reads a number whose first byte says, by its leading ones, how many bytes follow.
func (c *cursor) number() uint64 {
	first := c.byte()
	var v uint64
	for i := range 8 {
		mask := byte(0x80) >> i
		if first&mask == 0 {
			return v | uint64(first&(mask-1))<<(8*i)
		}
		v |= uint64(c.byte()) << (8 * i)
	}
	return v
}

// size reads a number of bytes.
func (c *cursor) size() int64 {
	v := c.number()
	if v > 1<<61 {
		c.fail("size %#x", v)
		return 0
	}
	return int64(v)
}

// count reads how many things follow that take cost bytes of memory each. There is at least a byte of the header for each.
func (c *cursor) count(what string, cost int64) int {
	v := c.number()
	if most := uint64(min(c.memory/cost, int64(len(c.b)))); v > most {
		c.fail("%d %s > %d", v, what, most)
		return 0
	}
	return int(v)
}

func (c *cursor) bits(n int) []bool {
	b := c.take(uint64(n+7) / 8)
	if len(b) == 0 {
		return nil
	}
	out := make([]bool, n)
	for i := range out {
		out[i] = b[i/8]&(0x80>>(i%8)) != 0
	}
	return out
}

// defined reads which of n things have a value: all, or as bits say.
func (c *cursor) defined(n int) func(int) bool {
	if c.byte() != 0 {
		return func(int) bool { return true }
	}
	bits := c.bits(n)
	return func(i int) bool { return i < len(bits) && bits[i] }
}

func (c *cursor) digests(n int, each func(int, uint32)) {
	has := c.defined(n)
	for i := 0; i < n && c.bad == nil; i++ {
		if has(i) {
			each(i, c.u32())
		}
	}
}

func (c *cursor) external() {
	if c.byte() != 0 {
		c.fail("property in an additional stream: %w", errMethod)
	}
}

// skipTo passes over properties of known length until one is id.
func (c *cursor) skipTo(id byte) {
	for c.bad == nil {
		got := c.byte()
		if got == id {
			return
		}
		if got == idEnd {
			c.fail("no property %#x", id)
		}
		c.take(c.number())
	}
}

// name reads UTF-16 up to a zero.
func (c *cursor) name() string {
	for i := 0; i+1 < len(c.b); i += 2 {
		if c.b[i] == 0 && c.b[i+1] == 0 {
			u := make([]uint16, i/2)
			for k := range u {
				u[k] = binary.LittleEndian.Uint16(c.b[2*k:])
			}
			c.b = c.b[i+2:]
			return string(utf16.Decode(u))
		}
	}
	c.fail("name without an end")
	return ""
}
