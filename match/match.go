// Package match says whose work a tree shows, and by which bytes.
//
// What is known of makers stands in the data of package signatures: no maker is named here. A
// mark is looked for in the innermost content that owns the bytes; a mark that needs a certain
// place counts only there; words in lists, documentation, encoded text and bytes that nobody
// could read do not count. The findings are of classes that are kept apart, because a client
// library in a recorder does not make the recorder's maker, and a chip does not make the camera's.
package match

import (
	"context"
	"errors"
	"fmt"

	"hallmark/artifact"
	"hallmark/facts"
	"hallmark/internal/work"
)

// Class is what a finding claims. They are kept apart, strongest first.
type Class string

const (
	MadeBy       Class = "made by"
	Undetermined Class = "family undetermined" // one of several makers that share code
	Converted    Class = "converted device"    // the maker's device or container with replacement firmware
	BundlesSDK   Class = "bundles SDK"
	TalksTo      Class = "talks to"
	Silicon      Class = "covered silicon"
	Replacement  Class = "replacement firmware" // free firmware that owners put on such devices
	Lead         Class = "lead"                 // marks that are not enough for a claim
)

// Verdict is the answer for the image as a whole, in one word of the ladder. There is no word
// for an image without fault: bytes can prove a hand, not the absence of one.
type Verdict string

const (
	VerdictMadeBy               = Verdict(MadeBy)
	VerdictUndetermined         = Verdict(Undetermined)
	VerdictConverted            = Verdict(Converted)
	VerdictBundlesSDK           = Verdict(BundlesSDK)
	VerdictTalksTo              = Verdict(TalksTo)
	VerdictSilicon              = Verdict(Silicon)
	VerdictNothing      Verdict = "nothing found"
	VerdictInconclusive Verdict = "inconclusive"
)

// Confidence says how well a finding is supported. It never changes its class.
type Confidence string

const (
	High   Confidence = "high"
	Medium Confidence = "medium"
	Low    Confidence = "low"
)

// Options are what a caller may set. Its zero value works.
type Options struct {
	FirstPattern int    // index of the first of [Rules.Patterns] in the set whose hits the facts hold
	ClaimedBrand string // what the product is sold as; "" if not said
}

// Result is what the image as a whole shows.
type Result struct {
	Verdict    Verdict   `json:"verdict"`
	Makers     []string  `json:"makers"`           // ids that Verdict is about
	Statement  string    `json:"statement"`        // the verdict in one sentence
	Conclusive bool      `json:"conclusive"`       // nothing that is unread could change the verdict's class upwards
	Unread     string    `json:"unread,omitempty"` // what was not read and why that matters; "" if all was
	Coverage   string    `json:"coverage"`         // percent of bytes read
	Brand      string    `json:"claimed_brand,omitempty"`
	WhiteLabel string    `json:"white_label,omitempty"` // one sentence on the claimed brand
	Findings   []Finding `json:"findings"`              // strongest class first, then by maker
	Marks      []Fired   `json:"marks"`                 // every mark that counts where it stands, also those too weak for a finding
	Demoted    []Demoted `json:"demoted,omitempty"`     // marks seen where they do not count
}

// Finding is one claim about one maker.
type Finding struct {
	Class       Class      `json:"class"`
	Maker       string     `json:"maker"` // id
	Name        string     `json:"name"`
	Candidates  []string   `json:"candidates,omitempty"` // ids, of an undetermined family
	Confidence  Confidence `json:"confidence"`
	Because     string     `json:"because"`             // the rule of decision that was met
	WouldChange string     `json:"would_change"`        // what would change it
	Competing   []string   `json:"competing,omitempty"` // other explanations of the same marks
	Kinds       []string   `json:"kinds"`               // of the marks, each once
	Marks       []Fired    `json:"marks"`               // strongest first
}

// Fired is a mark that was seen.
type Fired struct {
	ID        string     `json:"id"`
	Maker     string     `json:"maker"`
	Claim     Class      `json:"claim"` // in the place where it stands
	Role      string     `json:"role"`
	Kind      string     `json:"kind"`
	Strength  int        `json:"strength"`
	Note      string     `json:"note,omitempty"`
	Checked   string     `json:"checked,omitempty"`
	Source    []string   `json:"source"`
	Citations []Citation `json:"citations"` // the first maxCitations
	Count     int        `json:"count"`     // of all places
	leaves    map[artifact.Digest]bool
}

// Citation is one place where a mark was seen.
type Citation struct {
	artifact.Evidence
	Value string `json:"value"` // what was seen, decoded
	Place string `json:"place"` // the way to it, for people
}

// Demoted is a mark that was seen where it says nothing.
type Demoted struct {
	Mark  string `json:"mark"`
	Place string `json:"place"`
	Why   string `json:"why"`
	Count int    `json:"count"` // of places, Place is the first
}

const maxCitations = 8

// Judge says whose work t shows. s holds its contents, and found what [facts.Collect] read from
// them. Contents are looked at in parallel; the result is the same for any number of workers.
// An error means that a content could not be read or that ctx ended, never that t is odd.
func Judge(ctx context.Context, t *artifact.Tree, s *artifact.Store, found map[artifact.Digest]*facts.Facts, r *Rules, p *work.Pool, o Options) (*Result, error) {
	j := &judge{tree: t, store: s, facts: found, rules: r, opts: o, ways: map[artifact.Digest]way{}}
	views := j.prepare()
	seen, errs := work.Map(ctx, p, views, j.look)
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("match: %w", err)
	}
	var all []sighting
	for _, list := range seen {
		all = append(all, list...)
	}
	return j.decide(j.collect(all)), nil
}

type judge struct {
	tree  *artifact.Tree
	store *artifact.Store
	facts map[artifact.Digest]*facts.Facts
	rules *Rules
	opts  Options
	ways  map[artifact.Digest]way
}
