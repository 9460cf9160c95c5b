package sbom

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"hallmark/artifact"
	"hallmark/facts"
	"hallmark/internal/literal"
	"hallmark/signatures"
)

// TestMarks tries every mark on its own example and counter-examples.
func TestMarks(t *testing.T) {
	r, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	set := literal.Compile(r.Patterns())
	names, ids := map[string]bool{}, map[string]bool{}
	for i := range r.components {
		c := &r.components[i]
		if names[c.Name] {
			t.Errorf("%s: two components of that name", c.Name)
		}
		names[c.Name] = true
		if c.Title == "" || !strings.HasPrefix(c.Source, "http") || !slices.Contains(Types(), c.Type) {
			t.Errorf("%s: want a title, a source and a type, got %q, %q, %q", c.Name, c.Title, c.Source, c.Type)
		}
		if !c.Soname && len(c.Marks) == 0 {
			t.Errorf("%s: nothing shows it", c.Name)
		}
		if c.Soname && len(c.Own) == 0 {
			t.Errorf("%s: counts by SONAME and owns none", c.Name)
		}
	}
	for i := range r.marks {
		m := &r.marks[i]
		if ids[m.ID] {
			t.Errorf("%s: two marks of that id", m.ID)
		}
		ids[m.ID] = true
		if len(m.Counter) == 0 {
			t.Errorf("%s: no counter-example", m.ID)
		}
		if got := seen(r, m, set, m.Example); len(got) != 1 || got[0].Version != m.Example.Version {
			t.Errorf("%s: example %q: got %+v, want version %q", m.ID, m.Example.Text+m.Example.Path, got, m.Example.Version)
		}
		for _, s := range m.Counter {
			if got := seen(r, m, set, s); len(got) != 0 {
				t.Errorf("%s: counter-example %q: got %+v, want none", m.ID, s.Text+s.Path, got)
			}
		}
	}
	t.Logf("%d components, %d marks, %d literals", len(names), len(ids), len(r.Patterns()))
}

// seen returns what m alone sees in a content made after s.
func seen(r *Rules, m *mark, set *literal.Set, s signatures.Sample) []sighting {
	v := &view{data: section(s.Text), elf: m.In != "data", facts: &facts.Facts{}}
	switch s.In {
	case "elf", "data":
		v.elf = s.In == "elf"
	}
	if s.Path != "" {
		v.paths = []string{s.Path}
	}
	if s.Soname != "" {
		v.facts.Facts = append(v.facts.Facts, facts.Fact{Name: "elf.soname", Value: s.Soname})
	}
	if m.Fact != "" {
		v.facts.Facts = append(v.facts.Facts, facts.Fact{Name: m.Fact, Value: s.Text, At: artifact.Range{Len: int64(len(s.Text))}})
	}
	byPattern := make([][]facts.Hit, set.Len())
	set.Scan([]byte(s.Text), func(p, off int) bool {
		byPattern[p] = append(byPattern[p], facts.Hit{Pattern: p, At: artifact.Range{Off: int64(off), Len: int64(len(set.Pattern(p).Bytes))}})
		return true
	})
	for _, hits := range byPattern {
		v.facts.Hits = append(v.facts.Hits, hits...)
	}
	var out []sighting
	for _, x := range r.sightings(v) {
		if x.Rule == m.ID {
			out = append(out, x)
		}
	}
	return out
}

func section(s string) *io.SectionReader {
	b := []byte(s)
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}
