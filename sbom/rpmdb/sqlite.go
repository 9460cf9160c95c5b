package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"hallmark/artifact"
)

const (
	sqliteMagic  = "SQLite format 3\x00"
	sqliteHeader = 100 // bytes before the b-tree header of page 1

	interiorTable = 0x05
	leafTable     = 0x0d

	maxBlob = 32 << 20 // bytes of a row; rpm's own limit is 256 MiB
)

// sqlite is a database file. Every page is used at most once, so work and memory are linear in the
// size of the file, whatever its pages point at.
type sqlite struct {
	r      io.ReaderAt
	page   int64 // bytes of a page
	usable int   // bytes of it that b-trees use
	used   []bool
}

func openSQLite(r io.ReaderAt, size int64) (*sqlite, error) {
	h := make([]byte, sqliteHeader)
	if _, err := r.ReadAt(h, 0); err != nil || string(h[:16]) != sqliteMagic {
		return nil, errors.New("no SQLite header")
	}
	db := &sqlite{r: r, page: int64(binary.BigEndian.Uint16(h[16:]))}
	if db.page == 1 {
		db.page = 64 << 10
	}
	db.usable = int(db.page) - int(h[20])
	if db.page < 512 || db.page&(db.page-1) != 0 || db.usable < 480 {
		return nil, fmt.Errorf("pages of %d bytes, %d of them reserved", db.page, h[20])
	}
	db.used = make([]bool, size/db.page+1)
	return db, nil
}

// read returns page no, which counts from 1, the first time that it is asked for.
func (db *sqlite) read(no uint32) ([]byte, error) {
	if no == 0 || int64(no) >= int64(len(db.used)) {
		return nil, fmt.Errorf("page %d is none of the %d", no, len(db.used)-1)
	}
	if db.used[no] {
		return nil, fmt.Errorf("page %d is used twice", no)
	}
	db.used[no] = true
	b := make([]byte, db.page)
	if _, err := db.r.ReadAt(b, int64(no-1)*db.page); err != nil {
		return nil, fmt.Errorf("page %d: %w", no, err)
	}
	return b[:db.usable], nil
}

// payload is the bytes of a row and where they stand in the file.
type payload struct {
	data  []byte
	parts []part
}

type part struct {
	at  int // in data
	off int64
}

// locate returns where the bytes [from, to) stand: all of them, or those in the first page.
func (p *payload) locate(from, to int) artifact.Range {
	for i := len(p.parts) - 1; i >= 0; i-- {
		if x := p.parts[i]; x.at <= from {
			if i+1 < len(p.parts) {
				to = min(to, p.parts[i+1].at)
			}
			return artifact.Range{Off: x.off + int64(from-x.at), Len: int64(to - from)}
		}
	}
	return artifact.Range{}
}

// rows calls visit with each row of the table whose root is page root, in order, until it returns
// false, and fault with what could not be read.
func (db *sqlite) rows(root uint32, visit func(*payload) bool, fault func(error)) {
	todo := []uint32{root}
	for len(todo) > 0 {
		no := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		b, err := db.read(no)
		if err != nil {
			fault(err)
			continue
		}
		head := 0
		if no == 1 {
			head = sqliteHeader
		}
		cells := int(binary.BigEndian.Uint16(b[head+3:]))
		switch b[head] {
		case interiorTable:
			at := head + 12
			if at+2*cells > len(b) {
				fault(fmt.Errorf("page %d: %d cells do not fit", no, cells))
				continue
			}
			todo = append(todo, binary.BigEndian.Uint32(b[head+8:]))
			for i := cells - 1; i >= 0; i-- {
				cell := int(binary.BigEndian.Uint16(b[at+2*i:]))
				if cell+4 > len(b) {
					fault(fmt.Errorf("page %d: cell at %#x", no, cell))
					continue
				}
				todo = append(todo, binary.BigEndian.Uint32(b[cell:]))
			}
		case leafTable:
			if !db.leaf(no, b, head+8, cells, visit, fault) {
				return
			}
		default:
			fault(fmt.Errorf("page %d: type %#x is no page of a table", no, b[head]))
		}
	}
}

// leaf visits the rows of leaf page no, whose cell pointers stand at.
func (db *sqlite) leaf(no uint32, b []byte, at, cells int, visit func(*payload) bool, fault func(error)) bool {
	if at+2*cells > len(b) {
		fault(fmt.Errorf("page %d: %d cells do not fit", no, cells))
		return true
	}
	room := len(b)
	for i := range cells {
		cell := int(binary.BigEndian.Uint16(b[at+2*i:]))
		p, local, err := db.cell(no, b, cell)
		if room -= local; room < 0 {
			fault(fmt.Errorf("page %d: cells overlap", no))
			return true
		}
		if err != nil {
			fault(fmt.Errorf("page %d: cell at %#x: %w", no, cell, err))
			continue
		}
		if !visit(p) {
			return false
		}
	}
	return true
}

// cell returns the payload of the cell at off of leaf page no, and how many bytes of it stand in
// the page. https://www.sqlite.org/fileformat2.html#b_tree_pages, "cell payload overflow".
func (db *sqlite) cell(no uint32, b []byte, off int) (*payload, int, error) {
	if off > len(b) {
		return nil, 0, errors.New("outside of the page")
	}
	size, n := varint(b[off:])
	_, m := varint(b[off+n:]) // the row's id
	if n == 0 || m == 0 || size > maxBlob {
		return nil, 0, fmt.Errorf("row of %d bytes", size)
	}
	off += n + m
	length, local := int(size), int(size)
	if most := db.usable - 35; length > most {
		least := (db.usable-12)*32/255 - 23
		if local = least + (length-least)%(db.usable-4); local > most {
			local = least
		}
	}
	rest := 0 // of the cell: the number of the first overflow page
	if local < length {
		rest = 4
	}
	if off+local+rest > len(b) {
		return nil, 0, fmt.Errorf("%d bytes do not fit", local)
	}
	p := &payload{b[off : off+local : off+local], []part{{0, int64(no-1)*db.page + int64(off)}}}
	if rest == 0 {
		return p, local, nil
	}
	for next := binary.BigEndian.Uint32(b[off+local:]); len(p.data) < length; {
		b, err := db.read(next)
		if err != nil {
			return nil, local, err
		}
		p.parts = append(p.parts, part{len(p.data), int64(next-1)*db.page + 4})
		p.data = append(p.data, b[4:4+min(len(b)-4, length-len(p.data))]...)
		next = binary.BigEndian.Uint32(b)
	}
	return p, local, nil
}

// varint reads a big-endian number of 7 bits a byte, 8 in the ninth. It takes 0 bytes if b ends.
func varint(b []byte) (v uint64, n int) {
	for n < len(b) && n < 8 {
		v = v<<7 | uint64(b[n]&0x7f)
		if n++; b[n-1] < 0x80 {
			return v, n
		}
	}
	if n < 8 || len(b) < 9 {
		return 0, 0
	}
	return v<<8 | uint64(b[8]), 9
}

// column is a value of a row: what stands at [from, to) of its payload, as serial type kind says.
type column struct {
	kind     uint64
	from, to int
}

// width has the bytes of the serial types below 12.
var width = [12]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8}

// columns returns the first values of the record b, at most want.
func columns(b []byte, want int) ([]column, error) {
	end, n := varint(b)
	if n == 0 || end > uint64(len(b)) {
		return nil, errors.New("record header does not fit")
	}
	var out []column
	at := int(end)
	for n < int(end) && len(out) < want {
		kind, m := varint(b[n:end])
		if n += m; m == 0 {
			break
		}
		size := uint64(0)
		if kind >= 12 {
			size = (kind - 12) / 2
		} else {
			size = uint64(width[kind])
		}
		if size > uint64(len(b)-at) {
			return nil, fmt.Errorf("column of %d bytes does not fit", size)
		}
		out = append(out, column{kind, at, at + int(size)})
		at += int(size)
	}
	if len(out) < want {
		return nil, fmt.Errorf("%d columns, want %d", len(out), want)
	}
	return out, nil
}

// table returns the root page of the table called name.
func (db *sqlite) table(name string, fault func(error)) (root uint32, ok bool) {
	db.rows(1, func(p *payload) bool {
		c, err := columns(p.data, 4) // type, name, tbl_name, rootpage
		if err != nil {
			fault(fmt.Errorf("schema: %w", err))
			return true
		}
		if string(p.data[c[0].from:c[0].to]) != "table" || string(p.data[c[1].from:c[1].to]) != name || c[3].kind > 4 {
			return true
		}
		for _, x := range p.data[c[3].from:c[3].to] {
			root = root<<8 | uint32(x)
		}
		if c[3].kind == 9 {
			root = 1
		}
		ok = true
		return false
	}, fault)
	return root, ok
}
