package devicelist

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"hallmark/artifact"
)

// Manifest is what a firmware holds, whatever it is wrapped in: a line for each file, link and
// device in its innermost file systems and archives, and one for each run of bytes that belongs
// to none. docs/policy.md defines it.
type Manifest struct {
	Lines []string // sorted, each once
	// Gap says what is missing, so that the manifest stands for nothing; "" if it is whole.
	Gap string
}

const manifestHead = "hallmark manifest 1\n"

// Text returns the manifest as it is kept in files.
func (m *Manifest) Text() []byte {
	return []byte(manifestHead + strings.Join(m.Lines, "\n") + "\n")
}

// Root returns the content root: the digest of Text, or zero if the manifest is not whole.
func (m *Manifest) Root() artifact.Digest {
	if m.Gap != "" {
		return artifact.Digest{}
	}
	return sha256.Sum256(m.Text())
}

// ParseManifest reads what Text wrote and must have the content root given.
func ParseManifest(data []byte, root artifact.Digest) (*Manifest, error) {
	text, ok := bytes.CutPrefix(data, []byte(manifestHead))
	if !ok {
		return nil, fmt.Errorf("not a manifest: it does not begin with %q", strings.TrimSpace(manifestHead))
	}
	if got := artifact.Digest(sha256.Sum256(data)); got != root {
		return nil, fmt.Errorf("the manifest has the content root %s, and the list says %s", got, root)
	}
	m := &Manifest{Lines: strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")}
	for i, l := range m.Lines[1:] {
		if l <= m.Lines[i] {
			return nil, fmt.Errorf("the manifest is not in order: line %d", i+3)
		}
	}
	return m, nil
}

// NewManifest lists what t holds. s holds its contents.
func NewManifest(t *artifact.Tree, s *artifact.Store) (*Manifest, error) {
	m := &Manifest{}
	w := walk{tree: t, store: s, m: m, seen: map[artifact.Digest]bool{t.Root: true}}
	for _, p := range t.Problems {
		m.gap(p)
	}
	for queue := []*artifact.Content{t.Content(t.Root)}; len(queue) > 0; queue = queue[1:] {
		inner, err := w.content(queue[0])
		if err != nil {
			return nil, err
		}
		queue = append(queue, inner...)
	}
	slices.Sort(m.Lines)
	m.Lines = slices.Compact(m.Lines)
	return m, nil
}

// gap notes a problem that keeps bytes away. What is encrypted is there to be digested.
func (m *Manifest) gap(p artifact.Problem) {
	if m.Gap == "" && p.Kind.Hides() && p.Kind != artifact.Encrypted && p.Kind != artifact.Unsupported {
		m.Gap = p.String()
	}
}

type walk struct {
	tree  *artifact.Tree
	store *artifact.Store
	m     *Manifest
	seen  map[artifact.Digest]bool
}

// content lists what one wrapping holds and returns the wrappings in it, each once.
func (w *walk) content(c *artifact.Content) ([]*artifact.Content, error) {
	var inner []*artifact.Content
	for _, p := range c.Problems {
		w.m.gap(p)
	}
	for i := range c.Extents {
		x := &c.Extents[i]
		switch x.Kind {
		case artifact.Unknown:
			d, err := w.digest(c, x.Range)
			if err != nil {
				return nil, err
			}
			w.m.Lines = append(w.m.Lines, fmt.Sprintf("rest %s %d", d, x.Len))
		case artifact.InChunk:
			for _, p := range x.Chunk.Problems {
				w.m.gap(p)
			}
			names := map[string]*artifact.Node{}
			for j := range x.Chunk.Nodes {
				n := &x.Chunk.Nodes[j]
				names[n.Path] = n
				if wrapped := w.node(n, names); wrapped != nil {
					inner = append(inner, wrapped)
				}
			}
		}
	}
	return inner, nil
}

func (w *walk) digest(c *artifact.Content, at artifact.Range) (artifact.Digest, error) {
	r, err := w.store.Open(c.Digest)
	if err != nil {
		return artifact.Digest{}, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(r, at.Off, at.Len)); err != nil {
		return artifact.Digest{}, err
	}
	return artifact.Digest(h.Sum(nil)), nil
}

// node writes the line of n, or returns the content that it wraps and that was not entered yet.
func (w *walk) node(n *artifact.Node, names map[string]*artifact.Node) *artifact.Content {
	for _, p := range n.Problems {
		w.m.gap(p)
	}
	path := strconv.QuoteToASCII(n.Path)
	line := ""
	switch {
	case n.Mode.IsDir():
		return nil
	case n.Mode&fs.ModeSymlink != 0:
		line = fmt.Sprintf("link %s %s", strconv.QuoteToASCII(n.Link), path)
	case n.Dev != nil:
		line = fmt.Sprintf("node %s %s %d:%d %s", octal(n.Mode), kind(n.Mode), n.Dev.Major, n.Dev.Minor, path)
	case n.Mode&(fs.ModeNamedPipe|fs.ModeSocket) != 0:
		line = fmt.Sprintf("node %s %s - %s", octal(n.Mode), kind(n.Mode), path)
	default:
		d := n.Digest
		if first := names[n.HardLink]; n.HardLink != "" && first != nil {
			d = first.Digest
		}
		if d.IsZero() && n.Size > 0 && w.m.Gap == "" {
			w.m.Gap = "the content of " + n.Path + " was not read"
		}
		if c := w.tree.Content(d); c != nil && wraps(c) {
			if w.seen[d] {
				return nil
			}
			w.seen[d] = true
			return c
		}
		line = fmt.Sprintf("file %s %s %s", octal(n.Mode), d, path)
	}
	w.m.Lines = append(w.m.Lines, line)
	return nil
}

// wraps reports whether c is there for what it holds. A program, a picture or a text is a file
// of its own, whatever was found inside.
func wraps(c *artifact.Content) bool {
	for range c.Chunks() {
		return c.Type == "" || c.Type == "folder"
	}
	return false
}

// octal writes the permission bits as Unix does.
func octal(m fs.FileMode) string {
	bits := uint32(m.Perm())
	for _, b := range []struct {
		mode fs.FileMode
		bit  uint32
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if m&b.mode != 0 {
			bits |= b.bit
		}
	}
	return fmt.Sprintf("%04o", bits)
}

func kind(m fs.FileMode) string {
	switch {
	case m&fs.ModeCharDevice != 0:
		return "c"
	case m&fs.ModeDevice != 0:
		return "b"
	case m&fs.ModeSocket != 0:
		return "s"
	}
	return "p"
}

// Difference says for people how got differs from m, in order of path, at most max things and
// how many more; nil if it does not.
func (m *Manifest) Difference(got *Manifest, max int) []string {
	before, after := subtract(m.Lines, got.Lines), subtract(got.Lines, m.Lines)
	var out []string
	for _, p := range sortedKeys(before) {
		if _, ok := after[p]; ok {
			out = append(out, how(before[p], after[p])+" "+p)
		} else {
			out = append(out, "missing "+p)
		}
	}
	for _, p := range sortedKeys(after) {
		if _, ok := before[p]; !ok {
			out = append(out, "added "+p)
		}
	}
	if len(out) > max {
		out = append(out[:max:max], fmt.Sprintf("and %d more", len(out)-max))
	}
	return out
}

// subtract returns the lines of a that b does not have, by path. Both are sorted.
func subtract(a, b []string) map[string]string {
	out := map[string]string{}
	for _, l := range a {
		if _, ok := slices.BinarySearch(b, l); !ok {
			out[pathOf(l)] = l
		}
	}
	return out
}

func pathOf(line string) string {
	if f := strings.Fields(line); len(f) == 3 && f[0] == "rest" {
		return "bytes outside of any file (" + f[2] + " bytes)"
	}
	i := strings.IndexByte(line, '"')
	if strings.HasPrefix(line, "link ") {
		if q, err := strconv.QuotedPrefix(line[5:]); err == nil {
			i = 5 + len(q) + 1
		}
	}
	if i < 0 || i > len(line) {
		return line
	}
	p, err := strconv.Unquote(line[i:])
	if err != nil {
		return line
	}
	return p
}

// how says what of a file changed.
func how(before, after string) string {
	a, b := strings.Fields(before), strings.Fields(after)
	if len(a) > 3 && len(b) > 3 && a[0] == "file" && b[0] == "file" && a[2] == b[2] {
		return "mode changed from " + a[1] + " to " + b[1] + " of"
	}
	return "changed"
}

func sortedKeys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// common returns how many lines both manifests have.
func (m *Manifest) common(o *Manifest) int {
	n := 0
	for _, l := range m.Lines {
		if _, ok := slices.BinarySearch(o.Lines, l); ok {
			n++
		}
	}
	return n
}
