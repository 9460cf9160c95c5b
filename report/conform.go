package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"

	"hallmark/sbom/conform"
)

// maxListed is how many failing components of one field are told to people; JSON has them all.
const maxListed = 5

// WriteConformance writes for people how a document does under a profile.
func WriteConformance(out io.Writer, name string, r *conform.Result) error {
	w := bufio.NewWriter(out)
	verdict := "pass"
	if !r.Pass {
		verdict = "FAIL"
	}
	fmt.Fprintf(w, "%s: %s (%s), %s\n", verdict, r.Title, r.Profile, r.Source)
	fmt.Fprintf(w, "document: %s, %s\n", Printable(name), Printable(r.Document))
	fmt.Fprintf(w, "form:     %d %% (%d of %d required fields)\n", r.Form.Percent(), r.Form.Passed, r.Form.Of)
	if r.Coverage.Known {
		fmt.Fprintf(w, "coverage: %s %% (%s)\n\n", Printable(r.Coverage.Percent), Printable(r.Coverage.Why))
	} else {
		fmt.Fprintf(w, "coverage: not known (%s)\n\n", Printable(r.Coverage.Why))
	}
	for _, f := range r.Fields {
		state := "pass"
		switch {
		case f.Passed == f.Of:
		case f.Need == conform.Required:
			state = "FAIL"
		default:
			state = "none"
		}
		where := ""
		if len(f.Passes) > 0 && f.Of == 1 && f.Passes[0].At != "" {
			where = "  " + Printable(f.Passes[0].At)
		}
		fmt.Fprintf(w, "%s  %-8s  %s: %d of %d%s\n", state, f.Need, f.Title, f.Passed, f.Of, where)
		for i, m := range f.Failing {
			if f.Need != conform.Required {
				break
			}
			if i == maxListed {
				fmt.Fprintf(w, "        %d more; -o json lists them all\n", len(f.Failing)-i)
				break
			}
			fmt.Fprintf(w, "        %s: %s", Printable(cmp.Or(m.Component, "document")), Printable(m.Why))
			if m.At != "" {
				fmt.Fprintf(w, " at %s", Printable(m.At))
			}
			fmt.Fprintln(w)
		}
	}
	return w.Flush()
}
