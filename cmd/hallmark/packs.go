package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hallmark/artifact"
	"hallmark/feature"
	"hallmark/fingerprint"
	"hallmark/internal/binomial"
	"hallmark/internal/work"
	"hallmark/report"
	"hallmark/signing"
)

func newPacksCommand(env *environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "packs",
		Short: "List, sign, verify, merge, test and export packs of fingerprints",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		newPacksListCommand(env),
		newPacksSignCommand(env),
		newPacksVerifyCommand(env),
		newPacksMergeCommand(env),
		newPacksTestCommand(env),
		newPacksBackgroundCommand(env),
		newPacksYARACommand(env),
	)
	return c
}

func newPacksListCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "list PACK...",
		Short: "Say what packs hold, what they need for a match, and what tests they passed",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return listPacks(env, args, &learntFlags{allowUnsigned: true}, true)
		},
	}
}

func newPacksVerifyCommand(env *environment) *cobra.Command {
	var f learntFlags
	c := &cobra.Command{
		Use:   "verify --pack-key PUB PACK...",
		Short: "Say whether packs are signed by a given key",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(f.keys) == 0 {
				return errors.New("packs verify: give --pack-key, the public key that must have signed them")
			}
			return listPacks(env, args, &f, false)
		},
	}
	c.Flags().StringArrayVar(&f.keys, "pack-key", nil, "public key (PEM `FILE`); may be given several times")
	return c
}

func listPacks(env *environment, names []string, f *learntFlags, all bool) error {
	packs, err := f.load(names)
	if err != nil {
		return err
	}
	sizes := make([]int, len(names))
	for i, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return exitf(exitIO, "%w", err)
		}
		sizes[i] = int(info.Size())
	}
	return writePacks(env.stdout, names, packs, sizes, all)
}

func newPacksSignCommand(env *environment) *cobra.Command {
	var keys []string
	var out string
	c := &cobra.Command{
		Use:   "sign --key KEY -o OUT PACK",
		Short: "Sign a pack with an ed25519 key",
		Long: `sign puts PACK into a DSSE envelope that the keys sign. The digest by which reports name a pack
is that of the pack itself and stays the same. hallmark key makes keys.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(keys) == 0 || out == "" {
				return errors.New("packs sign: give --key and -o")
			}
			var private []*signing.PrivateKey
			for _, name := range keys {
				b, err := os.ReadFile(name)
				if err != nil {
					return exitf(exitIO, "%w", err)
				}
				k, err := signing.ParsePrivate(b)
				if err != nil {
					return exitf(exitUsage, "%s: %w", name, err)
				}
				private = append(private, k)
			}
			packs, err := (&learntFlags{allowUnsigned: true}).load(args)
			if err != nil {
				return err
			}
			b, err := packs[0].Encode()
			if err != nil {
				return exitf(exitInternal, "%w", err)
			}
			if b, err = signing.Sign(fingerprint.PackType, b, private...); err != nil {
				return exitf(exitInternal, "%w", err)
			}
			return writeBytes(out, b)
		},
	}
	c.Flags().StringArrayVar(&keys, "key", nil, "private key (PEM `FILE`); may be given several times")
	c.Flags().StringVarP(&out, "output", "o", "", "`FILE` to write")
	return c
}

func newPacksMergeCommand(env *environment) *cobra.Command {
	var f learntFlags
	var out string
	c := &cobra.Command{
		Use:   "merge -o OUT PACK...",
		Short: "Make one pack of several",
		Long: `merge unites the versions of a component, and takes away from every family what another family
of the packs has as well; it says how much each lost. The result is not signed.`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return errors.New("packs merge: give -o, the file to write")
			}
			packs, err := f.load(args)
			if err != nil {
				return err
			}
			p, err := fingerprint.Merge(packs)
			if errors.Is(err, fingerprint.ErrWeak) {
				return exitf(exitInconclusive, "%w", err)
			} else if err != nil {
				return exitf(exitList, "%w", err)
			}
			b, err := p.Encode()
			if err != nil {
				return exitf(exitInternal, "%w", err)
			}
			if err := writeBytes(out, b); err != nil {
				return err
			}
			return writePacks(env.stdout, []string{out}, []*fingerprint.Pack{p}, []int{len(b)}, true)
		},
	}
	f.registerKeys(c)
	c.Flags().StringVarP(&out, "output", "o", "", "`FILE` to write")
	return c
}

func newPacksBackgroundCommand(env *environment) *cobra.Command {
	var in inputFlags
	var out string
	c := &cobra.Command{
		Use:   "background -o FILE DIR...",
		Short: "Make a filter of what other software has",
		Long: `background takes the features of everything in each DIR (a folder or an image) and writes them as a
filter of 12 bits each. What it has is no evidence; where it errs, it takes evidence away and never
adds any. It holds nothing of the contents.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return errors.New("packs background: give -o, the file to write")
			}
			m := newMeter(env.stderr, in.quiet)
			defer m.done()
			var all []fingerprint.Sample
			for _, name := range args {
				x, samples, err := samplesOf(c.Context(), env, &in, name, m, feature.Options{})
				if err != nil {
					return err
				}
				x.close()
				all = append(all, samples...)
			}
			m.done()
			if len(all) == 0 {
				return exitf(exitInput, "packs background: no programs, libraries, modules, scripts or pages in %s", strings.Join(args, ", "))
			}
			b := fingerprint.NewBackground(all)
			if err := writeFile(out, func(w io.Writer) error { _, err := b.WriteTo(w); return err }); err != nil {
				return exitf(exitIO, "%w", err)
			}
			_, err := fmt.Fprintf(env.stdout, "%s: %d features of %d contents\n", out, b.Header.Features, b.Header.Contents)
			return err
		},
	}
	in.register(c)
	c.Flags().StringVarP(&out, "output", "o", "", "`FILE` to write")
	return c
}

func newPacksTestCommand(env *environment) *cobra.Command {
	var in inputFlags
	var f learntFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "test DIR PACK...",
		Short: "Measure how often packs are right and wrong over a folder",
		Long: `test compares everything in DIR (a folder or an image) with the packs. What stands in a folder
named as a family is one of that family; everything else is not. Each rule (a class of features, and
all of them together) is counted with one-sided 95 % bounds, and every false match is named. It ends
with 1 if there was a false match.`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			packs, err := f.load(args[1:])
			if err != nil {
				return err
			}
			bg, err := readBackground(f.background)
			if err != nil {
				return err
			}
			m := newMeter(env.stderr, in.quiet)
			defer m.done()
			x, samples, err := samplesOf(c.Context(), env, &in, args[0], m, feature.Options{})
			if err != nil {
				return err
			}
			defer x.close()
			t, err := testPacks(c.Context(), packs, bg, samples, in.workers)
			if err != nil {
				return exitf(exitInternal, "%w", err)
			}
			m.done()
			if err := writeTest(env.stdout, t, asJSON); err != nil {
				return exitf(exitIO, "%w", err)
			}
			if n := len(t.False); n > 0 {
				return exitf(exitViolation, "%d false matches", n)
			}
			return nil
		},
	}
	in.register(c)
	f.registerKeys(c)
	c.Flags().StringVar(&f.background, "background", "", "`FILE` of what other software has")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// packTest is what packs come to over a folder.
type packTest struct {
	Contents int         `json:"contents"`
	Rules    []ruleTest  `json:"rules"`
	False    []wrongName `json:"false"`
	Missed   []wrongName `json:"missed"`
}

// ruleTest counts one rule: a class of one component, or "all" of its classes together.
type ruleTest struct {
	Component string  `json:"component"`
	Rule      string  `json:"rule"`
	Found     int     `json:"found"`
	Of        int     `json:"of"`
	Recall    float64 `json:"recall_at_least"` // one-sided 95 % bounds
	False     int     `json:"false"`
	Others    int     `json:"others"`
	FalseRate float64 `json:"false_rate_at_most"`
}

type wrongName struct {
	Component string                  `json:"component"`
	Name      string                  `json:"name"`
	SHA256    artifact.Digest         `json:"sha256"`
	Island    bool                    `json:"island,omitempty"` // reported as demoted, so no lead
	Classes   []fingerprint.ClassHits `json:"classes,omitempty"`
}

func testPacks(ctx context.Context, packs []*fingerprint.Pack, bg *fingerprint.Background, samples []fingerprint.Sample, workers int) (*packTest, error) {
	out := &packTest{Contents: len(samples), Rules: []ruleTest{}, False: []wrongName{}, Missed: []wrongName{}}
	likes, err := fingerprint.NewMatcher(packs, bg).Match(ctx, work.NewPool(workers), samples)
	if err != nil {
		return nil, err
	}
	for _, p := range packs {
		for i := range p.Components {
			if c := &p.Components[i]; i == 0 || c.ID() != p.Components[i-1].ID() { // one for all of its parts
				out.component(p, c, samples, likes)
			}
		}
	}
	return out, nil
}

// component counts the rules of one component.
func (t *packTest) component(p *fingerprint.Pack, c *fingerprint.Component, samples []fingerprint.Sample, likes []fingerprint.Likeness) {
	found := map[string]*fingerprint.Likeness{}
	for i := range likes {
		if x := &likes[i]; x.Pack == p.Digest && x.Family == c.Family && x.Component == c.Name {
			found[x.Name] = x
		}
	}
	rules := []ruleTest{{Component: c.ID(), Rule: "all"}}
	for class := range feature.NumClasses {
		if slices.ContainsFunc(p.Components, func(k fingerprint.Component) bool {
			return k.ID() == c.ID() && slices.ContainsFunc(k.Classes, func(x fingerprint.Trait) bool { return x.Class == class.String() && x.MinHits > 0 })
		}) {
			rules = append(rules, ruleTest{Component: c.ID(), Rule: class.String()})
		}
	}
	for _, s := range samples {
		own := slices.Contains(strings.FieldsFunc(s.Name, func(r rune) bool { return r == '/' }), c.Family)
		x := found[s.Name]
		for i := range rules {
			rules[i].count(own, x)
		}
		switch {
		case own && (x == nil || x.Island):
			t.Missed = append(t.Missed, wrongName{Component: c.ID(), Name: s.Name, SHA256: s.Digest, Island: x != nil})
		case !own && x != nil && !x.Island:
			t.False = append(t.False, wrongName{Component: c.ID(), Name: s.Name, SHA256: s.Digest, Classes: x.Classes})
		}
	}
	for i := range rules {
		r := &rules[i]
		r.Recall, r.FalseRate = binomial.Lower(r.Found, r.Of), binomial.Upper(r.False, r.Others)
	}
	t.Rules = append(t.Rules, rules...)
}

// count counts one content, of the family or not, that is like the component or, if x is nil, is not.
func (r *ruleTest) count(own bool, x *fingerprint.Likeness) {
	hit := x != nil && !x.Island && (r.Rule == "all" || slices.ContainsFunc(x.Classes, func(h fingerprint.ClassHits) bool { return h.Class == r.Rule && h.Enough }))
	if own {
		r.Of++
	} else {
		r.Others++
	}
	switch {
	case hit && own:
		r.Found++
	case hit:
		r.False++
	}
}

func writeTest(out io.Writer, t *packTest, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		return e.Encode(t)
	}
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%d contents\n", t.Contents)
	for _, r := range t.Rules {
		fmt.Fprintf(w, "%s %s: %d of %d recognised (at least %.3f), %d of %d others falsely (at most %.2g)\n", report.Printable(r.Component), r.Rule, r.Found, r.Of, r.Recall, r.False, r.Others, r.FalseRate)
	}
	for _, x := range t.False {
		var hits []string
		for _, h := range x.Classes {
			hits = append(hits, fmt.Sprintf("%s %d of %d", h.Class, h.Hits, h.Of))
		}
		fmt.Fprintf(w, "false: %s is like %s: %s\n", report.Printable(x.Name), report.Printable(x.Component), strings.Join(hits, ", "))
	}
	for _, x := range t.Missed {
		fmt.Fprintf(w, "missed: %s is not like %s\n", report.Printable(x.Name), report.Printable(x.Component))
	}
	return w.Flush()
}

func newPacksYARACommand(env *environment) *cobra.Command {
	var f learntFlags
	c := &cobra.Command{
		Use:   "yara PACK...",
		Short: "Write YARA rules that find the learnt files themselves",
		Long: `yara writes one rule for each component that finds the files it was learnt from, by their SHA-256
(module hash). A pack holds hashes of normalised features and none of the bytes that they come from, so
that YARA, which looks for bytes, cannot be told to find relatives.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f.allowUnsigned = f.allowUnsigned || len(f.keys) == 0
			packs, err := f.load(args)
			if err != nil {
				return err
			}
			var b bytes.Buffer
			b.WriteString("import \"hash\"\n")
			for _, p := range packs {
				for i := range p.Components {
					writeYARA(&b, &p.Components[i], p.Digest)
				}
			}
			_, err = env.stdout.Write(b.Bytes())
			return err
		},
	}
	c.Flags().StringArrayVar(&f.keys, "pack-key", nil, "public key (PEM `FILE`) that must have signed the packs")
	return c
}

func writeYARA(w io.Writer, c *fingerprint.Component, pack artifact.Digest) {
	name := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, s)
	}
	quote := func(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(report.Printable(s)) }
	for _, v := range c.Versions {
		if len(v.References) == 0 {
			continue
		}
		fmt.Fprintf(w, "\nrule learnt_%s_%s_%s\n{\n  meta:\n    family = \"%s\"\n    component = \"%s\"\n    version = \"%s\"\n    pack = \"%s\"\n  condition:\n",
			name(c.Family), name(c.Name), name(v.Name), quote(c.Family), quote(c.Name), quote(v.Name), pack)
		for i, r := range v.References {
			or := "or "
			if i == 0 {
				or = ""
			}
			fmt.Fprintf(w, "    %sfilesize == %d and hash.sha256(0, filesize) == \"%s\"\n", or, r.Size, r.Digest)
		}
		fmt.Fprint(w, "}\n")
	}
}
