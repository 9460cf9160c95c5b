package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hallmark/internal/work"
	"hallmark/sbom"
	known "hallmark/sbom/learnt"
	"hallmark/sbom/manifest"
	"hallmark/sbom/rpmdb"
	"hallmark/sbom/syftcat"
)

func newLearnComponentCommand(env *environment) *cobra.Command {
	var in inputFlags
	var id known.Identity
	var base, debs string
	c := &cobra.Command{
		Use:   "learn-component -o BASE {--name NAME --version VERSION FILE|FOLDER... | --deb DIR}",
		Short: "Learn what a component looks like, so that it is known without a package database",
		Long: `learn-component takes files apart and keeps, in the file BASE, what tells them again: digests,
build-ids, and hashes of texts and of exported names. It keeps no content. A BASE that exists
grows. sbom and scan ask it when --component-base names it.

With --deb every Debian or opkg package in DIR and below is learnt, under the name and version
of its source package.`,
		Example: `  hallmark learn-component --name zlib --version 1.2.13 -o sdk.base build/libz.so.1.2.13
  hallmark learn-component --deb mirror/pool -o debian.base
  hallmark sbom --component-base sdk.base,debian.base camera.bin`,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case base == "":
				return errors.New("learn-component: -o BASE is missing")
			case debs != "" && (id != known.Identity{} || len(args) > 0):
				return errors.New("learn-component: --deb takes names and versions from the packages: give no --name, --version, --purl or FILE beside it")
			case debs == "" && (id.Name == "" || id.Version == "" || len(args) == 0):
				return errors.New("learn-component: want --name, --version and files, or --deb DIR")
			}
			b, err := readBase(base)
			if errors.Is(err, fs.ErrNotExist) {
				b, err = &known.Base{}, nil
			}
			if err != nil {
				return err
			}
			l := learner{env: env, in: &in, base: b}
			if debs != "" {
				err = l.packages(c.Context(), debs)
			} else {
				err = l.files(c.Context(), id, args)
			}
			if err != nil {
				return err
			}
			if err := writeFile(base, b.Write); err != nil {
				return exitf(exitIO, "%w", err)
			}
			components, files := b.Len()
			fmt.Fprintf(env.stderr, "%s: %d components, %d files\n", base, components, files)
			return nil
		},
	}
	in.register(c)
	c.Flags().StringVarP(&base, "output", "o", "", "file of the base to write or to add to")
	c.Flags().StringVar(&id.Name, "name", "", "name of the component, as its project writes it")
	c.Flags().StringVar(&id.Version, "version", "", "its version")
	c.Flags().StringVar(&id.Purl, "purl", "", "its package URL, with the version")
	c.Flags().StringVar(&debs, "deb", "", "folder of .deb or .ipk packages to learn")
	return c
}

// learner takes things apart and learns them.
type learner struct {
	env  *environment
	in   *inputFlags
	base *known.Base
}

func (l *learner) files(ctx context.Context, id known.Identity, names []string) error {
	for _, name := range names {
		if err := l.one(ctx, name, func(*opened) (known.Identity, error) { return id, nil }); err != nil {
			return err
		}
	}
	return nil
}

func (l *learner) packages(ctx context.Context, dir string) error {
	var names []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if ext := strings.ToLower(filepath.Ext(p)); err == nil && d.Type().IsRegular() && (ext == ".deb" || ext == ".ipk") {
			names = append(names, p)
		}
		return err
	})
	if err != nil {
		return exitf(exitInput, "%w", err)
	}
	if len(names) == 0 {
		return exitf(exitInput, "%s: no .deb or .ipk file in it", dir)
	}
	for _, name := range names {
		err := l.one(ctx, name, func(o *opened) (known.Identity, error) { return known.Package(o.tree, o.store) })
		if err != nil {
			return err
		}
	}
	return nil
}

// one learns what name holds as what identify says.
func (l *learner) one(ctx context.Context, name string, identify func(*opened) (known.Identity, error)) error {
	m := newMeter(l.env.stderr, l.in.quiet)
	defer m.done()
	o, err := l.in.open(ctx, l.env, name, m)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.limited(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	id, err := identify(o)
	if err != nil {
		return exitf(exitInput, "%s: %w", name, err)
	}
	if err := l.base.Learn(ctx, work.NewPool(l.in.workers), o.tree, o.store, id); err != nil {
		return exitf(exitIO, "%s: %w", name, err)
	}
	return nil
}

func readBase(name string) (*known.Base, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, exitf(exitInput, "%w", err)
	}
	defer f.Close()
	b, err := known.Read(f)
	if err != nil {
		return nil, exitf(exitInput, "%s: %w", name, err)
	}
	return b, nil
}

// knows registers where known components are learnt from.
func (a *analysis) knows(c *cobra.Command) {
	c.Flags().StringSliceVar(&a.bases, "component-base", nil, "`BASE` that learn-component wrote; may be given several times")
}

// finders are those of components, besides marks.
func (a *analysis) finders() ([]sbom.Finder, error) {
	out := []sbom.Finder{syftcat.Finder{}, rpmdb.Finder{}, manifest.Finder{}}
	all := &known.Base{}
	for _, name := range a.bases {
		b, err := readBase(name)
		if err != nil {
			return nil, err
		}
		all.Join(b)
	}
	if len(a.bases) > 0 {
		out = append(out, known.NewFinder(all, work.NewPool(a.input.workers)))
	}
	return out, nil
}
