package sbom

import (
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

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
			x := Link{Kind: Loads, From: c.Digest, Needed: want.Value, At: want.At}
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

// modules returns the modules that kernel modules want, by .modinfo.
func (l *linker) modules(t *artifact.Tree) []Link {
	var all []*artifact.Content
	named := map[string][]artifact.Digest{}
	for _, c := range t.Contents() {
		if len(l.found[c.Digest].Named("modinfo.vermagic")) == 0 {
			continue
		}
		all = append(all, c)
		for _, p := range l.plan.paths[c.Digest] {
			if name := moduleName(p); !slices.Contains(named[name], c.Digest) && len(named[name]) < maxAnswers {
				named[name] = append(named[name], c.Digest)
			}
		}
	}
	var out []Link
	for _, c := range all {
		for _, want := range l.found[c.Digest].Named("modinfo.depends") {
			for name := range strings.SplitSeq(want.Value, ",") {
				if name != "" {
					out = append(out, Link{Module, c.Digest, name, want.At, named[moduleName(name)]})
				}
			}
		}
	}
	return out
}

// moduleName is what the kernel calls the module in the file p.
func moduleName(p string) string {
	name, _, _ := strings.Cut(path.Base(p), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

var (
	startup = regexp.MustCompile(`(?:^|/)(?:etc/(?:init\.d|rc\.d|rc[0-9S]\.d)/[^/]+|etc/(?:inittab|rc\.local|rcS|rc)|systemd/system/[^/]+\.service)$`)
	program = regexp.MustCompile(`/(?:[\w.+-]+/){0,6}(?:s?bin|app)/[\w.+-]+`)
)

// Limits of what is read of a script, against ones that are none.
const (
	maxScript = 64 << 10 // bytes
	maxStarts = 64       // programs
)

// starts returns the programs that the scripts which start a system name by their paths. A link
// like those of BusyBox leads nowhere here.
func (l *linker) starts(t *artifact.Tree, s *artifact.Store) ([]Link, error) {
	there := map[library][]artifact.Digest{}
	for _, c := range t.Contents() {
		for _, p := range l.plan.paths[c.Digest] {
			for _, layer := range l.plan.layersOf(c.Digest) {
				k := library{layer, "/" + p}
				there[k] = append(there[k], c.Digest)
			}
		}
	}
	var out []Link
	for _, c := range t.Contents() {
		if c.Size > maxScript || !slices.ContainsFunc(l.plan.paths[c.Digest], startup.MatchString) {
			continue
		}
		r, err := s.Open(c.Digest)
		if err != nil {
			return out, err
		}
		text := make([]byte, c.Size)
		if _, err := r.ReadAt(text, 0); err != nil && err != io.EOF {
			return out, err
		}
		seen := map[string]bool{}
		for _, at := range program.FindAllIndex(text, maxStarts) {
			name := string(text[at[0]:at[1]])
			x := Link{Starts, c.Digest, name, artifact.Range{Off: int64(at[0]), Len: int64(at[1] - at[0])}, nil}
			for _, layer := range l.plan.layersOf(c.Digest) {
				x.To = append(x.To, there[library{layer, name}]...)
			}
			if !seen[name] && len(x.To) > 0 {
				out = append(out, x)
			}
			seen[name] = true
		}
	}
	return out, nil
}
