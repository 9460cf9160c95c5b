package estate

import (
	"cmp"
	"slices"
	"time"
)

// Count is how many devices of an estate or a site are of each kind.
type Count struct {
	Devices int           `json:"devices"`
	Grades  map[Grade]int `json:"grades"`
	ToClear int           `json:"to_clear"` // devices that match a rule, cleared or not
	Cleared int           `json:"cleared"`  // of those
	Undated int           `json:"undated"`  // of Cleared, at a date that nobody wrote down
	Core    int           `json:"on_core"`  // of those to clear, still in place and on a core network
	Late    int           `json:"late"`     // still in place although planned for an earlier date
}

// Share is the share of ToClear that is cleared, 1 if there is nothing to clear.
func (c *Count) Share() float64 {
	if c.ToClear == 0 {
		return 1
	}
	return float64(c.Cleared) / float64(c.ToClear)
}

// Open is the number of devices that may have to be cleared and that nobody can tell of.
func (c *Count) Open() int { return c.Grades[Unknown] + c.Grades[Inconclusive] }

func (c *Count) add(a *Assessment, asOf time.Time) {
	c.Devices++
	c.Grades[a.Grade]++
	if !a.Grade.ToClear() {
		return
	}
	c.ToClear++
	switch {
	case a.Cleared:
		c.Cleared++
		if a.Undated {
			c.Undated++
		}
		return
	case a.Network == Core && a.Status != Disconnected:
		c.Core++
	}
	if !a.Planned.IsZero() && a.Planned.Before(asOf) {
		c.Late++
	}
}

// Site is the count of one site.
type Site struct {
	Name string `json:"site"`
	Count
}

// Total counts all devices.
func (r *Result) Total() Count {
	c := Count{Grades: map[Grade]int{}}
	for i := range r.Devices {
		c.add(&r.Devices[i], r.AsOf)
	}
	return c
}

// Sites counts the devices of each site, in the order of their names.
func (r *Result) Sites() []Site {
	at := map[string]int{}
	var out []Site
	for i := range r.Devices {
		name := r.Devices[i].Site
		n, ok := at[name]
		if !ok {
			n = len(out)
			at[name] = n
			out = append(out, Site{name, Count{Grades: map[Grade]int{}}})
		}
		out[n].add(&r.Devices[i], r.AsOf)
	}
	slices.SortFunc(out, func(x, y Site) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

// Milestone is a share of the devices, or of the sites, that was to be cleared by a date.
type Milestone struct {
	Date   time.Time `json:"date"`
	Share  float64   `json:"share"`
	Source string    `json:"source"`
}

// Kept says how a milestone was met.
type Kept string

const (
	Met     Kept = "met"
	Missed  Kept = "missed"
	Ahead   Kept = "ahead"    // not due yet, and reached
	NotYet  Kept = "not yet"  // not due yet, and not reached
	CannotT Kept = "not told" // reached by what is known, but devices that nobody can tell of could undo it
)

// Judge says how far the estate was by the milestone's date, or is by AsOf if that is earlier.
// Undated removals count from the beginning.
func (r *Result) Judge(m Milestone) (kept Kept, share float64) {
	by := m.Date
	if r.AsOf.Before(by) {
		by = r.AsOf
	}
	clear, done, open := 0, 0, 0
	for i := range r.Devices {
		d := &r.Devices[i]
		switch {
		case d.Grade.ToClear():
			clear++
			if d.Undated || !d.Done.IsZero() && !d.Done.After(by) {
				done++
			}
		case (d.Grade == Unknown || d.Grade == Inconclusive) && !d.Cleared:
			open++
		}
	}
	share = 1
	if clear > 0 {
		share = float64(done) / float64(clear)
	}
	due := !r.AsOf.Before(m.Date)
	switch {
	case share < m.Share && due:
		return Missed, share
	case share < m.Share:
		return NotYet, share
	case open > 0 && float64(done) < m.Share*float64(clear+open):
		return CannotT, share
	case due:
		return Met, share
	}
	return Ahead, share
}

// Step is a date and how many devices were cleared, or are planned to be, up to it.
type Step struct {
	Date time.Time `json:"date"`
	N    int       `json:"devices"`
}

// History returns how many of the devices to clear were cleared up to each date, and how many
// are planned to be from AsOf on. Both end at their last change.
func (r *Result) History() (done, planned []Step) {
	base := 0
	var past, future []time.Time
	for i := range r.Devices {
		d := &r.Devices[i]
		switch {
		case !d.Grade.ToClear():
		case d.Undated:
			base++
		case d.Cleared:
			past = append(past, d.Done)
		case !d.Planned.IsZero():
			future = append(future, later(d.Planned, r.AsOf))
		}
	}
	done = steps(base, past)
	return done, steps(base+len(past), future)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func steps(base int, dates []time.Time) []Step {
	slices.SortFunc(dates, time.Time.Compare)
	var out []Step
	for _, d := range dates {
		base++
		if n := len(out); n > 0 && out[n-1].Date.Equal(d) {
			out[n-1].N = base
		} else {
			out = append(out, Step{d, base})
		}
	}
	return out
}
