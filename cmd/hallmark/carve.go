package main

import (
	"errors"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"
)

func newCarveCommand(env *environment) *cobra.Command {
	var offset, length, out string
	c := &cobra.Command{
		Use:     "carve --offset N --size N -o FILE IMAGE",
		Short:   "Copy a run of bytes out of a file",
		Example: `  hallmark carve --offset 0x260000 --size 0x100000 -o rootfs.squashfs camera.bin`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			off, err1 := strconv.ParseInt(offset, 0, 64)
			n, err2 := strconv.ParseInt(length, 0, 64)
			if err1 != nil || err2 != nil || off < 0 || n <= 0 || out == "" {
				return errors.New("carve: give --offset, --size (decimal or 0x) and -o FILE")
			}
			f, err := os.Open(args[0])
			if err != nil {
				return exitf(exitInput, "%w", err)
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				return exitf(exitIO, "%w", err)
			}
			if off > info.Size() || n > info.Size()-off {
				return exitf(exitUsage, "carve: %#x+%#x lies outside %s of %#x bytes", off, n, args[0], info.Size())
			}
			if target, err := os.Stat(out); err == nil && os.SameFile(info, target) {
				return exitf(exitUsage, "carve: -o %s is the file to copy from", out)
			}
			r := io.NewSectionReader(f, off, n)
			if out == "-" {
				_, err = io.Copy(env.stdout, r)
			} else {
				err = writeFile(out, func(w io.Writer) error { _, err := io.Copy(w, r); return err })
			}
			if err != nil {
				return exitf(exitIO, "%w", err)
			}
			return nil
		},
	}
	c.Flags().StringVar(&offset, "offset", "", "first byte")
	c.Flags().StringVar(&length, "size", "", "number of bytes")
	c.Flags().StringVarP(&out, "output", "o", "", "file to write, - for standard output")
	return c
}
