package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hallmark/artifact"
	"hallmark/disguise"
	"hallmark/signatures"
)

// maxMutated bounds what mutate holds in memory, in bytes.
const maxMutated = 4 << 30

func newMutateCommand(env *environment) *cobra.Command {
	var in inputFlags
	var m mutation
	var kinds []string
	for _, k := range disguise.Kinds() {
		kinds = append(kinds, fmt.Sprintf("  %-8s %s", k.Name, k.Title))
	}
	c := &cobra.Command{
		Use:   "mutate --do KINDS IMAGE OUT",
		Short: "Disguise the files of an image or a folder as relabellers do",
		Long: `mutate takes the files of IMAGE, or of a folder, disguises them as somebody does who hides a
device's maker, and writes them to OUT: a new folder, or a file whose name ends in .tar. It serves
to measure what a scan still finds. The same files and seed give the same bytes.

Kinds, separated by commas; all is every one but only:
` + strings.Join(kinds, "\n"),
		Example: `  hallmark mutate --do all camera.bin disguised.tar
  hallmark mutate --do brands,strip --seed 7 rootfs/ disguised/`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error { return m.run(c.Context(), env, &in, args[0], args[1]) },
	}
	in.register(c)
	c.Flags().StringSliceVar(&m.do, "do", nil, "`KINDS` of disguise")
	c.Flags().Uint64Var(&m.seed, "seed", 1, "what random choices come from")
	c.Flags().StringSliceVar(&m.brands, "brand", nil, "further `WORDS` to replace, beside the makers' names that are known")
	c.Flags().StringVar(&m.label, "label", "harbourlight", "brand that takes their place")
	return c
}

type mutation struct {
	do     []string
	seed   uint64
	brands []string
	label  string
}

func (m *mutation) run(ctx context.Context, env *environment, in *inputFlags, name, out string) error {
	known := map[string]bool{}
	var all []string
	for _, k := range disguise.Kinds() {
		known[k.Name] = true
		if k.Name != "only" {
			all = append(all, k.Name)
		}
	}
	if len(m.do) == 0 {
		return fmt.Errorf("mutate: give --do with one of: %s, only, all", strings.Join(all, ", "))
	}
	var kinds []string
	for _, k := range m.do {
		switch {
		case k == "all":
			kinds = append(kinds, all...)
		case known[k]:
			kinds = append(kinds, k)
		default:
			return fmt.Errorf("mutate: --do %s: want one of: %s, only, all", k, strings.Join(all, ", "))
		}
	}
	files, err := m.read(ctx, env, in, name)
	if err != nil {
		return err
	}
	brands := m.brands
	makers, err := signatures.Makers()
	if err != nil {
		return exitf(exitInternal, "%w", err)
	}
	for i := range makers {
		brands = append(brands, makers[i].Names...)
	}
	// the longer ones first, for some begin with others
	slices.SortStableFunc(brands, func(a, b string) int { return len(b) - len(a) })
	files, err = disguise.Apply(files, kinds, disguise.Options{Seed: m.seed, Brands: brands, Label: m.label})
	if err != nil {
		return exitf(exitInternal, "%w", err)
	}
	slices.SortFunc(files, func(a, b disguise.File) int { return strings.Compare(a.Path, b.Path) })
	if strings.HasSuffix(out, ".tar") {
		err = writeFile(out, func(w io.Writer) error { return writeTar(w, files) })
	} else {
		err = writeFolder(out, files)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stderr, "%d files under %s\n", len(files), strings.Join(kinds, ", "))
	return nil
}

// read returns the files of a folder, or those of an image that hold nothing else.
func (m *mutation) read(ctx context.Context, env *environment, in *inputFlags, name string) ([]disguise.File, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return readFolder(name)
	}
	meter := newMeter(env.stderr, in.quiet)
	defer meter.done()
	o, err := in.open(ctx, env, name, meter)
	if err != nil {
		return nil, err
	}
	defer o.close()
	var files []disguise.File
	seen, total := map[string]bool{}, int64(0)
	o.tree.Walk(func(p artifact.Place, n *artifact.Node, c *artifact.Content) bool {
		if n == nil || err != nil {
			return err == nil
		}
		f := disguise.File{Path: leafPath(o.tree, p), Mode: n.Mode, Link: n.Link}
		if c != nil {
			for range c.Chunks() {
				return true // what it holds comes instead
			}
		}
		if seen[f.Path] || !n.Mode.IsRegular() && n.Link == "" {
			return true
		}
		seen[f.Path] = true
		if c != nil {
			if total += c.Size; total > maxMutated {
				err = exitf(exitLimit, "%s: its files have more than %d bytes", name, int64(maxMutated))
				return false
			}
			f.Data, err = contentOf(o, c)
		}
		files = append(files, f)
		return err == nil
	})
	return files, err
}

func contentOf(o *opened, c *artifact.Content) ([]byte, error) {
	r, err := o.store.Open(c.Digest)
	if err != nil {
		return nil, exitf(exitIO, "%w", err)
	}
	b := make([]byte, c.Size)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, exitf(exitIO, "%w", err)
	}
	return b, nil
}

// leafPath joins the names on the way p, each made harmless.
func leafPath(t *artifact.Tree, p artifact.Place) string {
	var parts []string
	for _, s := range p {
		for _, part := range strings.Split(t.Node(s).Path, "/") {
			if part != "" && part != "." && part != ".." {
				parts = append(parts, strings.ReplaceAll(part, "\x00", "_"))
			}
		}
	}
	return path.Join(parts...)
}

func readFolder(dir string) (files []disguise.File, err error) {
	total := int64(0)
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		f := disguise.File{Path: filepath.ToSlash(rel), Mode: info.Mode()}
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			f.Link, err = os.Readlink(name)
		case info.Mode().IsRegular():
			if total += info.Size(); total > maxMutated {
				return exitf(exitLimit, "%s: its files have more than %d bytes", dir, int64(maxMutated))
			}
			f.Data, err = os.ReadFile(name)
		default:
			return nil
		}
		files = append(files, f)
		return err
	})
	return files, err
}

func writeTar(w io.Writer, files []disguise.File) error {
	t := tar.NewWriter(w)
	for _, f := range files {
		h := &tar.Header{Name: f.Path, Mode: int64(f.Mode.Perm()), Size: int64(len(f.Data)), ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
		if f.Link != "" {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, f.Link, 0
		}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if f.Link == "" {
			if _, err := io.Copy(t, bytes.NewReader(f.Data)); err != nil {
				return err
			}
		}
	}
	return t.Close()
}

// writeFolder writes files below dir, which is new or empty, and nothing outside of it.
func writeFolder(dir string, files []disguise.File) error {
	root, err := newFolder(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range files {
		if err := root.MkdirAll(path.Dir(f.Path), 0o755); err != nil {
			return exitf(exitIO, "%w", err)
		}
		if f.Link != "" {
			err = root.Symlink(f.Link, f.Path)
		} else {
			err = root.WriteFile(f.Path, f.Data, f.Mode.Perm()|0o600)
		}
		if err != nil {
			return exitf(exitIO, "%w", err)
		}
	}
	return nil
}
