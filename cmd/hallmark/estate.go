package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hallmark/artifact"
	"hallmark/estate"
	"hallmark/policy"
	"hallmark/report"
)

func newEstateCommand(env *environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "estate",
		Short: "Say how far an estate of devices has been cleared",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newEstateCheckCommand(env))
	return c
}

// estateFlags say what an inventory is joined with, and what is written.
type estateFlags struct {
	policies []string
	reports  []string
	outputs  []string
	asOf     string
	purpose  string
	fail     bool
}

func newEstateCheckCommand(env *environment) *cobra.Command {
	var f estateFlags
	var names []string
	for _, o := range report.EstateOutputs() {
		names = append(names, o.Name)
	}
	c := &cobra.Command{
		Use:   "check INVENTORY.csv",
		Short: "Join an inventory with firmware reports, brands and rule packs",
		Long: `check reads an inventory, one device a line, and says which devices match a rule and on what
evidence, which of them to disconnect first, whose firmware to upload, and how far each site has
come by the milestones of the rules. docs/estate.md has the columns.`,
		Example: `  hallmark estate check estate.csv
  hallmark estate check --reports reports/ --policy uk-2022 -o text -o svg=progress.svg estate.csv
  hallmark estate check --as-of 2024-10-31 -o csv=then.csv estate.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c.Context(), env, args[0]) },
	}
	fl := c.Flags()
	fl.StringArrayVar(&f.policies, "policy", []string{"uk-2022"}, "rule pack: `"+strings.Join(policy.Names(), "|")+"` or a file; may be given several times")
	fl.StringArrayVar(&f.reports, "reports", nil, "JSON report of a scan, or a folder of them; may be given several times")
	fl.StringVar(&f.asOf, "as-of", "", "judge as of this day, such as 2024-10-31 (default today, or that of SOURCE_DATE_EPOCH)")
	fl.StringVar(&f.purpose, "purpose", "", "what the devices serve: "+strings.Join(policy.Purposes(), ", "))
	fl.StringArrayVarP(&f.outputs, "output", "o", []string{"text"}, "what to write: `"+strings.Join(names, "|")+"[=FILE]`; may be given several times")
	fl.BoolVar(&f.fail, "fail", false, "exit 1 if a device that matches a rule is still in place, 2 if none is but some are not known")
	return c
}

func (f *estateFlags) run(ctx context.Context, env *environment, name string) error {
	targets, err := f.targets()
	if err != nil {
		return err
	}
	k, packs, err := f.knowledge(env)
	if err != nil {
		return err
	}
	file, err := os.Open(name)
	if err != nil {
		return exitf(exitInput, "%w", err)
	}
	defer file.Close()
	inv, err := estate.Read(file, filepath.Base(name), policy.SiteClasses())
	if err != nil {
		return exitf(exitInput, "%w", err)
	}
	e := &report.Estate{Version: version, File: filepath.Base(name), Packs: packs, Notes: []string{}}
	for _, p := range k.Packs {
		for _, m := range p.Milestones {
			by, err := time.Parse(time.DateOnly, string(m.By))
			if err != nil {
				return exitf(exitInternal, "%w", err)
			}
			e.Milestones = append(e.Milestones, estate.Milestone{Date: by, Share: m.Share, Source: m.Source})
		}
		if stale := p.Stale(policy.DateOf(k.AsOf)); stale != "" {
			e.Notes = append(e.Notes, stale)
		}
	}
	if len(inv.Unused) > 0 {
		e.Notes = append(e.Notes, "columns that were not used: "+strings.Join(inv.Unused, ", "))
	}
	e.Result = estate.Assess(inv, k)
	if ctx.Err() != nil {
		return exitf(exitLimit, "interrupted: nothing was written")
	}
	for _, t := range targets {
		write := func(w io.Writer) error { return t.output.Write(w, e) }
		if t.file == "" {
			err = write(env.stdout)
		} else {
			err = writeFile(t.file, write)
		}
		if err != nil {
			return exitf(exitIO, "%w", err)
		}
	}
	total := e.Result.Total()
	switch {
	case !f.fail:
	case total.Cleared < total.ToClear:
		return exitf(exitViolation, "%d of %d devices that match a rule are still in place", total.ToClear-total.Cleared, total.ToClear)
	case total.Open() > 0:
		return exitf(exitInconclusive, "%d devices may have to be cleared; nothing on record can tell", total.Open())
	}
	return nil
}

type estateTarget struct {
	output report.EstateOutput
	file   string
}

func (f *estateFlags) targets() ([]estateTarget, error) {
	var out []estateTarget
	files := map[string]bool{}
	for _, s := range f.outputs {
		name, file, named := strings.Cut(s, "=")
		t := estateTarget{file: file}
		for _, o := range report.EstateOutputs() {
			if o.Name == name {
				t.output = o
			}
		}
		switch {
		case t.output.Write == nil:
			return nil, fmt.Errorf("-o %s: no such output; see --help", s)
		case named && file == "":
			return nil, fmt.Errorf("-o %s: no file behind the =", s)
		case files[file]:
			return nil, fmt.Errorf("-o %s: two outputs to the same place; write one to a file as %s=FILE", s, name)
		}
		files[file] = true
		out = append(out, t)
	}
	return out, nil
}

// knowledge loads the packs and the reports.
func (f *estateFlags) knowledge(env *environment) (k estate.Knowledge, packs []string, err error) {
	k = estate.Knowledge{Purpose: f.purpose, Firmware: map[artifact.Digest]estate.Firmware{}}
	if f.purpose != "" && !slices.Contains(policy.Purposes(), f.purpose) {
		return k, nil, fmt.Errorf("--purpose %s: want %s", f.purpose, strings.Join(policy.Purposes(), ", "))
	}
	if k.AsOf, err = env.day(f.asOf); err != nil {
		return k, nil, err
	}
	if k.Graph, err = policy.Entities(); err != nil {
		return k, nil, exitf(exitInternal, "%w", err)
	}
	for _, name := range f.policies {
		p, err := loadPack(name, k.Graph)
		if err != nil {
			return k, nil, err
		}
		k.Packs = append(k.Packs, p)
		packs = append(packs, fmt.Sprintf("%s %s (reviewed %s)", p.ID, p.Version, p.Reviewed))
	}
	for _, name := range f.reports {
		err := filepath.WalkDir(name, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || file != name && filepath.Ext(file) != ".json" {
				return err
			}
			return addReport(k.Firmware, file)
		})
		if err != nil {
			return k, nil, exitf(exitInput, "--reports: %w", err)
		}
	}
	return k, packs, nil
}

// addReport reads one report. Two reports on one image must agree.
func addReport(known map[artifact.Digest]estate.Firmware, file string) error {
	doc, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	facts, m, err := report.ReadFacts(doc)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	var d artifact.Digest
	if err := d.UnmarshalText([]byte(facts.Image.SHA256)); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if old, ok := known[d]; ok && old.Statement != m.Statement {
		return fmt.Errorf("%s and %s are about the same image and differ: %q, %q; keep the newer one", old.Report, filepath.Base(file), old.Statement, m.Statement)
	}
	known[d] = estate.Firmware{Facts: facts, Conclusive: m.Conclusive, Statement: m.Statement, Report: filepath.Base(file)}
	return nil
}
