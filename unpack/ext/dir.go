package ext

import (
	"encoding/binary"
	"io"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

type dirent struct {
	name string
	ino  uint32
}

// directory returns the entries of directory n but for itself and its parent. An index is not
// followed: its nodes look like blocks without entries. What is damaged is passed over.
func (r *Reader) directory(n uint32) (list []dirent, errs []error) {
	in, err := r.inode(n)
	if err == nil && in.mode&0o170000 != 0o040000 {
		err = format.Errorf(artifact.Damaged, in.off, "ext: inode %d at %#x is no directory", n, in.off)
	}
	if err != nil {
		return nil, []error{err}
	}
	if in.flags&flagEncrypted != 0 {
		errs = append(errs, format.Errorf(artifact.Encrypted, in.off, "ext: directory of inode %d at %#x: names are encrypted", n, in.off))
	}
	if in.flags&flagInline != 0 {
		return r.inlineDirectory(in, errs)
	}
	for m := r.blockMap(in); ; {
		x, err := m.next()
		if err == io.EOF {
			return list, errs
		}
		if err != nil {
			return list, append(errs, err)
		}
		for i := range x.count {
			if int64(x.file+i) >= (in.size+r.block-1)/r.block {
				return list, errs
			}
			// A block belongs to one directory: reading many more than there are means that they share.
			if r.budget == 0 {
				if r.spent {
					return list, errs
				}
				r.spent = true
				return list, append(errs, format.Errorf(artifact.Limit, in.off, "ext: directories share their blocks"))
			}
			r.budget--
			off := int64(x.at+i) * r.block
			b, err := format.ReadAt(r.src, off, r.block, "ext: directory")
			if err == nil {
				list, err = r.dirents(list, b, off)
			}
			if err != nil {
				errs = append(errs, err)
			}
		}
	}
}

// dirents reads entries: inode, length (2), length of the name (1), type (1), name.
func (r *Reader) dirents(list []dirent, b []byte, off int64) ([]dirent, error) {
	le := binary.LittleEndian
	for at := 0; at+8 <= len(b); {
		ino, length, name := le.Uint32(b[at:]), int(le.Uint16(b[at+4:])), int(b[at+6])
		if r.incompat&incompatFiletype == 0 {
			name = int(le.Uint16(b[at+6:]))
		}
		if len(b) == 1<<16 && (length == 0 || length == 1<<16-1) {
			length = len(b) // what does not fit the field
		}
		if length < 8 || length%4 != 0 || length > len(b)-at || name > length-8 && ino != 0 {
			return list, format.Errorf(artifact.Damaged, off+int64(at), "ext: directory at %#x: entry of %d bytes with a name of %d", off+int64(at), length, name)
		}
		if ino != 0 && name > 0 {
			s := string(b[at+8 : at+8+name])
			if s != "." && s != ".." {
				list = append(list, dirent{strings.TrimRight(s, "\x00"), ino})
			}
		}
		at += length
	}
	return list, nil
}

// inlineDirectory reads a directory that is in its inode: the parent's number, entries, and if
// they do not fit the map, more entries in the attribute system.data.
func (r *Reader) inlineDirectory(in *inode, errs []error) ([]dirent, []error) {
	list, err := r.dirents(nil, in.data[4:], in.off+40+4)
	if err != nil {
		errs = append(errs, err)
	}
	more, off, err := r.inlineRest(in)
	if err == nil && len(more) > 0 {
		list, err = r.dirents(list, more, off)
	}
	if err != nil {
		errs = append(errs, err)
	}
	return list, errs
}
