package signatures

import (
	"embed"
	"sync"
)

// Maker is one whose hand can show in a firmware, and the marks that show it.
type Maker struct {
	ID      string      `yaml:"id" json:"id"`           // unique, for ever
	Name    string      `yaml:"name" json:"name"`       // for people
	Class   string      `yaml:"class" json:"class"`     // "camera" (also if empty), "silicon", "free" (replacement firmware), "family"
	Members []string    `yaml:"members" json:"members"` // of a family: ids of the makers that share its marks
	Covered string      `yaml:"covered" json:"covered"` // of a maker of chips: the rule that names it, and where
	Names   []string    `yaml:"names" json:"names"`     // words by which others name it; they never accuse, they show that a text is a list
	Note    string      `yaml:"note" json:"note"`
	Marks   []MakerMark `yaml:"marks" json:"marks"`
}

// MakerMark is one thing that shows a maker's hand, wherever it stands in one content.
// It counts if Look holds in enough ways, and everything in And, and nothing
// in Not, holds for the same content.
type MakerMark struct {
	ID       string `yaml:"id" json:"id"`             // unique, for ever
	Claim    string `yaml:"claim" json:"claim"`       // "made-by" (also if empty), "bundles-sdk", "talks-to", "silicon", "converted"
	Role     string `yaml:"role" json:"role"`         // "device" (also if empty), "build", "client", "list"
	Strength int    `yaml:"strength" json:"strength"` // 5 decides alone, 4 strong, 3 family or also in clients, 2 shared, 1 noise
	Kind     string `yaml:"kind" json:"kind"`         // witnesses of one kind are one witness: "container", "kernel", "module", ...
	Place    string `yaml:"place" json:"place"`       // kind of place of a text: "string" (also if empty), "build path", "served route", "requested route", "list"
	Look     `yaml:",inline"`
	And      []Look   `yaml:"and" json:"and"`
	Not      []Look   `yaml:"not" json:"not"`             // none of which may hold for the same content
	AtLeast  int      `yaml:"at-least" json:"at_least"`   // distinct ways of Look that must hold; of paths in the whole tree, else in one content; 0 is 1
	Context  string   `yaml:"context" json:"context"`     // name of a [Context] that the content must stand in for Claim to hold
	Else     string   `yaml:"elsewhere" json:"elsewhere"` // claim outside of it; "" is none
	Source   []string `yaml:"source" json:"source"`       // repository@commit, page or text that shows it
	Seen     Seen     `yaml:"seen" json:"seen"`           // in how many of the things where it belongs it was found; none is one of one
	Checked  string   `yaml:"checked" json:"checked"`     // what was done to believe it: "measured: ...", "two sources", "claimed", ...
	Note     string   `yaml:"note" json:"note"`
	Match    []Trial  `yaml:"match" json:"match"` // contents that it must find
	Miss     []Trial  `yaml:"miss" json:"miss"`   // contents that look like it and are not
}

// Seen counts where a mark was found, of where it was looked for and belongs.
type Seen struct {
	In int `yaml:"in" json:"in"`
	Of int `yaml:"of" json:"of"`
}

// Kind is what marks are witnesses of. Two marks of one kind are one witness.
type Kind struct {
	ID    string `yaml:"id" json:"id"`
	Group string `yaml:"group" json:"group"` // part of a device that does not depend on others: container, kernel, application, web, tables; "" is none
	Note  string `yaml:"note" json:"note"`
}

// Tested says in how many innocent contents a mark was looked for and how often it was found.
// bench/innocent.sh writes it. A mark that is not tested never decides alone.
type Tested struct {
	Mark     string `yaml:"mark" json:"mark"`
	Contents int    `yaml:"contents" json:"contents"`
	False    int    `yaml:"false" json:"false"`
}

// Look is one condition on one content. Each pattern listed is one way in which it can hold.
type Look struct {
	// Where names what is compared: facts of the content or of its chunks, "path" (the path of a
	// node in its chunk, with a slash before it), or "text" (the bytes). A name that ends in * is
	// any fact that begins so.
	Where  []string `yaml:"where" json:"where"`
	Is     []string `yaml:"is" json:"is"`
	Begins []string `yaml:"begins" json:"begins"`
	Ends   []string `yaml:"ends" json:"ends"`
	Has    []string `yaml:"has" json:"has"`
	Hex    []string `yaml:"hex" json:"hex"`       // as Has, of a text: bytes in hexadecimal, long enough to be no chance anywhere
	Regexp string   `yaml:"regexp" json:"regexp"` // must match as well; of a text: a stretch with one of Has in it, and each value is a way
	Each   bool     `yaml:"each" json:"each"`     // of a fact: each distinct stretch that Regexp matches is a way, not each value
	Fold   bool     `yaml:"fold" json:"fold"`     // ASCII letters match in either case
	Bound  string   `yaml:"bound" json:"bound"`   // of a text: "word" (also if empty), "nul" (a whole C string), "begin" (of a word), "none"
	In     []string `yaml:"in" json:"in"`         // kinds of file: "elf", "pe", "script", "web", "text", "data"; empty is any
	Chunk  []string `yaml:"chunk" json:"chunk"`   // of a path: formats of the chunk that holds the node; empty is any
}

// Trial is a made-up content: fact names, "path", "chunk" (format around it), "text" and their
// values. A plain string is the value of the first place where its mark looks.
type Trial map[string]string

// UnmarshalText reads the plain string.
func (t *Trial) UnmarshalText(b []byte) error {
	*t = Trial{"": string(b)}
	return nil
}

// Context is a kind of place, told by the formats around a content and its path.
type Context struct {
	ID      string   `yaml:"id" json:"id"`
	Within  string   `yaml:"within" json:"within"`   // another context, listed before, that must hold too
	Outside string   `yaml:"outside" json:"outside"` // another, listed before, that must not hold
	Formats []string `yaml:"formats" json:"formats"` // one of these lies around the content; empty is any
	Group   string   `yaml:"group" json:"group"`     // part of a device that contents in it are of, whatever the kinds of their marks; "" is none
	Path    string   `yaml:"path" json:"path"`       // expression on the whole way, such as /web-x.squashfs.img/js/set.js; empty is any
	Note    string   `yaml:"note" json:"note"`
}

// Brand says that products sold under a brand come from a maker, according to a source. It is
// about a line of products at a time, never about a company for ever, and is no verdict.
type Brand struct {
	Brand      string   `yaml:"brand" json:"brand"`
	Aliases    []string `yaml:"aliases" json:"aliases"`
	Maker      string   `yaml:"maker" json:"maker"` // id of a [Maker]
	Kind       string   `yaml:"kind" json:"kind"`
	Scope      string   `yaml:"scope" json:"scope"`           // which of its products, if not all that were looked at
	Source     string   `yaml:"source" json:"source"`         // where it is said
	Date       string   `yaml:"date" json:"date"`             // of the source, or of the reading: YYYY, YYYY-MM or YYYY-MM-DD
	Confidence string   `yaml:"confidence" json:"confidence"` // high, medium, low
}

var (
	//go:embed makers/*.yaml
	makerFiles embed.FS
	//go:embed brands/*.yaml
	brandFiles embed.FS
	//go:embed contexts/*.yaml
	contextFiles embed.FS
	//go:embed kinds/*.yaml
	kindFiles embed.FS
	//go:embed tested/*.yaml
	testedFiles embed.FS
)

// Makers returns every known maker, in the order of the files.
var Makers = sync.OnceValues(func() ([]Maker, error) { return decode[Maker](makerFiles, "makers") })

// Brands returns what is known of who makes what is sold under a brand.
var Brands = sync.OnceValues(func() ([]Brand, error) { return decode[Brand](brandFiles, "brands") })

// Contexts returns the kinds of place that marks ask for.
var Contexts = sync.OnceValues(func() ([]Context, error) { return decode[Context](contextFiles, "contexts") })

// Kinds returns what marks are witnesses of.
var Kinds = sync.OnceValues(func() ([]Kind, error) { return decode[Kind](kindFiles, "kinds") })

// TestedMarks returns how marks did on innocent contents.
var TestedMarks = sync.OnceValues(func() ([]Tested, error) { return decode[Tested](testedFiles, "tested") })
