package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"hallmark/unpack"
	"hallmark/unpack/format"
)

func newFormatsCommand(env *environment) *cobra.Command {
	var markdown bool
	c := &cobra.Command{
		Use:   "formats",
		Short: "List the formats that are read, with their references and limits",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if markdown {
				return writeFormatsPage(env.stdout, unpack.Formats())
			}
			return writeFormats(env.stdout, unpack.Formats())
		},
	}
	c.Flags().BoolVar(&markdown, "markdown", false, "write the page of the documentation")
	return c
}

func writeFormats(w io.Writer, formats []format.Format) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tKIND\tTITLE")
	for _, f := range formats {
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Name, f.Kind, f.Title)
	}
	return t.Flush()
}

// writeFormatsPage writes docs/formats.md.
func writeFormatsPage(w io.Writer, formats []format.Format) error {
	fmt.Fprintf(w, "# Formats\n\nWritten by `hallmark formats --markdown`. The order is the order of precedence.\n")
	for _, f := range formats {
		fmt.Fprintf(w, "\n## %s\n\n%s (%s).\n\n", f.Name, f.Title, f.Kind)
		for _, r := range f.Refs {
			fmt.Fprintf(w, "- Reference: [%s](%s)\n", r.Title, r.URL)
		}
		for _, l := range f.Limits {
			fmt.Fprintf(w, "- Limit: %s\n", l)
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}
