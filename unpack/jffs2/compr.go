package jffs2

import (
	"errors"
	"io"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// Compression methods of an inode node.
const (
	comprNone      = 0
	comprZero      = 1 // a hole
	comprRtime     = 2
	comprRubinMips = 3
	comprCopy      = 4
	comprDynRubin  = 5
	comprZlib      = 6
	comprLZO       = 7
	comprLZMA      = 8 // OpenWrt; LZMA1 without header, lc=lp=pb=0
)

// maxDecoded bounds what one compressed node may hold. The kernel writes at most one memory page
// a node, and no supported machine has pages larger than 64 KiB.
const maxDecoded = 64 << 10

// decode returns the content of n: what came out, also beside an error.
func (r *Reader) decode(n *inode) ([]byte, error) {
	var block codec.Block
	switch n.compr {
	case comprNone, comprCopy:
		block = store
	case comprRtime:
		block = rtime
	case comprZlib:
		block = zlib
	case comprRubinMips, comprDynRubin:
		block = rubin
	case comprLZO:
		block = codec.LZO
	case comprLZMA:
		block = codec.LZMARaw(0)
	default:
		return nil, format.Errorf(artifact.Unsupported, n.off, "jffs2: node at %#x: compression method %d", n.off, n.compr)
	}
	if n.dsize > maxDecoded || n.csize > 2*maxDecoded {
		return nil, format.Errorf(artifact.Damaged, n.off, "jffs2: node at %#x: %d bytes > %d", n.off, max(n.dsize, n.csize), maxDecoded)
	}
	src := make([]byte, n.csize)
	if _, err := io.ReadFull(io.NewSectionReader(r.src, n.data(), int64(n.csize)), src); err != nil {
		return nil, format.Errorf(artifact.Damaged, n.off, "jffs2: node at %#x: %v", n.off, err)
	}
	dst := make([]byte, n.dsize)
	got, err := block(dst, src)
	if err == nil && got < len(dst) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		err = format.Errorf(artifact.Damaged, n.off, "jffs2: node at %#x: %d of %d bytes: %v", n.off, got, n.dsize, err)
	}
	return dst[:got], err
}

func store(dst, src []byte) (int, error) { return copy(dst, src), nil }

// zlib decodes what zlib or, in some vendors' builds, deflate without the zlib header made.
// As in the kernel the trailer does not matter: the node's own checksum covers the data.
func zlib(dst, src []byte) (int, error) {
	n, err := codec.Zlib(dst, src)
	if n == len(dst) {
		return n, nil
	}
	if err != nil {
		if m, rawErr := codec.Deflate(dst, src); rawErr == nil {
			return m, nil
		}
	}
	return n, err
}

var errRtime = errors.New("rtime data is corrupt")

// rtime decodes JFFS2's own run-length code: pairs of a byte and the number of bytes to copy from
// where the output stood after that byte occurred last.
func rtime(dst, src []byte) (int, error) {
	var last [256]int
	out := 0
	for ; out < len(dst) && len(src) >= 2; src = src[2:] {
		value, repeat := src[0], int(src[1])
		dst[out] = value
		out++
		from := last[value]
		last[value] = out
		if repeat > len(dst)-out {
			return out, errRtime
		}
		for ; repeat > 0; repeat-- {
			dst[out] = dst[from]
			out++
			from++
		}
	}
	return out, nil
}
