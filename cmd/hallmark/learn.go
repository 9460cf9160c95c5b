package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hallmark/disguise"
	"hallmark/feature"
	"hallmark/fingerprint"
	"hallmark/internal/binomial"
	"hallmark/internal/work"
	"hallmark/report"
)

func newLearnCommand(env *environment) *cobra.Command {
	var l learning
	c := &cobra.Command{
		Use:   "learn --family F --component C --version V --against DIR -o PACK REFERENCE...",
		Short: "Learn what a device, library or tree has and nobody else",
		Long: `learn takes each REFERENCE apart (an image, a folder or a file that you own) and keeps hashes of
what it has and nobody else: text, symbols, tables, code, web interfaces, kernel modules. The pack
holds nothing of the reference itself. What --background and the contents of --against have is taken
away. A quarter of --against sets the thresholds and a quarter tests them, so that the pack says how
often it is wrong. It must recognise the reference, as it is and in disguise; what is too weak
for that is refused. The same input gives the same pack.`,
		Example: `  hallmark learn --family acme --component firmware --version 2.1 --against innocent/ -o acme.pack acme-2.1.bin
  hallmark learn --family acme --component sdk --version 6 --background debian.background \
      --against others/ -o acme-sdk.pack libs/`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return l.run(c.Context(), env, args) },
	}
	l.input.register(c)
	fl := c.Flags()
	fl.StringVar(&l.family, "family", "", "whose it is: the id of a maker, or a `NAME` of your own")
	fl.StringVar(&l.component, "component", "", "`NAME` of the part that is learnt")
	fl.StringVar(&l.version, "version", "", "its `VERSION`")
	fl.StringArrayVar(&l.against, "against", nil, "image or `FOLDER` of others' programs; may be given several times")
	fl.StringVar(&l.background, "background", "", "`FILE` of what other software has, made by packs background")
	fl.StringArrayVar(&l.omit, "omit", nil, "`WORD`: text and names with it are not learnt; the family's name never is")
	fl.StringVarP(&l.out, "output", "o", "", "`PACK` to write")
	return c
}

type learning struct {
	input                      inputFlags
	family, component, version string
	against, omit              []string
	background, out            string
}

// families and components are written in reports and file names.
func namePart(flag, s string) error {
	if s == "" {
		return fmt.Errorf("learn: give %s", flag)
	}
	if len(s) > 64 || strings.ContainsAny(s, "/\\ \t\n\x00") {
		return fmt.Errorf("learn: %s %q: want a name without spaces and slashes, of at most 64 letters", flag, s)
	}
	return nil
}

func (l *learning) run(ctx context.Context, env *environment, refs []string) error {
	if err := errors.Join(namePart("--family", l.family), namePart("--component", l.component), namePart("--version", l.version)); err != nil {
		return err
	}
	switch {
	case l.out == "":
		return errors.New("learn: give -o PACK, the file to write")
	case len(l.against) == 0:
		return errors.New("learn: give --against, a folder of others' programs to tell the reference from")
	}
	words := []string{}
	if len(l.family) >= 3 {
		words = append(words, l.family)
	}
	o, err := omit(append(words, l.omit...))
	if err != nil {
		return err
	}
	bg, err := readBackground(l.background)
	if err != nil {
		return err
	}
	spec := &fingerprint.Spec{Family: l.family, Component: l.component, Version: l.version, Background: bg, Omitted: o.Omit}
	m := newMeter(env.stderr, l.input.quiet)
	defer m.done()
	for _, name := range l.against {
		x, samples, err := samplesOf(ctx, env, &l.input, name, m, o)
		if err != nil {
			return err
		}
		x.close()
		spec.Against = append(spec.Against, samples...)
		spec.OtherFamilies = append(spec.OtherFamilies, filepath.Base(filepath.Clean(name)))
	}
	if err := l.learnFrom(ctx, env, m, spec, refs, o); err != nil {
		return err
	}
	m.stage("learn")
	p, err := fingerprint.Learn(spec)
	m.done()
	if errors.Is(err, fingerprint.ErrWeak) {
		return exitf(exitInconclusive, "%w", err)
	} else if err != nil {
		return exitf(exitInternal, "%w", err)
	}
	b, err := p.Encode()
	if err != nil {
		return exitf(exitInternal, "%w", err)
	}
	if err := writeFile(l.out, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
		return exitf(exitIO, "%w", err)
	}
	return writePacks(env.stdout, []string{l.out}, []*fingerprint.Pack{p}, []int{len(b)}, true)
}

// learnFrom takes the features of the references, as they are and in disguise.
func (l *learning) learnFrom(ctx context.Context, env *environment, m *meter, spec *fingerprint.Spec, refs []string, o feature.Options) error {
	spec.Disguised = slices.Clone(learnDisguises())
	pool := work.NewPool(l.input.workers)
	for _, name := range refs {
		x, samples, err := samplesOf(ctx, env, &l.input, name, m, o)
		if err != nil {
			return err
		}
		spec.References = append(spec.References, samples)
		m.stage("disguise")
		for i := range spec.Disguised {
			d := &spec.Disguised[i]
			list, err := fingerprint.Disguise(ctx, pool, x.store, samples, o, func(file string, b []byte) ([]byte, error) {
				out, err := disguise.Apply([]disguise.File{{Path: path.Base(file), Mode: 0o755, Data: b}}, strings.Split(d.Name, "+"), disguise.Options{Seed: 1, Brands: []string{l.family}, Label: "harbourlight"})
				if err != nil || len(out) != 1 {
					return nil, errors.Join(err, fmt.Errorf("%s: no file is left in disguise", file))
				}
				return out[0].Data, nil
			})
			if err != nil {
				x.close()
				return exitf(exitIO, "%w", err)
			}
			d.Samples = append(d.Samples, list)
		}
		x.close()
	}
	return nil
}

// learnDisguises are those under which a reference must be recognised: each that touches programs
// and pages, and all of them at once.
func learnDisguises() []fingerprint.Disguised {
	kinds := []string{"brands", "prefix", "strings", "strip", "reskin"}
	var out []fingerprint.Disguised
	for _, k := range append(kinds, strings.Join(kinds, "+")) {
		out = append(out, fingerprint.Disguised{Name: k})
	}
	return out
}

// writePacks lists packs for people, with all figures or a line for each component.
func writePacks(out io.Writer, names []string, packs []*fingerprint.Pack, sizes []int, all bool) error {
	w := bufio.NewWriter(out)
	for i, p := range packs {
		signed := "not signed"
		if len(p.SignedBy) > 0 {
			signed = "signed by " + strings.Join(p.SignedBy, ", ")
		}
		fmt.Fprintf(w, "%s: %d bytes, sha256 %s, %s\n", report.Printable(names[i]), sizes[i], p.Digest, signed)
		for k := range p.Components {
			writeComponent(w, &p.Components[k], all)
		}
	}
	if err := w.Flush(); err != nil {
		return exitf(exitIO, "%w", err)
	}
	return nil
}

func writeComponent(w io.Writer, c *fingerprint.Component, all bool) {
	var versions []string
	files, weak := 0, []string{}
	for _, v := range c.Versions {
		versions = append(versions, v.Name)
		files += len(v.References)
		for _, r := range v.References {
			if r.Weak {
				weak = append(weak, r.Name)
			}
		}
	}
	t := c.Tests
	name := c.ID()
	if c.Part > 0 {
		name += fmt.Sprintf(" (part %d)", c.Part)
	}
	fmt.Fprintf(w, "%s, version %s: %d contents learnt, %d of %d recognised, %d of %d others falsely (rate at most %.2g)\n",
		report.Printable(name), report.Printable(strings.Join(versions, ", ")), files, t.Itself, t.References, t.Falsely, t.Negatives, binomial.Upper(t.Falsely, t.Negatives))
	if !all {
		return
	}
	for _, d := range t.Disguises {
		fmt.Fprintf(w, "  %d of %d recognised in disguise: %s\n", d.Hits, d.Of, report.Printable(d.Name))
	}
	if t.LeftOut != nil {
		fmt.Fprintf(w, "  %d of %d recognised by what the other references taught\n", t.LeftOut.Hits, t.LeftOut.Of)
	}
	for _, x := range c.Classes {
		need := fmt.Sprintf("%d hits are enough", x.MinHits)
		if x.MinHits == 0 {
			need = "never enough alone"
		}
		fmt.Fprintf(w, "  %-9s %6d features, %d its own, %d kept; %s; LLR %.2f", x.Class, x.Before, x.Own, x.Kept, need, x.LLR)
		if x.Innocent != "" {
			fmt.Fprintf(w, "; nearest of others: %d, %s", x.InnocentHits, report.Printable(x.Innocent))
		}
		fmt.Fprintln(w)
	}
	for _, name := range weak {
		fmt.Fprintf(w, "  too few features of its own to be recognised alone: %s\n", report.Printable(name))
	}
	if n := c.From.LeftOut; n > 0 {
		fmt.Fprintf(w, "  %d further contents were not learnt: their parts are too weak\n", n)
	}
	for _, l := range c.From.CrossExclusion {
		fmt.Fprintf(w, "  lost %d features that %s has as well\n", l.Features, report.Printable(l.To))
	}
}
