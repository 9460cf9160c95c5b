package squashfs

import (
	"io/fs"

	"hallmark/artifact"
)

// Kinds of inode. Since 2.0 an inode may be of an extended kind, which is 7 more.
const (
	kindDir = 1 + iota
	kindFile
	kindSymlink
	kindBlock
	kindChar
	kindFIFO
	kindSocket
	kinds = kindSocket

	extDir  = kindDir + kinds
	extFile = kindFile + kinds
)

var kindModes = [...]fs.FileMode{
	kindDir: fs.ModeDir, kindFile: 0, kindSymlink: fs.ModeSymlink, kindBlock: fs.ModeDevice,
	kindChar: fs.ModeDevice | fs.ModeCharDevice, kindFIFO: fs.ModeNamedPipe, kindSocket: fs.ModeSocket,
}

// noIndex is the index of a fragment or of attributes that an inode does not have.
const noIndex = 1<<32 - 1

// baseLayout is how every inode of a version begins.
type baseLayout struct {
	size                             int
	kind, mode, uid, gid, mtime, num field
	sameGID                          uint32 // gid index that means the uid; noIndex if there is none
}

// inodeLayout is one kind of inode: all of its fixed part, to be found behind which are the
// block sizes of a file, the target of a link.
type inodeLayout struct {
	size                                                int
	mtime, start, length, fragment, offset, rdev, xattr field
	indexes                                             field // how many index entries are behind a directory
}

var baseLayouts = [5]baseLayout{
	1: {size: 3, kind: field{0, 4}, mode: field{4, 12}, uid: field{16, 4}, gid: field{20, 4}, sameGID: 15},
	2: {size: 4, kind: field{0, 4}, mode: field{4, 12}, uid: field{16, 8}, gid: field{24, 8}, sameGID: 255},
	3: {size: 12, kind: field{0, 4}, mode: field{4, 12}, uid: field{16, 8}, gid: field{24, 8}, mtime: field{32, 32}, num: field{64, 32}, sameGID: 255},
	4: {size: 16, kind: field{0, 16}, mode: field{16, 16}, uid: field{32, 16}, gid: field{48, 16}, mtime: field{64, 32}, num: field{96, 32}, sameGID: noIndex},
}

// inodeLayouts holds the layouts by version and kind. A kind without one is not in that version.
var inodeLayouts = [5][15]inodeLayout{
	1: {
		kindDir:     {size: 14, length: field{24, 19}, offset: field{43, 13}, mtime: field{56, 32}, start: field{88, 24}},
		kindFile:    {size: 15, mtime: field{24, 32}, start: field{56, 32}, length: field{88, 32}},
		kindSymlink: {size: 5, length: field{24, 16}},
		kindBlock:   {size: 5, rdev: field{24, 16}},
		kindChar:    {size: 5, rdev: field{24, 16}},
		kindFIFO:    {size: 4},
		kindSocket:  {size: 4},
	},
	2: {
		kindDir:     {size: 15, length: field{32, 19}, offset: field{51, 13}, mtime: field{64, 32}, start: field{96, 24}},
		kindFile:    {size: 24, mtime: field{32, 32}, start: field{64, 32}, fragment: field{96, 32}, offset: field{128, 32}, length: field{160, 32}},
		kindSymlink: {size: 6, length: field{32, 16}},
		kindBlock:   {size: 6, rdev: field{32, 16}},
		kindChar:    {size: 6, rdev: field{32, 16}},
		kindFIFO:    {size: 4},
		kindSocket:  {size: 4},
		extDir:      {size: 18, length: field{32, 27}, offset: field{59, 13}, mtime: field{72, 32}, start: field{104, 24}, indexes: field{128, 16}},
	},
	3: {
		kindDir:     {size: 28, length: field{128, 19}, offset: field{147, 13}, start: field{160, 32}},
		kindFile:    {size: 32, start: field{96, 64}, fragment: field{160, 32}, offset: field{192, 32}, length: field{224, 32}},
		kindSymlink: {size: 18, length: field{128, 16}},
		kindBlock:   {size: 18, rdev: field{128, 16}},
		kindChar:    {size: 18, rdev: field{128, 16}},
		kindFIFO:    {size: 16},
		kindSocket:  {size: 16},
		extDir:      {size: 31, length: field{128, 27}, offset: field{155, 13}, start: field{168, 32}, indexes: field{200, 16}},
		extFile:     {size: 40, start: field{128, 64}, fragment: field{192, 32}, offset: field{224, 32}, length: field{256, 64}},
	},
	4: {
		kindDir:             {size: 32, start: field{128, 32}, length: field{192, 16}, offset: field{208, 16}},
		kindFile:            {size: 32, start: field{128, 32}, fragment: field{160, 32}, offset: field{192, 32}, length: field{224, 32}},
		kindSymlink:         {size: 24, length: field{160, 32}},
		kindBlock:           {size: 24, rdev: field{160, 32}},
		kindChar:            {size: 24, rdev: field{160, 32}},
		kindFIFO:            {size: 20},
		kindSocket:          {size: 20},
		extDir:              {size: 40, length: field{160, 32}, start: field{192, 32}, offset: field{272, 16}, xattr: field{288, 32}, indexes: field{256, 16}},
		extFile:             {size: 56, start: field{128, 64}, length: field{192, 64}, fragment: field{352, 32}, offset: field{384, 32}, xattr: field{416, 32}},
		kindSymlink + kinds: {size: 24, length: field{160, 32}}, // the attributes' index stands behind the target
		kindBlock + kinds:   {size: 28, rdev: field{160, 32}, xattr: field{192, 32}},
		kindChar + kinds:    {size: 28, rdev: field{160, 32}, xattr: field{192, 32}},
		kindFIFO + kinds:    {size: 24, xattr: field{160, 32}},
		kindSocket + kinds:  {size: 24, xattr: field{160, 32}},
	},
}

// inode is what the package wants to know of one, of any version.
type inode struct {
	ref      uint64 // place in the inode table
	number   uint32
	kind     int // basic
	mode     fs.FileMode
	uid, gid uint32
	mtime    int64
	start    int64 // of a file's blocks in the image, of a listing's metadata block in the directory table
	offset   uint32
	length   int64
	fragment uint32
	dev      *artifact.Device
	target   string
	xattr    uint32
	indexes  int
	rest     cursor // at what is behind the fixed part and a link's target: a file's block sizes, a directory's index
	problems []artifact.Problem
}

// position splits a reference into the metadata block's place in its table and the offset in it.
func position(ref uint64) (at int64, off int) { return int64(ref >> 16), int(ref & 0xffff) }

// inode reads the inode at ref.
func (r *Reader) inode(ref uint64) (*inode, error) {
	at, off := position(ref)
	at += r.super.inodeTable
	what := func(text string, args ...any) error {
		return r.damaged(at, 0, "inode %d of the metadata block at %#x: "+text, append([]any{off, at}, args...)...)
	}
	if off >= metaSize {
		return nil, what("offset >= %d", metaSize)
	}
	big, base := r.super.big, &baseLayouts[r.super.major]
	c := r.cursorAt(at, off)
	b, err := c.take(base.size)
	if err != nil {
		return nil, err
	}
	i := &inode{ref: ref, number: uint32(base.num.of(b, big)), mtime: int64(base.mtime.of(b, big)), fragment: noIndex, xattr: noIndex}
	kind := int(base.kind.of(b, big))
	uid, gid := uint32(base.uid.of(b, big)), uint32(base.gid.of(b, big))
	perm := base.mode.of(b, big)
	if r.super.major == 1 {
		// Version 1 has 16 uids for each of three ranges of kinds, and kind 0 for what is left.
		if kind == 0 {
			x, err := r.cursorAt(at, off).take(inodeLayouts[1][kindFIFO].size)
			if err != nil {
				return nil, err
			}
			kind = int(field{24, 4}.of(x, big))
			uid += 16 * uint32(field{28, 4}.of(x, big))
		} else {
			uid += 16 * uint32((kind-1)/5)
			kind = (kind-1)%5 + 1
		}
	}
	if kind < 1 || kind >= len(inodeLayouts[0]) || inodeLayouts[r.super.major][kind].size == 0 {
		return nil, what("kind %d", kind)
	}
	l := &inodeLayouts[r.super.major][kind]
	if i.kind = kind; kind > kinds {
		i.kind -= kinds
	}
	i.mode = kindModes[i.kind] | permissions(perm)
	if i.uid, err = r.id(r.uids, uid); err != nil {
		i.complain(err)
	}
	if i.gid = i.uid; gid != base.sameGID {
		if i.gid, err = r.id(r.gids, gid); err != nil {
			i.complain(err)
		}
	}

	rest, err := c.take(l.size - base.size)
	if err != nil {
		return nil, err
	}
	b = append(append(make([]byte, 0, l.size), b...), rest...)
	get := func(f field) uint64 { return f.of(b, big) }
	if l.mtime.width != 0 {
		i.mtime = int64(get(l.mtime))
	}
	i.start, i.offset = int64(min(get(l.start), 1<<62)), uint32(get(l.offset))
	if i.length = int64(get(l.length)); i.length < 0 {
		return nil, what("%d bytes", uint64(i.length))
	}
	if l.fragment.width != 0 {
		i.fragment = uint32(get(l.fragment))
	}
	if l.xattr.width != 0 {
		i.xattr = uint32(get(l.xattr))
	}
	switch i.kind {
	case kindDir:
		if r.super.major >= 3 {
			i.length = max(0, i.length-3) // counts "." and "..", which are not stored
		}
		i.indexes = int(get(l.indexes))
	case kindSymlink:
		const longest = 1 << 16 // Linux takes a page
		if i.length > longest {
			return nil, what("link of %d bytes > %d", i.length, longest)
		}
		t, err := c.take(int(i.length))
		if err != nil {
			return nil, err
		}
		i.target = string(t)
		if kind == kindSymlink+kinds {
			if t, err = c.take(4); err == nil {
				i.xattr = r.super.order().Uint32(t)
			}
		}
	case kindBlock, kindChar:
		i.dev = device(uint32(get(l.rdev)), r.super.major)
	}
	i.rest = *r.cursorAt(c.at, c.off) // without the block, which would stay in memory
	return i, nil
}

// behind returns a cursor at the end of inode i.
func (r *Reader) behind(i *inode) (*cursor, error) {
	c := i.rest
	if i.kind == kindFile {
		f := r.openFile(i)
		return &c, c.skip((f.inBlocks() + r.super.blockSize - 1) / r.super.blockSize * int64(f.width()))
	}
	size := field{96 - 32, 32}
	switch r.super.major {
	case 3:
		size = field{64, 8}
	case 2:
		size = field{56, 8}
	}
	for range i.indexes {
		b, err := c.take(int(size.bit+size.width) / 8)
		if err != nil {
			return nil, err
		}
		if err := c.skip(int64(size.of(b, r.super.big)) + 1); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

func (i *inode) complain(err error) { i.problems = append(i.problems, problem(err)) }

// permissions turns the low 12 bits of a Unix mode into Go's.
func permissions(m uint64) fs.FileMode {
	mode := fs.FileMode(m & 0o777)
	for i, bit := range []fs.FileMode{fs.ModeSticky, fs.ModeSetgid, fs.ModeSetuid} {
		if m>>(9+i)&1 != 0 {
			mode |= bit
		}
	}
	return mode
}

// device splits a device number as Linux encodes it: 8 and 8 bits before 4.0, then 12 and 20.
func device(rdev uint32, version int) *artifact.Device {
	if version < 4 {
		return &artifact.Device{Major: rdev >> 8, Minor: rdev & 0xff}
	}
	return &artifact.Device{Major: rdev >> 8 & 0xfff, Minor: rdev&0xff | rdev>>12&0xfff00}
}

func (r *Reader) id(t table, i uint32) (uint32, error) {
	b, err := r.item(t, i)
	if err != nil {
		return 0, err
	}
	return r.super.order().Uint32(b), nil
}
