package fingerprint

import "hallmark/feature"

// habit is how a class of features is used.
type habit struct {
	group string  // classes of one group fail together, so they are one witness
	hits  int     // fewest that make a file alike in this class alone, whatever the tests say
	share float64 // of the file's own features of the class, at least
	cap   int     // entries kept of a component, in proportion to those of the other classes
}

// habits are set so that a component keeps below 50 KB, signed and written as base64. The fewest
// hits and shares were set on the calibration part of the measurements in docs/fingerprints.md.
var habits = [feature.NumClasses]habit{
	feature.Strings:   {"text", 6, 0.04, 1200},
	feature.Shingles:  {"text", 10, 0.06, 700},
	feature.Words:     {"names", 8, 0.08, 500},
	feature.Exports:   {"names", 6, 0.08, 400},
	feature.Imports:   {"names", 16, 0.30, 200},
	feature.Data:      {"bytes", 16, 0.03, 600},
	feature.Code:      {"bytes", 20, 0.03, 600},
	feature.Constants: {"bytes", 12, 0.10, 100},
	feature.Web:       {"web", 12, 0.05, 900},
	feature.Module:    {"names", 8, 0.20, 150},
}

// The bytes of code stand in both of its classes, and toolchains leave the same run-time routines
// in everything: they are one group, and of them more is asked.

// groups is the order in which they are added up.
var groups = []string{"text", "names", "bytes", "web"}

// A component takes at most so many bytes, apart from figures and names: signed and written as
// base64 it stays below 50 KB. It has room for some entries however many names there are.
const (
	maxComponent = 33_000
	minEntries   = 1000
)
