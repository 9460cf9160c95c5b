package fingerprint

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"hallmark/artifact"
	"hallmark/feature"
)

// Index finds the relatives of a file among very many. Of each file it holds the lowest hashes of
// some classes, a sketch (Broder 1997, "On the resemblance and containment of documents"), in one
// sorted table that is read where it stands: opening reads the first level of the table only, and
// a search reads some kilobytes for each hash. It is safe for concurrent use.
//
// Relatives of a similar size are found. Whether one small library is part of a large program is
// a question for a pack.
//
// The file: the magic, the numbers of files and posts and the extractor (8 bytes each), 65,537
// numbers of posts below each value of the upper 16 bits of a hash, the posts (8 bytes: 40 bits of
// hash, 24 of file), the records of the files, and their texts. Numbers are little-endian.
type Index struct {
	r     io.ReaderAt
	files int64
	posts int64
	table []int64
	texts int64 // offset
}

// Entry is a file to be learnt by an index.
type Entry struct {
	Name, Family, Component, Version string // Family is "" for the innocent
	Digest                           artifact.Digest
	Size                             int64
	sketch                           []uint64
}

// sketchSizes says how many hashes of a class a sketch has at most.
var sketchSizes = [feature.NumClasses]int{feature.Strings: 24, feature.Words: 8, feature.Data: 8, feature.Code: 16, feature.Web: 24}

const (
	indexMagic  = "hallmark-index1\n"
	indexHead   = 16 + 3*8
	buckets     = 1 << 16
	recordSize  = 32 + 8 + 8 + 5*2 + 6
	maxFiles    = 1<<24 - 1
	maxPostings = 4096 // files with one hash, above which it says nothing
	deeper      = 4    // a search looks for so many times the hashes of a sketch: sizes differ
)

// NewEntry makes an entry of a sample.
func NewEntry(s Sample, family, component, version string) Entry {
	return Entry{s.Name, family, component, version, s.Digest, s.Size, sketch(s.Set, 1)}
}

// sketch returns the upper 40 bits of the lowest hashes of the classes, times so many.
func sketch(s *feature.Set, times int) []uint64 {
	var out []uint64
	for c, n := range sketchSizes {
		list := s.Lists[c]
		for _, f := range list[:min(len(list), n*times)] {
			out = append(out, keyOf(feature.Class(c), f.Hash)>>24)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// WriteIndex writes an index of what old holds, which may be nil, and of entries. A file that old
// has already, under the same names, is left out.
func WriteIndex(w io.Writer, old *Index, entries []Entry) (added int, err error) {
	if old == nil {
		old = &Index{r: bytes.NewReader(nil), table: make([]int64, buckets+1)}
	}
	if entries, err = old.fresh(entries); err != nil {
		return 0, err
	}
	if old.files+int64(len(entries)) > maxFiles {
		return 0, fmt.Errorf("fingerprint: index: more than %d files", maxFiles)
	}
	var posts []uint64
	for i, e := range entries {
		for _, h := range e.sketch {
			posts = append(posts, h<<24|uint64(old.files+int64(i)))
		}
	}
	slices.Sort(posts)
	b := bufio.NewWriterSize(w, 1<<20)
	b.WriteString(indexMagic)
	number := func(n int64) { b.Write(binary.LittleEndian.AppendUint64(nil, uint64(n))) }
	number(old.files + int64(len(entries)))
	number(old.posts + int64(len(posts)))
	number(feature.Version)
	k := 0
	for i := range buckets + 1 {
		for k < len(posts) && posts[k]>>48 < uint64(i) {
			k++
		}
		number(old.table[i] + int64(k))
	}
	if err := old.mergePosts(b, posts); err != nil {
		return 0, err
	}
	if err := old.writeRecords(b, entries); err != nil {
		return 0, err
	}
	return len(entries), b.Flush()
}

// fresh returns the entries that x does not have.
func (x *Index) fresh(entries []Entry) ([]Entry, error) {
	have := map[string]bool{}
	key := func(d artifact.Digest, family, component, version string) string {
		return string(d[:]) + family + "\x00" + component + "\x00" + version
	}
	for i := range x.files {
		e, err := x.record(i)
		if err != nil {
			return nil, err
		}
		have[key(e.Digest, e.Family, e.Component, e.Version)] = true
	}
	var out []Entry
	for _, e := range entries {
		k := key(e.Digest, e.Family, e.Component, e.Version)
		if len(e.sketch) > 0 && !have[k] {
			out = append(out, e)
			have[k] = true
		}
	}
	return out, nil
}

// mergePosts writes the posts of x and new ones in order.
func (x *Index) mergePosts(w *bufio.Writer, posts []uint64) error {
	r := bufio.NewReaderSize(io.NewSectionReader(x.r, x.postsAt(), 8*x.posts), 1<<20)
	put := func(v uint64) { w.Write(binary.LittleEndian.AppendUint64(w.AvailableBuffer(), v)) }
	var b [8]byte
	for range x.posts {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return fmt.Errorf("fingerprint: index: posts: %w", err)
		}
		v := binary.LittleEndian.Uint64(b[:])
		for len(posts) > 0 && posts[0] < v {
			put(posts[0])
			posts = posts[1:]
		}
		put(v)
	}
	for _, v := range posts {
		put(v)
	}
	return nil
}

func (x *Index) writeRecords(w *bufio.Writer, entries []Entry) error {
	size := int64(0) // of x's texts
	if x.files > 0 {
		b, err := x.rawRecord(x.files - 1)
		if err != nil {
			return err
		}
		at, lengths := textOf(b)
		size = at
		for _, n := range lengths {
			size += n
		}
	}
	if _, err := io.Copy(w, io.NewSectionReader(x.r, x.recordsAt(), recordSize*x.files)); err != nil {
		return fmt.Errorf("fingerprint: index: records: %w", err)
	}
	at := size
	for _, e := range entries {
		b := append([]byte{}, e.Digest[:]...)
		b = binary.LittleEndian.AppendUint64(b, uint64(e.Size))
		b = binary.LittleEndian.AppendUint64(b, uint64(at))
		for _, s := range e.texts() {
			b = binary.LittleEndian.AppendUint16(b, uint16(len(s)))
			at += int64(len(s))
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(len(e.sketch)))
		w.Write(append(b, make([]byte, recordSize-len(b))...))
	}
	if _, err := io.Copy(w, io.NewSectionReader(x.r, x.texts, size)); err != nil {
		return fmt.Errorf("fingerprint: index: texts: %w", err)
	}
	for _, e := range entries {
		for _, s := range e.texts() {
			w.WriteString(s)
		}
	}
	return nil
}

func (e *Entry) texts() [4]string {
	t := [4]string{e.Name, e.Family, e.Component, e.Version}
	for i, s := range t {
		t[i] = s[:min(len(s), math.MaxUint16)]
	}
	return t
}

// OpenIndex opens the index that the first size bytes of r are. R must stay readable.
func OpenIndex(r io.ReaderAt, size int64) (*Index, error) {
	head := make([]byte, indexHead+8*(buckets+1))
	if n, _ := r.ReadAt(head, 0); n < len(head) || string(head[:16]) != indexMagic {
		return nil, errors.New("fingerprint: not an index")
	}
	number := func(off int) int64 { return int64(binary.LittleEndian.Uint64(head[off:])) }
	x := &Index{r: r, files: number(16), posts: number(24), table: make([]int64, buckets+1)}
	if v := number(32); v != feature.Version {
		return nil, fmt.Errorf("fingerprint: index: made with extractor %d, this program has %d; build it anew", v, feature.Version)
	}
	if x.files < 0 || x.files > maxFiles || x.posts < 0 || x.posts > size/8 {
		return nil, fmt.Errorf("fingerprint: index: %d files, %d posts in %d bytes", x.files, x.posts, size)
	}
	if x.texts = x.recordsAt() + recordSize*x.files; x.texts > size {
		return nil, fmt.Errorf("fingerprint: index: %d bytes, want at least %d", size, x.texts)
	}
	for i := range x.table {
		x.table[i] = number(indexHead + 8*i)
		if x.table[i] < 0 || x.table[i] > x.posts || i > 0 && x.table[i] < x.table[i-1] {
			return nil, fmt.Errorf("fingerprint: index: table entry %d is out of order", i)
		}
	}
	return x, nil
}

func (x *Index) postsAt() int64   { return indexHead + 8*(buckets+1) }
func (x *Index) recordsAt() int64 { return x.postsAt() + 8*x.posts }

// Len returns the number of files.
func (x *Index) Len() int { return int(x.files) }

func (x *Index) rawRecord(i int64) ([]byte, error) {
	b := make([]byte, recordSize)
	if n, err := x.r.ReadAt(b, x.recordsAt()+recordSize*i); n < len(b) {
		return nil, fmt.Errorf("fingerprint: index: record %d: %w", i, err)
	}
	return b, nil
}

// textOf returns where the texts of a record begin and how long they are.
func textOf(b []byte) (at int64, lengths [4]int64) {
	for i := range lengths {
		lengths[i] = int64(binary.LittleEndian.Uint16(b[48+2*i:]))
	}
	return int64(binary.LittleEndian.Uint64(b[40:])), lengths
}

func (x *Index) record(i int64) (Relative, error) {
	b, err := x.rawRecord(i)
	if err != nil {
		return Relative{}, err
	}
	at, lengths := textOf(b)
	text := make([]byte, lengths[0]+lengths[1]+lengths[2]+lengths[3])
	if n, err := x.r.ReadAt(text, x.texts+max(0, at)); n < len(text) {
		return Relative{}, fmt.Errorf("fingerprint: index: texts of record %d: %w", i, err)
	}
	var t [4]string
	for k, n := range lengths {
		t[k], text = string(text[:n]), text[n:]
	}
	return Relative{
		Name: t[0], Family: t[1], Component: t[2], Version: t[3], Digest: artifact.Digest(b[:32]), Size: int64(binary.LittleEndian.Uint64(b[32:])),
		of: int(binary.LittleEndian.Uint16(b[56:])),
	}, nil
}

// Relative is a file of the index that shares something with the one that is looked for.
type Relative struct {
	Name      string          `json:"name"`
	Family    string          `json:"family,omitempty"`
	Component string          `json:"component,omitempty"`
	Version   string          `json:"version,omitempty"`
	Digest    artifact.Digest `json:"sha256"`
	Size      int64           `json:"size"`
	Share     float64         `json:"share"` // of its sketch that the file looked for has as well
	Identical bool            `json:"identical,omitempty"`
	of        int
}

// Relatives is the answer of an index.
type Relatives struct {
	Nearest  []Relative `json:"nearest"`                    // at most as many as asked for, nearest first
	Known    *Relative  `json:"nearest_known,omitempty"`    // of those with a family
	Innocent *Relative  `json:"nearest_innocent,omitempty"` // of those without
}

// maxCandidates bounds the records read for one search.
const maxCandidates = 256

// Find returns the nearest relatives of a sample, at most n.
func (x *Index) Find(s Sample, n int) (*Relatives, error) {
	hits := map[uint32]int{}
	for _, h := range sketch(s.Set, deeper) {
		files, err := x.filesWith(h)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			hits[f]++
		}
	}
	type candidate struct {
		file uint32
		hits int
	}
	var list []candidate
	for f, h := range hits {
		list = append(list, candidate{f, h})
	}
	slices.SortFunc(list, func(a, b candidate) int { return cmp.Or(b.hits-a.hits, cmp.Compare(a.file, b.file)) })
	out := &Relatives{Nearest: []Relative{}}
	var all []Relative
	for _, c := range list[:min(len(list), maxCandidates)] {
		r, err := x.record(int64(c.file))
		if err != nil {
			return nil, err
		}
		r.Share = min(1, round(float64(c.hits)/float64(max(1, r.of))))
		r.Identical = r.Digest == s.Digest
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b Relative) int {
		if a.Identical != b.Identical {
			return cmp.Compare(btoi(b.Identical), btoi(a.Identical))
		}
		return cmp.Compare(b.Share, a.Share)
	})
	for i := range all {
		r := &all[i]
		if r.Family != "" && out.Known == nil {
			out.Known = r
		}
		if r.Family == "" && out.Innocent == nil {
			out.Innocent = r
		}
	}
	out.Nearest = append(out.Nearest, all[:min(len(all), max(0, n))]...)
	return out, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// filesWith returns the files that have a hash of 40 bits, none if they are too many.
func (x *Index) filesWith(h uint64) ([]uint32, error) {
	lo, hi := x.table[h>>24], x.table[h>>24+1]
	const page = 512 // posts read at once
	for hi-lo > page {
		mid := (lo + hi) / 2
		v, err := x.post(mid)
		if err != nil {
			return nil, err
		}
		if v>>24 < h {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	var out []uint32
	buf := make([]byte, 8*page)
	for at := lo; at < x.posts; at += page {
		b := buf[:8*min(page, x.posts-at)]
		if n, err := x.r.ReadAt(b, x.postsAt()+8*at); n < len(b) {
			return nil, fmt.Errorf("fingerprint: index: posts: %w", err)
		}
		for ; len(b) > 0; b = b[8:] {
			v := binary.LittleEndian.Uint64(b)
			switch {
			case v>>24 > h:
				return out, nil
			case v>>24 == h:
				if f := uint32(v & 0xffffff); int64(f) < x.files {
					out = append(out, f)
				}
				if len(out) > maxPostings {
					return nil, nil
				}
			}
		}
	}
	return out, nil
}

func (x *Index) post(i int64) (uint64, error) {
	var b [8]byte
	if n, err := x.r.ReadAt(b[:], x.postsAt()+8*i); n < 8 {
		return 0, fmt.Errorf("fingerprint: index: posts: %w", err)
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}
