package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hallmark/artifact"
	"hallmark/feature"
	"hallmark/fingerprint"
	"hallmark/internal/work"
	"hallmark/match"
	"hallmark/report"
	"hallmark/signing"
)

// learntFlags name what was learnt: packs, the keys that vouch for them, a background, an index.
type learntFlags struct {
	packs         []string
	keys          []string
	allowUnsigned bool
	background    string
	index         string
}

func (f *learntFlags) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.packs, "pack", nil, "`FILE` of fingerprints that learn made; may be given several times")
	f.registerKeys(c)
	c.Flags().StringVar(&f.background, "background", "", "`FILE` of what other software has, made by packs background")
	c.Flags().StringVar(&f.index, "index", "", "`FILE` of learnt files, to name the nearest innocent one")
}

func (f *learntFlags) registerKeys(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.keys, "pack-key", nil, "public key (PEM `FILE`) that must have signed the packs; may be given several times")
	c.Flags().BoolVar(&f.allowUnsigned, "allow-unsigned", false, "use packs that no given key has signed; the report names them")
}

// load reads the packs named.
func (f *learntFlags) load(names []string) ([]*fingerprint.Pack, error) {
	var keys []*signing.PublicKey
	for _, name := range f.keys {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, exitf(exitList, "--pack-key: %w", err)
		}
		k, err := signing.ParsePublic(b)
		if err != nil {
			return nil, exitf(exitList, "--pack-key %s: %w", name, err)
		}
		keys = append(keys, k)
	}
	var out []*fingerprint.Pack
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, exitf(exitList, "%w", err)
		}
		p, err := fingerprint.Parse(b, keys, f.allowUnsigned)
		if err != nil {
			return nil, exitf(exitList, "%s: %w", name, err)
		}
		out = append(out, p)
	}
	return out, nil
}

func readBackground(name string) (*fingerprint.Background, error) {
	if name == "" {
		return nil, nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, exitf(exitList, "--background: %w", err)
	}
	bg, err := fingerprint.ParseBackground(b)
	if err != nil {
		return nil, exitf(exitList, "%s: %w", name, err)
	}
	return bg, nil
}

// openIndex opens an index; the file stays open until close is called.
func openIndex(name string) (x *fingerprint.Index, closeFile func() error, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, exitf(exitList, "%w", err)
	}
	info, err := file.Stat()
	if err == nil {
		x, err = fingerprint.OpenIndex(file, info.Size())
	}
	if err != nil {
		return nil, nil, errors.Join(exitf(exitList, "%s: %w", name, err), file.Close())
	}
	return x, file.Close, nil
}

// learnt is what the flags named, loaded.
type learnt struct {
	packs      []*fingerprint.Pack
	background *fingerprint.Background
	index      *fingerprint.Index
	close      func() error
}

// open loads what the flags name, before an image is taken apart, so that a slip costs nothing.
func (f *learntFlags) open() (*learnt, error) {
	l := &learnt{close: func() error { return nil }}
	if len(f.packs) == 0 {
		if len(f.keys) > 0 || f.background != "" || f.index != "" || f.allowUnsigned {
			return nil, errors.New("--pack-key, --background, --index and --allow-unsigned are about packs; give --pack")
		}
		return l, nil
	}
	var err error
	if l.packs, err = f.load(f.packs); err != nil {
		return nil, err
	}
	if l.background, err = readBackground(f.background); err != nil {
		return nil, err
	}
	if f.index != "" {
		l.index, l.close, err = openIndex(f.index)
	}
	return l, err
}

// compare says what contents of an image are like what was learnt. Likenesses confined to one
// part of one learnt file are reported and are no leads.
func (l *learnt) compare(ctx context.Context, o *opened, p *work.Pool) (*report.Learnt, []match.Lead, error) {
	if len(l.packs) == 0 {
		return nil, nil, nil
	}
	samples, err := fingerprint.Collect(ctx, o.tree, o.store, p, feature.Options{})
	if err != nil {
		return nil, nil, err
	}
	likes, err := fingerprint.NewMatcher(l.packs, l.background).Match(ctx, p, samples)
	if err != nil {
		return nil, nil, err
	}
	r := &report.Learnt{Likenesses: likes}
	for _, k := range l.packs {
		r.Packs = append(r.Packs, report.PackOf(k))
	}
	if l.background != nil {
		r.Background = &l.background.Digest
	}
	byDigest := map[artifact.Digest]fingerprint.Sample{}
	for _, s := range samples {
		byDigest[s.Digest] = s
	}
	var leads []match.Lead
	for i := range likes {
		x := &likes[i]
		if l.index != nil {
			near, err := l.index.Find(byDigest[x.Content], 1)
			if err != nil {
				return nil, nil, err
			}
			if n := near.Innocent; n != nil {
				x.Innocent = fmt.Sprintf("%s (%.0f %% of its sketch)", n.Name, 100*n.Share)
			}
		}
		if x.Island {
			continue
		}
		leads = append(leads, match.Lead{
			Content: x.Content, Family: x.Family, Component: x.Component, Version: x.Version, LLR: x.LLR,
			Nearest: x.Nearest, NearestInnocent: x.Innocent, Pack: x.Pack,
		})
	}
	return r, leads, nil
}

// samplesOf takes the features of an image or folder.
func samplesOf(ctx context.Context, env *environment, in *inputFlags, name string, m *meter, o feature.Options) (*opened, []fingerprint.Sample, error) {
	x, err := in.open(ctx, env, name, m)
	if err != nil {
		return nil, nil, err
	}
	m.stage("take features")
	samples, err := fingerprint.Collect(ctx, x.tree, x.store, work.NewPool(in.workers), o)
	if err != nil {
		x.close()
		return nil, nil, exitf(exitIO, "%w", err)
	}
	return x, samples, nil
}

// omit reads the words of --omit.
func omit(words []string) (feature.Options, error) {
	var o feature.Options
	for _, w := range words {
		if w = strings.ToLower(strings.TrimSpace(w)); len(w) < 3 {
			return o, fmt.Errorf("--omit %q: want a word of three letters or more", w)
		}
		o.Omit = append(o.Omit, w)
	}
	slices.Sort(o.Omit)
	return o, nil
}
