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
	if res.Brand == "" && res.Model == "" {
		return ""
	}
	sold := "Sold as " + strings.TrimSpace(res.Brand+" "+res.Model)
	known := r.relations(res.Brand)
	i := slices.IndexFunc(res.Findings, func(f Finding) bool {
		return f.Class.names() || f.Class == Undetermined || f.Class == Converted
	})
	if i < 0 {
		return sold + "; the bytes name no maker" + r.onRecord("; on record as ", known) + "."
	}
	f := res.Findings[i]
	shown := fmt.Sprintf("%s of %s", f.Class, f.Name)
	if f.Class == Undetermined {
		shown = fmt.Sprintf("%s: %s", f.Class, f.Name)
	}
	if model := f.model(); model != "" && !sameBrand(model, res.Model) {
		shown += ", with the model name " + model + " in it"
	}
	say := sold + ", but the bytes say: " + shown
	switch {
	case r.called(f, res.Brand):
		return sold + "; the bytes agree: " + strings.Replace(shown, string(Rebadged), "device", 1) + "."
	case res.Brand == "":
		return sold + "; the bytes say: " + shown + "."
	case slices.ContainsFunc(known, func(b signatures.Brand) bool { return f.about(b.Maker) }):
		return say + r.onRecord("; on record as ", known) + "."
	case len(known) > 0:
		return say + r.onRecord("; on record, differently, as ", known) + "."
	}
	return say + "; no relation between the two is on record here."
}

// model returns the first name of a model that the marks of f cite; "" if none does.
func (f Finding) model() string {
	for _, m := range f.Marks {
		if m.Kind == "model" && len(m.Citations) > 0 {
			name, _, _ := strings.Cut(m.Citations[0].Value, ":")
			return strings.Trim(name, `"{}( `)
		}
	}
	return ""
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
