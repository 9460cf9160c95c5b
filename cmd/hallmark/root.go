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
	root.AddCommand(
		newScanCommand(env),
		newUnpackCommand(env),
		newCarveCommand(env),
		newDiffCommand(env),
		newEntropyCommand(env),
		newSBOMCommand(env),
		newMatchCommand(env),
		newLearnCommand(env),
		newPacksCommand(env),
		newIndexCommand(env),
		newSameCommand(env),
		newLearnComponentCommand(env),
		newVerifyCommand(env),
		newMutateCommand(env),
		newEstateCommand(env),
		newCheckCommand(env),
		newListCommand(env),
		newPolicyCommand(env),
		newKeyCommand(env),
		newFormatsCommand(env),
		newVersionCommand(env),
	)
	return root
}
