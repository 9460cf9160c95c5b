package match

import (
	"bytes"
	"io"
	"path"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/facts"
)

// view is one content as marks see it.
type view struct {
	content  *artifact.Content
	at       artifact.Range // what stands for the content when a path is cited
	r        io.ReaderAt
	facts    map[string][]facts.Fact
	hits     map[int][]artifact.Range // by literal of the rules
	paths    []named
	file     string           // kind of file: "elf", "pe", "script", "web", "text", "data"
	list     bool             // it names so many makers that it is a list of them
	about    bool             // it is text about software, wherever it stands
	way      way              // to one of its places
	contexts []bool           // by index: whether one of its places is in it; nil if that is not known
	loaded   []artifact.Range // of a program: what is loaded when it runs; empty if that is not known
	imports  []artifact.Range // of a program: names that it asks others for
}

// named is one node that holds the content.
type named struct {
	path   string // in its chunk, with a slash before it
	format string // of the chunk
	step   artifact.Step
}

const (
	manyMakers = 3   // a file that names as many is a list of what is on the market: it accuses nobody
	manyCerts  = 8   // a file of more certificates is somebody's store of trust, not an identity
	around     = 256 // bytes looked at on each side of a literal
)

// see makes the view of a content with what was read from it.
func (j *judge) see(c *artifact.Content, paths []named) (*view, error) {
	r, err := j.store.Open(c.Digest)
	if err != nil {
		return nil, err
	}
	v := &view{content: c, at: artifact.Range{Len: min(c.Size, artifact.MaxExcerpt)}, r: r, paths: paths, way: j.wayTo(c.Digest)}
	if live := j.where(paths, j.rules.documentation, false); len(live) > 0 {
		v.paths, v.way = live, j.through(live[0].step)
	} else {
		v.about = len(paths) > 0
	}
	head := make([]byte, min(c.Size, 512))
	n, _ := r.ReadAt(head, 0)
	v.file = fileKind(head[:n], v.paths)
	v.contexts = j.contexts(v)
	f := j.facts[c.Digest]
	if f == nil {
		return v, nil
	}
	v.facts = map[string][]facts.Fact{}
	for _, x := range f.Facts {
		v.facts[x.Name] = append(v.facts[x.Name], x)
	}
	v.loaded, v.imports = ranges(v.facts["elf.loaded"]), ranges(v.facts["elf.import"])
	v.hits = map[int][]artifact.Range{}
	for _, h := range f.Hits {
		if i := h.Pattern - j.opts.FirstPattern; i >= 0 && i < len(j.rules.patterns) {
			v.hits[i] = append(v.hits[i], h.At)
		}
	}
	v.list = v.namesMany(j.rules)
	return v, nil
}

func ranges(list []facts.Fact) (out []artifact.Range) {
	for _, f := range list {
		out = append(out, f.At)
	}
	return out
}

// manyPlaces is from where on a content is not asked for its contexts beforehand: it would cost
// more than it saves.
const manyPlaces = 64

// contexts says of each context whether a place of v is in it; nil if v has many.
func (j *judge) contexts(v *view) []bool {
	if len(v.paths) > manyPlaces {
		return nil
	}
	out := make([]bool, len(j.rules.contexts))
	for i := range out {
		if len(v.paths) == 0 {
			out[i] = j.rules.in(i, v.way)
		}
		out[i] = out[i] || slices.ContainsFunc(v.paths, func(p named) bool { return j.rules.in(i, j.through(p.step)) })
	}
	return out
}

// keep returns those ways whose words count where they stand, and, if there is none, why.
func (v *view) keep(ways []witness, claim Class) (kept []witness, why string) {
	for _, w := range ways {
		if reason := v.discount(w, claim); reason == "" {
			kept = append(kept, w)
		} else if why == "" {
			why = reason
		}
	}
	return kept, why
}

// discount says why the text of w does not count; "" if it does.
func (v *view) discount(w witness, claim Class) string {
	if w.technique != "string" {
		return ""
	}
	holds := func(r artifact.Range) bool { return r.Contains(w.at) }
	switch {
	case len(v.loaded) > 0 && !slices.ContainsFunc(v.loaded, holds):
		return "stands in bytes of a program that are not loaded"
	case slices.ContainsFunc(v.imports, holds):
		return "is the name of a symbol that others define"
	case claim != Compatible && v.namespace(w.at):
		return "is the name of an XML namespace"
	}
	return ""
}

// says reports whether there is a fact of a family.
func (v *view) says(family string) bool {
	for name := range v.facts {
		if strings.HasPrefix(name, family+".") {
			return true
		}
	}
	return false
}

// namespace reports whether the text at is the value of an attribute xmlns.
func (v *view) namespace(at artifact.Range) bool {
	b, text, ok := v.surround(at, around)
	if !ok {
		return false
	}
	before := b[:text.Off]
	if i := bytes.LastIndexAny(before, "\"'"); i > 0 {
		attr := before[:i]
		attr = attr[bytes.LastIndexAny(attr, " \t\r\n<\x00")+1:]
		return bytes.HasPrefix(attr, []byte("xmlns")) && bytes.HasSuffix(attr, []byte("="))
	}
	return false
}

// where returns the paths that stand in context i, or outside of it.
func (j *judge) where(paths []named, i int, in bool) (out []named) {
	for _, p := range paths {
		if i >= 0 && j.rules.in(i, j.through(p.step)) == in {
			out = append(out, p)
		}
	}
	return out
}

// namesMany reports whether the content names manyMakers makers of cameras or more.
func (v *view) namesMany(r *Rules) bool {
	named := map[string]bool{}
	for i, maker := range r.names {
		if !named[maker] && slices.ContainsFunc(v.hits[i], func(at artifact.Range) bool {
			return v.bounded(at, boundWord) && v.legible(at)
		}) {
			named[maker] = true
		}
	}
	return len(named) >= manyMakers
}

// legible reports whether the text at is one that somebody wrote: in bytes that nobody could
// read and in base64, what looks like a word is chance.
func (v *view) legible(at artifact.Range) bool { return !opaque(v.content, at.Off) && !v.encoded(at) }

func opaque(c *artifact.Content, off int64) bool {
	i, found := slices.BinarySearchFunc(c.Extents, off, func(x artifact.Extent, off int64) int {
		switch {
		case x.End() <= off:
			return -1
		case x.Off > off:
			return 1
		}
		return 0
	})
	return found && c.Extents[i].Kind == artifact.Unknown && c.Extents[i].Figures.Class.Opaque()
}

// read returns the bytes of the content from lo to hi, as far as there are any, and where they begin.
func (v *view) read(lo, hi int64) ([]byte, int64) {
	lo, hi = max(lo, 0), min(hi, v.content.Size)
	if lo >= hi {
		return nil, lo
	}
	b := make([]byte, hi-lo)
	n, _ := v.r.ReadAt(b, lo)
	return b[:n], lo
}

const (
	boundWord  = "word"
	boundNUL   = "nul"
	boundBegin = "begin"
	boundNone  = "none"
)

// bounded reports whether the text at is not a part of something longer.
func (v *view) bounded(at artifact.Range, bound string) bool {
	b, text, ok := v.surround(at, 1)
	if !ok {
		return false
	}
	var before, after byte // NUL stands for the ends of the content
	if text.Off > 0 {
		before = b[0]
	}
	if text.End() < int64(len(b)) {
		after = b[text.End()]
	}
	begins := !(wordByte(before) && wordByte(b[text.Off]))
	switch bound {
	case boundNone:
		return true
	case boundNUL:
		return before == 0 && after == 0
	case boundBegin:
		return begins
	}
	return begins && !(wordByte(after) && wordByte(b[text.End()-1]))
}

// surround returns the text at with up to n bytes on each side, and where it stands in them.
func (v *view) surround(at artifact.Range, n int64) ([]byte, artifact.Range, bool) {
	b, lo := v.read(at.Off-n, at.End()+n)
	text := at.Shift(-lo)
	return b, text, at.Len > 0 && text.Within(int64(len(b)))
}

func wordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// encoded reports whether the text at lies in a run of base64, as in a certificate: at least 60
// characters without a break that hold both cases and a digit.
func (v *view) encoded(at artifact.Range) bool {
	b, text, ok := v.surround(at, around)
	if !ok {
		return false
	}
	plain := func(r rune) bool { return r > 0x7f || !base64Byte(byte(r)) }
	lo := int64(bytes.LastIndexFunc(b[:text.Off], plain) + 1)
	hi := text.End()
	for hi < int64(len(b)) && base64Byte(b[hi]) {
		hi++
	}
	run := b[lo:hi]
	return len(run) >= 60 && !bytes.ContainsFunc(b[text.Off:text.End()], plain) &&
		bytes.ContainsAny(run, "0123456789") && bytes.ContainsFunc(run, isUpper) && bytes.ContainsFunc(run, isLower)
}

func base64Byte(c byte) bool {
	return c == '+' || c == '/' || c == '=' || c != '_' && wordByte(c)
}

func isUpper(r rune) bool { return 'A' <= r && r <= 'Z' }
func isLower(r rune) bool { return 'a' <= r && r <= 'z' }

// fileKind says what a file is to those who wrote marks, by its first bytes and its name.
func fileKind(head []byte, paths []named) string {
	name := ""
	if len(paths) > 0 {
		name = strings.ToLower(path.Base(paths[0].path))
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return "elf"
	case bytes.HasPrefix(head, []byte("MZ")):
		return "pe"
	case bytes.HasPrefix(head, []byte("#!")) && shell(head), path.Ext(name) == ".sh":
		return "script"
	case bytes.IndexByte(head, 0) >= 0:
		return "data"
	}
	switch path.Ext(name) {
	case ".html", ".htm", ".js", ".css", ".asp", ".xml", ".json":
		return "web"
	}
	if artifact.Measure(head).Class == artifact.ClassText {
		return "text"
	}
	return "data"
}

// shell reports whether the interpreter in the first line is a shell.
func shell(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return bytes.HasSuffix(bytes.Fields(append(line[2:len(line):len(line)], " ?"...))[0], []byte("sh"))
}
