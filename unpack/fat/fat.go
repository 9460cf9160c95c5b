// Package fat reads FAT12, FAT16 and FAT32 file systems with long names.
//
// The specification is Microsoft's "FAT: General Overview of On-Disk Format", 1.03
// (https://download.microsoft.com/download/1/6/1/161ba512-40e2-4cc9-843a-923143f3456c/fatgen103.doc)
// and ECMA-107. Not read: deleted files, exFAT, and file systems on sectors that another program moved
// (GEM, compressed volumes).
package fat

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is FAT.
var Format = format.Format{
	Name:  "fat",
	Title: "FAT12, FAT16 or FAT32",
	Kind:  format.Filesystem,
	Magics: []format.Magic{
		{Bytes: "FAT12   ", Off: 54},
		{Bytes: "FAT16   ", Off: 54},
		{Bytes: "FAT     ", Off: 54},
		{Bytes: "FAT32   ", Off: 82},
		{Bytes: "\x55\xaa", Off: 510, Start: true}, // the names above are for people, and optional
	},
	Refs: []format.Ref{
		{Title: "Microsoft, FAT: General Overview of On-Disk Format 1.03", URL: "https://download.microsoft.com/download/1/6/1/161ba512-40e2-4cc9-843a-923143f3456c/fatgen103.doc"},
		{Title: "ECMA-107, Volume and file structure of disk cartridges", URL: "https://ecma-international.org/publications-and-standards/standards/ecma-107/"},
	},
	Limits: []string{"Deleted files are not looked for.", "Short names keep the bytes of their code page."},
	Open:   func(src format.Source) (format.Chunk, error) { return newReader(src) },
}

// Reader reads one file system. It is safe for concurrent use, but for Entries.
type Reader struct {
	volume
	src    format.Source
	label  artifact.Attr // of the root directory
	budget int64         // clusters of directories that may still be read
}

// NewReader returns a reader of the file system at offset 0 of r, which has size bytes. The error
// wraps [format.ErrFormat] if there is none.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	return newReader(format.Source{SectionReader: io.NewSectionReader(r, 0, size)})
}

func newReader(src format.Source) (*Reader, error) {
	v, err := readVolume(src)
	if err != nil {
		return nil, err
	}
	return &Reader{volume: v, src: src}, nil
}

// Size returns the size that the boot sector declares, or that of what is there if it is cut off.
func (r *Reader) Size() int64 { return min(r.src.Size(), r.size) }

// maxPath bounds paths: directories that hang below each other without an end would make them grow so.
const maxPath = 1 << 16

// Entries yields the files, depth first in the order that directories store.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if r.size > r.src.Size() {
			if !yield(format.Entry{}, format.Errorf(artifact.Truncated, r.src.Size(), "fat: %d bytes, %d left", r.size, r.src.Size())) {
				return
			}
		}
		r.budget = 2*r.clusters + 1<<10
		seen := map[uint32]bool{0: true, r.root: true}
		stack, paths := [][]dirent{nil}, []string{""}
		var errs []error
		stack[0], errs = r.directory(0, true)
		for {
			for _, err := range errs {
				if !yield(format.Entry{}, err) {
					return
				}
			}
			errs = nil
			top := len(stack) - 1
			for top >= 0 && len(stack[top]) == 0 {
				stack, paths = stack[:top], paths[:top]
				top--
			}
			if top < 0 {
				r.readTables()
				return
			}
			d := stack[top][0]
			stack[top] = stack[top][1:]
			path := paths[top] + d.name
			if !yield(r.entry(path, d), nil) {
				return
			}
			if d.attrs&attrDirectory == 0 {
				continue
			}
			switch {
			case seen[d.cluster]:
				errs = []error{format.Errorf(artifact.Damaged, d.off, "fat: directory %q at %#x: cluster %d is a directory already", path, d.off, d.cluster)}
			case len(path) > maxPath:
				errs = []error{format.Errorf(artifact.Limit, d.off, "fat: path of %d bytes", len(path))}
			default:
				seen[d.cluster] = true
				var list []dirent
				list, errs = r.directory(d.cluster, false)
				stack, paths = append(stack, list), append(paths, path+"/")
			}
		}
	}
}

func (r *Reader) entry(path string, d dirent) format.Entry {
	e := format.Entry{Path: path, ModTime: format.DOSTime(d.date, d.clock)}
	if d.attrs&attrDirectory != 0 {
		e.Mode = fs.ModeDir
		return e
	}
	e.Size = int64(d.size)
	if w, ok := r.window(d); ok {
		e.Window = &w
		return e
	}
	e.Open = func() (io.Reader, error) {
		return &file{r: r, c: r.chain(d.cluster), left: int64(d.size)}, nil
	}
	return e
}

// window returns where the content stands if it does so in one piece.
func (r *Reader) window(d dirent) (artifact.Range, bool) {
	if d.size == 0 {
		return artifact.Range{}, true
	}
	w := artifact.Range{Off: r.offset(d.cluster), Len: int64(d.size)}
	c := r.chain(d.cluster)
	for done := int64(0); done < w.Len; done += r.cluster {
		n, err := c.next()
		if err != nil || r.offset(n) != w.Off+done {
			return w, false
		}
	}
	return w, w.Within(r.src.Size())
}

// file reads the content of a file along its chain.
type file struct {
	r    *Reader
	c    *chain
	at   int64 // next byte, and how many follow it in the cluster
	room int64
	left int64
}

func (f *file) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	if f.room == 0 {
		n, err := f.c.next()
		if errors.Is(err, io.EOF) {
			err = format.Errorf(artifact.Damaged, f.at, "fat: chain of cluster %d ends %d bytes early", f.c.first, f.left)
		}
		if err != nil {
			return 0, err
		}
		f.at, f.room = f.r.offset(n), f.r.cluster
	}
	n, err := f.r.src.ReadAt(p[:min(int64(len(p)), f.room, f.left)], f.at)
	f.at, f.room, f.left = f.at+int64(n), f.room-int64(n), f.left-int64(n)
	if n == 0 && err != nil {
		return 0, format.Errorf(artifact.Truncated, f.at, "fat: cluster at %#x: %v", f.at, err)
	}
	return n, nil
}

// Describe tells what the boot sector says.
func (r *Reader) Describe() []artifact.Attr {
	at := artifact.Range{Off: 11, Len: 25}
	attrs := []artifact.Attr{{Name: "version", Value: fmt.Sprintf("FAT%d", r.bits), At: at}}
	if r.oem.Value != "" {
		attrs = append(attrs, r.oem)
	}
	if r.serial.Value != "" {
		attrs = append(attrs, r.serial)
	}
	if r.label.Value != "" {
		attrs = append(attrs, r.label)
	}
	return attrs
}
