package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// version is the release; the build sets it with -ldflags "-X main.version=...".
var version = "0.1.0-dev"

func newVersionCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(env.stdout, "hallmark %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
