// Package feature reads from one content what stays when a brand is painted over: hashed features
// of its text, symbols, tables, code, web interface and kernel modules.
//
// A feature is normalised first (digits, addresses and dates folded, letters lowered, the prefix of
// a symbol dropped, registers and addresses taken out of instructions) and then hashed to 64 bits,
// so that a set of features holds nothing of the content. Of each class one hash in some is kept,
// always those below the same bound (FracMinHash, Irber et al. 2022, doi:10.1101/2022.01.11.475838),
// so that sets of different contents, and sets sampled differently, can still be compared.
//
// An ELF file is read over its program headers: section headers, debug information and the symbol
// table that a linker leaves are never used, except in relocatable files, which need them to load.
//
// Not read: text that is not NUL-bounded (programs of Go and Rust keep theirs so) or not ASCII, code
// outside ELF files, packed executables.
package feature

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"hallmark/artifact"
	"hallmark/elf"
)

// Class is a kind of feature.
type Class int

// The classes, in the order in which they are written everywhere.
const (
	Strings   Class = iota // NUL-bounded normalised text of loaded bytes; lines of a script
	Shingles               // two words that follow each other in such text
	Words                  // words of symbol names, without the prefix
	Exports                // defined names
	Imports                // names taken from elsewhere
	Data                   // 16-byte windows of loaded bytes that are not text
	Code                   // eight normalised opcodes in a row
	Constants              // 32-bit values in instructions
	Web                    // property names, literals and selectors of a web interface
	Module                 // what a kernel module needs, gives and takes as parameters
	NumClasses
)

var classNames = [NumClasses]string{"strings", "shingles", "words", "exports", "imports", "data", "code", "constants", "web", "module"}

func (c Class) String() string {
	if c < 0 || c >= NumClasses {
		return fmt.Sprintf("class-%d", int(c))
	}
	return classNames[c]
}

// ParseClass is the inverse of [Class.String].
func ParseClass(s string) (Class, bool) {
	i := slices.Index(classNames[:], s)
	return Class(i), i >= 0
}

// Version changes whenever the same content gives other hashes.
const Version = 1

// DefaultScales keeps one feature in so many of each class. Classes with few features keep all.
var DefaultScales = [NumClasses]uint64{1, 2, 1, 1, 1, 8, 16, 1, 1, 1}

// MaxPerClass bounds the features kept of a class: beyond it the scale is doubled.
const MaxPerClass = 1 << 17

// Options are what a caller may set. Its zero value works.
type Options struct {
	Classes []Class  // all if empty
	Omit    []string // lower-case words: text and names that contain one leave no feature
}

// Feature is one hash and where in the content it was first seen.
type Feature struct {
	Hash uint64
	Off  int64
}

// Set is the features of one content.
type Set struct {
	Kind    string                // "elf", "module", "script", "web", "text" (which has no features), "raw"
	Machine string                // of an ELF file, as [elf.Machine] writes it
	Size    int64                 // of the content
	Lists   [NumClasses][]Feature // in order of hash, each hash once
	Scale   [NumClasses]uint64    // one in so many was kept
}

// Bound returns the highest hash kept at a scale.
func Bound(scale uint64) uint64 { return math.MaxUint64 / max(1, scale) }

// Len returns the number of features kept.
func (s *Set) Len() int {
	n := 0
	for _, l := range s.Lists {
		n += len(l)
	}
	return n
}

// Extract reads the features of the first size bytes of r. Memory is bounded and time linear in
// size. An error means that r could not be read.
func Extract(r io.ReaderAt, size int64, o Options) (*Set, error) {
	x := &extractor{r: r, size: size, omit: o.Omit}
	x.set.Size = size
	for c := range NumClasses {
		x.on[c] = len(o.Classes) == 0 || slices.Contains(o.Classes, c)
		x.scale[c] = DefaultScales[c]
		x.bound[c] = Bound(DefaultScales[c])
	}
	head := make([]byte, min(size, headSize))
	n, err := r.ReadAt(head, 0)
	if n < len(head) {
		return nil, fmt.Errorf("feature: read at %#x: %w", n, err)
	}
	file, err := elf.Read(r, size)
	switch {
	case err == nil:
		err = x.elf(file)
	case !errors.Is(err, elf.ErrNotELF):
		return nil, err
	case isText(head):
		err = x.text(head)
	default:
		x.set.Kind = "raw"
		err = x.scan(artifact.Range{Len: size}, artifact.Range{}, 0, nil)
	}
	if err != nil {
		return nil, err
	}
	for c := range NumClasses {
		x.compact(c)
		x.set.Lists[c] = slices.Clip(x.lists[c])
		x.set.Scale[c] = x.scale[c]
	}
	return &x.set, nil
}

const (
	headSize  = 4096
	blockSize = 256 << 10
)

type extractor struct {
	r     io.ReaderAt
	size  int64
	omit  []string
	on    [NumClasses]bool
	lists [NumClasses][]Feature
	scale [NumClasses]uint64
	bound [NumClasses]uint64
	set   Set
	block []byte
	spare []byte // for normalised text
	words []span // of the text at hand
}

// add keeps a feature if its hash is one of those sampled.
func (x *extractor) add(c Class, h uint64, off int64) {
	if h > x.bound[c] {
		return
	}
	x.lists[c] = append(x.lists[c], Feature{h, off})
	if len(x.lists[c]) >= 2*MaxPerClass {
		x.compact(c)
	}
}

// compact sorts what was added and drops repetitions; while too much is left, half of it goes.
func (x *extractor) compact(c Class) {
	l := x.lists[c]
	slices.SortFunc(l, func(a, b Feature) int { return cmp.Or(cmp.Compare(a.Hash, b.Hash), cmp.Compare(a.Off, b.Off)) })
	l = slices.CompactFunc(l, func(a, b Feature) bool { return a.Hash == b.Hash })
	for len(l) > MaxPerClass {
		x.scale[c] *= 2
		x.bound[c] = Bound(x.scale[c])
		i, _ := slices.BinarySearchFunc(l, x.bound[c], func(f Feature, b uint64) int {
			if f.Hash > b {
				return 1
			}
			return -1
		})
		l = l[:i]
	}
	x.lists[c] = l
}

// omitted reports whether b, lower case, contains a word that shall leave no feature.
func (x *extractor) omitted(b []byte) bool {
	for _, w := range x.omit {
		if bytes.Contains(b, []byte(w)) {
			return true
		}
	}
	return false
}

// elf reads what an ELF file loads and the names it gives and takes.
func (x *extractor) elf(f *elf.File) error {
	x.set.Kind, x.set.Machine = "elf", f.Machine.String()
	if f.Type == elf.Relocatable {
		x.set.Kind = "module"
	}
	x.symbols(f)
	names := nameSpan(f)
	for _, r := range loaded(f, x.size) {
		var d decoder
		if r.exec {
			d = decoderOf(f)
		}
		if err := x.scan(r.Range, names, r.base, d); err != nil {
			return err
		}
	}
	return nil
}

// nameSpan is where the names of symbols stand among the loaded bytes: they are not text.
func nameSpan(f *elf.File) artifact.Range {
	if f.Type == elf.Relocatable {
		return artifact.Range{} // their names are not loaded
	}
	lo, hi := int64(math.MaxInt64), int64(0)
	for _, list := range [][]elf.Symbol{f.Exports, f.Imports} {
		for _, s := range list {
			lo, hi = min(lo, s.At.Off), max(hi, s.At.End())
		}
	}
	if lo >= hi {
		return artifact.Range{}
	}
	return artifact.Range{Off: lo, Len: hi - lo}
}

// stretch is a run of loaded bytes.
type stretch struct {
	artifact.Range
	exec bool
	base uint64 // address of the first byte
}

// loaded returns what the file loads, in order and without overlap, so that each byte is read once.
func loaded(f *elf.File, size int64) []stretch {
	const ptLoad, pfExec, shfAlloc, shfExec = 1, 1, 2, 4
	var all []stretch
	for _, s := range f.Segments {
		if s.Type == ptLoad {
			all = append(all, stretch{s.File, s.Flags&pfExec != 0, s.Addr})
		}
	}
	if len(f.Segments) == 0 {
		for _, s := range f.Sections {
			if s.Flags&shfAlloc != 0 {
				all = append(all, stretch{s.File, s.Flags&shfExec != 0, s.Addr})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b stretch) int { return cmp.Compare(a.Off, b.Off) })
	var out []stretch
	end := int64(0)
	for _, s := range all {
		if s.Off < end {
			s.Len, s.base, s.Off = s.Len-(end-s.Off), s.base+uint64(end-s.Off), end
		}
		s.Len = min(s.Len, size-s.Off)
		if s.Len > 0 {
			out = append(out, s)
			end = s.End()
		}
	}
	return out
}

// lookahead is what a window or an instruction that begins in a block may need of the next one.
const lookahead = 16

// scan reads at block by block for text, tables and, with a decoder, code. Text within skip is not read.
func (x *extractor) scan(at, skip artifact.Range, base uint64, d decoder) error {
	if n := int(min(blockSize, at.Len)) + lookahead; len(x.block) < n {
		x.block = make([]byte, n)
	}
	text := texts{x: x, state: bounded, skip: skip}
	code := grams{x: x, decode: d, next: at.Off, low: base, high: base + uint64(at.Len)}
	for off := at.Off; off < at.End(); off += blockSize {
		n := min(blockSize, at.End()-off)
		b := x.block[:min(blockSize+lookahead, at.End()-off)]
		if k, err := x.r.ReadAt(b, off); k < len(b) {
			return fmt.Errorf("feature: read at %#x: %w", off+int64(k), err)
		}
		if x.on[Strings] || x.on[Shingles] || x.on[Words] {
			text.block(b[:n], off)
		}
		if x.on[Data] {
			x.windows(b, int(n), off)
		}
		if d != nil && (x.on[Code] || x.on[Constants]) {
			code.block(b, int(n), off)
		}
	}
	text.end()
	return nil
}
