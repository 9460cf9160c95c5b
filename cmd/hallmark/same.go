package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hallmark/facts"
	"hallmark/feature"
	"hallmark/fingerprint"
	"hallmark/internal/literal"
	"hallmark/internal/work"
	"hallmark/report"
	"hallmark/sbom"
)

func newSameCommand(env *environment) *cobra.Command {
	var in inputFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "same A B",
		Short: "Say on one page what two firmwares have in common",
		Long: `same takes A and B apart and says which of their programs, libraries, modules, scripts and pages
are identical, which are versions of each other, and which only one has; which components both have;
and which services both start. It shows whether two devices are one product, and accuses nobody.`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			m := newMeter(env.stderr, in.quiet)
			defer m.done()
			d, err := compareFirmwares(c.Context(), env, &in, args, m)
			if err != nil {
				return err
			}
			m.done()
			if err := writeSame(env.stdout, d, asJSON); err != nil {
				return exitf(exitIO, "%w", err)
			}
			return nil
		},
	}
	in.register(c)
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// sameness is the whole page.
type sameness struct {
	*fingerprint.Sameness
	Components []componentPair `json:"components"` // in order of name
	Read       [2]string       `json:"percent_read"`
}

// componentPair is a component with its version in A and B, "" where it is not.
type componentPair struct {
	Name string `json:"name"`
	A    string `json:"a"`
	B    string `json:"b"`
	InA  bool   `json:"in_a"`
	InB  bool   `json:"in_b"`
}

func compareFirmwares(ctx context.Context, env *environment, in *inputFlags, names []string, m *meter) (*sameness, error) {
	rules, err := sbom.Load()
	if err != nil {
		return nil, exitf(exitInternal, "%w", err)
	}
	pool := work.NewPool(in.workers)
	var images [2]*opened
	var samples [2][]fingerprint.Sample
	var lists [2]map[string]string
	for i, name := range names {
		x, list, err := samplesOf(ctx, env, in, name, m, feature.Options{})
		if err != nil {
			return nil, err
		}
		defer x.close()
		images[i], samples[i] = x, list
		m.stage("list components")
		found, _ := facts.Collect(ctx, x.tree, x.store, pool, literal.Compile(rules.Patterns()))
		bom, err := sbom.Identify(ctx, x.tree, x.store, found, rules, pool, sbom.Options{})
		if err != nil {
			return nil, exitf(exitIO, "%s: %w", name, err)
		}
		lists[i] = map[string]string{}
		for _, k := range bom.Components {
			lists[i][k.Name] = strings.Trim(lists[i][k.Name]+", "+k.Version, ", ")
		}
	}
	d := &sameness{Components: []componentPair{}, Read: [2]string{images[0].tree.Coverage().Percent(), images[1].tree.Coverage().Percent()}}
	d.Sameness = fingerprint.Same(images[0].tree, images[0].store, samples[0], images[1].tree, images[1].store, samples[1])
	for name, version := range lists[0] {
		other, both := lists[1][name]
		d.Components = append(d.Components, componentPair{name, version, other, true, both})
	}
	for name, version := range lists[1] {
		if _, ok := lists[0][name]; !ok {
			d.Components = append(d.Components, componentPair{Name: name, B: version, InB: true})
		}
	}
	slices.SortFunc(d.Components, func(a, b componentPair) int { return cmp.Compare(a.Name, b.Name) })
	return d, nil
}

// sameLines is how many names of each kind the page has.
const sameLines = 20

func writeSame(out io.Writer, d *sameness, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		return e.Encode(d)
	}
	w := bufio.NewWriter(out)
	for i, s := range []fingerprint.Side{d.A, d.B} {
		fmt.Fprintf(w, "%c  %s  %d programs, libraries, modules, scripts and pages, %d bytes; %s %% of the image read\n", 'A'+i, report.Printable(s.Name), s.Contents, s.Bytes, d.Read[i])
	}
	fmt.Fprintf(w, "\n%d identical (%d bytes), %d alike, %d only in A, %d only in B\n", d.Identical, d.SameBytes, len(d.Similar), len(d.OnlyA), len(d.OnlyB))
	few(w, "Alike", d.Similar, func(p fingerprint.Pair) string {
		s := fmt.Sprintf("%3.0f %%  %s", 100*p.Share, p.A.Name)
		if p.B.Name != p.A.Name {
			s += " = " + p.B.Name
		}
		return s
	})
	few(w, "Only in A", d.OnlyA, func(f fingerprint.File) string { return f.Name })
	few(w, "Only in B", d.OnlyB, func(f fingerprint.File) string { return f.Name })
	few(w, "Components", d.Components, func(c componentPair) string {
		show := func(in bool, version string) string {
			switch {
			case !in:
				return "absent"
			case version == "":
				return "version unknown"
			}
			return version
		}
		if c.InA && c.InB && c.A == c.B {
			return c.Name + ": both " + show(true, c.A)
		}
		return fmt.Sprintf("%s: A %s, B %s", c.Name, show(c.InA, c.A), show(c.InB, c.B))
	})
	few(w, "Started by both", d.SameServices, func(s string) string { return s })
	few(w, "Started by A alone", d.OnlyAStarts, func(s string) string { return s })
	few(w, "Started by B alone", d.OnlyBStarts, func(s string) string { return s })
	return w.Flush()
}

// few writes the first of a list under a head.
func few[T any](w io.Writer, head string, list []T, line func(T) string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", head)
	for i, x := range list {
		if i == sameLines {
			fmt.Fprintf(w, "  and %d more (see --json)\n", len(list)-i)
			return
		}
		fmt.Fprintf(w, "  %s\n", report.Printable(line(x)))
	}
}
