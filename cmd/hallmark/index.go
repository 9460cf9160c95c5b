package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"hallmark/feature"
	"hallmark/fingerprint"
	"hallmark/report"
)

func newIndexCommand(env *environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "index",
		Short: "Keep an index of files and find the relatives of a file in it",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newIndexAddCommand(env), newIndexFindCommand(env))
	return c
}

func newIndexAddCommand(env *environment) *cobra.Command {
	var in inputFlags
	var family, component, version string
	c := &cobra.Command{
		Use:   "add [--family F --component C --version V] INDEX PATH...",
		Short: "Add what is in images and folders to an index",
		Long: `add takes each PATH apart and adds its programs, libraries, modules, scripts and pages to the file
INDEX, which it makes if there is none. Without a family they are innocent ones, to be shown beside a
match. Files that are there already, under the same names, are left out.`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if family == "" && (component != "" || version != "") {
				return errors.New("index add: --component and --version need --family")
			}
			m := newMeter(env.stderr, in.quiet)
			defer m.done()
			var entries []fingerprint.Entry
			for _, name := range args[1:] {
				x, samples, err := samplesOf(c.Context(), env, &in, name, m, feature.Options{})
				if err != nil {
					return err
				}
				x.close()
				for _, s := range samples {
					entries = append(entries, fingerprint.NewEntry(s, family, component, version))
				}
			}
			m.done()
			return addToIndex(env, args[0], entries)
		},
	}
	in.register(c)
	c.Flags().StringVar(&family, "family", "", "whose they are")
	c.Flags().StringVar(&component, "component", "", "`NAME` of the part")
	c.Flags().StringVar(&version, "version", "", "its `VERSION`")
	return c
}

func addToIndex(env *environment, name string, entries []fingerprint.Entry) error {
	var old *fingerprint.Index
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		x, closeFile, err := openIndex(name)
		if err != nil {
			return err
		}
		defer closeFile()
		old = x
	}
	added := 0
	err := writeFile(name, func(w io.Writer) (err error) {
		added, err = fingerprint.WriteIndex(w, old, entries)
		return err
	})
	if err != nil {
		return exitf(exitIO, "%w", err)
	}
	_, err = fmt.Fprintf(env.stdout, "%s: %d files added\n", name, added)
	return err
}

func newIndexFindCommand(env *environment) *cobra.Command {
	var in inputFlags
	var n int
	var asJSON bool
	c := &cobra.Command{
		Use:   "find INDEX PATH",
		Short: "Find the relatives of a file, or of each in an image, in an index",
		Long: `find names, for each program, library, module, script and page of PATH, the files of the index that
share most with it, the nearest of a known family, and the nearest innocent one. A relative is no
verdict: it says where to look.`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			x, closeFile, err := openIndex(args[0])
			if err != nil {
				return err
			}
			defer closeFile()
			m := newMeter(env.stderr, in.quiet)
			defer m.done()
			o, samples, err := samplesOf(c.Context(), env, &in, args[1], m, feature.Options{})
			if err != nil {
				return err
			}
			defer o.close()
			m.done()
			found := []foundRelatives{}
			for _, s := range samples {
				r, err := x.Find(s, n)
				if err != nil {
					return exitf(exitIO, "%w", err)
				}
				found = append(found, foundRelatives{s.Name, s.Digest.String(), r})
			}
			if err := writeRelatives(env.stdout, found, asJSON); err != nil {
				return exitf(exitIO, "%w", err)
			}
			return nil
		},
	}
	in.register(c)
	c.Flags().IntVarP(&n, "most", "n", 3, "how many relatives to name")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

type foundRelatives struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	*fingerprint.Relatives
}

func writeRelatives(w io.Writer, found []foundRelatives, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		return e.Encode(found)
	}
	for _, f := range found {
		if len(f.Nearest) == 0 {
			continue
		}
		if _, err := fmt.Fprintln(w, report.Printable(f.Name)); err != nil {
			return err
		}
		for i := range f.Nearest {
			fmt.Fprintln(w, "  "+relative(&f.Nearest[i]))
		}
		if f.Known != nil {
			fmt.Fprintln(w, "  nearest known:    "+relative(f.Known))
		}
		if f.Innocent != nil {
			fmt.Fprintln(w, "  nearest innocent: "+relative(f.Innocent))
		}
	}
	return nil
}

func relative(r *fingerprint.Relative) string {
	s := fmt.Sprintf("%3.0f %% ", 100*r.Share)
	if r.Identical {
		s = "identical "
	}
	if r.Family != "" {
		s += fmt.Sprintf("%s/%s %s: ", r.Family, r.Component, r.Version)
	}
	return report.Printable(s + r.Name)
}
