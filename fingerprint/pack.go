package fingerprint

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"hallmark/artifact"
	"hallmark/feature"
	"hallmark/signing"
)

// PackType is the payload type of a signed pack.
const PackType = "application/vnd.hallmark.pack.v1"

const packMagic = "hallmark-pack-1\n"

// Limits of what a pack may hold, against hostile ones.
const (
	maxPack       = 256 << 20
	maxComponents = 100_000
	maxVersions   = 64 // of one component: a bit each
)

// Pack is what was learnt of some components. It holds hashes and figures, and nothing of the
// contents that were learnt.
type Pack struct {
	Components []Component
	Digest     artifact.Digest // of the file without its signature; set by Parse and Learn
	SignedBy   []string        // ids of the keys that verified it; empty if none did
}

// Component is one learnt component of one family.
type Component struct {
	Family    string    `json:"family"`
	Name      string    `json:"component"`
	Part      int       `json:"part,omitempty"` // from 1 on, of a component learnt in parts
	Versions  []Version `json:"versions"`
	Extractor int       `json:"extractor"` // [feature.Version]
	Classes   []Trait   `json:"classes"`   // those with features, in order of class
	Tests     Tests     `json:"tests"`
	From      Origin    `json:"created_from"`
}

// Version is one version with the contents it was learnt from.
type Version struct {
	Name       string      `json:"version"`
	References []Reference `json:"references"`
}

// Reference names a content that was learnt, and holds nothing of it.
type Reference struct {
	Name   string          `json:"name"`
	Digest artifact.Digest `json:"sha256"`
	Size   int64           `json:"size"`
	Weak   bool            `json:"weak,omitempty"` // too few features to be recognised alone
}

// Trait is what one class of features says of a component.
type Trait struct {
	Class    string  `json:"class"`
	Scale    uint64  `json:"scale"`  // one feature in so many was kept of all files, more of small ones
	Before   int     `json:"before"` // features of the references, as sampled by the extractor
	Own      int     `json:"own"`    // after taking away what others have
	Kept     int     `json:"kept"`
	MinHits  int     `json:"min_hits"` // a file with so many is alike in this class alone; 0 if the class never is enough
	MinShare float64 `json:"min_share"`
	LLR      float64 `json:"llr"` // decimal logarithm of recall's lower over false rate's upper bound

	// The best innocent content of the tests, "" if none had a hit.
	Innocent     string `json:"nearest_innocent,omitempty"`
	InnocentHits int    `json:"nearest_innocent_hits,omitempty"`

	entries []entry // in order of hash
	in      [][]int // while learning: the references that have each entry
}

// entry is one feature: its hash, where in the references it stands, and in which versions.
type entry struct {
	hash     uint64 // the upper 48 bits
	file     byte   // index of the reference in its version, modulo 256
	pos      byte   // how far into it, in 256ths
	versions uint64 // bit i is Versions[i]
}

// Tests are what was run when the component was learnt.
type Tests struct {
	References   int    `json:"references"`  // contents with features enough to be recognised
	Itself       int    `json:"itself"`      // recognised as they are
	Disguises    []Hits `json:"disguises"`   // recognised in disguise
	LeftOut      *Hits  `json:"left_out"`    // recognised by what the other references taught
	Negatives    int    `json:"negatives"`   // contents of others, none of them subtracted before the test
	Falsely      int    `json:"falsely"`     // of them alike
	NegativeSums string `json:"negative_id"` // SHA-256 of their sorted digests
}

// Hits counts successes of one kind of test.
type Hits struct {
	Name string `json:"name"`
	Of   int    `json:"of"`
	Hits int    `json:"hits"`
}

// Origin says what a component was learnt against.
type Origin struct {
	Background     *artifact.Digest `json:"background,omitempty"` // file
	Against        int              `json:"against"`              // contents of others
	Subtracted     int              `json:"subtracted"`           // of them taken away before the tests
	LeftOut        int              `json:"left_out,omitempty"`   // references in parts too weak to be learnt
	OtherFamilies  []string         `json:"other_families,omitempty"`
	OmittedWords   []string         `json:"omitted_words,omitempty"`
	MergedFrom     []string         `json:"merged_from,omitempty"` // digests of packs
	CrossExclusion []Lost           `json:"cross_exclusion,omitempty"`
}

// Lost says how many features a component lost because another family has them as well.
type Lost struct {
	To       string `json:"to"` // family
	Features int    `json:"features"`
}

// ID names a component within its packs.
func (c *Component) ID() string { return c.Family + "/" + c.Name }

func (c *Component) trait(class feature.Class) *Trait {
	i := slices.IndexFunc(c.Classes, func(t Trait) bool { return t.Class == class.String() })
	if i < 0 {
		return nil
	}
	return &c.Classes[i]
}

type packHeader struct {
	Components []Component `json:"components"`
}

// Encode writes the pack as a file: the magic, the length of the header, the header as JSON, and
// for each class of each component its entries of eight bytes (48 bits of hash, file, position),
// followed, if there is more than one version, by eight bytes that say which.
func (p *Pack) Encode() ([]byte, error) {
	header, err := json.Marshal(packHeader{p.Components})
	if err != nil {
		return nil, fmt.Errorf("fingerprint: pack: %w", err)
	}
	out := binary.BigEndian.AppendUint32([]byte(packMagic), uint32(len(header)))
	out = append(out, header...)
	for i := range p.Components {
		c := &p.Components[i]
		for _, t := range c.Classes {
			for _, e := range t.entries {
				out = binary.BigEndian.AppendUint64(out, e.hash|uint64(e.file)<<8|uint64(e.pos))
				if len(c.Versions) > 1 {
					out = binary.BigEndian.AppendUint64(out, e.versions)
				}
			}
		}
	}
	return out, nil
}

const hashBits = 0xffffffffffff0000

// Parse reads a pack, signed or not. A signed one is verified with keys; if none of them fits,
// or if the pack is not signed, it is refused unless unsigned packs are allowed.
func Parse(data []byte, keys []*signing.PublicKey, allowUnsigned bool) (*Pack, error) {
	if len(data) > maxPack {
		return nil, fmt.Errorf("fingerprint: pack: %d bytes, at most %d are read", len(data), maxPack)
	}
	var by []string
	if signing.IsEnvelope(data) {
		payload, signers, err := verify(data, keys, allowUnsigned)
		if err != nil {
			return nil, fmt.Errorf("fingerprint: pack: %w", err)
		}
		data = payload
		for _, k := range signers {
			by = append(by, k.ID())
		}
	} else if !allowUnsigned {
		return nil, errors.New("fingerprint: pack: not signed; sign it with `hallmark packs sign`, or say --allow-unsigned")
	}
	p, err := parsePack(data)
	if err != nil {
		return nil, fmt.Errorf("fingerprint: pack: %w", err)
	}
	p.SignedBy = by
	return p, nil
}

func verify(data []byte, keys []*signing.PublicKey, allowUnsigned bool) ([]byte, []*signing.PublicKey, error) {
	if len(keys) > 0 {
		payload, by, err := signing.Verify(data, PackType, keys)
		if err == nil || !allowUnsigned || !errors.Is(err, signing.ErrUnsigned) {
			return payload, by, err
		}
	} else if !allowUnsigned {
		return nil, nil, errors.New("signed, but no key to verify it with; give --pack-key, or say --allow-unsigned")
	}
	typ, payload, err := signing.Payload(data)
	if err == nil && typ != PackType {
		err = fmt.Errorf("the envelope holds %q, want %q", typ, PackType)
	}
	return payload, nil, err
}

func parsePack(data []byte) (*Pack, error) {
	rest, header, err := cutHeader(data, packMagic)
	if err != nil {
		return nil, err
	}
	var h packHeader
	if err := strictJSON(header, &h); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if len(h.Components) == 0 || len(h.Components) > maxComponents {
		return nil, fmt.Errorf("%d components", len(h.Components))
	}
	for i := range h.Components {
		if rest, err = h.Components[i].parse(rest); err != nil {
			return nil, fmt.Errorf("component %d: %w", i, err)
		}
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%d bytes behind the last component", len(rest))
	}
	return &Pack{Components: h.Components, Digest: digestOf(data)}, nil
}

// parse checks c as its header has it and takes its entries from b.
func (c *Component) parse(b []byte) ([]byte, error) {
	switch {
	case c.Extractor != feature.Version:
		return nil, fmt.Errorf("%s: learnt with extractor %d, this program has %d; learn it anew", c.ID(), c.Extractor, feature.Version)
	case c.Family == "" || c.Name == "":
		return nil, errors.New("no family or no component")
	case !c.Tests.valid():
		return nil, fmt.Errorf("%s: figures of the tests that cannot be", c.ID())
	case len(c.Versions) == 0 || len(c.Versions) > maxVersions:
		return nil, fmt.Errorf("%s: %d versions, want 1 to %d", c.ID(), len(c.Versions), maxVersions)
	}
	size := 8
	if len(c.Versions) > 1 {
		size = 16
	}
	known := uint64(1)<<(len(c.Versions)-1)<<1 - 1
	last := feature.Class(-1)
	for i := range c.Classes {
		t := &c.Classes[i]
		class, ok := feature.ParseClass(t.Class)
		if !ok || class <= last || t.Scale < 1 || t.Kept < 0 || t.MinHits < 0 || t.MinShare < 0 || t.InnocentHits < 0 || !(t.LLR >= 0 && t.LLR <= maxClassLLR) {
			return nil, fmt.Errorf("%s: class %q: bad figures or out of order", c.ID(), t.Class)
		}
		last = class
		if t.Kept > len(b)/size {
			return nil, fmt.Errorf("%s: class %s: %d entries, file has %d more bytes", c.ID(), t.Class, t.Kept, len(b))
		}
		t.entries = make([]entry, t.Kept)
		for k := range t.entries {
			v := binary.BigEndian.Uint64(b)
			e := entry{v & hashBits, byte(v >> 8), byte(v), 1}
			if size == 16 {
				e.versions = binary.BigEndian.Uint64(b[8:])
			}
			if k > 0 && e.hash <= t.entries[k-1].hash || e.versions == 0 || e.versions&^known != 0 {
				return nil, fmt.Errorf("%s: class %s: entry %d is out of order", c.ID(), t.Class, k)
			}
			t.entries[k] = e
			b = b[size:]
		}
	}
	return b, nil
}

// Bounds of what tests may have counted.
const (
	maxNegatives = 10_000_000
	maxFalsely   = 10_000
)

// valid reports whether the tests can have come out so.
func (t *Tests) valid() bool {
	counts := append([]Hits{{Of: t.References, Hits: t.Itself}}, t.Disguises...)
	if t.LeftOut != nil {
		counts = append(counts, *t.LeftOut)
	}
	for _, h := range counts {
		if h.Hits < 0 || h.Hits > h.Of || h.Of > maxNegatives {
			return false
		}
	}
	return t.Falsely >= 0 && t.Falsely <= min(t.Negatives, maxFalsely) && t.Negatives <= maxNegatives
}

// versionHits counts, for each version, the entries that it has.
func (t *Trait) versionHits(n int) []int {
	out := make([]int, n)
	for _, e := range t.entries {
		for v := e.versions; v != 0; v &= v - 1 {
			out[bits.TrailingZeros64(v)]++
		}
	}
	return out
}

func digestOf(data []byte) artifact.Digest { return sha256.Sum256(data) }

// sumDigests is the SHA-256 of sorted digests, one behind the other.
func sumDigests(sorted []artifact.Digest) artifact.Digest {
	h := sha256.New()
	for _, d := range sorted {
		h.Write(d[:])
	}
	return artifact.Digest(h.Sum(nil))
}

func sortDigests(list []artifact.Digest) []artifact.Digest {
	slices.SortFunc(list, func(a, b artifact.Digest) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(list)
}

func sortComponents(list []Component) {
	slices.SortStableFunc(list, func(a, b Component) int { return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Name, b.Name)) })
}
