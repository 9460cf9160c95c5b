// Package exfat reads exFAT, the file system of SD cards over 32 GB.
//
// The specification is Microsoft's (https://learn.microsoft.com/windows/win32/fileio/exfat-specification).
// Not read: deleted files, the second FAT of TexFAT, and vendor extensions, which are passed over.
package exfat

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is exFAT to the unpacker.
var Format = format.Format{
	Name:   "exfat",
	Title:  "exFAT",
	Kind:   format.Filesystem,
	Magics: []format.Magic{{Bytes: magic, Off: 3}},
	Refs:   []format.Ref{{Title: "exFAT file system specification", URL: "https://learn.microsoft.com/windows/win32/fileio/exfat-specification"}},
	Limits: []string{"Deleted files are not looked for."},
	Open:   func(src format.Source) (format.Chunk, error) { return newReader(src) },
}

const (
	magic    = "EXFAT   "
	bootSize = 512
)

// Reader reads one volume. It is safe for concurrent use, but for Entries.
type Reader struct {
	src      format.Source
	size     int64
	sector   int64
	cluster  int64 // size of a cluster
	clusters uint32
	fat      int64
	heap     int64 // offset of cluster 2
	root     uint32
	serial   uint32
	label    string
	labelAt  int64
	budget   int64 // bytes of directories that may still be read
}

// NewReader returns a reader of the volume at offset 0 of r, which has size bytes. The error wraps
// [format.ErrFormat] if there is none.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	return newReader(format.Source{SectionReader: io.NewSectionReader(r, 0, size)})
}

// newReader reads the boot sector:
//
//	3 name (8), 11 zeros (53), 72 sectors (8), 80 sector of the FAT, 84 its length, 88 sector of the heap, 92 clusters, 96 root,
//	100 serial number, 106 flags (2), 108 log2 of sector, 109 log2 of sectors a cluster, 110 FATs, 510 signature (2)
func newReader(src format.Source) (*Reader, error) {
	b := make([]byte, bootSize)
	if n, _ := src.ReadAt(b, 0); n < bootSize || string(b[3:11]) != magic || b[510] != 0x55 || b[511] != 0xaa {
		return nil, format.Not("exfat: no boot sector")
	}
	for _, c := range b[11:64] {
		if c != 0 {
			return nil, format.Not("exfat: the parameters of FAT are there too")
		}
	}
	le := binary.LittleEndian
	u32 := func(off int) int64 { return int64(le.Uint32(b[off:])) }
	sectorBits, clusterBits := b[108], b[109]
	if sectorBits < 9 || sectorBits > 12 || clusterBits > 25-sectorBits || b[110] < 1 || b[110] > 2 {
		return nil, format.Not("exfat: sectors of 1 << %d, clusters of 1 << %d sectors, %d FATs", sectorBits, clusterBits, b[110])
	}
	sectors := le.Uint64(b[72:])
	r := &Reader{
		src: src, sector: 1 << sectorBits, cluster: 1 << (sectorBits + clusterBits), clusters: uint32(u32(92)),
		fat: u32(80) << sectorBits, heap: u32(88) << sectorBits, root: uint32(u32(96)), serial: uint32(u32(100)),
	}
	end := r.heap + int64(r.clusters)*r.cluster
	if sectors > 1<<48 || end > int64(sectors)<<sectorBits || r.fat < 24*r.sector || r.heap < r.fat+u32(84)<<sectorBits || u32(84)<<sectorBits < 4*int64(r.clusters) || !r.valid(r.root) {
		return nil, format.Not("exfat: %d sectors, FAT at %#x, %d clusters from %#x, root %d", sectors, r.fat, r.clusters, r.heap, r.root)
	}
	r.size = int64(sectors) << sectorBits
	return r, nil
}

func (r *Reader) valid(cluster uint32) bool { return cluster >= 2 && cluster-2 < r.clusters }

func (r *Reader) offset(cluster uint32) int64 { return r.heap + int64(cluster-2)*r.cluster }

// Size returns the size that the boot sector declares, or that of what is there if it is cut off.
func (r *Reader) Size() int64 { return min(r.src.Size(), r.size) }

// Describe tells what the boot sector and the root say.
func (r *Reader) Describe() []artifact.Attr {
	out := []artifact.Attr{
		{Name: "cluster", Value: fmt.Sprint(r.cluster), At: artifact.Range{Off: 108, Len: 2}},
		{Name: "serial", Value: fmt.Sprintf("%04x-%04x", r.serial>>16, r.serial&0xffff), At: artifact.Range{Off: 100, Len: 4}},
	}
	if r.label != "" {
		out = append(out, artifact.Attr{Name: "label", Value: r.label, At: artifact.Range{Off: r.labelAt, Len: 32}})
	}
	return out
}

// check compares the checksum of the boot region, 11 sectors, with the one that fills the twelfth.
func (r *Reader) check() error {
	b, err := format.ReadAt(r.src, 0, 12*r.sector, "exfat: boot region")
	if err != nil {
		return err
	}
	var sum uint32
	for i, c := range b[:11*r.sector] {
		if i != 106 && i != 107 && i != 112 { // flags and use of the volume change
			sum = (sum<<31 | sum>>1) + uint32(c)
		}
	}
	// A copy follows: what is the same in it is read, too.
	copied := make([]byte, len(b))
	if n, _ := format.Summed(r.src).ReadAt(copied, 12*r.sector); n == len(b) {
		copy(copied[106:108], b[106:108])
		copied[112] = b[112]
		if bytes.Equal(copied, b) {
			format.ReadAt(r.src, 12*r.sector, 12*r.sector, "")
		}
	}
	if want := binary.LittleEndian.Uint32(b[11*r.sector:]); sum != want {
		return format.Errorf(artifact.Checksum, 11*r.sector, "exfat: boot region: checksum %#x, want %#x", sum, want)
	}
	return nil
}

// maxPath bounds paths: directories that hang below each other without an end would make them grow so.
const maxPath = 1 << 16

// Entries yields the files below the root, depth first in the order that directories store. The root itself is not yielded.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if missing := r.size - r.src.Size(); missing > 0 {
			if !yield(format.Entry{}, format.Errorf(artifact.Truncated, r.src.Size(), "exfat: %d bytes, %d left", r.size, r.src.Size())) {
				return
			}
		}
		if err := r.check(); err != nil && !yield(format.Entry{}, err) {
			return
		}
		r.budget = 1<<20 + 2*r.src.Size()
		seen := map[uint32]bool{r.root: true}
		list, errs := r.directory(stream{first: r.root, size: -1})
		stack, paths := [][]entry{list}, []string{""}
		for {
			for _, err := range errs {
				if !yield(format.Entry{}, err) {
					return
				}
			}
			errs = nil
			top := len(stack) - 1
			if top < 0 {
				return
			}
			if len(stack[top]) == 0 {
				stack, paths = stack[:top], paths[:top]
				continue
			}
			d := stack[top][0]
			stack[top] = stack[top][1:]
			path := paths[top] + d.name
			if !yield(r.entry(path, d), nil) {
				return
			}
			if d.attributes&attrDirectory == 0 || d.size == 0 {
				continue
			}
			switch {
			case seen[d.first]:
				errs = []error{fault(d.off, "directory %q: cluster %d has another name already", path, d.first)}
				continue
			case len(path) > maxPath:
				errs = []error{format.Errorf(artifact.Limit, d.off, "exfat: path of %d bytes", len(path))}
				continue
			}
			seen[d.first] = true
			list, errs = r.directory(d.stream)
			stack, paths = append(stack, list), append(paths, path+"/")
		}
	}
}

func fault(off int64, text string, args ...any) error {
	return format.Errorf(artifact.Damaged, off, "exfat: "+text, args...)
}

func (r *Reader) entry(path string, d entry) format.Entry {
	e := format.Entry{Path: path, ModTime: d.mtime, Problems: d.problems}
	if d.attributes&attrDirectory != 0 {
		e.Mode = fs.ModeDir
		return e
	}
	e.Size = d.size
	w := artifact.Range{Off: r.offset(d.first), Len: d.size}
	switch {
	case d.size == 0:
		e.Window = &artifact.Range{}
	case r.valid(d.first) && d.written == d.size && (d.plain || d.size <= r.cluster) && w.Within(r.Size()):
		e.Window = &w
	default:
		e.Open = func() (io.Reader, error) {
			return io.MultiReader(&file{r: r, stream: d.stream, left: d.written, next: d.first}, io.LimitReader(zeros{}, d.size-d.written)), nil
		}
	}
	return e
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
