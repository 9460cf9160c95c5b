package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"hallmark/sbom/compare"
	"hallmark/sbom/vex"
)

// WriteComparison writes for people how a declaration stands to what was seen.
func WriteComparison(out io.Writer, r *compare.Result) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "declared: %s\nobserved: %s\n", Printable(r.Declared), Printable(r.Observed))
	if r.Unread != "" {
		fmt.Fprintf(w, "not all was read: %s\n", Printable(r.Unread))
	}
	var last compare.Verdict
	for _, x := range r.Items {
		if x.Verdict != last {
			fmt.Fprintf(w, "\n%s: %d\n", x.Verdict, r.Counts[x.Verdict])
			last = x.Verdict
		}
		fmt.Fprintf(w, "  %s: %s\n", Printable(x.Name), Printable(x.Because))
		if d := x.Declared; d != nil {
			fmt.Fprintf(w, "    declared %s at %s\n", Printable(strings.TrimSpace(d.Name+" "+d.Version)), Printable(d.At))
		}
		writeSeen(w, x.Observed)
	}
	return w.Flush()
}

// writeSeen writes the first place of each.
func writeSeen(w io.Writer, list []compare.Seen) {
	for i, s := range list {
		if i == maxListed {
			fmt.Fprintf(w, "    %d more\n", len(list)-i)
			return
		}
		for _, c := range s.Citations[:min(1, len(s.Citations))] {
			fmt.Fprintf(w, "    seen in %s", Printable(c.Place))
			if c.Offset != nil {
				fmt.Fprintf(w, " @%#x", *c.Offset)
			}
			if c.Context != "" {
				fmt.Fprintf(w, ": %s", Printable(c.Context))
			}
			fmt.Fprintln(w)
		}
	}
}

// WriteDelta writes for people what changed from one release to another. What stayed the same
// is counted only.
func WriteDelta(out io.Writer, d *compare.Delta) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "from: %s\nto:   %s\n", Printable(d.From), Printable(d.To))
	for _, u := range d.Unread {
		fmt.Fprintf(w, "not all was read: %s\n", Printable(u))
	}
	var last compare.Change
	for _, c := range d.Changes {
		if c.Change != last {
			fmt.Fprintf(w, "\n%s: %d\n", c.Change, d.Counts[c.Change])
			last = c.Change
		}
		if c.Change != compare.Same {
			fmt.Fprintf(w, "  %s: %s\n", Printable(c.Name), Printable(c.Because))
		}
	}
	return w.Flush()
}

// WriteBindings writes for people which statements are about what was observed.
func WriteBindings(out io.Writer, list []vex.Binding) error {
	w := bufio.NewWriter(out)
	for _, b := range list {
		fmt.Fprintf(w, "%s: %s %s %s", b.Verdict, Printable(b.ID), Printable(b.Status), Printable(b.Product))
		if b.Justification != "" {
			fmt.Fprintf(w, " (%s)", Printable(b.Justification))
		}
		fmt.Fprintf(w, "\n  %s; stated at %s\n", Printable(b.Because), Printable(b.At))
		writeSeen(w, b.Observed)
	}
	return w.Flush()
}
