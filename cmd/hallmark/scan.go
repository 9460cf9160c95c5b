package main

import (
	"github.com/spf13/cobra"
)

func newScanCommand(env *environment) *cobra.Command {
	a := &analysis{bom: true, makers: true}
	var out outputFlags
	var explain bool
	c := &cobra.Command{
		Use:   "scan IMAGE",
		Short: "Take an image apart, list what it is made of, and say who made it",
		Long: `scan takes IMAGE apart (a file, - for standard input, or a folder of parts), lists the
components in it, says whose work it shows and by which bytes, and says how much it could read.`,
		Example: `  hallmark scan camera.bin
  hallmark scan -o text -o json=report.json -o cyclonedx=sbom.json camera.bin
  hallmark scan --claimed-brand "Amcrest" camera.bin`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if explain {
				a.input.explain = &explanation{}
			}
			return analyse(c, env, a, &out, args[0])
		},
	}
	a.input.register(c)
	out.register(c, "text")
	a.claims(c)
	a.learnt.register(c)
	a.knows(c)
	c.Flags().BoolVar(&explain, "explain", false, "list on standard error every offset that looked like a format, and why it was one or not")
	return c
}
