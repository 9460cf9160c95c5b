package squashfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"strings"
	"sync/atomic"

	"hallmark/unpack/codec"
)

// Compressor ids of the 4.0 superblock. Before, everything is gzip by the book.
const (
	compGzip = 1 + iota
	compLZMA
	compLZO
	compXZ
	compLZ4
	compZstd
)

var compressorNames = []string{"", "gzip", "lzma", "lzo", "xz", "lz4", "zstd"}

// A method is one way to decode a block. It fills dst entirely if exact is set; else how much
// comes out is not known before, as for a metadata block.
type method struct {
	name   string
	decode func(dst, src []byte, exact bool) (int, error)
}

// methods are the standard ones, by compressor id.
var methods = []method{
	compGzip: {"gzip", whole(codec.Zlib)},
	compLZMA: {"lzma", lzma(13, 0)},
	compLZO:  {"lzo", whole(codec.LZO)},
	compXZ:   {"xz", whole(codec.XZ)},
	compLZ4:  {"lz4", whole(codec.LZ4)},
	compZstd: {"zstd", whole(codec.Zstd)},
}

// vendorMethods are what vendors made of them. Of the header of an LZMA block they left: property
// byte, 4-byte dictionary size and 4-byte length; without the length; the property byte; nothing.
var vendorMethods = []method{
	{"xz, altered magic", alteredXZ}, // TVT
	{"lzma, 9-byte header", lzma(9, 0)},
	{"lzma, 5-byte header", lzma(5, 0)},
	{"lzma, 1-byte header", lzma(1, 0)},
	{"lzma, no header", lzma(0, 0x5d)}, // lc 3, lp 0, pb 2: the encoder's default
}

// telling are the methods whose blocks say by a magic, a length or a checksum what they are.
var telling = []method{
	methods[compGzip], methods[compXZ], methods[compZstd], methods[compLZMA], vendorMethods[0], vendorMethods[1], vendorMethods[2],
}

// An imageCodec is the image's main method and, for a block that it does not decode, the telling
// ones. So what a block decodes to depends on nothing but the block and the image.
type imageCodec struct {
	methods []method // the main one first
	used    []atomic.Bool
}

func newCodec(main method, others []method) *imageCodec {
	c := &imageCodec{methods: []method{main}}
	for _, m := range others {
		if m.name != main.name {
			c.methods = append(c.methods, m)
		}
	}
	c.used = make([]atomic.Bool, len(c.methods))
	return c
}

// decode decodes src into dst. Its error is the main method's.
func (c *imageCodec) decode(dst, src []byte, exact bool) (int, error) {
	var first error
	for i, m := range c.methods {
		n, err := m.decode(dst, src, exact)
		if err == nil {
			if !c.used[i].Load() {
				c.used[i].Store(true)
			}
			return n, nil
		}
		if i == 0 {
			first = fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return 0, first
}

// name says by what methods blocks were decoded up to now; the main one if there was none.
func (c *imageCodec) name() string {
	var names []string
	for i := range c.methods {
		if c.used[i].Load() {
			names = append(names, c.methods[i].name)
		}
	}
	if names == nil {
		return c.methods[0].name
	}
	return strings.Join(names, " and ")
}

// chooseCodec finds out what the root directory can be read with, the superblock's compressor
// being asked first. If nothing reads it, or if it is not compressed, the superblock is believed.
func (r *Reader) chooseCodec() {
	claimed := methods[compGzip]
	if c := r.super.compressor; c >= 1 && int(c) < len(methods) {
		claimed = methods[c]
	}
	orders := []binary.ByteOrder{r.super.order()}
	if r.super.big && r.super.major == 4 {
		// Linux reads the length byte by byte and little endian, so AVM's big-endian images have it so.
		orders = append(orders, binary.LittleEndian)
	}
	at, _ := position(r.super.root)
	best, chosen, order := 0, claimed, orders[0]
search:
	for _, r.metaOrder = range orders {
		_, stored, _, err := r.metaHeader(r.super.inodeTable + at)
		if err != nil {
			continue
		}
		for _, m := range candidates(claimed, stored) {
			r.codec, r.metadata = newCodec(m, nil), newMetadataCache()
			if sense := r.sense(); sense > best {
				best, chosen, order = sense, m, r.metaOrder
			}
			if best == makesSense {
				break search
			}
		}
	}
	r.codec, r.metadata, r.metaOrder = newCodec(chosen, telling), newMetadataCache(), order
}

// candidates returns every method there is, by how likely it is; the claimed one alone if only is set.
func candidates(claimed method, only bool) []method {
	all := []method{claimed}
	if only {
		return all
	}
	for _, m := range methods[1:] {
		if m.name != claimed.name {
			all = append(all, m)
		}
	}
	all = append(all, vendorMethods...)
	for props := range 225 {
		if props%9+props/9%5 <= 4 { // LZMA's author allows no other lc and lp together in LZMA2, and few use them
			all = append(all, method{fmt.Sprintf("lzma, no header, properties %#x", props), lzma(0, byte(props))})
		}
	}
	return all
}

var errEmpty = errors.New("block is empty")

// makesSense is the most that sense returns.
const makesSense = 2

// sense returns 0 if there is no root directory, 1 if there is one but no entry can be read, for
// which damage may be the reason, and makesSense if its first entry and that one's inode agree.
func (r *Reader) sense() int {
	root, err := r.inode(r.super.root)
	if err != nil || root.kind != kindDir || root.problems != nil || root.start > r.end {
		return 0
	}
	e, ok, err := r.listing(root).next()
	if err == nil && !ok {
		return makesSense // empty
	}
	if err == nil {
		if child, err := r.inode(e.ref); err == nil && child.kind == e.kind {
			return makesSense
		}
	}
	return 1
}

// whole makes a method of a decoder that knows by itself where its block ends.
func whole(decode codec.Block) func(dst, src []byte, exact bool) (int, error) {
	return func(dst, src []byte, exact bool) (int, error) {
		n, err := decode(dst, src)
		return n, complete(n, len(dst), exact, err)
	}
}

func complete(n, want int, exact bool, err error) error {
	switch {
	case err != nil:
		return err
	case exact && n != want:
		return fmt.Errorf("%d bytes, want %d", n, want)
	case n == 0:
		return errEmpty
	}
	return nil
}

// lzma makes a method of raw LZMA behind a header of n bytes: the property byte, 4 bytes of
// dictionary size and what is left of the length, all in little endian. Without a header, props
// are the properties.
func lzma(n int, props byte) func(dst, src []byte, exact bool) (int, error) {
	return func(dst, src []byte, exact bool) (int, error) {
		// The range coder's first byte is 0 in every LZMA stream.
		if len(src) < n+5 || src[n] != 0 {
			return 0, codec.ErrHeader
		}
		props, dictionary, length := props, uint32(0), uint64(0)
		switch n {
		case 13:
			length = binary.LittleEndian.Uint64(src[5:])
		case 9:
			length = uint64(binary.LittleEndian.Uint32(src[5:]))
		}
		if n >= 1 {
			props = src[0]
		}
		if n >= 5 {
			dictionary = binary.LittleEndian.Uint32(src[1:])
		}
		// Encoders choose 2^k or 3*2^k bytes of dictionary, and so does liblzma check.
		if odd := dictionary >> bits.TrailingZeros32(dictionary); props >= 225 || odd > 3 {
			return 0, fmt.Errorf("%w: properties %#x, dictionary of %d bytes", codec.ErrHeader, props, dictionary)
		}
		if n >= 9 && length != 1<<64-1 {
			if length == 0 || length > uint64(len(dst)) || exact && length != uint64(len(dst)) {
				return 0, fmt.Errorf("%w: length %d", codec.ErrHeader, length)
			}
			dst, exact = dst[:length], true
		}
		got, err := codec.LZMARaw(props)(dst, src[n:])
		// There is no end marker: the end is that of the input or of the output.
		if got == len(dst) || !exact && errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil
		}
		return got, complete(got, len(dst), exact, err)
	}
}

// alteredXZ decodes a .xz stream whose magics a vendor replaced.
func alteredXZ(dst, src []byte, exact bool) (int, error) {
	b := repairXZ(src)
	if b == nil {
		return 0, codec.ErrHeader
	}
	n, err := codec.XZ(dst, b)
	return n, complete(n, len(dst), exact, err)
}

// repairXZ returns src with the stream header and footer that it must have had, or nil if there
// is no index with a good checksum, https://tukaani.org/xz/xz-file-format.txt, chapter 4.
// SquashFS blocks have CRC32 checks (mksquashfs, xz_wrapper.c).
func repairXZ(src []byte) []byte {
	const header, footer = 12, 12
	for size := 8; size <= 24 && header+size+footer < len(src); size += 4 {
		index := src[len(src)-footer-size : len(src)-footer]
		if index[0] != 0 || crc32.ChecksumIEEE(index[:size-4]) != binary.LittleEndian.Uint32(index[size-4:]) {
			continue
		}
		const checkCRC32 = 1
		flags := []byte{0, checkCRC32}
		b := append([]byte("\xfd7zXZ\x00"), flags...)
		b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(flags))
		b = append(b, src[header:len(src)-footer]...)
		tail := append(binary.LittleEndian.AppendUint32(nil, uint32(size/4-1)), flags...)
		b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(tail))
		return append(append(b, tail...), "YZ"...)
	}
	return nil
}
