package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"hallmark/report"
	"hallmark/sbom/conform"
)

func newSBOMCheckCommand(env *environment) *cobra.Command {
	var profile string
	var out formatFlag
	var ids []string
	if all, err := conform.Profiles(); err == nil {
		for _, p := range all {
			ids = append(ids, p.ID)
		}
	}
	c := &cobra.Command{
		Use:   "check --profile PROFILE FILE",
		Short: "Hold a bill of materials against the fields that a rule asks for",
		Long: `check reads FILE, a document of CycloneDX or SPDX from whoever it comes, and says of each field
that PROFILE asks for whether it is there, and where. The score of the form counts fields. The
score of coverage says how much of the product the document is about, by its own word: a document
with every field over an image that nobody read is still about nothing.

It ends with 1 if a required field is missing. Profiles: ` + strings.Join(ids, ", ") + ".",
		Example: `  hallmark sbom check --profile ntia supplier.cdx.json
  hallmark sbom check --profile bsi-tr-03183-2 -o json supplier.cdx.xml`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if profile == "" {
				return fmt.Errorf("give --profile, one of %s", strings.Join(ids, ", "))
			}
			p, err := conform.Find(profile)
			if err != nil {
				return fmt.Errorf("--profile: %w", err)
			}
			if err := out.check(); err != nil {
				return err
			}
			d, err := readBOM(env, args[0])
			if err != nil {
				return err
			}
			r, err := conform.Check(d, p)
			if err != nil {
				return exitf(exitInternal, "%w", err)
			}
			if err := out.write(env, r, func(w io.Writer) error { return report.WriteConformance(w, args[0], r) }); err != nil {
				return err
			}
			if !r.Pass {
				return exitf(exitViolation, "%s lacks %d of %d required fields of %s", args[0], r.Form.Of-r.Form.Passed, r.Form.Of, p.ID)
			}
			return nil
		},
	}
	c.Flags().StringVar(&profile, "profile", "", "what to check for: "+strings.Join(ids, ", "))
	out.register(c)
	return c
}
