package main

import (
	"github.com/spf13/cobra"
)

func newMatchCommand(env *environment) *cobra.Command {
	a := &analysis{makers: true}
	var out outputFlags
	c := &cobra.Command{
		Use:   "match IMAGE",
		Short: "Say whose work an image shows, and by which bytes",
		Long: `match takes IMAGE apart and says whose work it shows. It lists no components; scan does
both in one run.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return analyse(c, env, a, &out, args[0]) },
	}
	a.input.register(c)
	out.register(c, "text")
	a.claims(c)
	a.learnt.register(c)
	return c
}
