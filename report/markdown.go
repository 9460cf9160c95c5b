package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// markdownRows bounds the table of a summary: a job's summary may have 1 MiB.
const markdownRows = 500

// WriteMarkdown writes a check for the summary of a job.
func WriteMarkdown(w io.Writer, r *Result, _ Style) error {
	c := r.Check
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "## hallmark: %s\n\n", c.summary())
	for _, line := range append(c.basis(), c.place()) {
		fmt.Fprintf(b, "- %s\n", escapeMD(line))
	}
	for _, x := range c.Warnings {
		fmt.Fprintf(b, "- **warning:** %s\n", escapeMD(x))
	}
	fmt.Fprint(b, "\n| firmware | verdict | entry |\n| --- | --- | --- |\n")
	for i, d := range c.Devices {
		if i == markdownRows {
			fmt.Fprintf(b, "| and %d more | | |\n", len(c.Devices)-i)
			break
		}
		fmt.Fprintf(b, "| %s `%s` | **%s** | %s |\n", escapeMD(d.Name), short(d.SHA256.String()), d.Verdict, escapeMD(about(d)))
	}
	rows := 0
	for _, d := range c.Devices {
		list := told(d)
		if len(list) == 0 || rows > markdownRows {
			continue
		}
		fmt.Fprintf(b, "\n### %s\n\n| | rule | what |\n| --- | --- | --- |\n", escapeMD(d.Name))
		for _, x := range list {
			rows++
			what := x.Statement
			if x.Waiver != "" {
				what += "; " + waived(x, c)
			}
			for _, e := range x.Evidence {
				what += fmt.Sprintf("; %s at %s", e.Rule, e.Place)
			}
			fmt.Fprintf(b, "| %s | %s | %s |\n", x.State, escapeMD(x.Rule), escapeMD(what))
		}
	}
	return b.Flush()
}

// escapeMD keeps names out of the language: a firmware may hold a file called "|" or "<img>".
func escapeMD(s string) string {
	return mdEscapes.Replace(Printable(s))
}

var mdEscapes = strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "#", `\#`, "!", `\!`, "@", "&#64;")
