package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"hallmark/signing"
)

func newKeyCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "key NAME",
		Short: "Make a key pair to sign lists, waivers and packs with",
		Long: `key writes a new ed25519 key pair as PEM files: NAME.key, which signs and which only its owner
may read, and NAME.pub, which verifies. It never replaces a file. openssl genpkey -algorithm
ed25519 makes the same kind of key.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := signing.Generate()
			if err != nil {
				return exitf(exitInternal, "%w", err)
			}
			for _, f := range []struct {
				name string
				mode fs.FileMode
				text []byte
			}{{args[0] + ".key", 0o600, k.PEM()}, {args[0] + ".pub", 0o644, k.Public().PEM()}} {
				file, err := os.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
				if err == nil {
					_, err = file.Write(f.text)
					err = errors.Join(err, file.Close())
				}
				if err != nil {
					return exitf(exitIO, "%w", err)
				}
			}
			fmt.Fprintf(env.stdout, "%s.pub: key %s\n", args[0], k.Public().ID())
			return nil
		},
	}
}
