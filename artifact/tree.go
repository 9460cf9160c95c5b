package artifact

import (
	"fmt"
	"io/fs"
	"iter"
	"strings"
)

// Attr is a fact that a format read from a header: its name, its value as text, and the
// bytes that say so. Within a chunk At is relative to the content that holds the chunk.
type Attr struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	At    Range  `json:"at"`
}

// Device is the number of a character or block device.
type Device struct {
	Major uint32 `json:"major"`
	Minor uint32 `json:"minor"`
}

// Xattr is one extended attribute as stored.
type Xattr struct {
	Name  string `json:"name"`
	Value []byte `json:"value"`
}

// Node is one thing that a chunk holds: a file, a directory, a link, a device or a payload.
type Node struct {
	Path     string      // slash-separated, relative to the chunk; cleaned, otherwise the bytes as stored
	Mode     fs.FileMode // type and permission bits
	UID, GID uint32
	ModTime  int64   // seconds since 1970 UTC as stored; 0 if not stored
	Link     string  // target of a symbolic link, as stored
	HardLink string  // path of the node in the same chunk that has the same inode, for the second and later names
	Dev      *Device // of a device
	Xattrs   []Xattr
	Size     int64  // bytes of content
	Digest   Digest // of the content; zero if the node has none
	Window   *Range // where the content stands in the holding content, if it is stored there as it is
	Problems []Problem
}

// HasContent reports whether n is a file whose content was read at least in part.
func (n *Node) HasContent() bool { return !n.Digest.IsZero() }

// Chunk is what one format read from one run of bytes.
type Chunk struct {
	Format   string
	Attrs    []Attr
	Nodes    []Node // in the order stored
	Problems []Problem
}

// ExtentKind says whose bytes an extent is.
type ExtentKind string

const (
	InChunk ExtentKind = "chunk"   // a format read them
	Padding ExtentKind = "padding" // one byte value, repeated
	Unknown ExtentKind = "unknown" // no format claims them
)

// Extent is a run of bytes of one content with one owner.
type Extent struct {
	Range
	Kind    ExtentKind
	Chunk   *Chunk  // if Kind is InChunk
	Figures Figures // if Kind is Unknown
	Fill    byte    // if Kind is Padding
}

// Content is one distinct run of bytes, named by its digest.
type Content struct {
	Digest   Digest
	Size     int64
	Type     string   // of a file that needs no unpacking: "elf", "text", "png", ...; "" otherwise
	Extents  []Extent // the cover: every byte once, in order
	Problems []Problem
	Depth    int  // number of chunks around it, at its shallowest place
	First    Step // the node that yielded it first; unset for the root
}

// Chunks returns the extents of c that a format read.
func (c *Content) Chunks() iter.Seq2[int, *Extent] {
	return func(yield func(int, *Extent) bool) {
		for i := range c.Extents {
			if c.Extents[i].Kind == InChunk && !yield(i, &c.Extents[i]) {
				return
			}
		}
	}
}

// Step leads from a content to a content that it holds: node Node of the chunk at extent Extent.
type Step struct {
	Content Digest
	Extent  int
	Node    int
}

// Place is a way from the root to a content; the root's own place is empty.
type Place []Step

// Tree is the result of taking an image apart. It is safe for concurrent reading.
type Tree struct {
	Name     string // base name of the input, for display only
	Root     Digest
	Problems []Problem // of the run as a whole, such as a limit that ended it
	contents []*Content
	index    map[Digest]int
}

// NewTree returns a tree that holds no content yet.
func NewTree(name string) *Tree { return &Tree{Name: name, index: map[Digest]int{}} }

// Add appends c. The first content added is the root. A content that is there already is kept.
func (t *Tree) Add(c *Content) {
	if _, ok := t.index[c.Digest]; ok {
		return
	}
	if len(t.contents) == 0 {
		t.Root = c.Digest
	}
	t.index[c.Digest] = len(t.contents)
	t.contents = append(t.contents, c)
}

// Content returns the content named d, or nil.
func (t *Tree) Content(d Digest) *Content {
	if i, ok := t.index[d]; ok {
		return t.contents[i]
	}
	return nil
}

// Contents returns each distinct content once: outer before inner, then in order of place.
func (t *Tree) Contents() []*Content { return t.contents }

// Node returns the node that s leads through, or nil.
func (t *Tree) Node(s Step) *Node {
	c := t.Content(s.Content)
	if c == nil || s.Extent >= len(c.Extents) || c.Extents[s.Extent].Chunk == nil {
		return nil
	}
	if nodes := c.Extents[s.Extent].Chunk.Nodes; s.Node < len(nodes) {
		return &nodes[s.Node]
	}
	return nil
}

// FirstPlace returns the first way from the root to d.
func (t *Tree) FirstPlace(d Digest) Place {
	var p Place
	for d != t.Root {
		c := t.Content(d)
		if c == nil || c.First.Content.IsZero() {
			return nil
		}
		p = append(p, c.First)
		d = c.First.Content
	}
	for i, j := 0, len(p)-1; i < j; i, j = i+1, j-1 {
		p[i], p[j] = p[j], p[i]
	}
	return p
}

// Places returns the ways from the root to d, at most max of them, in order.
func (t *Tree) Places(d Digest, max int) []Place {
	parents := map[Digest][]Step{}
	for _, c := range t.contents {
		for i, x := range c.Chunks() {
			for j := range x.Chunk.Nodes {
				if n := &x.Chunk.Nodes[j]; n.HasContent() {
					parents[n.Digest] = append(parents[n.Digest], Step{c.Digest, i, j})
				}
			}
		}
	}
	var out []Place
	var climb func(d Digest, tail Place)
	climb = func(d Digest, tail Place) {
		if d == t.Root {
			p := make(Place, 0, len(tail))
			for i := len(tail) - 1; i >= 0; i-- {
				p = append(p, tail[i])
			}
			out = append(out, p)
			return
		}
		for _, s := range parents[d] {
			if len(out) >= max {
				return
			}
			if !tail.passes(s.Content) {
				climb(s.Content, append(tail, s))
			}
		}
	}
	climb(d, nil)
	return out
}

func (p Place) passes(d Digest) bool {
	for _, s := range p {
		if s.Content == d {
			return true
		}
	}
	return false
}

// Walk calls visit for the root and then for every node, depth first in order of place, with
// the way to it. When visit returns false, what the node's content holds is not visited.
// A content that holds itself is not entered a second time. For the root node is nil.
func (t *Tree) Walk(visit func(p Place, n *Node, c *Content) bool) {
	root := t.Content(t.Root)
	if root == nil {
		return
	}
	active := map[Digest]bool{}
	var enter func(p Place, c *Content)
	enter = func(p Place, c *Content) {
		active[c.Digest] = true
		for i, x := range c.Chunks() {
			for j := range x.Chunk.Nodes {
				n := &x.Chunk.Nodes[j]
				q := append(p[:len(p):len(p)], Step{c.Digest, i, j})
				inner := t.Content(n.Digest)
				if visit(q, n, inner) && inner != nil && !active[n.Digest] {
					enter(q, inner)
				}
			}
		}
		delete(active, c.Digest)
	}
	if visit(nil, nil, root) {
		enter(nil, root)
	}
}

// Locate writes the place p and the range at within its content for people:
// every chunk on the way with its offset, and the path inside it.
//
//	camera.bin > squashfs@0x260000:/bin/busybox @0x3a10+32
func (t *Tree) Locate(p Place, at Range) string {
	var b strings.Builder
	b.WriteString(t.Name)
	for _, s := range p {
		x := t.Content(s.Content).Extents[s.Extent]
		fmt.Fprintf(&b, " > %s@%#x:/%s", x.Chunk.Format, x.Off, t.Node(s).Path)
	}
	if at.Len > 0 {
		fmt.Fprintf(&b, " @%#x+%d", at.Off, at.Len)
	}
	return b.String()
}

// Layer is one content on a way into an image, and the bytes of it that the way leads through: the
// chunk that is entered, or, in the last, what is cited.
type Layer struct {
	SHA256 Digest `json:"sha256"` // of the content
	Size   int64  `json:"size"`
	At     Range  `json:"at"`
	Format string `json:"format,omitempty"` // of the chunk
	Path   string `json:"path,omitempty"`   // of the node in the chunk
	Window *Range `json:"window,omitempty"` // where the next content stands in this one, if it is stored as it is
}

// Layers lists the contents on the way p, the root first, and at within the last.
func (t *Tree) Layers(p Place, at Range) []Layer {
	var out []Layer
	d := t.Root
	for _, s := range p {
		c := t.Content(s.Content)
		x, n := &c.Extents[s.Extent], t.Node(s)
		out = append(out, Layer{c.Digest, c.Size, x.Range, x.Chunk.Format, n.Path, n.Window})
		if n.HasContent() {
			d = n.Digest
		}
	}
	c := t.Content(d)
	return append(out, Layer{SHA256: d, Size: c.Size, At: at})
}
