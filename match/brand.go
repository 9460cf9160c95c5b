package match

import (
	"fmt"
	"slices"
	"strings"

	"hallmark/signatures"
)

// whiteLabel writes one sentence on what the product is sold as, beside what its bytes show and
// what public sources say of the brand. A source about a brand never makes a finding.
func (r *Rules) whiteLabel(res *Result) string {
	if res.Brand == "" {
		return ""
	}
	known := r.relations(res.Brand)
	shown := slices.DeleteFunc(slices.Clone(res.Findings), func(f Finding) bool {
		return f.Class != MadeBy && f.Class != Undetermined && f.Class != Converted
	})
	if len(shown) == 0 {
		return fmt.Sprintf("Sold as %s; the bytes name no maker%s.", res.Brand, r.onRecord("; on record as ", known))
	}
	f := shown[0]
	say := fmt.Sprintf("Sold as %s, but the bytes say: %s %s", res.Brand, f.Class, f.Name)
	switch {
	case r.called(f, res.Brand):
		return fmt.Sprintf("Sold as %s; the bytes agree: %s %s.", res.Brand, f.Class, f.Name)
	case slices.ContainsFunc(known, func(b signatures.Brand) bool { return f.about(b.Maker) }):
		return say + r.onRecord("; on record as ", known) + "."
	case len(known) > 0:
		return say + r.onRecord("; on record, differently, as ", known) + "."
	}
	return say + "; no relation between the two is on record here."
}

func (f Finding) about(maker string) bool {
	return f.Maker == maker || slices.Contains(f.Candidates, maker)
}

// called reports whether brand is the name of the maker that f is about.
func (r *Rules) called(f Finding, brand string) bool {
	m := r.maker(f.Maker)
	return sameBrand(m.Name, brand) || slices.ContainsFunc(m.Names, func(n string) bool { return sameBrand(n, brand) })
}

func (r *Rules) relations(brand string) (out []signatures.Brand) {
	for _, b := range r.brands {
		if sameBrand(b.Brand, brand) || slices.ContainsFunc(b.Aliases, func(a string) bool { return sameBrand(a, brand) }) {
			out = append(out, b)
		}
	}
	return out
}

// onRecord cites relations, as the end of a sentence; "" if there is none.
func (r *Rules) onRecord(intro string, known []signatures.Brand) string {
	var parts []string
	for _, b := range known {
		text := fmt.Sprintf("%s of %s", b.Kind, r.maker(b.Maker).Name)
		if b.Scope != "" {
			text += ", " + b.Scope
		}
		parts = append(parts, fmt.Sprintf("%s (%s, %s; confidence %s)", text, b.Source, b.Date, b.Confidence))
	}
	if len(parts) == 0 {
		return ""
	}
	return intro + strings.Join(parts, " and ")
}

// sameBrand compares names without case, blanks and punctuation.
func sameBrand(a, b string) bool { return plain(a) == plain(b) }

func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r > 0x7f:
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, s)
}
