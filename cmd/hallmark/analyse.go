package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hallmark/artifact"
	"hallmark/facts"
	"hallmark/internal/literal"
	"hallmark/internal/work"
	"hallmark/match"
	"hallmark/report"
	"hallmark/sbom"
	"hallmark/sbom/document"
)

// analysis is what the commands scan, sbom and match share: take apart, read facts once, then
// list components, name makers, or both.
type analysis struct {
	input    inputFlags
	brand    string
	model    string
	bom      bool
	makers   bool
	document document.Options
	files    bool     // documents list every file
	bases    []string // files of learnt components
	learnt   learntFlags
}

// claims registers what the seller says.
func (a *analysis) claims(c *cobra.Command) {
	c.Flags().StringVar(&a.brand, "claimed-brand", "", "brand that the product is sold under")
	c.Flags().StringVar(&a.model, "claimed-model", "", "model that the product is sold as")
}

func (a *analysis) run(ctx context.Context, env *environment, name string) (*report.Result, *opened, error) {
	m := newMeter(env.stderr, a.input.quiet)
	defer m.done()
	components, err := sbom.Load()
	if err != nil {
		return nil, nil, exitf(exitInternal, "%w", err)
	}
	patterns := components.Patterns()
	var rules *match.Rules
	if a.makers {
		if rules, err = match.Load(); err != nil {
			return nil, nil, exitf(exitInternal, "%w", err)
		}
		patterns = slices.Concat(patterns, rules.Patterns())
	}
	when, err := env.timestamp()
	if err != nil {
		return nil, nil, err
	}
	finders, err := a.finders()
	if err != nil {
		return nil, nil, err
	}
	known, err := a.learnt.open()
	if err != nil {
		return nil, nil, err
	}
	defer known.close()
	o, err := a.input.open(ctx, env, name, m)
	if err != nil {
		return nil, nil, err
	}
	pool := work.NewPool(a.input.workers)
	m.stage("read facts")
	found, problems := facts.CollectCached(ctx, o.tree, o.store, pool, literal.Compile(patterns), o.cache)
	r := &report.Result{Version: version, Tree: o.tree, Time: when, Document: a.document}
	if a.files {
		r.Document.Files = o.tree
	}
	for _, p := range problems {
		if p.Kind == artifact.Truncated { // part of a file is missing: marks may have stood there
			c := o.tree.Content(p.Content)
			c.Problems = append(c.Problems, p.Problem)
			continue
		}
		r.Problems = append(r.Problems, fmt.Sprintf("%s: %s", o.tree.Locate(o.tree.FirstPlace(p.Content), p.At), p.Problem))
	}
	r.Coverage = o.tree.Coverage()
	if a.bom {
		m.stage("list components")
		r.BOM, err = sbom.Identify(ctx, o.tree, o.store, found, components, pool, sbom.Options{Finders: finders})
		if err != nil {
			r.Problems = append(r.Problems, err.Error())
		}
	}
	if ctx.Err() != nil {
		o.close()
		return nil, nil, exitf(exitLimit, "interrupted: nothing was written")
	}
	if a.makers {
		m.stage("name makers")
		bom := r.BOM
		if bom == nil {
			if bom, err = sbom.Identify(ctx, o.tree, o.store, found, components, pool, sbom.Options{}); err != nil {
				r.Problems = append(r.Problems, err.Error())
			}
		}
		var leads []match.Lead
		if r.Learnt, leads, err = known.compare(ctx, o, pool); err == nil {
			r.Match, err = match.Judge(ctx, o.tree, o.store, found, rules, pool, match.Options{
				FirstPattern: len(components.Patterns()), ClaimedBrand: a.brand, ClaimedModel: a.model, ThirdParty: thirdParty(bom), Leads: leads,
			})
		}
		if ctx.Err() != nil {
			err = exitf(exitLimit, "interrupted: nothing was written")
		} else if err != nil {
			err = exitf(exitIO, "%w", err)
		}
		if err != nil {
			o.close()
			return nil, nil, err
		}
	}
	return r, o, nil
}

// thirdParty names the contents that are components with a licence of their own: what stands in
// them was written by their projects.
func thirdParty(b *sbom.BOM) map[artifact.Digest]string {
	out := map[artifact.Digest]string{}
	if b == nil {
		return out
	}
	for i := range b.Components {
		c := &b.Components[i]
		for _, e := range c.Evidence {
			if len(c.Licences) > 0 && e.Relation == sbom.Defines {
				out[e.Content] = c.Name
			}
		}
	}
	return out
}

// outputFlags say what is written where.
type outputFlags struct {
	choice  []report.Output // nil: those of a scan
	outputs []string
	color   string
}

func (f *outputFlags) register(c *cobra.Command, usual string) {
	if f.choice == nil {
		f.choice = report.Outputs()
	}
	var names []string
	for _, o := range f.choice {
		names = append(names, o.Name)
	}
	c.Flags().StringArrayVarP(&f.outputs, "output", "o", []string{usual}, "what to write: `"+strings.Join(names, "|")+"[=FILE]`; may be given several times")
	c.Flags().StringVar(&f.color, "color", "auto", "auto, always or never")
}

// target is one output with its file; "" is standard output.
type target struct {
	output report.Output
	file   string
}

// targets reads the flags before any work is done, so that a slip costs nothing.
func (f *outputFlags) targets() ([]target, error) {
	switch f.color {
	case "auto", "always", "never":
	default:
		return nil, fmt.Errorf("--color %s: want auto, always or never", f.color)
	}
	var out []target
	files := map[string]bool{}
	for _, s := range f.outputs {
		name, file, named := strings.Cut(s, "=")
		if named && file == "" {
			return nil, fmt.Errorf("-o %s: no file behind the =", s)
		}
		t := target{file: file}
		for _, o := range f.choice {
			if o.Name == name {
				t.output = o
			}
		}
		if t.output.Write == nil {
			return nil, fmt.Errorf("-o %s: no such output; see --help", s)
		}
		if files[file] {
			return nil, fmt.Errorf("-o %s: two outputs to the same place; write one to a file as %s=FILE", s, name)
		}
		files[file] = true
		out = append(out, t)
	}
	return out, nil
}

// write writes every target. A file appears under its name only when it is whole.
func (f *outputFlags) write(env *environment, targets []target, r *report.Result) error {
	for _, t := range targets {
		if t.file == "" {
			color := f.color == "always" || f.color == "auto" && !env.noColor && isTerminal(env.stdout)
			if err := t.output.Write(env.stdout, r, report.Style{Color: color}); err != nil {
				return exitf(exitIO, "standard output: %w", err)
			}
			continue
		}
		if err := writeFile(t.file, func(w io.Writer) error { return t.output.Write(w, r, report.Style{Color: f.color == "always"}) }); err != nil {
			return exitf(exitIO, "%w", err)
		}
	}
	return nil
}

func writeFile(name string, write func(io.Writer) error) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0) // a device or a pipe: renaming would replace it
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".hallmark-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// conclude turns a result into the end of the program.
func conclude(r *report.Result, o *opened) error {
	if err := o.limited(); err != nil {
		return err
	}
	if r.Match != nil && !r.Match.Conclusive {
		return exitf(exitInconclusive, "%s", r.Match.Statement)
	}
	return nil
}

// analyse is the body of scan, sbom and match.
func analyse(c *cobra.Command, env *environment, a *analysis, out *outputFlags, name string) error {
	targets, err := out.targets()
	if err != nil {
		return err
	}
	for _, t := range targets {
		if t.output.Components && !a.bom {
			return fmt.Errorf("-o %s: match lists no components; use scan or sbom", t.output.Name)
		}
	}
	r, o, err := a.run(c.Context(), env, name)
	if err != nil {
		return err
	}
	defer o.close()
	if x := a.input.explain; x != nil {
		if err := x.write(env.stderr, o); err != nil {
			return exitf(exitIO, "standard error: %w", err)
		}
	}
	if err := out.write(env, targets, r); err != nil {
		return err
	}
	return conclude(r, o)
}
