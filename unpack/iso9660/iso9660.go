// Package iso9660 reads CD-ROM file systems.
//
// The format is ECMA-119 (https://ecma-international.org/publications-and-standards/standards/ecma-119/) with
// Joliet for long names, and the System Use Sharing Protocol and Rock Ridge (IEEE P1281, P1282) for what Unix
// has: names, owners, modes, links, devices, times and relocated directories. Files of several extents and
// zisofs compression are read. Of the trees that an image may have, one is yielded: that of Rock Ridge, else of
// Joliet, else the plain one. Boot images of El Torito
// (https://pdos.csail.mit.edu/6.828/2018/readings/boot-cdrom.pdf) are yielded by themselves.
//
// Not read: interleaved files, associated files (resource forks), and images of raw sectors of 2352 bytes.
package iso9660

import (
	"bytes"
	"encoding/binary"
	"io"
	"iter"
	"strings"
	"unicode/utf16"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is ISO 9660 to the unpacker.
var Format = format.Format{
	Name:   "iso9660",
	Title:  "ISO 9660 with Rock Ridge or Joliet",
	Kind:   format.Filesystem,
	Magics: []format.Magic{{Bytes: "\x01CD001\x01", Off: systemArea}},
	Refs: []format.Ref{
		{Title: "ECMA-119, volume and file structure of CDROM", URL: "https://ecma-international.org/publications-and-standards/standards/ecma-119/"},
		{Title: "El Torito, bootable CD-ROM format specification", URL: "https://pdos.csail.mit.edu/6.828/2018/readings/boot-cdrom.pdf"},
		{Title: "System Use Sharing Protocol and Rock Ridge", URL: "https://www.ymi.com/ymi/sites/default/files/pdf/Rockridge.pdf"},
	},
	Limits: []string{
		"Only one of an image's trees is yielded.",
		"Interleaved and associated files are not read.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return newReader(src) },
}

const (
	systemArea     = 16 * sector // before the volume descriptors
	sector         = 2048
	maxDescriptors = 64
)

// Reader reads one volume. It is safe for concurrent use, but for Entries.
type Reader struct {
	src    format.Source
	block  int64
	blocks int64
	root   record
	tree   string // "rock ridge", "joliet", "plain"
	skip   int    // bytes before the system use entries, by SP
	attrs  []artifact.Attr
	trees  []record // roots of the others
	tables []tables
	boot   int64 // block of the boot catalogue, 0 if there is none
	budget int64 // bytes of directories that may still be read
}

// NewReader returns a reader of the volume at offset 0 of r, which has size bytes. The error wraps
// [format.ErrFormat] if there is none.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	return newReader(format.Source{SectionReader: io.NewSectionReader(r, 0, size)})
}

// newReader reads volume descriptors:
//
//	0 type (1), 1 "CD001", 7 flags (1), 8 system (32), 40 volume (32), 80 blocks, 88 escape sequences (32), 128 block size (2),
//	156 record of the root (34), 318 publisher (128), 446 preparer (128), 574 application (128), 813 creation (17)
//
// Numbers stand there in both byte orders, little-endian first.
func newReader(src format.Source) (*Reader, error) {
	var joliet *record
	r := &Reader{src: src}
	for i := range int64(maxDescriptors) {
		at := systemArea + i*sector
		b := make([]byte, sector)
		if n, _ := src.ReadAt(b, at); n < sector || string(b[1:6]) != "CD001" || b[0] == 255 {
			break
		}
		switch root, err := parseRecord(b[156:190], at+156); {
		case b[0] == 1 && i == 0:
			r.block, r.blocks = int64(binary.LittleEndian.Uint16(b[128:])), int64(binary.LittleEndian.Uint32(b[80:]))
			both := binary.BigEndian.Uint16(b[130:]) == uint16(r.block) && binary.BigEndian.Uint32(b[84:]) == uint32(r.blocks)
			if err != nil || !both || r.block < 512 || r.block > sector || r.block&(r.block-1) != 0 || r.blocks*r.block <= systemArea || root.flags&flagDirectory == 0 {
				return nil, format.Not("iso9660: primary volume descriptor: %d blocks of %d bytes, root %v", r.blocks, r.block, err)
			}
			r.root, r.tree = root, "plain"
			r.tables = append(r.tables, tablesOf(b))
			r.describe(b, at)
		case i == 0:
			return nil, format.Not("iso9660: first volume descriptor is of type %d", b[0])
		case b[0] == 2 && err == nil && isJoliet(b[88:]) && joliet == nil:
			joliet = &root
			r.tables = append(r.tables, tablesOf(b))
		case b[0] == 0 && bytes.HasPrefix(b[7:], []byte("EL TORITO SPECIFICATION")):
			r.attrs = append(r.attrs, artifact.Attr{Name: "boot", Value: "El Torito", At: artifact.Range{Off: at + 7, Len: 23}})
			r.boot = int64(binary.LittleEndian.Uint32(b[71:]))
		}
	}
	if r.tree == "" {
		return nil, format.Not("iso9660: no primary volume descriptor")
	}
	r.budget = sector
	first, _ := r.directory(r.root, 1)
	switch rock := len(first) > 0 && r.rockRidge(first[0]); {
	case rock:
		r.tree = "rock ridge"
		if joliet != nil {
			r.trees = append(r.trees, *joliet)
		}
	case joliet != nil:
		r.trees = append(r.trees, r.root)
		r.root, r.tree = *joliet, "joliet"
	}
	return r, nil
}

// isJoliet reports whether b begins with the escape sequence of a level of UCS-2.
func isJoliet(b []byte) bool {
	return string(b[:2]) == "%/" && (b[2] == '@' || b[2] == 'C' || b[2] == 'E')
}

func (r *Reader) describe(b []byte, at int64) {
	for _, f := range []struct {
		name    string
		off, to int
	}{{"system", 8, 40}, {"volume", 40, 72}, {"publisher", 318, 446}, {"preparer", 446, 574}, {"application", 574, 702}, {"created", 813, 829}} {
		if v := strings.TrimRight(string(b[f.off:f.to]), " \x00"); v != "" && strings.Trim(v, "0") != "" {
			r.attrs = append(r.attrs, artifact.Attr{Name: f.name, Value: v, At: artifact.Range{Off: at + int64(f.off), Len: int64(f.to - f.off)}})
		}
	}
}

// Size returns the size that the primary volume descriptor declares, or that of what is there if it is cut off.
func (r *Reader) Size() int64 { return min(r.src.Size(), r.blocks*r.block) }

// Describe tells what the volume descriptors say.
func (r *Reader) Describe() []artifact.Attr {
	return append([]artifact.Attr{{Name: "tree", Value: r.tree, At: artifact.Range{Off: r.root.off, Len: 34}}}, r.attrs...)
}

// maxPath bounds paths: directories that hang below each other without an end would make them grow so.
const maxPath = 1 << 16

// Entries yields the files below the root, depth first in the order that directories store. The root itself is not yielded.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if missing := r.blocks*r.block - r.src.Size(); missing > 0 {
			if !yield(format.Entry{}, format.Errorf(artifact.Truncated, r.src.Size(), "iso9660: %d bytes, %d left", r.blocks*r.block, r.src.Size())) {
				return
			}
		}
		r.budget = 64<<10 + 4*r.src.Size()
		seen := map[uint32]bool{r.root.extent: true}
		first := map[link]string{}
		list, err := r.directory(r.root, 0)
		if err != nil && !yield(format.Entry{}, err) {
			return
		}
		stack, paths := [][]record{list}, []string{""}
		for len(stack) > 0 {
			top := len(stack) - 1
			if len(stack[top]) == 0 {
				stack, paths = stack[:top], paths[:top]
				continue
			}
			d := stack[top][0]
			count := 1 // of records of the same file
			for d.flags&flagMore != 0 && count < len(stack[top]) {
				d.more = append(d.more, stack[top][count])
				d.flags = stack[top][count].flags
				count++
			}
			stack[top] = stack[top][count:]
			if d.name == "\x00" || d.name == "\x01" {
				continue
			}
			n, err := r.node(d)
			if err != nil && !yield(format.Entry{}, err) {
				return
			}
			if n.relocated {
				continue
			}
			path := paths[top] + n.name
			if !yield(r.entry(path, n, first), nil) {
				return
			}
			if n.flags&flagDirectory == 0 {
				continue
			}
			var list []record
			err = nil
			switch {
			case seen[n.extent]:
				err = fault(n.off, "directory %q: block %d has another name already", path, n.extent)
			case len(path) > maxPath:
				err = format.Errorf(artifact.Limit, n.off, "iso9660: path of %d bytes", len(path))
			default:
				list, err = r.directory(n.record, 0)
			}
			seen[n.extent] = true
			if err != nil && !yield(format.Entry{}, err) {
				return
			}
			stack, paths = append(stack, list), append(paths, path+"/")
		}
		for _, root := range r.trees {
			r.visit(root)
		}
		for _, t := range r.tables {
			r.readTables(t)
		}
		r.bootImages(yield)
	}
}

func fault(off int64, text string, args ...any) error {
	return format.Errorf(artifact.Damaged, off, "iso9660: "+text, args...)
}

// Flags of a record.
const (
	flagDirectory  = 0x2
	flagAssociated = 0x4
	flagMore       = 0x80 // the next record goes on with the same file
)

// record is a directory record.
type record struct {
	off          int64 // of the record
	extent, size uint32
	lead         byte // blocks of extended attributes before the data
	date         []byte
	flags        byte
	gap          bool // interleaved
	name         string
	use          []byte // system use area
	more         []record
}

// parseRecord reads
//
//	0 length (1), 1 blocks of extended attributes (1), 2 block, 10 bytes, 18 date (7), 25 flags (1), 26 unit (1), 27 gap (1),
//	32 length of name (1), 33 name, padded to even, and then what systems use
func parseRecord(b []byte, off int64) (record, error) {
	n := int(b[0])
	if n < 34 || n > len(b) || 33+int(b[32]) > n {
		return record{}, fault(off, "record at %#x: %d bytes with a name of %d, %d left", off, n, b[32], len(b))
	}
	le, be := binary.LittleEndian, binary.BigEndian
	d := record{off: off, extent: le.Uint32(b[2:]), size: le.Uint32(b[10:]), lead: b[1], date: b[18:25], flags: b[25], gap: b[26] != 0 || b[27] != 0, name: string(b[33 : 33+int(b[32])])}
	// Some writers leave the big-endian half empty; where both are there they must agree.
	if e := be.Uint32(b[6:]); e != d.extent && e != 0 {
		return record{}, fault(off, "record at %#x: block %d or %d", off, d.extent, e)
	}
	if use := 33 + (int(b[32]) | 1); use < n {
		d.use = b[use:n]
	}
	return d, nil
}

// directory returns the records of a directory, at most limit if that is not 0. They do not cross sectors.
func (r *Reader) directory(dir record, limit int) (list []record, err error) {
	at := (int64(dir.extent) + int64(dir.lead)) * r.block
	for left := int64(dir.size); left > 0; left, at = left-sector, at+sector {
		if r.budget -= sector; r.budget < 0 {
			return list, format.Errorf(artifact.Limit, at, "iso9660: directories share their blocks")
		}
		b, rerr := format.ReadAt(r.src, at, min(sector, left), "iso9660: directory")
		if rerr != nil {
			return list, rerr
		}
		for pos := 0; pos+34 <= len(b) && b[pos] != 0; pos += int(b[pos]) {
			d, perr := parseRecord(b[pos:], at+int64(pos))
			if perr != nil {
				err = perr
				break
			}
			list = append(list, d)
			if len(list) == limit {
				return list, err
			}
		}
	}
	return list, err
}

// plainName returns a name without its version and without the dot of an empty extension.
func (r *Reader) plainName(s string) string {
	if r.tree == "joliet" {
		u := make([]uint16, len(s)/2)
		for i := range u {
			u[i] = uint16(s[2*i])<<8 | uint16(s[2*i+1])
		}
		s = string(utf16.Decode(u))
	}
	if i := strings.LastIndexByte(s, ';'); i > 0 && strings.Trim(s[i+1:], "0123456789") == "" {
		s = s[:i]
	}
	if r.tree == "joliet" || len(s) == 1 {
		return s
	}
	return strings.TrimSuffix(s, ".")
}
