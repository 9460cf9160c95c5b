package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"hallmark/artifact"
	"hallmark/report"
	"hallmark/unpack"
)

func newUnpackCommand(env *environment) *cobra.Command {
	var in inputFlags
	var dir string
	var list bool
	c := &cobra.Command{
		Use:   "unpack -o DIR IMAGE",
		Short: "Write everything that an image holds into a new folder",
		Long: `unpack takes IMAGE apart (a file, - for standard input, or a folder of parts) and writes
what it holds into DIR, which must not exist yet or be empty. Every layer gets a folder named
by its offset and format; what a file holds stands beside it in FILE.unpacked.

Nothing is written outside DIR. Links that lead out of their layer become text files, devices
are not made; each is named on standard error.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if list == (dir != "") {
				return errors.New("unpack: give either -o DIR or --list")
			}
			m := newMeter(env.stderr, in.quiet)
			defer m.done()
			var root *os.Root
			if !list {
				var err error
				if root, err = newFolder(dir); err != nil {
					return err
				}
				defer root.Close()
			}
			o, err := in.open(c.Context(), env, args[0], m)
			if err != nil {
				return err
			}
			defer o.close()
			if list {
				m.done()
				return errors.Join(listNodes(env.stdout, o.tree), o.limited())
			}
			m.stage("write")
			notes, err := unpack.Extract(c.Context(), o.tree, o.store, root, in.workers)
			m.done()
			for _, n := range notes {
				fmt.Fprintln(env.stderr, n)
			}
			if err != nil {
				return exitf(exitIO, "%s: %w", dir, err)
			}
			return o.limited()
		},
	}
	in.register(c)
	c.Flags().StringVarP(&dir, "output", "o", "", "folder to write to, new or empty")
	c.Flags().BoolVar(&list, "list", false, "list what would be written, and write nothing")
	return c
}

// newFolder opens dir, making it if needed. It refuses one that holds something.
func newFolder(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, exitf(exitIO, "%w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, exitf(exitIO, "%w", err)
	}
	names, err := fs.ReadDir(root.FS(), ".")
	if err != nil || len(names) > 0 {
		root.Close()
		return nil, exitf(exitUsage, "%s: the folder is not empty; give a new one", dir)
	}
	return root, nil
}

// listNodes writes one line for each node: mode, size, digest, place.
func listNodes(w io.Writer, t *artifact.Tree) error {
	var err error
	seen := map[artifact.Digest]bool{}
	t.Walk(func(p artifact.Place, n *artifact.Node, c *artifact.Content) bool {
		if n != nil && err == nil {
			digest := "-"
			if n.HasContent() {
				digest = n.Digest.String()
			}
			_, err = fmt.Fprintf(w, "%s %10d %-64s %s\n", n.Mode, n.Size, digest, report.Printable(t.Locate(p, artifact.Range{})))
		}
		if c == nil || seen[c.Digest] { // what a content holds is listed at its first place
			return false
		}
		seen[c.Digest] = true
		return err == nil
	})
	return err
}
