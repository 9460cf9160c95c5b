package squashfs

import (
	"sync"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// xattrs reads extended attributes, of 4.0 only. Inodes name a set of them by its index.
type xattrs struct {
	r     *Reader
	start int64 // of the metadata blocks that hold names and values
	table table

	mu   sync.Mutex
	sets map[uint32]xattrSet
	used int64
}

type xattrSet struct {
	attrs []artifact.Xattr
	err   error
}

// The namespaces of names, by the low byte of an attribute's type.
var xattrPrefixes = []string{"user.", "trusted.", "security."}

const (
	outOfLine   = 0x100    // flag of an attribute's type: the value is a reference to where it stands
	maxValue    = 1 << 16  // of a value in bytes (Linux, XATTR_SIZE_MAX)
	maxXattrs   = 16 << 20 // of all sets in bytes, against sets that share large values
	overhead    = 64       // of an attribute in memory, beside its name and value
	xattrHeader = 16
)

// openXattrs reads where the attributes and their index are.
func (r *Reader) openXattrs() *xattrs {
	at := r.super.xattrTable
	if at == noTable {
		return nil
	}
	x := &xattrs{r: r, sets: map[uint32]xattrSet{}, table: table{what: "xattr"}}
	var b [xattrHeader]byte
	if r.read(b[:], at, "xattr table") == nil { // else no set will be found
		x.start = offset(b[:8], r.super.big)
		x.table = table{"xattr", at + xattrHeader, r.super.order().Uint32(b[8:]), 16, 8}
	}
	return x
}

// of returns set i. What could be read of a damaged one comes with the error.
func (x *xattrs) of(i uint32) ([]artifact.Xattr, error) {
	if x == nil || i == noIndex {
		return nil, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	set, ok := x.sets[i]
	if !ok {
		set.attrs, set.err = x.read(i)
		x.sets[i] = set
	}
	return set.attrs, set.err
}

func (x *xattrs) read(i uint32) (set []artifact.Xattr, err error) {
	b, err := x.r.item(x.table, i)
	if err != nil {
		return nil, err
	}
	order := x.r.super.order()
	c := x.cursor(order.Uint64(b))
	for range order.Uint32(b[8:]) {
		h, err := c.take(4)
		if err != nil {
			return set, err
		}
		kind, size := order.Uint16(h), int(order.Uint16(h[2:]))
		if int(kind&0xff) >= len(xattrPrefixes) || size > maxName {
			return set, x.r.damaged(c.at, 0, "xattr in the metadata block at %#x: type %#x, name of %d bytes", c.at, kind, size)
		}
		name, err := c.take(size)
		if err != nil {
			return set, err
		}
		full := xattrPrefixes[kind&0xff] + string(name)
		value, err := x.value(c, kind&outOfLine != 0)
		if err != nil {
			return set, err
		}
		if x.used += int64(len(full) + len(value) + overhead); x.used > maxXattrs {
			return set, format.Errorf(artifact.Limit, c.at, "squashfs: xattrs of more than %d bytes", maxXattrs)
		}
		set = append(set, artifact.Xattr{Name: full, Value: append([]byte(nil), value...)})
	}
	return set, nil
}

func (x *xattrs) cursor(ref uint64) *cursor {
	at, off := position(ref)
	return x.r.cursorAt(x.start+at, off)
}

// value reads the value at c, or the one that c refers to.
func (x *xattrs) value(c *cursor, elsewhere bool) ([]byte, error) {
	b, err := c.take(4)
	if err != nil {
		return nil, err
	}
	if elsewhere {
		if b, err = c.take(8); err != nil {
			return nil, err
		}
		c = x.cursor(x.r.super.order().Uint64(b))
		if b, err = c.take(4); err != nil {
			return nil, err
		}
	}
	n := x.r.super.order().Uint32(b)
	if n > maxValue {
		return nil, x.r.damaged(c.at, 0, "xattr in the metadata block at %#x: value of %d bytes > %d", c.at, n, maxValue)
	}
	return c.take(int(n))
}
