package unpack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"hallmark/artifact"
	"hallmark/internal/work"
)

// Extract writes what t holds below root and returns what it did not write as it is, one line
// each. Every chunk gets a folder named by its offset and format; a file that itself holds
// chunks gets a folder NAME.unpacked beside it, at the first place where its content stands.
//
// Nothing is written outside root whatever the image says: paths are cleaned, links are made
// last and only if they stay within their chunk's folder, other links become text files that
// hold the target, devices are not made. Set-user-ID bits are dropped.
func Extract(ctx context.Context, t *artifact.Tree, s *artifact.Store, root *os.Root, workers int) (notes []string, err error) {
	x := &extraction{t: t, s: s, root: root, pool: work.NewPool(workers), done: map[artifact.Digest]string{}, taken: map[string]bool{}}
	x.content(t.Content(t.Root), "")
	if err := x.write(ctx); err != nil {
		return x.notes, err
	}
	return x.notes, nil
}

type extraction struct {
	t     *artifact.Tree
	s     *artifact.Store
	root  *os.Root
	pool  *work.Pool
	done  map[artifact.Digest]string // folder of contents whose chunks are planned
	taken map[string]bool            // every path planned
	dirs  []*folder
	links []link
	notes []string
}

// folder is one directory to make with the files in it.
type folder struct {
	path  string
	files []file
}

type file struct {
	name   string
	mode   fs.FileMode
	digest artifact.Digest
	at     artifact.Range // of the content
	text   string         // instead of a content
}

type link struct{ path, target string }

func (x *extraction) note(format string, args ...any) {
	x.notes = append(x.notes, fmt.Sprintf(format, args...))
}

// content plans the chunks of c and what lies between them, in folder dir.
func (x *extraction) content(c *artifact.Content, dir string) {
	x.done[c.Digest] = dir
	f := x.folder(dir)
	for i := range c.Extents {
		e := &c.Extents[i]
		switch e.Kind {
		case artifact.InChunk:
			if len(e.Chunk.Nodes) == 0 {
				name := path.Base(x.free(dir, fmt.Sprintf("0x%08x-%s.bin", e.Off, e.Chunk.Format)))
				f.files = append(f.files, file{name: name, mode: 0o644, digest: c.Digest, at: e.Range})
				continue
			}
			x.chunk(e.Chunk, x.free(dir, fmt.Sprintf("0x%08x-%s", e.Off, e.Chunk.Format)))
		case artifact.Unknown:
			name := path.Base(x.free(dir, fmt.Sprintf("0x%08x-%s.bin", e.Off, e.Figures.Class)))
			f.files = append(f.files, file{name: name, mode: 0o644, digest: c.Digest, at: e.Range})
		}
	}
}

func (x *extraction) folder(dir string) *folder {
	f := &folder{path: dir}
	x.dirs = append(x.dirs, f)
	return f
}

// chunk plans the nodes of k in folder dir.
func (x *extraction) chunk(k *artifact.Chunk, dir string) {
	folders := map[string]*folder{}
	place := func(d string) *folder {
		if folders[d] == nil {
			folders[d] = x.folder(path.Join(dir, d))
		}
		return folders[d]
	}
	place("")
	isDir := map[string]bool{}
	for i := range k.Nodes {
		if k.Nodes[i].Mode.IsDir() {
			isDir[k.Nodes[i].Path] = true
		}
		for d := path.Dir(k.Nodes[i].Path); d != "." && !isDir[d]; d = path.Dir(d) {
			isDir[d] = true // a file may be declared where others need a folder: the folder wins
		}
	}
	for d := range isDir {
		x.taken[path.Join(dir, shorten(d))] = true
	}
	for i := range k.Nodes {
		n := &k.Nodes[i]
		d, name := path.Split(shorten(n.Path))
		d = strings.TrimSuffix(d, "/")
		switch {
		case n.Mode.IsDir():
			place(shorten(n.Path))
		case n.Mode&fs.ModeSymlink != 0:
			at := x.free(path.Join(dir, d), name)
			if target := path.Join("/", d, n.Link); path.IsAbs(n.Link) || climbs(d, n.Link) {
				x.note("%s: link leaves the tree, written as text: -> %s", quote(at), quote(n.Link))
				f := place(d)
				f.files = append(f.files, file{name: path.Base(at), mode: 0o644, text: n.Link})
			} else if target != "" {
				place(d)
				x.links = append(x.links, link{at, n.Link})
			}
		case n.Mode.IsRegular() && (n.HasContent() || n.Size == 0):
			at := x.free(path.Join(dir, d), name)
			f := place(d)
			mode := n.Mode.Perm() | 0o600
			if n.Mode == 0 {
				mode = 0o644
			}
			f.files = append(f.files, file{name: path.Base(at), mode: mode, digest: n.Digest, at: artifact.Range{Len: n.Size}})
			x.inner(n, at)
		case n.Mode.IsRegular():
			x.note("%s: not written: its content was not read", quote(path.Join(dir, n.Path)))
		default:
			x.note("%s: %s not made", quote(path.Join(dir, n.Path)), kindOf(n.Mode))
		}
	}
}

// inner plans the folder beside a file whose content holds chunks, once for each content.
func (x *extraction) inner(n *artifact.Node, at string) {
	c := x.t.Content(n.Digest)
	if c == nil {
		return
	}
	for _, e := range c.Chunks() {
		if len(e.Chunk.Nodes) == 0 {
			continue // such as a certificate: the file itself says it all
		}
		dir, name := path.Split(at)
		if first, ok := x.done[c.Digest]; ok {
			note := x.free(dir, name+".unpacked.txt")
			f := x.folder(path.Dir(note))
			f.files = append(f.files, file{name: path.Base(note), mode: 0o644, text: "same content as " + first + "\n"})
			return
		}
		x.content(c, x.free(dir, name+".unpacked"))
		return
	}
}

// free returns dir/name, or that with a number behind it if it is planned for something else.
func (x *extraction) free(dir, name string) string {
	p := path.Join(dir, name)
	for i := 1; x.taken[p]; i++ {
		p = path.Join(dir, fmt.Sprintf("%s~%d", name, i))
	}
	x.taken[p] = true
	return p
}

// climbs reports whether a relative link in folder d leads above the chunk's folder.
func climbs(d, target string) bool {
	depth := 0
	if d != "" {
		depth = strings.Count(d, "/") + 1
	}
	for _, c := range strings.Split(target, "/") {
		switch c {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return strings.Contains(target, "\x00")
}

// shorten cuts components that no filesystem takes (over 255 bytes), keeping them distinct enough.
func shorten(p string) string {
	if len(p) <= 255 {
		return p
	}
	parts := strings.Split(p, "/")
	for i, c := range parts {
		if len(c) > 240 {
			parts[i] = c[:240]
		}
	}
	return strings.Join(parts, "/")
}

func kindOf(m fs.FileMode) string {
	switch {
	case m&fs.ModeCharDevice != 0:
		return "character device"
	case m&fs.ModeDevice != 0:
		return "block device"
	case m&fs.ModeNamedPipe != 0:
		return "fifo"
	case m&fs.ModeSocket != 0:
		return "socket"
	}
	return "special file"
}

// write carries the plan out: folders, then files, folder by folder in parallel, then links.
func (x *extraction) write(ctx context.Context) error {
	for _, d := range x.dirs {
		if d.path != "" {
			if err := x.root.MkdirAll(d.path, 0o755); err != nil {
				return err
			}
		}
	}
	_, errs := work.Map(ctx, x.pool, x.dirs, func(ctx context.Context, d *folder) (struct{}, error) {
		return struct{}{}, x.files(ctx, d)
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, l := range x.links {
		if err := x.root.Symlink(l.target, l.path); err != nil {
			x.note("%s: link not made: %v", quote(l.path), err)
		}
	}
	return nil
}

func (x *extraction) files(ctx context.Context, d *folder) error {
	if len(d.files) == 0 {
		return nil
	}
	dir := x.root
	if d.path != "" {
		var err error
		if dir, err = x.root.OpenRoot(d.path); err != nil {
			return err
		}
		defer dir.Close()
	}
	for _, f := range d.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := x.file(dir, f); err != nil {
			return err
		}
	}
	return nil
}

func (x *extraction) file(dir *os.Root, f file) error {
	w, err := dir.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
	if err != nil {
		return err
	}
	defer w.Close()
	switch {
	case f.text != "":
		_, err = io.WriteString(w, f.text)
	case !f.digest.IsZero():
		var r *io.SectionReader
		if r, err = x.s.Open(f.digest); err == nil {
			_, err = io.Copy(w, io.NewSectionReader(r, f.at.Off, f.at.Len))
		}
	}
	if err != nil {
		return err
	}
	if err := w.Chmod(f.mode); err != nil { // the process's umask aside
		return err
	}
	return w.Close()
}
