// Package cfb reads compound files: the file systems within a file that installers (MSI) and old
// documents of Microsoft are.
//
// Specification: [MS-CFB], https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb, and
// [MS-OLEPS] for the properties. How MSI packs names of streams is not specified; it is known
// from Wine, https://gitlab.winehq.org/wine/wine (dlls/msi/table.c).
//
// Every stream is a file, every storage a folder. The tables of an MSI come out as the streams
// that they are, their names decoded, with the sign ! before them. Not read: streams that no
// folder leads to, and range locks.
package cfb

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"sort"
	"strings"
	"unicode/utf16"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is CFB.
var Format = format.Format{
	Name:   "cfb",
	Title:  "Compound file (MSI, OLE)",
	Kind:   format.Archive,
	Magics: []format.Magic{{Bytes: magic}},
	Refs: []format.Ref{
		{Title: "[MS-CFB]", URL: "https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb"},
		{Title: "[MS-OLEPS]", URL: "https://learn.microsoft.com/openspecs/windows_protocols/ms-oleps"},
		{Title: "Wine, dlls/msi/table.c", URL: "https://gitlab.winehq.org/wine/wine/-/blob/master/dlls/msi/table.c"},
	},
	Limits: []string{"Tables of an MSI are not read, their streams are handed out.", "Streams that no folder leads to are not found."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

const magic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

// The header, little endian, with what is used of it:
//
//	24  2  minor version
//	26  2  major version, 3 or 4
//	28  2  byte order, 0xfffe
//	30  2  size of a sector, as a power of two: 9 or 12
//	32  2  size of a sector of the mini stream: 6
//	44  4  sectors of the table (FAT)
//	48  4  first sector of the directory
//	56  4  streams smaller than that are in the mini stream: 4096
//	60  4  first sector of the table of the mini stream
//	68  4  first sector of the list of sectors of the table
//	76  4  each: first 109 sectors of the table
//
// A directory entry has 128 bytes:
//
//	  0 64  name, UTF-16
//	 64  2  bytes of it, with the NUL
//	 66  1  kind
//	 68  4  left, 72 4 right sibling, 76 4 child: entries
//	 80 16  class
//	108  8  time of change
//	116  4  first sector
//	120  8  size; in version 3 only the lower half counts
const (
	headerSize = 512
	listed     = 109
	entrySize  = 128
	miniShift  = 6
	cutoff     = 4096

	maxSector = 0xfffffffa // and above: marks
	free      = 0xffffffff

	kindStorage = 1
	kindStream  = 2
	kindRoot    = 5
)

type entry struct {
	path              string
	kind              byte
	left, right, down uint32
	class             [16]byte
	time              int64
	first             uint32
	size              int64
	at                artifact.Range
}

type file struct {
	src      format.Source
	shift    uint
	version  uint16
	fat      []uint32
	mini     []uint32
	entries  []entry
	stream   []artifact.Range // of the mini stream
	starts   []int64          // of its parts, counted in it
	size     int64
	left     int64 // bytes that streams may still have together
	problems []error
	attrs    []artifact.Attr
}

func open(src format.Source) (*file, error) {
	b := make([]byte, headerSize)
	if n, _ := src.ReadAt(b, 0); n < len(b) || string(b[:8]) != magic {
		return nil, format.Not("cfb: header")
	}
	f := &file{src: src, version: binary.LittleEndian.Uint16(b[26:]), shift: uint(binary.LittleEndian.Uint16(b[30:])), left: 2 * src.Size()}
	if order := binary.LittleEndian.Uint16(b[28:]); order != 0xfffe || f.shift != 9 && f.shift != 12 || f.version != 3 && f.version != 4 {
		return nil, format.Not("cfb: version %d, sectors of 2^%d", f.version, f.shift)
	}
	if m, c := binary.LittleEndian.Uint16(b[32:]), binary.LittleEndian.Uint32(b[56:]); m != miniShift || c != cutoff {
		return nil, format.Not("cfb: mini sectors of 2^%d for streams below %d", m, c)
	}
	f.readTable(b)
	if err := f.readDirectory(binary.LittleEndian.Uint32(b[48:])); err != nil {
		return nil, err
	}
	root := &f.entries[0]
	f.stream = f.chain(f.fat, f.shift, root.first, root.size)
	f.starts = make([]int64, len(f.stream))
	size := int64(0)
	for i, r := range f.stream {
		f.starts[i], size = size, size+r.Len
	}
	f.mini = words(f.read(f.chain(f.fat, f.shift, binary.LittleEndian.Uint32(b[60:]), (size>>miniShift+1)*4)))
	f.measure()
	f.describe()
	return f, nil
}

func (f *file) damaged(at int64, text string, args ...any) {
	f.problems = append(f.problems, format.Errorf(artifact.Damaged, at, text, args...))
}

// sector returns where sector n stands, as far as it is there.
func (f *file) sector(n uint32) artifact.Range {
	off := (int64(n) + 1) << f.shift
	return artifact.Range{Off: off, Len: max(0, min(int64(1)<<f.shift, f.src.Size()-off))}
}

func (f *file) read(ranges []artifact.Range) []byte {
	var b []byte
	for _, r := range ranges {
		part := make([]byte, r.Len)
		n, _ := f.src.ReadAt(part, r.Off)
		b = append(b, part[:n]...)
	}
	return b
}

func words(b []byte) []uint32 {
	w := make([]uint32, len(b)/4)
	for i := range w {
		w[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return w
}

// readTable reads the table, which for each sector has the one that follows it.
func (f *file) readTable(header []byte) {
	most := f.src.Size()>>f.shift + 1
	count := min(int64(binary.LittleEndian.Uint32(header[44:])), most)
	list := words(header[76 : 76+4*listed])
	next := binary.LittleEndian.Uint32(header[68:])
	for next < maxSector && int64(len(list)) < count {
		w := words(f.read([]artifact.Range{f.sector(next)}))
		if len(w) < 2 {
			break
		}
		list, next = append(list, w[:len(w)-1]...), w[len(w)-1]
	}
	per := int64(1) << f.shift / 4
	for i, n := range list {
		// As many sectors as the table may have: more would only say the same ones again.
		if int64(i) >= count || int64(len(f.fat)) > most+per {
			break
		}
		w := words(f.read([]artifact.Range{f.sector(n)}))
		if n >= maxSector || int64(len(w)) < per {
			f.damaged(76+4*int64(min(i, listed)), "cfb: table: sector %#x is beyond the end", n)
			for int64(len(w)) < per {
				w = append(w, free)
			}
		}
		f.fat = append(f.fat, w...)
	}
}

// chain returns where the size bytes that begin at sector n stand, neighbours joined: no more than
// there are, so that a chain may be a ring.
func (f *file) chain(table []uint32, shift uint, n uint32, size int64) (ranges []artifact.Range) {
	left := min(size, f.src.Size())
	for left > 0 && n < maxSector && int64(n) < int64(len(table)) {
		at := f.sector(n)
		if shift == miniShift {
			var ok bool
			if at, ok = f.miniSector(n); !ok {
				break
			}
		}
		at.Len = min(at.Len, left)
		if at.Len == 0 {
			break
		}
		left -= at.Len
		if k := len(ranges); k > 0 && ranges[k-1].End() == at.Off {
			ranges[k-1].Len += at.Len
		} else {
			ranges = append(ranges, at)
		}
		n = table[n]
	}
	return ranges
}

// miniSector returns where a sector of the mini stream stands.
func (f *file) miniSector(n uint32) (artifact.Range, bool) {
	off := int64(n) << miniShift
	i := sort.Search(len(f.starts), func(i int) bool { return f.starts[i] > off }) - 1
	if i < 0 {
		return artifact.Range{}, false
	}
	r := f.stream[i]
	off -= f.starts[i]
	return artifact.Range{Off: r.Off + off, Len: min(1<<miniShift, r.Len-off)}, off < r.Len
}

// maxEntries bounds the directory.
const maxEntries = 1 << 18

func (f *file) readDirectory(first uint32) error {
	for _, r := range f.chain(f.fat, f.shift, first, maxEntries*entrySize) {
		b := f.read([]artifact.Range{r})
		for i := 0; i+entrySize <= len(b); i += entrySize {
			f.entries = append(f.entries, f.parseEntry(b[i:], r.Off+int64(i)))
		}
	}
	if len(f.entries) == 0 || f.entries[0].kind != kindRoot {
		return format.Errorf(artifact.Damaged, 48, "cfb: no directory at sector %#x", first)
	}
	return nil
}

func (f *file) parseEntry(b []byte, off int64) entry {
	e := entry{
		kind: b[66], left: binary.LittleEndian.Uint32(b[68:]), right: binary.LittleEndian.Uint32(b[72:]), down: binary.LittleEndian.Uint32(b[76:]),
		class: [16]byte(b[80:96]), time: unixTime(binary.LittleEndian.Uint64(b[108:])),
		first: binary.LittleEndian.Uint32(b[116:]), size: int64(binary.LittleEndian.Uint64(b[120:]) & (1<<63 - 1)),
		at: artifact.Range{Off: off, Len: entrySize},
	}
	if f.version == 3 {
		e.size &= 1<<32 - 1
	}
	n := max(2, min(64, int(binary.LittleEndian.Uint16(b[64:])))) - 2
	u := make([]uint16, n/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	e.path = decodeName(u)
	return e
}

// unixTime converts the time of Windows, 100 ns since 1601.
func unixTime(ticks uint64) int64 {
	const epoch = 11644473600
	return max(0, int64(ticks/10_000_000)-epoch)
}

// decodeName writes a name. MSI packs two characters of a set of 64 into one from 0x3800 on, or one
// into one from 0x4800 on, and marks a table by 0x4840. Control characters, with which names of
// properties begin, are written as numbers.
func decodeName(u []uint16) string {
	const set = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
	var b strings.Builder
	for i := 0; i < len(u); i++ {
		switch c := u[i]; {
		case c >= 0x3800 && c < 0x4800:
			b.WriteByte(set[(c-0x3800)&63])
			b.WriteByte(set[(c-0x3800)>>6])
		case c >= 0x4800 && c < 0x4840:
			b.WriteByte(set[c-0x4800])
		case c == 0x4840:
			b.WriteByte('!')
		case c < 0x20:
			fmt.Fprintf(&b, "[%d]", c)
		case c == '/':
			b.WriteByte('_')
		case utf16.IsSurrogate(rune(c)) && i+1 < len(u):
			b.WriteRune(utf16.DecodeRune(rune(c), rune(u[i+1])))
			i++
		default:
			b.WriteRune(rune(c))
		}
	}
	return b.String()
}

// measure finds the end: that of the last sector in use.
func (f *file) measure() {
	last := len(f.fat)
	for last > 0 && f.fat[last-1] == free {
		last--
	}
	f.size = max(int64(1)<<f.shift, (int64(last)+1)<<f.shift)
	if f.size > f.src.Size() {
		// The last sector may be short.
		if f.size-f.src.Size() >= int64(1)<<f.shift {
			f.problems = append(f.problems, format.Errorf(artifact.Truncated, f.src.Size(), "cfb: %d bytes, %d left", f.size, f.src.Size()))
		}
		f.size = f.src.Size()
	}
}

func (f *file) Size() int64 { return f.size }

// Entries yields what the root's folder leads to, folders before what they hold.
func (f *file) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, err := range f.problems {
			if !yield(format.Entry{}, err) {
				return
			}
		}
		f.walk(func(e *entry, path string) bool {
			if e.kind == kindStorage {
				return yield(format.Entry{Path: path, Mode: fs.ModeDir, ModTime: e.time}, nil)
			}
			out := format.Entry{Path: path, Size: e.size, ModTime: e.time}
			ranges := f.locate(e)
			have := int64(0)
			for _, r := range ranges {
				have += r.Len
			}
			if f.left -= have; f.left < 0 {
				yield(format.Entry{}, format.Errorf(artifact.Limit, e.at.Off, "cfb: stream %q at %#x: shares its bytes with others", path, e.at.Off))
				return false
			}
			if have < e.size {
				out.Problems = append(out.Problems, artifact.Problem{Kind: artifact.Damaged, At: e.at, Detail: fmt.Sprintf("cfb: stream %q at %#x: %d bytes of %d", path, e.at.Off, have, e.size)})
			}
			if len(ranges) == 1 {
				out.Window = &ranges[0]
			} else {
				out.Open = func() (io.Reader, error) { return f.join(ranges), nil }
			}
			return yield(out, nil)
		})
	}
}

func (f *file) join(ranges []artifact.Range) io.Reader {
	readers := make([]io.Reader, len(ranges))
	for i, r := range ranges {
		readers[i] = io.NewSectionReader(f.src, r.Off, r.Len)
	}
	return io.MultiReader(readers...)
}

func (f *file) locate(e *entry) []artifact.Range {
	if e.size < cutoff {
		return f.chain(f.mini, miniShift, e.first, e.size)
	}
	return f.chain(f.fat, f.shift, e.first, e.size)
}

// walk visits the streams and storages below the root, each once, in the order of their folder.
func (f *file) walk(visit func(e *entry, path string) bool) {
	// A step goes down to the left of an entry, or visits it and then goes to its right.
	type step struct {
		n      uint32
		folder string
		ready  bool
	}
	seen := make([]bool, len(f.entries))
	stack := []step{{n: f.entries[0].down}}
	seen[0] = true
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if int64(s.n) >= int64(len(f.entries)) {
			continue
		}
		e := &f.entries[s.n]
		if !s.ready {
			if !seen[s.n] {
				seen[s.n] = true
				stack = append(stack, step{s.n, s.folder, true}, step{n: e.left, folder: s.folder})
			}
			continue
		}
		path := s.folder + e.path
		stack = append(stack, step{n: e.right, folder: s.folder})
		if e.kind != kindStorage && e.kind != kindStream {
			continue
		}
		if !visit(e, path) {
			return
		}
		if e.kind == kindStorage && len(path) < maxPath {
			stack = append(stack, step{n: e.down, folder: path + "/"})
		}
	}
}

const maxPath = 4 << 10
