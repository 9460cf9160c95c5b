package main

import (
	"github.com/spf13/cobra"
)

func newRootCommand(env *environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "hallmark",
		Short: "Take camera and recorder firmware apart and say who really made it",
		Long: `hallmark takes the firmware of cameras and recorders apart, says what it is made of,
and says who really made it, each claim with the bytes that show it.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetHelpTemplate(`{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{.UsageString}}
` + exitHelp + "\n")
	for _, g := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"image", "What is in an image, and who made it:", []*cobra.Command{
			newScanCommand(env), newMatchCommand(env), newSBOMCommand(env), newVerifyCommand(env),
		}},
		{"list", "Lists, rules and the estate:", []*cobra.Command{
			newCheckCommand(env), newListCommand(env), newPolicyCommand(env), newEstateCommand(env), newKeyCommand(env),
		}},
		{"bench", "At the bench:", []*cobra.Command{
			newUnpackCommand(env), newDiffCommand(env), newSameCommand(env), newCarveCommand(env), newEntropyCommand(env), newFormatsCommand(env),
		}},
		{"learn", "Learning from what you have:", []*cobra.Command{
			newLearnCommand(env), newPacksCommand(env), newIndexCommand(env), newLearnComponentCommand(env), newMutateCommand(env),
		}},
	} {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, c := range g.commands {
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
	root.AddCommand(newVersionCommand(env))
	return root
}
