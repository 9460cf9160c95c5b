package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"hallmark/match"
	"hallmark/report"
	"hallmark/signing"
)

// maxReport bounds what is read as a report, in bytes.
const maxReport = 1 << 30

func newVerifyCommand(env *environment) *cobra.Command {
	v := &verification{}
	c := &cobra.Command{
		Use:   "verify REPORT IMAGE",
		Short: "Read the bytes of every citation of a report again",
		Long: `verify reads REPORT, which a scan wrote with -o json, takes IMAGE apart and reads the bytes of
every citation again, by the way that the report gives. It fails if one of them is not there, if IMAGE
is not the one that was reported, or if the report was changed. A byte that changed fails the
citations that it is in; the contents around it are listed apart. REPORT may be in a DSSE envelope.`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error { return v.run(c.Context(), env, args[0], args[1]) },
	}
	v.input.register(c)
	c.Flags().StringVar(&v.key, "key", "", "public key (PEM `FILE`) that must have signed the report")
	return c
}

type verification struct {
	input inputFlags
	key   string
}

func (v *verification) run(ctx context.Context, env *environment, name, image string) error {
	doc, signed, err := v.read(name)
	if err != nil {
		return err
	}
	cited, err := report.ReadJSON(doc)
	if err != nil {
		return exitf(exitInput, "%s: %w", name, err)
	}
	m := newMeter(env.stderr, v.input.quiet)
	defer m.done()
	o, err := v.input.open(ctx, env, image, m)
	if err != nil {
		return err
	}
	defer o.close()
	rules, err := match.Load()
	if err != nil {
		return exitf(exitInternal, "%w", err)
	}
	checked, changed := cited.Verify(o.tree, o.store)
	m.done()
	failed := writeVerification(env.stdout, cited, signed, checked, changed, rules)
	switch {
	case failed > 0:
		return exitf(exitViolation, "%d of %d citations fail", failed, len(checked))
	case !cited.Sealed:
		return exitf(exitViolation, "%s was changed after it was written", name)
	case o.tree.Root != cited.Image:
		return exitf(exitViolation, "%s is not the image that was reported", image)
	}
	return nil
}

// read returns the report and one line on who answers for it.
func (v *verification) read(name string) (doc []byte, signed string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, "", exitf(exitInput, "%w", err)
	}
	defer f.Close()
	doc, err = io.ReadAll(io.LimitReader(f, maxReport+1))
	switch {
	case err != nil:
		return nil, "", exitf(exitIO, "%w", err)
	case len(doc) > maxReport:
		return nil, "", exitf(exitInput, "%s: more than %d bytes", name, maxReport)
	case !signing.IsEnvelope(doc) && v.key != "":
		return nil, "", exitf(exitInput, "%s: not signed, and --key asks for a signature", name)
	case !signing.IsEnvelope(doc):
		return doc, "not signed: whoever held it could have rewritten it", nil
	}
	kind, payload, err := signing.Payload(doc)
	if err != nil {
		return nil, "", exitf(exitInput, "%s: %w", name, err)
	}
	if v.key == "" {
		return payload, "in an envelope whose signature was not checked: name the key with --key", nil
	}
	text, err := os.ReadFile(v.key)
	if err != nil {
		return nil, "", exitf(exitInput, "%w", err)
	}
	key, err := signing.ParsePublic(text)
	if err != nil {
		return nil, "", exitf(exitInput, "%s: %w", v.key, err)
	}
	payload, by, err := signing.Verify(doc, kind, []*signing.PublicKey{key})
	if err == nil && len(by) == 0 {
		err = errors.New("not signed with this key")
	}
	if err != nil {
		return nil, "", exitf(exitViolation, "%s: %w", name, err)
	}
	return payload, "signed with key " + by[0].ID(), nil
}

// writeVerification writes the result and returns how many citations fail.
func writeVerification(w io.Writer, c *report.Cited, signed string, checked []report.Checked, changed []report.Changed, rules *match.Rules) int {
	line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	seal := "its seal fits"
	if !c.Sealed {
		seal = "CHANGED after it was written: its seal does not fit"
	}
	line("report: written by hallmark %s; %s; %s", report.Printable(c.Version), seal, signed)
	failed, other := 0, 0
	for _, k := range checked {
		if k.Err != nil {
			failed++
		}
		if source, ok := rules.Source(k.Rule); k.Source != nil && (!ok || !slices.Equal(source, k.Source)) {
			other++
		}
	}
	line("citations: %d of %d hold", len(checked)-failed, len(checked))
	for _, k := range checked {
		if k.Err != nil {
			line("  FAILS %s at %s", report.Printable(k.Rule), report.Printable(k.Place))
			line("    %s", report.Printable(k.Err.Error()))
		}
	}
	if other > 0 {
		line("rules: %d citations name rules that this program has otherwise or not at all", other)
	}
	if len(changed) == 0 {
		line("contents: all are those that were reported")
		return failed
	}
	line("contents: %d on the way to citations are not those that were reported", len(changed))
	for _, k := range changed {
		line("  %s", report.Printable(k.Place))
		line("    sha256 %s, reported %s", k.Got, k.Want)
	}
	return failed
}
