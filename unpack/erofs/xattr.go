package erofs

import (
	"encoding/binary"

	"hallmark/artifact"
)

// xattrPrefix returns what an attribute's index stands for. Linux fs/erofs/xattr.h.
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
	}
	return ""
}

// xattrs reads what is behind an inode: 0 filter, 4 number of shared attributes (1), 12 their numbers (4 each), and
// then attributes of its own. A shared one stands at 4 times its number.
func (r *Reader) xattrs(in *inode) (out []artifact.Xattr, err error) {
	if in.xattr == 0 {
		return nil, nil
	}
	b, err := r.metadata(in.box, in.off+in.head, in.xattr, "attributes")
	if err != nil {
		return nil, err
	}
	shared := int(b[4])
	if 12+4*shared > len(b) {
		return nil, fault(in.off, "attributes of inode at %#x: %d shared ones in %d bytes", in.off, shared, len(b))
	}
	box := r.compat&compatSharedInBox != 0 && r.metaboxNID != 0
	for i := range shared {
		at := int64(binary.LittleEndian.Uint32(b[12+4*i:])) * 4
		if !box {
			at += r.xattr
		}
		head, err := r.metadata(box, at, 4, "shared attribute")
		if err != nil {
			return out, err
		}
		all, err := r.metadata(box, at, xattrSize(head), "shared attribute")
		if err != nil {
			return out, err
		}
		x, err := r.xattr1(all)
		if err != nil {
			return out, err
		}
		out = append(out, x)
	}
	for b = b[12+4*shared:]; len(b) >= 4; {
		n := xattrSize(b)
		if n > int64(len(b)) {
			return out, fault(in.off, "attributes of inode at %#x: one of %d bytes in %d", in.off, n, len(b))
		}
		if b[0] > 0 || b[1] > 0 {
			x, err := r.xattr1(b[:n])
			if err != nil {
				return out, err
			}
			out = append(out, x)
		}
		b = b[min(int64(len(b)), (n+3)&^3):]
	}
	return out, nil
}

func xattrSize(b []byte) int64 { return 4 + int64(b[0]) + int64(binary.LittleEndian.Uint16(b[2:])) }

// xattr1 reads: 0 length of name (1), 1 index (1), 2 length of value (2), name, value.
func (r *Reader) xattr1(b []byte) (artifact.Xattr, error) {
	prefix := xattrPrefix(b[1])
	if b[1]&0x80 != 0 {
		var err error
		if prefix, err = r.longPrefix(int(b[1] & 0x7f)); err != nil {
			return artifact.Xattr{}, err
		}
	}
	name := 4 + int(b[0])
	return artifact.Xattr{Name: prefix + string(b[4:name]), Value: append([]byte(nil), b[name:]...)}, nil
}

// longPrefix returns prefix number n of the image's own: records of length (2), index (1), rest of the prefix,
// each aligned to 4 bytes.
func (r *Reader) longPrefix(n int) (string, error) {
	if n >= r.prefixes {
		return "", fault(superOff+91, "prefix %d of %d", n, r.prefixes)
	}
	read := func(off, n int64) ([]byte, error) { return r.metadata(false, off, n, "prefix") }
	if r.compat&compatPlainPrefixes == 0 {
		if nid := r.metaboxNID; nid != 0 {
			read = func(off, n int64) ([]byte, error) { return r.readRandom(&r.metabox, nid, off, n) }
		} else if nid := r.packedNID; nid != 0 {
			read = func(off, n int64) ([]byte, error) { return r.readRandom(&r.packed, nid, off, n) }
		}
	}
	for at := r.prefixAt; ; n-- {
		b, err := read(at, 2)
		if err != nil {
			return "", err
		}
		length := int64(binary.LittleEndian.Uint16(b))
		if n == 0 {
			if b, err = read(at+2, length); err != nil || length == 0 {
				return "", fault(superOff+92, "prefix of %d bytes", length)
			}
			return xattrPrefix(b[0]) + string(b[1:]), nil
		}
		at = (at + 2 + length + 3) &^ 3
	}
}
