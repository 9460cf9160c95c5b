package sbom

import (
	"path"
	"slices"

	"hallmark/artifact"
	"hallmark/facts"
)

// linker finds which files answer to the names that others ask the loader for.
type linker struct {
	plan  *plan
	found map[artifact.Digest]*facts.Facts
}

type library struct {
	layer int
	name  string
}

// maxAnswers is how many files may answer to one name.
const maxAnswers = 16

// links returns the wishes of all files of t. A name is looked for in the layers that hold the
// file, and if none has it in all others: an application partition is mounted into the root.
func (l *linker) links(t *artifact.Tree) []Link {
	here := map[library][]artifact.Digest{}
	anywhere := map[string][]artifact.Digest{}
	for _, c := range t.Contents() {
		f := l.found[c.Digest]
		if len(f.Named("elf.machine")) == 0 {
			continue
		}
		for _, name := range l.answersTo(c.Digest) {
			anywhere[name] = append(anywhere[name], c.Digest)
			for _, layer := range l.plan.layersOf(c.Digest) {
				k := library{layer, name}
				here[k] = append(here[k], c.Digest)
			}
		}
	}
	out := []Link{}
	for _, c := range t.Contents() {
		for _, want := range l.found[c.Digest].Named("elf.needed") {
			x := Link{From: c.Digest, Needed: want.Value, At: want.At}
			for _, layer := range l.plan.layersOf(c.Digest) {
				for _, d := range here[library{layer, want.Value}] {
					if len(x.To) < maxAnswers && !slices.Contains(x.To, d) {
						x.To = append(x.To, d)
					}
				}
			}
			if x.To == nil {
				all := anywhere[want.Value]
				x.To = all[:min(len(all), maxAnswers)]
			}
			out = append(out, x)
		}
	}
	return out
}

// answersTo returns the names under which the loader finds d.
func (l *linker) answersTo(d artifact.Digest) []string {
	var names []string
	add := func(s string) {
		if !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	for _, f := range l.found[d].Named("elf.soname") {
		add(f.Value)
	}
	for _, p := range l.plan.paths[d] {
		add(path.Base(p))
	}
	return names
}
