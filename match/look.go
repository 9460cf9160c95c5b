package match

import (
	"slices"
	"strings"

	"hallmark/artifact"
)

const (
	inText = "text"
	inPath = "path"
)

// witness is one way in which a look holds.
type witness struct {
	way       string // what tells it from another way: the pattern or the value
	value     string // what was seen, for people
	part      string // of value: what the look is about; "" for all of it
	technique string
	at        artifact.Range
	step      *artifact.Step // of a path: the node that has it
}

// find returns the ways in which l holds for v, each once, in a fixed order.
func (l *look) find(v *view) []witness {
	if len(l.In) > 0 && !slices.Contains(l.In, v.file) {
		return nil
	}
	var out []witness
	for _, where := range l.Where {
		switch {
		case where == inText:
			out = append(out, l.findText(v)...)
		case where == inPath:
			out = append(out, l.findPath(v)...)
		case strings.HasSuffix(where, "*"):
			out = append(out, l.findAnyFact(v, strings.TrimSuffix(where, "*"))...)
		default:
			out = append(out, l.findFact(v, where)...)
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(out, func(w witness) bool {
		again := seen[w.way]
		seen[w.way] = true
		return again
	})
}

// fits reports whether what l looks at could be in v: formats are looked for in every content, what
// one kind of file says of itself in files of that kind.
func (l *look) fits(v *view) bool {
	if len(l.In) > 0 && !slices.Contains(l.In, v.file) {
		return false
	}
	return slices.ContainsFunc(l.Where, func(where string) bool {
		switch family, _, _ := strings.Cut(where, "."); family {
		case inPath:
			return len(v.paths) > 0
		case "elf", "modinfo":
			return v.file == "elf" || v.says(family)
		case "pe":
			return v.file == "pe" || v.says(family)
		case "x509", "html", "json", "image":
			return v.says(family)
		}
		return true
	})
}

func (l *look) findAnyFact(v *view, prefix string) (out []witness) {
	var names []string
	for name := range v.facts {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		out = append(out, l.findFact(v, name)...)
	}
	return out
}

func (l *look) findFact(v *view, name string) (out []witness) {
	list := v.facts[name]
	if strings.HasPrefix(name, "x509.") && len(list) > manyCerts {
		return nil
	}
	for _, f := range list {
		way, ok := l.compare(f.Value)
		if !ok {
			continue
		}
		if l.Each {
			for _, m := range l.regexp.FindAllString(f.Value, -1) {
				out = append(out, witness{way: m, value: f.Value, part: m, technique: f.Name, at: f.At})
			}
			continue
		}
		w := witness{way: f.Value, value: f.Value, part: way, technique: f.Name, at: f.At}
		if way == "" {
			w.way = f.Name // that the fact is there is all that is asked
		}
		out = append(out, w)
	}
	return out
}

// worded reports whether w is something that anybody may write about others.
func (w *witness) worded() bool {
	return w.technique == "string" || strings.HasPrefix(w.technique, "json.") || strings.HasPrefix(w.technique, "html.")
}

func (l *look) findPath(v *view) (out []witness) {
	for i := range v.paths {
		p := &v.paths[i]
		if len(l.Chunk) > 0 && !slices.Contains(l.Chunk, p.format) {
			continue
		}
		if way, ok := l.compare(p.path); ok {
			out = append(out, witness{way: way, value: p.path, technique: "path", at: v.at, step: &p.step})
		}
	}
	return out
}

// compare returns the pattern of l that fits s, or what its expression matched; "" if l has
// neither, for then anything fits.
func (l *look) compare(s string) (string, bool) {
	way := ""
	if l.regexp != nil {
		m := l.regexp.FindStringIndex(s)
		if m == nil {
			return "", false
		}
		way = s[m[0]:m[1]]
	}
	if len(l.Is)+len(l.Begins)+len(l.Ends)+len(l.Has) == 0 {
		return way, true
	}
	t := l.folded(s)
	for _, group := range []struct {
		patterns []string
		fits     func(s, pattern string) bool
	}{
		{l.Is, func(s, p string) bool { return s == p }},
		{l.Begins, strings.HasPrefix},
		{l.Ends, strings.HasSuffix},
		{l.Has, strings.Contains},
	} {
		for _, p := range group.patterns {
			if group.fits(t, l.folded(p)) {
				return p, true
			}
		}
	}
	return "", false
}

func (l *look) folded(s string) string {
	if l.Fold {
		return strings.ToLower(s)
	}
	return s
}

// findText looks at the literals of l that stand in the content.
func (l *look) findText(v *view) (out []witness) {
	for i, n := range l.exact {
		for _, at := range v.hits[n] {
			out = append(out, witness{way: l.Hex[i], value: l.Hex[i], technique: "bytes", at: at})
		}
	}
	for i, n := range l.literals {
		for _, hit := range v.hits[n] {
			at, value, ok := l.refine(v, hit, l.Has[i])
			if !ok || !v.bounded(at, l.Bound) || !v.legible(at) {
				continue
			}
			way := l.Has[i]
			if l.regexp != nil {
				way = value
			}
			out = append(out, witness{way: way, value: value, technique: "string", at: at})
		}
	}
	return out
}

// refine widens a literal found at to what the expression of l matches around it.
func (l *look) refine(v *view, at artifact.Range, text string) (artifact.Range, string, bool) {
	if l.regexp == nil {
		return at, text, true
	}
	b, lo := v.read(at.Off-around, at.End()+around)
	for _, m := range l.regexp.FindAllIndex(b, -1) {
		if found := (artifact.Range{Off: lo + int64(m[0]), Len: int64(m[1] - m[0])}); found.Contains(at) {
			return found, string(b[m[0]:m[1]]), true
		}
	}
	return at, "", false
}
