package compare

import (
	"cmp"
	"fmt"
	"slices"

	"hallmark/artifact"
	"hallmark/sbom"
)

// Change is what became of one component from one release to another.
type Change string

const (
	Added      Change = "added"
	Removed    Change = "removed"
	Upgraded   Change = "upgraded"
	Downgraded Change = "downgraded"
	Patched    Change = "patched in place" // the same version, a few bytes of its files differ
	Rebuilt    Change = "same version but rebuilt"
	Unclear    Change = "cannot be told"
	Same       Change = "same"
)

// changes in the order of the result.
var changes = []Change{Downgraded, Upgraded, Added, Removed, Patched, Rebuilt, Unclear, Same}

// Delta is the difference between two releases.
type Delta struct {
	From    string         `json:"from"`
	To      string         `json:"to"`
	Unread  []string       `json:"unread"` // why absence proves nothing on one side
	Counts  map[Change]int `json:"counts"`
	Changes []Changed      `json:"changes"` // by kind, then by name
}

// Changed is one component on both sides.
type Changed struct {
	Change  Change `json:"change"`
	Name    string `json:"name"`
	Because string `json:"because"`
	From    *Seen  `json:"from,omitempty"`
	To      *Seen  `json:"to,omitempty"`
}

// Bytes tells how two contents of one size differ: the runs that do, at most a few of them, and
// how many bytes. ok is false if one of them is not at hand.
type Bytes func(a, b artifact.Digest) (runs []artifact.Range, differ int64, ok bool)

// Diff says what changed from a to b. bytes may be nil.
func Diff(a, b *Observed, bytes Bytes) *Delta {
	d := &Delta{From: a.Name, To: b.Name, Unread: []string{}, Counts: map[Change]int{}, Changes: []Changed{}}
	for _, o := range []*Observed{a, b} {
		if o.Unread != "" {
			d.Unread = append(d.Unread, o.Name+": "+o.Unread)
		}
	}
	for _, p := range pairs(a, b) {
		d.Changes = append(d.Changes, change(p.from, p.to, bytes))
	}
	slices.SortStableFunc(d.Changes, func(x, y Changed) int {
		return cmp.Or(cmp.Compare(slices.Index(changes, x.Change), slices.Index(changes, y.Change)), cmp.Compare(x.Name, y.Name))
	})
	for _, c := range d.Changes {
		d.Counts[c.Change]++
	}
	return d
}

// Equal reports whether nothing changed.
func (d *Delta) Equal() bool { return d.Counts[Same] == len(d.Changes) }

type pair struct{ from, to *Seen }

// identity is what a component keeps from one release to the next.
func identity(s *Seen) string {
	if kind, space, name, _ := splitPurl(s.Purl); kind != "" {
		return kind + "/" + space + "/" + name
	}
	return s.Name
}

// pairs matches what is the same component on both sides: those of one version first, the others
// in the order of their versions.
func pairs(a, b *Observed) []pair {
	group := func(o *Observed) (ids []string, by map[string][]*Seen) {
		by = map[string][]*Seen{}
		for i := range o.Components {
			s := &o.Components[i]
			id := identity(s)
			if by[id] == nil {
				ids = append(ids, id)
			}
			by[id] = append(by[id], s)
		}
		return ids, by
	}
	ids, left := group(a)
	more, right := group(b)
	for _, id := range more {
		if left[id] == nil {
			ids = append(ids, id)
		}
	}
	var out []pair
	for _, id := range ids {
		l, r := left[id], right[id]
		for _, same := range []func(x, y *Seen) bool{
			func(x, y *Seen) bool { return x.Version == y.Version && x.Claim == y.Claim && x.Build == y.Build },
			func(x, y *Seen) bool { return x.Version == y.Version && x.Claim == y.Claim },
			func(x, y *Seen) bool { return true },
		} {
			l = slices.DeleteFunc(slices.Clone(l), func(x *Seen) bool {
				i := slices.IndexFunc(r, func(y *Seen) bool { return same(x, y) })
				if i < 0 {
					return false
				}
				out = append(out, pair{x, r[i]})
				r = slices.Delete(slices.Clone(r), i, i+1)
				return true
			})
		}
		for _, x := range l {
			out = append(out, pair{from: x})
		}
		for _, y := range r {
			out = append(out, pair{to: y})
		}
	}
	return out
}

func change(from, to *Seen, bytes Bytes) Changed {
	c := Changed{From: from, To: to}
	switch {
	case from == nil:
		c.Name, c.Change, c.Because = to.Name, Added, "seen as "+describe([]Seen{*to})
		return c
	case to == nil:
		c.Name, c.Change, c.Because = from.Name, Removed, "was seen as "+describe([]Seen{*from})
		return c
	}
	c.Name = to.Name
	if from.Claim == sbom.Presence || to.Claim == sbom.Presence {
		if from.Claim == to.Claim {
			return content(c, bytes)
		}
		c.Change, c.Because = Unclear, fmt.Sprintf("%s, then %s: one side does not tell its version", describe([]Seen{*from}), describe([]Seen{*to}))
		return c
	}
	if from.Version == to.Version && from.Claim == to.Claim {
		return content(c, bytes)
	}
	if from.Claim != sbom.Exact || to.Claim != sbom.Exact {
		weaker, other := from, to
		if to.Claim != sbom.Exact {
			weaker, other = to, from
		}
		if other.Claim == sbom.Exact && compareVersions(other.Version, other.Purl, weaker) == withinClaim || weaker.Claim == sbom.Range {
			c.Change, c.Because = Unclear, fmt.Sprintf("%s, then %s: versions are not told in full", describe([]Seen{*from}), describe([]Seen{*to}))
			return c
		}
	}
	switch order := Order(purlType(to.Purl), from.Version, to.Version); {
	case order < 0:
		c.Change = Upgraded
	case order > 0:
		c.Change = Downgraded
	default:
		return content(c, bytes)
	}
	c.Because = from.Version + " to " + to.Version
	return c
}

// maxPatch is how much of a file may differ for it to be patched and not built anew: a build moves
// code, and with it most of what refers to it.
const (
	maxPatchBytes = 256
	maxPatchShare = 50 // one byte in so many
)

// content compares the files of one version.
func content(c Changed, bytes Bytes) Changed {
	switch {
	case c.From.Build == c.To.Build && c.From.Build != "":
		c.Change, c.Because = Same, "the same files"
		return c
	case c.From.Build == "" || c.To.Build == "":
		c.Change, c.Because = Same, "the same version; it has no files of its own to compare"
		return c
	}
	c.Change, c.Because = Rebuilt, "its files differ"
	if bytes == nil {
		c.Because += "; without both images it cannot be told how"
		return c
	}
	if why := patched(c.From, c.To, bytes); why != "" {
		c.Change, c.Because = Patched, why
	}
	return c
}

// patched says which bytes were changed if that is all that differs.
func patched(from, to *Seen, bytes Bytes) string {
	if len(from.Files) != len(to.Files) {
		return ""
	}
	why := ""
	for i := range from.Files {
		x, y := &from.Files[i], &to.Files[i]
		if x.SHA256 == y.SHA256 {
			continue
		}
		var a, b artifact.Digest
		if x.Path != y.Path || x.Size != y.Size || a.UnmarshalText([]byte(x.SHA256)) != nil || b.UnmarshalText([]byte(y.SHA256)) != nil {
			return ""
		}
		runs, differ, ok := bytes(a, b)
		if !ok || differ > max(min(maxPatchBytes, x.Size/4), x.Size/maxPatchShare) {
			return ""
		}
		if why == "" && len(runs) > 0 {
			why = fmt.Sprintf("%d bytes of %s differ, the first at %#x", differ, x.Path, runs[0].Off)
		} else {
			why += fmt.Sprintf("; %d bytes of %s", differ, x.Path)
		}
	}
	return why
}
