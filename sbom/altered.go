package sbom

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"slices"

	"hallmark/artifact"
	"hallmark/internal/work"
)

// Recorded is a file as a package's record has it.
type Recorded struct {
	Path      string
	Content   artifact.Digest // of what stands there; zero if nothing does
	Algorithm string          // md5, sha1 or sha256; others are not compared
	Sum       string          // in lower-case hexadecimal
	Config    bool            // the package lets its user change it
}

// Altered is a file that is not as its package recorded it.
type Altered struct {
	Component int             `json:"component"` // index in Components
	Path      string          `json:"path"`
	Missing   bool            `json:"missing,omitempty"` // nothing stands there
	Config    bool            `json:"config,omitempty"`
	Content   artifact.Digest `json:"content,omitzero"`
	Recorded  string          `json:"recorded"`        // algorithm and sum: "md5:d41d8cd9..."
	Found     string          `json:"found,omitempty"` // likewise
}

// The properties of a package that tell of files which are not as recorded.
const (
	AlteredProperty = "hallmark:package:altered"
	MissingProperty = "hallmark:package:missing"

	maxAltered = 64 // of each, for one package
)

// tell adds to components what altered says of their files. Configuration is there to be changed.
func tell(components []Component, altered []Altered) {
	count := map[Property]int{}
	for _, a := range altered {
		p := Property{AlteredProperty, a.Path + ": " + a.Found + ", recorded " + a.Recorded}
		if a.Missing {
			p = Property{MissingProperty, a.Path}
		}
		c := &components[a.Component]
		if k := (Property{p.Name, c.Purl + c.Name}); !a.Config && count[k] < maxAltered {
			count[k]++
			c.Properties = append(c.Properties, p)
		}
	}
}

// sums are the algorithms of records. MD5 and SHA-1 do not keep out who wants to deceive, but
// nothing better is recorded.
var sums = map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New}

// altered compares the files of records with what was recorded. records are of components of the
// same index.
func altered(ctx context.Context, s *artifact.Store, pool *work.Pool, records [][]Recorded) ([]Altered, []error) {
	type want struct {
		content   artifact.Digest
		algorithm string
	}
	var todo []want
	known := map[want]int{}
	for _, list := range records {
		for _, r := range list {
			w := want{r.Content, r.Algorithm}
			if _, ok := known[w]; !ok && !r.Content.IsZero() && sums[r.Algorithm] != nil {
				known[w] = len(todo)
				todo = append(todo, w)
			}
		}
	}
	got, errs := work.Map(ctx, pool, todo, func(_ context.Context, w want) (string, error) {
		if w.algorithm == "sha256" {
			return w.content.String(), nil
		}
		r, err := s.Open(w.content)
		if err != nil {
			return "", err
		}
		h := sums[w.algorithm]()
		_, err = io.Copy(h, r)
		return hex.EncodeToString(h.Sum(nil)), err
	})
	out := []Altered{}
	for i, list := range records {
		for _, r := range list {
			a := Altered{Component: i, Path: r.Path, Config: r.Config, Content: r.Content, Recorded: r.Algorithm + ":" + r.Sum}
			if r.Content.IsZero() {
				a.Missing = true
				out = append(out, a)
				continue
			}
			k, ok := known[want{r.Content, r.Algorithm}]
			if ok && errs[k] == nil && got[k] != r.Sum {
				a.Found = r.Algorithm + ":" + got[k]
				out = append(out, a)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Altered) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Path, b.Path))
	})
	return out, errs
}
