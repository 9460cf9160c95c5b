package main

import (
	"cmp"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"hallmark/report"
	"hallmark/sbom/vex"
)

func newSBOMVEXCommand(env *environment) *cobra.Command {
	a := &analysis{bom: true}
	var statements, osv, grype, author string
	var out formatFlag
	c := &cobra.Command{
		Use:   "vex (--vex|--osv|--grype) FILE IMAGE",
		Short: "Hold statements on vulnerabilities against what an image shows",
		Long: `vex reads a supplier's statements (--vex: OpenVEX, or CycloneDX with vulnerabilities) and says of
each whether it is about a component that IMAGE, or a bill of materials of it, shows: bound, version
differs, not observed, or cannot be told. With --osv or --grype it turns what a scanner found into
an OpenVEX document on standard output, every finding under investigation. Nothing is hidden by a
statement, and none is written into a bill of materials.

With --vex it ends with 0 if all are bound, 1 if one is about another version or about nothing that
was observed, and 2 if that cannot be told.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file, read := statements, vex.Read
			given := 0
			for _, f := range []struct {
				name string
				read func(io.Reader) ([]vex.Statement, error)
			}{{statements, vex.Read}, {osv, vex.ReadOSV}, {grype, vex.ReadGrype}} {
				if f.name != "" {
					file, read = f.name, f.read
					given++
				}
			}
			if given != 1 {
				return errors.New("give one of --vex, --osv and --grype")
			}
			if err := out.check(); err != nil {
				return err
			}
			when, err := env.timestamp()
			if err != nil {
				return err
			}
			f, err := os.Open(file)
			if err != nil {
				return exitf(exitInput, "%w", err)
			}
			defer f.Close()
			list, err := read(f)
			if err != nil {
				return exitf(exitInput, "%s: %w", file, err)
			}
			s, err := observe(c.Context(), env, a, args[0])
			if err != nil {
				return err
			}
			defer s.close()
			if statements == "" {
				opts := vex.Options{Author: author, Tool: version, Time: when, Image: s.Name, SHA256: s.sha256()}
				return cmp.Or(ioFault(vex.Write(env.stdout, list, s.Observed, opts)), s.limited())
			}
			bound := vex.Bind(list, s.Observed)
			if err := out.write(env, bound, func(w io.Writer) error { return report.WriteBindings(w, bound) }); err != nil {
				return err
			}
			if err := s.limited(); err != nil {
				return err
			}
			count := map[vex.Verdict]int{}
			for _, b := range bound {
				count[b.Verdict]++
			}
			switch {
			case count[vex.Differs]+count[vex.NotObserved] > 0:
				return exitf(exitViolation, "%d of %d statements are not about what was observed", count[vex.Differs]+count[vex.NotObserved], len(bound))
			case count[vex.CannotTell] > 0:
				return exitf(exitInconclusive, "of %d of %d statements it cannot be told what they are about", count[vex.CannotTell], len(bound))
			}
			return nil
		},
	}
	a.input.register(c)
	a.knows(c)
	out.register(c)
	c.Flags().StringVar(&statements, "vex", "", "statements of a supplier (`FILE`)")
	c.Flags().StringVar(&osv, "osv", "", "result of OSV-Scanner in JSON (`FILE`)")
	c.Flags().StringVar(&grype, "grype", "", "result of grype in JSON (`FILE`)")
	c.Flags().StringVar(&author, "author", "", "who answers for the document that --osv and --grype write")
	return c
}
