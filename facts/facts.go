// Package facts reads from each content what it says of itself, with the bytes that say so.
//
// It is done once, for everybody: who identifies components and who looks for makers' marks
// read the same facts. Names of facts are a contract; [Fact] has them.
package facts

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"hallmark/artifact"
	"hallmark/internal/cache"
	"hallmark/internal/literal"
	"hallmark/internal/work"
)

// Fact is one thing that a content says of itself. Names are
//
//	FORMAT.ATTR          what a format read from the header of a chunk in the content
//	elf.machine          architecture, as elf.Machine names it
//	elf.soname elf.needed elf.interp elf.rpath elf.runpath elf.buildid elf.comment
//	elf.export           a symbol defined for others, elf.import one needed of others; at most
//	                     MaxSymbols of each, elf.export-omitted and elf.import-omitted count the rest
//	elf.source-path      a string between NULs, in loaded bytes, that reads like the path of a source
//	                     file, each once; elf.source-path-omitted counts those beyond the first 2000
//	elf.loaded           no value; its range is loaded when the file runs
//	modinfo.KEY          an entry of a kernel module's .modinfo: license, author, vermagic, ...
//	modinfo.author-domain
//	                     domain of a mail address in an author entry, lower case
//	x509.subject x509.issuer x509.serial x509.sha256 x509.not-after
//	                     of a certificate, PEM or DER; names as RFC 4514 writes them, serial and
//	                     digest in lower-case hexadecimal, time as RFC 3339
//	pe.export            a name that a Windows library defines for others; at most MaxSymbols
//	pe.signer.subject    of the certificate that signed a Windows executable
//	json.PATH            a scalar in a JSON file; PATH is of keys and indexes joined by dots
//	image.md5            of a whole small icon or picture
//	kernel.banner        a whole line "Linux version ..."
//	uboot.banner         a whole line "U-Boot 2013.07 ..."
//	html.title           white space folded
//	script.interp        what stands behind "#!"
//	text.env.KEY         an entry of a boot loader's built-in environment
type Fact struct {
	Name  string
	Value string         // valid UTF-8, at most MaxValue bytes, control characters kept
	At    artifact.Range // the bytes of the content that say so
}

// Hit is an occurrence of a pattern in bytes of the content that no format read.
type Hit struct {
	Pattern int
	At      artifact.Range
}

// Facts is what was read from one content.
type Facts struct {
	Content artifact.Digest
	Facts   []Fact // by name, then place, then value
	Hits    []Hit  // by pattern, then place; at most MaxHits for each pattern
}

// Limits of what is kept of one content.
const (
	MaxValue   = 4 << 10 // bytes of a value
	MaxHits    = 64      // of one pattern
	MaxSymbols = 20_000  // exports, and imports
)

// Problem says that a content could not be read in full.
type Problem struct {
	Content artifact.Digest
	artifact.Problem
}

// Collect reads the facts of every content of t, which s holds, and finds the patterns of set,
// which may be nil, in those extents of it that no format read: what a chunk holds are other
// contents, or bytes of the format. Contents are read in parallel. The result is the same for any number
// of workers. A content that says nothing has no entry. Problems are in the order of contents.
func Collect(ctx context.Context, t *artifact.Tree, s *artifact.Store, p *work.Pool, set *literal.Set) (map[artifact.Digest]*Facts, []Problem) {
	return CollectCached(ctx, t, s, p, set, nil)
}

// CollectCached is Collect, but what an earlier run collected is not read again: facts depend on
// the bytes, on what formats read of them, and on the patterns.
func CollectCached(ctx context.Context, t *artifact.Tree, s *artifact.Store, p *work.Pool, set *literal.Set, known *cache.Cache) (map[artifact.Digest]*Facts, []Problem) {
	search := newSearch(set)
	patterns := search.digest()
	found, errs := work.Map(ctx, p, t.Contents(), func(ctx context.Context, c *artifact.Content) (*collected, error) {
		var key cache.Key
		if known != nil {
			key = known.KeyOf(c.Digest, []byte("facts"), patterns, cache.Encode(&c.Extents))
			if f := new(Facts); known.Get(key, f) && f.Content == c.Digest {
				return &collected{Facts: f}, nil
			}
		}
		r, err := s.Open(c.Digest)
		if err != nil {
			return nil, err
		}
		in := &content{Content: c, r: r}
		if c.Size <= inMemory {
			buf := contents.Get().(*[]byte)
			defer contents.Put(buf)
			b := (*buf)[:c.Size]
			if n, err := r.ReadAt(b, 0); int64(n) == c.Size || err == io.EOF {
				in.r = io.NewSectionReader(bytes.NewReader(b[:n]), 0, int64(n))
			}
		}
		in.read(ctx, search)
		out := &collected{in.sorted(), in.problems}
		if len(in.problems) == 0 && ctx.Err() == nil {
			known.Put(key, out.Facts)
		}
		return out, nil
	})
	out := map[artifact.Digest]*Facts{}
	var problems []Problem
	for i, c := range t.Contents() {
		if errs[i] != nil {
			problems = append(problems, Problem{c.Digest, failure(errs[i])})
			continue
		}
		for _, p := range found[i].problems {
			problems = append(problems, Problem{c.Digest, p})
		}
		if f := found[i].Facts; len(f.Facts)+len(f.Hits) > 0 {
			out[c.Digest] = f
		}
	}
	return out, problems
}

type collected struct {
	*Facts
	problems []artifact.Problem
}

// inMemory is the largest content that is read as a whole, for all readers, in bytes.
const inMemory = 4 << 20

var contents = sync.Pool{New: func() any { b := make([]byte, inMemory); return &b }}

func failure(err error) artifact.Problem {
	kind := artifact.Damaged
	var panicked *work.PanicError
	switch {
	case errors.As(err, &panicked), errors.Is(err, artifact.ErrNoContent):
		kind = artifact.Internal
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		kind = artifact.Limit
	}
	return artifact.Problem{Kind: kind, Detail: fmt.Sprintf("facts: %v", err)}
}

// Named returns the facts named name, in order of place.
func (f *Facts) Named(name string) []Fact {
	if f == nil {
		return nil
	}
	byName := func(x Fact, name string) int { return cmp.Compare(x.Name, name) }
	lo, _ := slices.BinarySearchFunc(f.Facts, name, byName)
	hi := lo
	for hi < len(f.Facts) && f.Facts[hi].Name == name {
		hi++
	}
	return f.Facts[lo:hi]
}

// HitsOf returns the hits of pattern, in order of place.
func (f *Facts) HitsOf(pattern int) []Hit {
	if f == nil {
		return nil
	}
	byPattern := func(x Hit, p int) int { return cmp.Compare(x.Pattern, p) }
	lo, _ := slices.BinarySearchFunc(f.Hits, pattern, byPattern)
	hi, _ := slices.BinarySearchFunc(f.Hits, pattern+1, byPattern)
	return f.Hits[lo:hi]
}

// content is a content that is being read.
type content struct {
	*artifact.Content
	r        *io.SectionReader
	head     []byte // its first bytes, at most headLen
	facts    []Fact
	hits     []Hit
	problems []artifact.Problem
	envEnd   int64 // end of the last run of environment entries
}

const headLen = 4 << 10

// readers are asked in turn; each decides by the head whether the content is for it.
var readers = [...]func(*content){
	readAttrs,
	readELF,
	readSigner,
	readPEExports,
	readScript,
	readHTML,
	readJSON,
	readIcon,
}

func (c *content) read(ctx context.Context, s *search) {
	c.head = c.bytes(artifact.Range{Len: headLen})
	for _, read := range readers {
		read(c)
	}
	s.run(ctx, c)
}

// say keeps a fact.
func (c *content) say(name, value string, at artifact.Range) {
	value = value[:min(len(value), MaxValue)]
	if !utf8.ValidString(value) {
		value = strings.ToValidUTF8(value, "\uFFFD")
		for len(value) > MaxValue { // the replacement is longer than what it replaces
			_, n := utf8.DecodeLastRuneInString(value)
			value = value[:len(value)-n]
		}
	}
	c.facts = append(c.facts, Fact{strings.ToValidUTF8(name, "\uFFFD"), strings.Clone(value), at})
}

func (c *content) problem(kind artifact.ProblemKind, at artifact.Range, format string, args ...any) {
	c.problems = append(c.problems, artifact.Problem{Kind: kind, At: at, Detail: fmt.Sprintf(format, args...)})
}

// bytes returns what the content has of at, which callers keep small.
func (c *content) bytes(at artifact.Range) []byte {
	if at.Off < 0 || at.Off >= c.r.Size() || at.Len <= 0 {
		return nil
	}
	b := make([]byte, min(at.Len, c.r.Size()-at.Off))
	n, err := c.r.ReadAt(b, at.Off)
	if n < len(b) {
		c.problem(artifact.Damaged, artifact.Range{Off: at.Off + int64(n)}, "facts: read at %#x: %v", at.Off+int64(n), err)
	}
	return b[:n]
}

// reader reads r until ctx is done.
type reader struct {
	ctx context.Context
	r   io.ReaderAt
}

func (r reader) ReadAt(p []byte, off int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.ReadAt(p, off)
}

func (c *content) sorted() *Facts {
	byPlace := func(x, y artifact.Range) int {
		return cmp.Or(cmp.Compare(x.Off, y.Off), cmp.Compare(x.Len, y.Len))
	}
	slices.SortStableFunc(c.facts, func(x, y Fact) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), byPlace(x.At, y.At), cmp.Compare(x.Value, y.Value))
	})
	slices.SortFunc(c.hits, func(x, y Hit) int {
		return cmp.Or(cmp.Compare(x.Pattern, y.Pattern), byPlace(x.At, y.At))
	})
	return &Facts{c.Digest, slices.Compact(c.facts), c.hits}
}

// readAttrs repeats what formats read from the headers of chunks.
func readAttrs(c *content) {
	for _, x := range c.Chunks() {
		for _, a := range x.Chunk.Attrs {
			c.say(x.Chunk.Format+"."+a.Name, a.Value, a.At)
		}
	}
}
