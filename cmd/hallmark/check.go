package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hallmark/internal/strictyaml"
	"hallmark/policy"
	"hallmark/policy/devicelist"
	"hallmark/report"
	"hallmark/signing"
)

// checkFlags are the flags of check.
type checkFlags struct {
	analysis     analysis
	out          outputFlags
	list         string
	packs        []string
	waivers      string
	noWaivers    bool
	keys         []string
	unsigned     bool
	asOf         string
	purpose      string
	sites        []string
	entry        string
	devices      string
	inconclusive string
}

func newCheckCommand(env *environment) *cobra.Command {
	f := &checkFlags{analysis: analysis{bom: true, makers: true}, out: outputFlags{choice: report.CheckOutputs()}}
	c := &cobra.Command{
		Use:   "check [FIRMWARE...]",
		Short: "Check firmware against a list of approved devices and rule packs",
		Long: `check says of each FIRMWARE whether exactly this firmware is on the list today (--list), and
whether what is inside matches the description of a rule (--policy). What could not be read never
passes. A list or waivers without a valid signature, or out of date, are unusable.

A rule pack is a name (see "hallmark policy") or a file. --devices names devices in a file, each
with its brand, entry, purpose and site.`,
		Example: `  hallmark check --list approved.yaml --key issuer.pub camera.bin
  hallmark check --policy us-889 --purpose government-facility camera.bin
  hallmark check --list approved.yaml --key issuer.pub --waivers waivers.yaml --policy uk-2022 \
    --site-class sensitive -o text -o sarif=hallmark.sarif -o junit=hallmark.xml *.bin`,
		RunE: func(c *cobra.Command, args []string) error { return f.run(c.Context(), env, args) },
	}
	f.analysis.input.register(c)
	f.out.register(c, "text")
	fl := c.Flags()
	fl.StringVar(&f.list, "list", "", "list of approved devices, YAML or JSON")
	fl.StringArrayVar(&f.packs, "policy", nil, "rule pack: "+strings.Join(policy.Names(), ", ")+", or a `file`; may be given several times")
	fl.StringVar(&f.waivers, "waivers", "", "waivers, YAML or JSON")
	fl.BoolVar(&f.noWaivers, "no-waivers", false, "count every violation, for audits")
	fl.StringArrayVar(&f.keys, "key", nil, "public key `file` that the list and the waivers must be signed with; may be given several times")
	fl.BoolVar(&f.unsigned, "allow-unsigned", false, "take a list and waivers without looking for a signature; the report says so")
	fl.StringVar(&f.asOf, "as-of", "", "`date` to judge by, as 2027-01-31 (default today)")
	fl.StringVar(&f.purpose, "purpose", "", "what the device is for: "+strings.Join(policy.Purposes(), ", "))
	fl.StringSliceVar(&f.sites, "site-class", nil, "what the site is: "+strings.Join(policy.SiteClasses(), ", "))
	fl.StringVar(&f.entry, "entry", "", "`id` of the entry that the firmware is meant to be")
	fl.StringVar(&f.devices, "devices", "", "`file` that names devices to check, YAML or JSON")
	fl.StringVar(&f.inconclusive, "inconclusive", "fail", "what to make of devices that nobody can judge: fail (exit 2) or warn")
	f.analysis.claims(c)
	f.analysis.knows(c)
	return c
}

// valid refuses what cannot work before any work is done.
func (f *checkFlags) valid() error {
	switch {
	case f.list == "" && len(f.packs) == 0:
		return errors.New("nothing to check against; give --list or --policy")
	case f.inconclusive != "fail" && f.inconclusive != "warn":
		return fmt.Errorf("--inconclusive %s: want fail or warn", f.inconclusive)
	case f.purpose != "" && !slices.Contains(policy.Purposes(), f.purpose):
		return fmt.Errorf("--purpose %s: %s", f.purpose, strictyaml.Suggest(f.purpose, policy.Purposes()))
	case (f.list != "" || f.waivers != "") && len(f.keys) == 0 && !f.unsigned:
		return errors.New("no key to verify the list with; give --key, or --allow-unsigned to take it as it is")
	}
	for _, s := range f.sites {
		if !slices.Contains(policy.SiteClasses(), s) {
			return fmt.Errorf("--site-class %s: %s", s, strictyaml.Suggest(s, policy.SiteClasses()))
		}
	}
	return nil
}

func (f *checkFlags) run(ctx context.Context, env *environment, names []string) error {
	targets, err := f.out.targets()
	if err != nil {
		return err
	}
	if err := f.valid(); err != nil {
		return err
	}
	wanted, err := f.wanted(names)
	if err != nil {
		return err
	}
	for _, t := range targets {
		if t.output.Components && len(wanted) > 1 {
			return fmt.Errorf("-o %s: a document is about one firmware; %d were given", t.output.Name, len(wanted))
		}
	}
	when, err := env.timestamp()
	if err != nil {
		return err
	}
	c, q, err := f.load()
	if err != nil {
		return err
	}
	r := &report.Result{Version: version, Check: c, Time: when}
	var cut error // the first that a limit cut short
	for _, w := range wanted {
		one, err := f.device(ctx, env, q, c, w)
		if one == nil {
			return err
		}
		if cut == nil {
			cut = err
		}
		r.Tree, r.Coverage, r.BOM, r.Match, r.Document = one.Tree, one.Coverage, one.BOM, one.Match, one.Document
	}
	if err := f.out.write(env, targets, r); err != nil {
		return err
	}
	return f.conclude(c, cut)
}

// wanted is a device to be checked, and where it was named if in a file.
type wanted struct {
	devicelist.Wanted
	named report.Pointer
}

// wanted lists the firmware of the arguments, of which the flags speak, and those of --devices,
// for which the flags fill in what the file does not say.
func (f *checkFlags) wanted(names []string) ([]wanted, error) {
	var out []wanted
	for _, name := range names {
		out = append(out, wanted{Wanted: devicelist.Wanted{Firmware: name, Entry: f.entry}})
	}
	if f.devices != "" {
		data, err := readDocument(f.devices)
		if err != nil {
			return nil, err
		}
		d, err := devicelist.ParseDevices(f.devices, data)
		if err != nil {
			return nil, exitf(exitList, "%w", err)
		}
		for _, w := range d.Devices {
			x := wanted{w, report.Pointer{File: inRepository(f.devices), Line: w.Line}}
			x.Firmware = filepath.Join(filepath.Dir(f.devices), filepath.FromSlash(w.Firmware))
			out = append(out, x)
		}
	}
	for i := range out {
		w := &out[i]
		w.Brand, w.Model = cmp.Or(w.Brand, f.analysis.brand), cmp.Or(w.Model, f.analysis.model)
		w.Purpose = cmp.Or(w.Purpose, f.purpose)
		if w.Sites == nil {
			w.Sites = f.sites
		}
		if w.Entry != "" && f.list == "" {
			return nil, fmt.Errorf("%s is meant to be entry %s of a list; give --list", w.Firmware, w.Entry)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no firmware to check; name one, or give --devices")
	}
	return out, nil
}

// conclude turns the results into the end of the program.
func (f *checkFlags) conclude(c *report.Inspection, cut error) error {
	if n := c.Count(devicelist.Fail); n > 0 {
		return exitf(exitViolation, "%d violation%s", n, map[bool]string{true: "", false: "s"}[n == 1])
	}
	if cut != nil {
		return cut
	}
	if n := c.Count(devicelist.Inconclusive); n > 0 && f.inconclusive == "fail" {
		return exitf(exitInconclusive, "inconclusive: %d of the rules could not be answered", n)
	}
	return nil
}

// load reads everything that devices are checked against.
func (f *checkFlags) load() (*report.Inspection, *devicelist.Inquiry, error) {
	at, err := asOf(f.asOf)
	if err != nil {
		return nil, nil, err
	}
	keys, err := publicKeys(f.keys)
	if err != nil {
		return nil, nil, err
	}
	c := &report.Inspection{AsOf: at, Purpose: f.purpose, Sites: f.sites, Warnings: []string{}}
	q := &devicelist.Inquiry{At: at}
	if f.list != "" {
		data, err := readDocument(f.list)
		if err != nil {
			return nil, nil, err
		}
		if c.ListBy, err = f.signed(f.list, data, keys); err != nil {
			return nil, nil, err
		}
		if c.List, err = devicelist.Parse(f.list, data); err == nil {
			err = c.List.Usable(at)
		}
		if err != nil {
			return nil, nil, exitf(exitList, "%w", err)
		}
		q.List, q.Manifests = c.List, manifests(f.list)
	}
	if f.waivers != "" && !f.noWaivers {
		data, err := readDocument(f.waivers)
		if err != nil {
			return nil, nil, err
		}
		if c.WaiverBy, err = f.signed(f.waivers, data, keys); err != nil {
			return nil, nil, err
		}
		if c.Waivers, err = devicelist.ParseWaivers(f.waivers, data); err == nil {
			err = c.Waivers.Usable(at)
		}
		if err != nil {
			return nil, nil, exitf(exitList, "%w", err)
		}
		q.Waivers = c.Waivers
	}
	if c.Packs, err = loadPacks(f.packs); err != nil {
		return nil, nil, err
	}
	q.Packs = c.Packs
	for _, p := range c.Packs {
		if w := p.Stale(at); w != "" {
			c.Warnings = append(c.Warnings, w)
		}
	}
	if f.unsigned && len(keys) == 0 && (c.List != nil || c.Waivers != nil) {
		c.Warnings = append(c.Warnings, "no signature was asked for (--allow-unsigned)")
	}
	return c, q, nil
}

// signed verifies a document's signature and returns the ids of the keys.
func (f *checkFlags) signed(name string, data []byte, keys []*signing.PublicKey) ([]string, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	by, err := verifySignature(name, data, keys)
	if err != nil {
		return nil, exitf(exitList, "%w", err)
	}
	var ids []string
	for _, k := range by {
		ids = append(ids, k.ID())
	}
	return ids, nil
}

func verifySignature(name string, data []byte, keys []*signing.PublicKey) ([]*signing.PublicKey, error) {
	envelope, err := os.ReadFile(name + devicelist.SignatureSuffix)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: not signed: there is no %s%s", name, filepath.Base(name), devicelist.SignatureSuffix)
	} else if err != nil {
		return nil, err
	}
	return devicelist.Verify(name, data, envelope, keys)
}

// device takes one firmware apart and checks it. With a result, the error is that of a limit.
func (f *checkFlags) device(ctx context.Context, env *environment, q *devicelist.Inquiry, c *report.Inspection, w wanted) (*report.Result, error) {
	a := f.analysis
	a.brand, a.model = w.Brand, w.Model
	r, o, err := a.run(ctx, env, w.Firmware)
	if err != nil {
		return nil, err
	}
	defer o.close()
	m, err := devicelist.NewManifest(r.Tree, o.store)
	if err != nil {
		return nil, exitf(exitIO, "%s: %w", w.Firmware, err)
	}
	d := &devicelist.Device{Facts: policy.Observe(r.Tree, r.Coverage, r.Match, r.BOM), SHA256: r.Tree.Root, Manifest: m, Entry: w.Entry}
	d.Facts.Claimed.Brand, d.Facts.Claimed.Model = w.Brand, w.Model
	d.Facts.Purpose, d.Facts.Sites = w.Purpose, w.Sites
	x, err := q.Check(d)
	if err != nil {
		return nil, exitf(exitList, "%w", err)
	}
	c.Devices = append(c.Devices, x)
	pointer := w.named
	switch {
	case pointer.File != "":
	case f.list != "":
		pointer = report.Pointer{File: inRepository(f.list), Line: x.Line}
	default:
		pointer = report.Pointer{File: inRepository(w.Firmware), Line: 1}
	}
	c.Pointers = append(c.Pointers, pointer)
	return r, o.limited()
}

// inRepository returns name relative to the working directory, or its last part if it is outside.
func inRepository(name string) string {
	if wd, err := os.Getwd(); err == nil && filepath.IsAbs(name) {
		if rel, err := filepath.Rel(wd, name); err == nil {
			name = rel
		}
	}
	name = filepath.ToSlash(filepath.Clean(name))
	if filepath.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") {
		return filepath.Base(name)
	}
	return name
}

// asOf reads --as-of.
func asOf(s string) (policy.Date, error) {
	if s == "" {
		return policy.DateOf(time.Now()), nil
	}
	d, err := policy.ParseDate(s)
	if err != nil {
		return "", fmt.Errorf("--as-of: %w", err)
	}
	return d, nil
}

func publicKeys(names []string) ([]*signing.PublicKey, error) {
	var keys []*signing.PublicKey
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, exitf(exitList, "%w", err)
		}
		k, err := signing.ParsePublic(b)
		if err != nil {
			return nil, exitf(exitList, "%s: %w", name, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// readDocument reads a list, waivers or a pack of a size that is sane.
func readDocument(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, exitf(exitList, "%w", err)
	}
	defer f.Close()
	b, err := strictyaml.ReadAll(name, f, strictyaml.Options{})
	if err != nil {
		return nil, exitf(exitList, "%w", err)
	}
	return b, nil
}

// loadPacks loads packs by name, or by file if the name has a dot or a slash in it.
func loadPacks(names []string) ([]*policy.Pack, error) {
	g, err := policy.Entities()
	if err != nil {
		return nil, exitf(exitInternal, "%w", err)
	}
	var packs []*policy.Pack
	for _, name := range names {
		var p *policy.Pack
		if strings.ContainsAny(name, `./\`) {
			data, err := readDocument(name)
			if err != nil {
				return nil, err
			}
			p, err = policy.ParsePack(name, data, g)
			if err != nil {
				return nil, exitf(exitList, "%w", err)
			}
		} else if p, err = policy.Builtin(name, g); err != nil {
			return nil, exitf(exitList, "%w", err)
		}
		if slices.ContainsFunc(packs, func(o *policy.Pack) bool { return o.ID == p.ID }) {
			return nil, exitf(exitUsage, "--policy %s: pack %s is there twice", name, p.ID)
		}
		packs = append(packs, p)
	}
	return packs, nil
}

// manifests reads the manifest files that stand beside a list.
func manifests(list string) func(*devicelist.Firmware) (*devicelist.Manifest, error) {
	return func(f *devicelist.Firmware) (*devicelist.Manifest, error) {
		root, err := os.OpenRoot(filepath.Dir(list))
		if err != nil {
			return nil, err
		}
		defer root.Close()
		file, err := root.Open(filepath.FromSlash(f.Manifest))
		if err != nil {
			return nil, fmt.Errorf("%s:%d:%d: manifest: %w", list, f.Line, f.Column, err)
		}
		defer file.Close()
		b, err := io.ReadAll(io.LimitReader(file, maxManifest+1))
		if err == nil && len(b) > maxManifest {
			err = errors.New("larger than 256 MiB")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: manifest %s: %w", list, f.Manifest, err)
		}
		m, err := devicelist.ParseManifest(b, f.ContentRoot)
		if err != nil {
			return nil, fmt.Errorf("%s:%d:%d: manifest %s: %w", list, f.Line, f.Column, f.Manifest, err)
		}
		return m, nil
	}
}

const maxManifest = 256 << 20
