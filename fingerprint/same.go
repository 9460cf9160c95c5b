package fingerprint

import (
	"bufio"
	"cmp"
	"io"
	"path"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/feature"
)

// Sameness is what two images have in common.
type Sameness struct {
	A            Side     `json:"a"`
	B            Side     `json:"b"`
	Identical    int      `json:"identical"`     // contents with the same bytes
	SameBytes    int64    `json:"same_bytes"`    // of them
	Similar      []Pair   `json:"similar"`       // most alike first
	OnlyA        []File   `json:"only_a"`        // contents like none of B
	OnlyB        []File   `json:"only_b"`        // contents like none of A
	SameServices []string `json:"same_services"` // started by both
	OnlyAStarts  []string `json:"services_only_a"`
	OnlyBStarts  []string `json:"services_only_b"`
}

// Side is one of the images.
type Side struct {
	Name     string          `json:"name"`
	Digest   artifact.Digest `json:"sha256"`
	Contents int             `json:"contents"` // programs, libraries, modules, scripts, pages
	Bytes    int64           `json:"bytes"`    // of them
}

// File names a content.
type File struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// Pair is a content of A and the one of B that is most like it.
type Pair struct {
	A      File    `json:"a"`
	B      File    `json:"b"`
	Share  float64 `json:"share"`  // of the features of both that both have
	Common int     `json:"common"` // features
}

const (
	minSimilar  = 0.2 // share of features that makes a pair
	minCommon   = 8   // features
	sameSketch  = 256 // lowest hashes of each class
	maxPostSame = 256 // contents with one feature, above which it says nothing
)

// Same compares two images, each with its store, by those of their contents that have features.
func Same(a *artifact.Tree, storeA *artifact.Store, inA []Sample, b *artifact.Tree, storeB *artifact.Store, inB []Sample) *Sameness {
	out := &Sameness{A: side(a, inA), B: side(b, inB), Similar: []Pair{}, OnlyA: []File{}, OnlyB: []File{}}
	onlyA, onlyB := without(inA, inB), without(inB, inA)
	for _, x := range inA {
		out.SameBytes += x.Size
	}
	for _, x := range onlyA {
		out.SameBytes -= x.Size
	}
	out.Identical = len(inA) - len(onlyA)
	out.pair(onlyA, onlyB)
	servicesA, servicesB := Services(a, storeA), Services(b, storeB)
	out.SameServices, out.OnlyAStarts, out.OnlyBStarts = []string{}, []string{}, []string{}
	for _, x := range servicesA {
		if slices.Contains(servicesB, x) {
			out.SameServices = append(out.SameServices, x)
		} else {
			out.OnlyAStarts = append(out.OnlyAStarts, x)
		}
	}
	for _, x := range servicesB {
		if !slices.Contains(servicesA, x) {
			out.OnlyBStarts = append(out.OnlyBStarts, x)
		}
	}
	return out
}

func side(t *artifact.Tree, list []Sample) Side {
	s := Side{Name: t.Name, Digest: t.Root, Contents: len(list)}
	for _, x := range list {
		s.Bytes += x.Size
	}
	return s
}

// without returns those of a whose bytes b does not have.
func without(a, b []Sample) []Sample {
	have := map[artifact.Digest]bool{}
	for _, x := range b {
		have[x.Digest] = true
	}
	return slices.DeleteFunc(slices.Clone(a), func(x Sample) bool { return have[x.Digest] })
}

// sameKeys returns the lowest hashes of the classes that say what a content is.
func sameKeys(s *feature.Set) []uint64 {
	var out []uint64
	for c, list := range s.Lists {
		if feature.Class(c) == feature.Imports {
			continue // everybody calls the same functions
		}
		for _, f := range list[:min(len(list), sameSketch)] {
			out = append(out, keyOf(feature.Class(c), f.Hash))
		}
	}
	return out
}

func (s *Sameness) pair(a, b []Sample) {
	at := map[uint64][]int{}
	size := make([]int, len(b))
	for i, x := range b {
		keys := sameKeys(x.Set)
		size[i] = len(keys)
		for _, k := range keys {
			at[k] = append(at[k], i)
		}
	}
	taken := make([]bool, len(b))
	for _, x := range a {
		keys := sameKeys(x.Set)
		common := map[int]int{}
		for _, k := range keys {
			if list := at[k]; len(list) <= maxPostSame {
				for _, i := range list {
					common[i]++
				}
			}
		}
		best, share := -1, 0.0
		for i := range b {
			if n := common[i]; n >= minCommon {
				if v := float64(n) / float64(len(keys)+size[i]-n); v > share {
					best, share = i, v
				}
			}
		}
		f := File{x.Name, x.Size}
		if share < minSimilar {
			s.OnlyA = append(s.OnlyA, f)
			continue
		}
		taken[best] = true
		s.Similar = append(s.Similar, Pair{f, File{b[best].Name, b[best].Size}, round(share), common[best]})
	}
	for i, x := range b {
		if !taken[i] {
			s.OnlyB = append(s.OnlyB, File{x.Name, x.Size})
		}
	}
	slices.SortStableFunc(s.Similar, func(x, y Pair) int { return cmp.Compare(y.Share, x.Share) })
}

// Services returns what the start-up scripts of an image start, in order: the base names of those
// of its programs that a script names, and the services of inetd as name/protocol.
func Services(t *artifact.Tree, s *artifact.Store) []string {
	programs := map[string]bool{}
	scripts := map[artifact.Digest]string{}
	t.Walk(func(_ artifact.Place, n *artifact.Node, c *artifact.Content) bool {
		if n == nil || c == nil {
			return c != nil
		}
		switch {
		case c.Type == "elf":
			programs[path.Base(n.Path)] = true
		case (c.Type == "script" || c.Type == "text") && c.Size <= maxStartScript && isStart(n.Path):
			scripts[c.Digest] = n.Path
		}
		return true
	})
	started := map[string]bool{}
	for d, name := range scripts {
		r, err := s.Open(d)
		if err != nil {
			continue
		}
		startedBy(r, path.Base(name) == "inetd.conf", programs, started)
	}
	out := make([]string, 0, len(started))
	for p := range started {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

const maxStartScript = 1 << 20

// isStart reports whether a path is one of what init reads or runs.
func isStart(p string) bool {
	dir, base := path.Split("/" + p)
	switch base {
	case "inittab", "inetd.conf", "rcS", "rc.local", "rc.sysinit", "start.sh", "run.sh", "init.sh", "preinit", "linuxrc":
		return true
	}
	for _, d := range []string{"/init.d/", "/rc.d/", "/rcS.d/", "/systemd/system/"} {
		if strings.Contains(dir, d) {
			return true
		}
	}
	return false
}

func startedBy(r io.Reader, inetd bool, programs, started map[string]bool) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxStartScript)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \t\r;&|\"'`()=:<>{}$", c) })
		if inetd && len(words) >= 6 {
			started[words[0]+"/"+words[2]] = true
		}
		for _, w := range words {
			if base := path.Base(w); programs[base] {
				started[base] = true
			}
		}
	}
}
