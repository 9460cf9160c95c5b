package android

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"slices"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Super is the super partition: what holds the logical partitions of Android 10 and later.
var Super = format.Format{
	Name:  "android-super",
	Title: "Android super partition",
	Kind:  format.Layout,
	Magics: []format.Magic{
		{Bytes: "\x67\x44\x6c\x61\x34\x00\x00\x00", Off: geometryOff},
		{Bytes: "\x67\x44\x6c\x61\x34\x00\x00\x00", Off: geometryOff + geometryRoom},
	},
	Refs: []format.Ref{
		{Title: "AOSP, implementing dynamic partitions", URL: "https://source.android.com/docs/core/ota/dynamic_partitions/implement"},
		{Title: "AOSP, metadata_format.h", URL: "https://android.googlesource.com/platform/system/core/+/refs/heads/main/fs_mgr/liblp/include/liblp/metadata_format.h"},
	},
	Limits: []string{
		"Extents on a second device are not read.",
		"Images of metadata alone (super_empty.img) are not recognised.",
	},
	Open: openSuper,
}

const (
	geometryMagic = 0x616c4467
	geometryOff   = 4096 // behind room for boot code, and once more behind itself
	geometryRoom  = 4096
	geometrySize  = 52

	metadataMagic = 0x414c5030
	metadataOff   = geometryOff + 2*geometryRoom // all slots, and once more all slots
	metadataSize  = 128                          // of the header; 256 from version 10.2 on

	sector   = 512
	maxSlots = 26      // a letter each
	maxRoom  = 1 << 20 // lpmake takes 64 KiB
)

type super struct {
	src      format.Source
	max      int64 // room of one copy of the metadata
	slots    int64
	size     int64
	parts    []logical
	byPath   map[string]int // index in parts
	problems []*format.Error
	attrs    []artifact.Attr
}

// logical is a logical partition. Extents that continue each other are one.
type logical struct {
	path    string
	at      int64 // of its description
	extents []extent
	fault   *format.Error // why there is no more of them
}

type extent struct {
	off  int64 // -1 are zeros
	size int64
}

func openSuper(src format.Source) (format.Chunk, error) {
	s := &super{src: src, byPath: map[string]int{}}
	err := s.geometry(geometryOff)
	if err != nil {
		if s.geometry(geometryOff+geometryRoom) != nil {
			return nil, format.Not("%v", err)
		}
		s.problems = append(s.problems, format.Errorf(artifact.Damaged, geometryOff, "%v", err))
	}
	seen := false
	for slot := range s.slots {
		seen = s.slot(slot) || seen
	}
	if !seen {
		return nil, s.problems[len(s.problems)-1]
	}
	return s, nil
}

// geometry reads
//
//	0 magic, 4 size of this, 8 SHA-256 of this with zeros here (32), 40 most bytes of metadata, 44 slots, 48 block
func (s *super) geometry(off int64) error {
	b, err := format.ReadAt(s.src, off, geometrySize, "android-super: geometry")
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	s.max, s.slots = int64(le.Uint32(b[40:])), int64(le.Uint32(b[44:]))
	switch {
	case le.Uint32(b) != geometryMagic || le.Uint32(b[4:]) != geometrySize:
		return fmt.Errorf("android-super: geometry at %#x: magic %#x", off, b[:8])
	case !sealed(b, 8):
		return fmt.Errorf("android-super: geometry at %#x: checksum does not fit", off)
	case s.max < metadataSize || s.max > maxRoom || s.max%sector != 0 || s.slots == 0 || s.slots > maxSlots:
		return fmt.Errorf("android-super: geometry at %#x: %d slots of %d bytes", off, s.slots, s.max)
	}
	return nil
}

// sealed reports whether the SHA-256 at off fits b, for which it is taken as zeros.
func sealed(b []byte, off int) bool {
	c := bytes.Clone(b)
	clear(c[off : off+sha256.Size])
	sum := sha256.Sum256(c)
	return bytes.Equal(sum[:], b[off:off+sha256.Size])
}

// slot reads the metadata of a slot, or its backup, and reports whether there is any. Slots that
// say the same add nothing.
func (s *super) slot(n int64) bool {
	copies := []int64{metadataOff + n*s.max, metadataOff + (s.slots+n)*s.max}
	for i, off := range copies {
		err := s.metadata(off, n)
		if err == nil {
			if i == 0 {
				s.same(copies[1], off)
			}
			return true
		}
		s.problems = append(s.problems, format.Errorf(artifact.Damaged, off, "%v", err))
	}
	return false
}

// same reads the copy at off of the metadata at first if it is one, so that it counts as read.
func (s *super) same(off, first int64) {
	b, err := format.ReadAt(s.src, first, metadataSize, "android-super: metadata")
	if err != nil {
		return
	}
	n := int64(binary.LittleEndian.Uint32(b[8:])) + int64(binary.LittleEndian.Uint32(b[44:]))
	b, _ = format.ReadAt(s.src, first, n, "android-super: metadata")
	copied := make([]byte, len(b))
	if got, _ := format.Summed(s.src).ReadAt(copied, off); got == len(b) && bytes.Equal(copied, b) {
		format.ReadAt(s.src, off, n, "")
	}
}

// metadata reads
//
//	0 magic, 4 major version (2), 6 minor (2), 8 size of this, 12 SHA-256 of this with zeros here (32),
//	44 size of the tables behind, 48 SHA-256 of them (32), then of each table offset, entries, size of an entry:
//	80 partitions, 92 extents, 104 groups, 116 devices
func (s *super) metadata(off, slot int64) error {
	fault := func(text string, args ...any) error {
		return fmt.Errorf("android-super: metadata at %#x: "+text, append([]any{off}, args...)...)
	}
	b, err := format.ReadAt(s.src, off, metadataSize, "android-super: metadata")
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	header, size := int64(le.Uint32(b[8:])), int64(le.Uint32(b[44:]))
	switch {
	case le.Uint32(b) != metadataMagic:
		return fault("magic %#x", le.Uint32(b))
	case le.Uint16(b[4:]) != 10:
		return fault("version %d.%d", le.Uint16(b[4:]), le.Uint16(b[6:]))
	case header < metadataSize || header+size > s.max:
		return fault("header of %d bytes and tables of %d in %d", header, size, s.max)
	}
	b, err = format.ReadAt(s.src, off, header+size, "android-super: metadata")
	if err != nil {
		return err
	}
	tables := b[header:]
	if sum := sha256.Sum256(tables); !sealed(b[:header], 12) || !bytes.Equal(sum[:], b[48:80]) {
		return fault("checksum does not fit")
	}
	var t [4][][]byte
	for i, want := range []int64{52, 24, 48, 64} {
		d := b[80+12*i:]
		at, count, width := int64(le.Uint32(d)), int64(le.Uint32(d[4:])), int64(le.Uint32(d[8:]))
		if width < want || at > size || count > (size-at)/width {
			return fault("table of %d entries of %d bytes at %d of %d", count, width, at, size)
		}
		for ; count > 0; count-- {
			t[i] = append(t[i], tables[at:at+width])
			at += width
		}
	}
	if len(t[3]) == 0 {
		return fault("no device")
	}
	if device := le.Uint64(t[3][0][16:]); s.size == 0 { // of the first that can be read
		s.size = max(int64(min(device, 1<<62)), metadataOff+2*s.slots*s.max)
		s.attrs = []artifact.Attr{
			{Name: "metadata-version", Value: fmt.Sprintf("%d.%d", le.Uint16(b[4:]), le.Uint16(b[6:])), At: artifact.Range{Off: off + 4, Len: 4}},
			{Name: "slots", Value: fmt.Sprint(s.slots), At: artifact.Range{Off: geometryOff + 44, Len: 4}},
		}
	}
	at := off + header + int64(le.Uint32(b[80:]))
	left := len(t[1]) // an extent belongs to one partition
	for _, p := range t[0] {
		s.add(s.logical(p, t[1], at, slot, &left), slot)
		at += int64(len(p))
	}
	return nil
}

// logical reads a partition: 0 name (36), 36 attributes, 40 first extent, 44 extents, 48 group; and its extents:
//
//	0 sectors (8), 8 kind, 12 first sector (8), 20 device
func (s *super) logical(p []byte, extents [][]byte, at, slot int64, left *int) logical {
	le := binary.LittleEndian
	name, _, _ := bytes.Cut(p[:36], []byte{0})
	out := logical{path: string(name), at: at}
	if le.Uint32(p[36:])&2 != 0 { // the name needs a suffix
		out.path += "_" + string(rune('a'+slot))
	}
	fault := func(kind artifact.ProblemKind, text string, args ...any) logical {
		out.fault = format.Errorf(kind, at, "android-super: partition %q: "+text, append([]any{out.path}, args...)...)
		return out
	}
	first, count := int64(le.Uint32(p[40:])), int64(le.Uint32(p[44:]))
	if first > int64(len(extents)) || count > int64(len(extents))-first || count > int64(*left) {
		return fault(artifact.Damaged, "extents %d+%d of %d, %d without a partition", first, count, len(extents), *left)
	}
	*left -= int(count)
	total := int64(0)
	for _, x := range extents[first : first+count] {
		sectors, kind, from, device := le.Uint64(x), le.Uint32(x[8:]), le.Uint64(x[12:]), le.Uint32(x[20:])
		if sectors > uint64(s.size-total)/sector || from > 1<<52 {
			return fault(artifact.Damaged, "%d sectors at %d of a device of %d bytes", sectors, from, s.size)
		}
		e := extent{int64(from) * sector, int64(sectors) * sector}
		switch {
		case kind == 1 && e.size > max(s.src.Size(), 16<<20):
			return fault(artifact.Limit, "%d bytes of zeros in a device of %d", e.size, s.src.Size())
		case kind == 1:
			e.off = -1
		case kind != 0:
			return fault(artifact.Unsupported, "extent of kind %d", kind)
		case device != 0:
			return fault(artifact.Unsupported, "extent on device %d", device)
		case e.off > s.size-e.size:
			return fault(artifact.Damaged, "%d sectors at %d of a device of %d bytes", sectors, from, s.size)
		}
		total += e.size
		if n := len(out.extents); n > 0 && out.extents[n-1].follows(e) {
			out.extents[n-1].size += e.size
		} else if e.size > 0 {
			out.extents = append(out.extents, e)
		}
	}
	return out
}

func (x extent) follows(next extent) bool {
	if x.off < 0 || next.off < 0 {
		return x.off == next.off
	}
	return x.off+x.size == next.off
}

// add adds p unless an earlier slot has it. One of the same name with other extents gets a folder.
func (s *super) add(p logical, slot int64) {
	if i, ok := s.byPath[p.path]; ok {
		if slices.Equal(s.parts[i].extents, p.extents) {
			return
		}
		p.path = fmt.Sprintf("slot%d/%s", slot, p.path)
	}
	s.byPath[p.path] = len(s.parts)
	s.parts = append(s.parts, p)
}

// Size returns the size of the device, or what is there of it.
func (s *super) Size() int64 { return min(s.size, s.src.Size()) }

func (s *super) Describe() []artifact.Attr { return s.attrs }

// Entries yields the logical partitions.
func (s *super) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, p := range s.problems {
			if !yield(format.Entry{}, p) {
				return
			}
		}
		for i := range s.parts {
			if !yield(s.entry(&s.parts[i]), nil) {
				return
			}
		}
	}
}

func (s *super) entry(p *logical) format.Entry {
	e := format.Entry{Path: p.path}
	fault := p.fault
	var parts []extent
	cut := false
	for _, x := range p.extents {
		e.Size += x.size
		if left := s.src.Size() - x.off; x.off >= 0 && x.size > left && !cut {
			cut = true
			fault = format.Errorf(artifact.Truncated, min(x.off, s.src.Size()), "android-super: partition %q: %d bytes at %#x, %d left", p.path, x.size, x.off, max(0, left))
			if left > 0 {
				parts = append(parts, extent{x.off, left})
			}
		} else if !cut {
			parts = append(parts, x)
		}
	}
	if fault != nil {
		e.Problems = []artifact.Problem{{Kind: fault.Kind, At: fault.At, Detail: fault.Text}}
	}
	switch {
	case len(parts) == 0:
		e.Window = &artifact.Range{}
	case len(parts) == 1 && parts[0].off >= 0:
		e.Window = &artifact.Range{Off: parts[0].off, Len: parts[0].size}
	default:
		e.Open = func() (io.Reader, error) { return s.join(parts), nil }
	}
	return e
}

// join returns a reader of extents one behind the other.
func (s *super) join(parts []extent) io.Reader {
	var out []io.Reader
	for _, x := range parts {
		if x.off < 0 {
			out = append(out, io.LimitReader(zeros{}, x.size))
		} else {
			out = append(out, io.NewSectionReader(s.src, x.off, x.size))
		}
	}
	return io.MultiReader(out...)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
