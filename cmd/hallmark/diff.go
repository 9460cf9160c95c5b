package main

import (
	"bufio"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"hallmark/artifact"
	"hallmark/report"
)

func newDiffCommand(env *environment) *cobra.Command {
	var in inputFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two images file by file, through all layers",
		Long: `diff takes images A and B apart and says which files are the same, changed, moved, removed
or added, and how much of each image was read. A repacked image with the same files shows no
difference.`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			m := newMeter(env.stderr, in.quiet)
			defer m.done()
			var trees [2]*opened
			for i, name := range args {
				o, err := in.open(c.Context(), env, name, m)
				if err != nil {
					return err
				}
				defer o.close()
				trees[i] = o
			}
			m.done()
			if err := writeDiff(env, trees[0].tree, trees[1].tree, asJSON); err != nil {
				return exitf(exitIO, "%w", err)
			}
			if err := trees[0].limited(); err != nil {
				return err
			}
			return trees[1].limited()
		},
	}
	in.register(c)
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

func writeDiff(env *environment, a, b *artifact.Tree, asJSON bool) error {
	d := artifact.Diff(a, b)
	w := bufio.NewWriter(env.stdout)
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		if err := e.Encode(d); err != nil {
			return err
		}
		return w.Flush()
	}
	for _, t := range []*artifact.Tree{a, b} {
		fmt.Fprintf(w, "%s: %s %% read\n", report.Printable(t.Name), t.Coverage().Percent())
	}
	fmt.Fprintf(w, "%d same, %d changed, %d moved, %d removed, %d added\n", d.Same, len(d.Changed), len(d.Moved), len(d.Removed), len(d.Added))
	for _, c := range d.Changed {
		fmt.Fprintf(w, "changed %s  %d -> %d bytes\n", report.Printable(c.From.Path), c.From.Size, c.To.Size)
	}
	for _, c := range d.Moved {
		fmt.Fprintf(w, "moved   %s -> %s\n", report.Printable(c.From.Path), report.Printable(c.To.Path))
	}
	for _, f := range d.Removed {
		fmt.Fprintf(w, "removed %s\n", report.Printable(f.Path))
	}
	for _, f := range d.Added {
		fmt.Fprintf(w, "added   %s\n", report.Printable(f.Path))
	}
	return w.Flush()
}
