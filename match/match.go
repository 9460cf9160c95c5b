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

// Class is what a finding claims: a rung of the ladder, strongest first, or what stands apart
// from it.
type Class string

const (
	Rebadged     Class = "rebadged device"           // two or more independent parts of the maker's device
	Component    Class = "contains device component" // a part of the maker's device
	Undetermined Class = "family undetermined"       // one of several makers that share code
	SDKClient    Class = "contains SDK client"
	Compatible   Class = "compatible with"
	LeadOnly     Class = "lead" // marks or likeness that are not enough for a claim

	Converted   Class = "converted device" // the maker's device or container with replacement firmware
	Covered     Class = "covered silicon"  // of a maker of chips that a rule covers
	Silicon     Class = "silicon"
	Replacement Class = "replacement firmware" // free firmware that owners put on such devices
)

// Verdict is the answer for the image as a whole, in one word of the ladder. There is no word
// for an image without fault: bytes can prove a hand, not the absence of one.
type Verdict string

const (
	VerdictRebadged             = Verdict(Rebadged)
	VerdictComponent            = Verdict(Component)
	VerdictUndetermined         = Verdict(Undetermined)
	VerdictSDKClient            = Verdict(SDKClient)
	VerdictCompatible           = Verdict(Compatible)
	VerdictLead                 = Verdict(LeadOnly)
	VerdictNone         Verdict = "no evidence"
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
	ClaimedModel string
	Leads        []Lead                     // likenesses to what was learnt, in any order
	ThirdParty   map[artifact.Digest]string // contents known to be a component that others use as well, by name
}

// Result is what the image as a whole shows.
type Result struct {
	Verdict    Verdict          `json:"verdict"`
	Makers     []string         `json:"makers"`           // ids that Verdict is about
	Statement  string           `json:"statement"`        // the verdict in one sentence
	Conclusive bool             `json:"conclusive"`       // nothing that is unread could change the verdict's class upwards
	Unread     string           `json:"unread,omitempty"` // what was not read and why that matters; "" if all was
	Coverage   string           `json:"coverage"`         // percent of bytes read
	Brand      string           `json:"claimed_brand,omitempty"`
	Model      string           `json:"claimed_model,omitempty"`
	WhiteLabel string           `json:"white_label,omitempty"` // one sentence on the claimed brand and model
	Findings   []Finding        `json:"findings"`              // strongest class first, then by maker
	Contents   []ContentVerdict `json:"contents"`              // what each content shows by itself; contents that show nothing are left out
	Marks      []Fired          `json:"marks"`                 // every mark that counts where it stands, also those too weak for a finding
	Looked     map[string]int   `json:"-"`                     // contents in which each mark could have stood, by id
	Demoted    []Demoted        `json:"demoted,omitempty"`     // marks seen where they do not count
}

// Finding is one claim about one maker.
type Finding struct {
	Class       Class      `json:"class"`
	Maker       string     `json:"maker"` // id
	Name        string     `json:"name"`
	Candidates  []string   `json:"candidates,omitempty"` // ids, of an undetermined family
	Confidence  Confidence `json:"confidence"`
	Score       float64    `json:"score"`               // decimal logarithm of the likelihood ratio that the tests allow
	Support     string     `json:"support"`             // Score in words
	Groups      []string   `json:"groups,omitempty"`    // independent parts of the device that are enough each
	Because     string     `json:"because"`             // the rule of decision that was met
	WouldChange string     `json:"would_change"`        // what would change it
	Competing   []string   `json:"competing,omitempty"` // other explanations of the same marks
	Kinds       []string   `json:"kinds"`               // of the marks, each once
	Marks       []Fired    `json:"marks"`               // strongest first
	Leads       []Lead     `json:"leads,omitempty"`
}

// Fired is a mark that was seen.
type Fired struct {
	ID        string                     `json:"id"`
	Maker     string                     `json:"maker"`
	Claim     Class                      `json:"claim"` // in the place where it stands
	Role      string                     `json:"role"`
	Kind      string                     `json:"kind"`
	Group     string                     `json:"group,omitempty"` // part of a device that marks of this kind show
	Look      string                     `json:"look"`            // kind of place where it stands
	Ceiling   Class                      `json:"ceiling"`         // the highest rung that it can support
	Strength  int                        `json:"strength"`
	Score     float64                    `json:"score"`            // decimal logarithm of the likelihood ratio that its tests allow
	Tested    Tested                     `json:"tested"`           // on innocent contents
	Expected  float64                    `json:"expected"`         // false ones in this image, at most, at 95 %
	Learnt    bool                       `json:"learnt,omitempty"` // what was learnt of its maker stands in the same file
	Note      string                     `json:"note,omitempty"`
	Checked   string                     `json:"checked,omitempty"`
	Source    []string                   `json:"source"`
	Citations []Citation                 `json:"citations"` // the first maxCitations
	Count     int                        `json:"count"`     // of all places
	Files     int                        `json:"files"`     // of all contents
	leaves    map[artifact.Digest]string // contents, and the part of a device that the mark shows in each
}

// Tested says on how many innocent contents a mark was looked for, and how often it was found.
type Tested struct {
	Contents int `json:"contents"`
	False    int `json:"false"`
}

// Citation is one place where a mark was seen.
type Citation struct {
	artifact.Evidence
	Value  string           `json:"value"`  // what was seen, decoded
	Place  string           `json:"place"`  // the way to it, for people
	SHA256 artifact.Digest  `json:"sha256"` // of the bytes cited
	Layers []artifact.Layer `json:"layers"` // the way to it, outermost first
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
	j.tried = make([]int, len(r.marks))
	for _, one := range seen {
		all = append(all, one.sightings...)
		for _, i := range one.tried {
			j.tried[i]++
		}
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
	tried []int // contents in which each mark could have stood
}
