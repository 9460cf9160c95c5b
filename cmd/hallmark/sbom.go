package main

import (
	"github.com/spf13/cobra"
)

func newSBOMCommand(env *environment) *cobra.Command {
	a := &analysis{bom: true}
	var out outputFlags
	c := &cobra.Command{
		Use:   "sbom IMAGE",
		Short: "Write the software bill of materials of an image",
		Long: `sbom takes IMAGE apart and writes the components in it, each with the bytes that show it,
as CycloneDX 1.6. It names no maker; scan does both in one run.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return analyse(c, env, a, &out, args[0]) },
	}
	a.input.register(c)
	out.register(c, "cyclonedx")
	return c
}
