package ext

import (
	"bytes"
	"encoding/binary"
	"io"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const (
	xattrMagic    = 0xea020000
	xattrHeader   = 32 // of a block of attributes; in an inode it is the magic alone
	maxXattrValue = 1 << 16
)

// xattrPrefix returns what an attribute's index stands for. Linux fs/ext4/xattr.h.
func xattrPrefix(index byte) string {
	switch index {
	case 1:
		return "user."
	case 2:
		return "system.posix_acl_access"
	case 3:
		return "system.posix_acl_default"
	case 4:
		return "trusted."
	case 6:
		return "security."
	case 7:
		return "system."
	case 8:
		return "system.richacl"
	}
	return ""
}

// xattrs returns the extended attributes of in: of the inode and of its block.
func (r *Reader) xattrs(in *inode) ([]artifact.Xattr, error) {
	out, _, err := r.inodeXattrs(in)
	if in.acl == 0 {
		return out, err
	}
	if in.acl >= r.blocks {
		return out, format.Errorf(artifact.Damaged, in.off, "ext: inode at %#x: attributes in block %d of %d", in.off, in.acl, r.blocks)
	}
	off := int64(in.acl) * r.block
	b, berr := format.ReadAt(r.src, off, r.block, "ext: attributes")
	if berr != nil {
		return out, berr
	}
	if magic := binary.LittleEndian.Uint32(b); magic != xattrMagic {
		return out, format.Errorf(artifact.Damaged, off, "ext: attributes at %#x: magic %#x", off, magic)
	}
	more, berr := r.readXattrs(b, xattrHeader, 0, off)
	if berr != nil {
		err = berr
	}
	return append(out, more...), err
}

// inodeXattrs returns the attributes in the inode, and apart from them the value of system.data, which is not one.
func (r *Reader) inodeXattrs(in *inode) (out []artifact.Xattr, data []byte, err error) {
	if len(in.extra) < 4 || binary.LittleEndian.Uint32(in.extra) != xattrMagic {
		return nil, nil, nil
	}
	all, err := r.readXattrs(in.extra, 4, 4, in.off+r.inodeSize-int64(len(in.extra)))
	for _, x := range all {
		if x.Name == "system.data" {
			data = x.Value
		} else {
			out = append(out, x)
		}
	}
	return out, data, err
}

// readXattrs reads entries of b from first on, until one begins with 4 zeros:
//
//	0 length of name (1), 1 index (1), 2 offset of value (2), 4 inode of value, 8 length of value, 12 hash, 16 name
//
// Offsets of values count from base.
func (r *Reader) readXattrs(b []byte, first, base int, off int64) (out []artifact.Xattr, err error) {
	le := binary.LittleEndian
	used := 0
	for at := first; at+16 <= len(b) && le.Uint32(b[at:]) != 0; {
		name := int(b[at])
		next := at + (16+name+3)&^3
		value, size := base+int(le.Uint16(b[at+2:])), le.Uint32(b[at+8:])
		ino := le.Uint32(b[at+4:])
		if next > len(b) || ino == 0 && (int64(value)+int64(size) > int64(len(b)) || used+int(size) > len(b)) || size > maxXattrValue {
			return out, format.Errorf(artifact.Damaged, off+int64(at), "ext: attribute at %#x: %d bytes at %d of %d", off+int64(at), size, value, len(b))
		}
		x := artifact.Xattr{Name: xattrPrefix(b[at+1]) + string(b[at+16:at+16+name])}
		if ino != 0 {
			x.Value, err = r.xattrInode(ino, int64(size))
		} else if size > 0 {
			x.Value = bytes.Clone(b[value : value+int(size)])
		}
		used += int(size)
		out = append(out, x)
		at = next
	}
	return out, err
}

// xattrInode reads a value that has an inode of its own.
func (r *Reader) xattrInode(n uint32, size int64) ([]byte, error) {
	in, err := r.inode(n)
	if err != nil {
		return nil, err
	}
	if in.flags&flagInline != 0 {
		return nil, format.Errorf(artifact.Damaged, in.off, "ext: value of an attribute in inode %d", n)
	}
	f, err := r.open(in)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, size))
}

// inlineRest returns the part of inline data that is in the attribute system.data, and its offset as near as it is known.
func (r *Reader) inlineRest(in *inode) ([]byte, int64, error) {
	_, data, err := r.inodeXattrs(in)
	return data, in.off + 128, err
}

// inline returns content that is in its inode: in the map and then in the attribute system.data.
func (r *Reader) inline(in *inode) (io.Reader, error) {
	rest, _, err := r.inlineRest(in)
	if err != nil {
		return nil, err
	}
	all := append(bytes.Clone(in.data[:]), rest...)
	if missing := in.size - int64(len(all)); missing > 0 { // reads as zeros: mke2fs makes holes so
		return io.MultiReader(bytes.NewReader(all), io.LimitReader(zeros{}, missing)), nil
	}
	return bytes.NewReader(all[:in.size]), nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
