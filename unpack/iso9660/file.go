package iso9660

import (
	"encoding/binary"
	"io"
	"io/fs"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// link tells which records are names of the same file.
type link struct{ extent, size, serial uint32 }

// entry makes the entry of n.
func (r *Reader) entry(path string, n node, first map[link]string) format.Entry {
	e := format.Entry{Path: path, UID: n.uid, GID: n.gid, ModTime: n.mtime, Mode: format.UnixMode(n.mode)}
	if n.flags&flagDirectory != 0 {
		e.Mode = e.Mode&^fs.ModeType | fs.ModeDir
		return e
	}
	switch {
	case n.isLink || e.Mode&fs.ModeSymlink != 0:
		e.Mode = e.Mode&^fs.ModeType | fs.ModeSymlink
		e.Link, e.Size = n.target, int64(len(n.target))
		return e
	case e.Mode&fs.ModeDevice != 0:
		e.Dev = device(n.device)
		return e
	case !e.Mode.IsRegular():
		return e
	}
	parts, size := r.parts(n.record)
	e.Size = size
	if n.links > 1 && size > 0 {
		key := link{n.extent, n.size, n.serial}
		if path, ok := first[key]; ok {
			e.HardLink, e.Size = path, 0
			return e
		}
		first[key] = path
	}
	if n.gap {
		e.Problems = append(e.Problems, artifact.Problem{Kind: artifact.Unsupported, At: artifact.Range{Off: n.off}, Detail: "iso9660: interleaved file"})
	}
	switch {
	case n.zisofs:
		e.Size = int64(n.plainSize)
		e.Open = func() (io.Reader, error) { return r.zisofs(n.record, int64(n.plainSize)) }
	case len(parts) == 1 && parts[0].Within(r.src.Size()):
		e.Window = &parts[0]
	default:
		e.Open = func() (io.Reader, error) { return r.read(parts), nil }
	}
	return e
}

// device puts a number together: major and minor, or both in the second one as Linux encodes them.
func device(d [2]uint32) *artifact.Device {
	if d[0] == 0 {
		return &artifact.Device{Major: d[1] >> 8 & 0xfff, Minor: d[1]&0xff | d[1]>>12&0xfff00}
	}
	return &artifact.Device{Major: d[0], Minor: d[1]}
}

// parts returns where a file stands, joined where one part follows the other, and its size.
func (r *Reader) parts(d record) (parts []artifact.Range, size int64) {
	for _, d := range append([]record{d}, d.more...) {
		p := artifact.Range{Off: (int64(d.extent) + int64(d.lead)) * r.block, Len: int64(d.size)}
		size += p.Len
		if d.size == 0 {
			p.Off = 0
		}
		if n := len(parts); n > 0 && (p.Len == 0 || parts[n-1].End() == p.Off) {
			parts[n-1].Len += p.Len
			continue
		}
		parts = append(parts, p)
	}
	return parts, size
}

func (r *Reader) read(parts []artifact.Range) io.Reader {
	var list []io.Reader
	for _, p := range parts {
		have := max(0, min(p.Len, r.src.Size()-p.Off))
		if have > 0 {
			list = append(list, io.NewSectionReader(r.src, p.Off, have))
		}
		if have < p.Len {
			list = append(list, failing{format.Errorf(artifact.Truncated, p.Off, "iso9660: file at %#x: %d bytes, %d left", p.Off, p.Len, have)})
			break
		}
	}
	return io.MultiReader(list...)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

const zisofsMagic = "\x37\xe4\x53\x96\xc9\xdb\xd6\x07"

// zisofs opens a compressed file. https://dev.lovelyhq.com/libburnia/web/wiki/zisofs:
//
//	0 magic (8), 8 size, 12 words of header (1), 13 log2 of block size (1), and behind the header where each block
//	begins and the last ends (4 each). A block of no bytes is zeros.
func (r *Reader) zisofs(d record, size int64) (io.Reader, error) {
	base := (int64(d.extent) + int64(d.lead)) * r.block
	h, err := format.ReadAt(r.src, base, 16, "iso9660: zisofs header")
	if err != nil {
		return nil, err
	}
	if string(h[:8]) != zisofsMagic || h[13] < 9 || h[13] > 20 || int64(binary.LittleEndian.Uint32(h[8:])) != size {
		return nil, fault(base, "zisofs header at %#x: no magic, or blocks of 1 << %d bytes", base, h[13])
	}
	block := int64(1) << h[13]
	table, err := format.ReadAt(r.src, base+4*int64(h[12]), 4*((size+block-1)/block+1), "iso9660: zisofs table")
	if err != nil {
		return nil, err
	}
	return &zisofs{r: r, base: base, block: block, left: size, table: table}, nil
}

type zisofs struct {
	r           *Reader
	base, block int64
	left        int64 // bytes behind rest
	table       []byte
	rest        []byte
}

func (z *zisofs) Read(p []byte) (int, error) {
	if len(z.rest) == 0 {
		if z.left == 0 {
			return 0, io.EOF
		}
		from, to := int64(binary.LittleEndian.Uint32(z.table)), int64(binary.LittleEndian.Uint32(z.table[4:]))
		z.table = z.table[4:]
		dst := make([]byte, min(z.block, z.left))
		if to < from || to-from > 2*z.block {
			return 0, fault(z.base, "zisofs file at %#x: block from %#x to %#x", z.base, from, to)
		}
		if to > from {
			src, err := format.ReadAt(z.r.src, z.base+from, to-from, "iso9660: zisofs block")
			if err != nil {
				return 0, err
			}
			if n, err := codec.Zlib(dst, src); n < len(dst) {
				return 0, fault(z.base+from, "zisofs block at %#x: %d of %d bytes: %v", z.base+from, n, len(dst), err)
			}
		}
		z.rest = dst
		z.left -= int64(len(dst))
	}
	n := copy(p, z.rest)
	z.rest = z.rest[n:]
	return n, nil
}
