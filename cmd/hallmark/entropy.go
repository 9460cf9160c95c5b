package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"hallmark/report"
)

func newEntropyCommand(env *environment) *cobra.Command {
	var out string
	var columns int
	c := &cobra.Command{
		Use:   "entropy IMAGE",
		Short: "Show how dense an image is, as a line of text or a picture",
		Long: `entropy measures the entropy of equal steps of a file, in bits a byte: a line of blocks on
standard output, or with -o a picture (SVG). Near 8 means compressed or encrypted, 0 means empty.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if columns < 1 || columns > 10000 {
				return errors.New("entropy: --columns must be from 1 to 10000")
			}
			f, err := os.Open(args[0])
			if err != nil {
				return exitf(exitInput, "%w", err)
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
				return exitf(exitInput, "%s: want a file that is not empty", args[0])
			}
			steps, err := report.Entropy(f, info.Size(), columns)
			if err != nil {
				return exitf(exitIO, "%s: %w", args[0], err)
			}
			return writeEntropy(env, info, steps, out)
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "SVG file to write")
	c.Flags().IntVar(&columns, "columns", 96, "number of steps")
	return c
}

func writeEntropy(env *environment, info fs.FileInfo, steps []float64, out string) error {
	if out == "" {
		_, err := fmt.Fprintf(env.stdout, "%s\n", report.Sparkline(steps))
		return err
	}
	err := writeFile(out, func(w io.Writer) error { return report.WriteEntropySVG(w, info.Name(), info.Size(), steps) })
	if err != nil {
		return exitf(exitIO, "%w", err)
	}
	return nil
}
