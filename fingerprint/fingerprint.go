// Package fingerprint learns what a family of software has and nobody else, and recognises it
// again: under another brand, in another version, for another processor.
//
// What is learnt is a [Pack]: hashed features (package feature) without any content of the
// reference, less what a [Background] of other software has, less what other families have. A
// pack carries the tests that were run on it, and what a match is worth follows from these tests
// and from nothing else: a [Likeness] has the logarithm of a likelihood ratio of two one-sided
// 95 % bounds, so that few tests cannot support a great claim.
//
// A likeness says that code or text of a family is in a file. It never says by itself who made
// a device: package match takes it as a lead.
package fingerprint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/feature"
	"hallmark/internal/work"
)

// Sample is one content with its features.
type Sample struct {
	Name   string // the way to it through all layers, for people
	Digest artifact.Digest
	Size   int64
	Set    *feature.Set
}

// Contents of these sizes are looked at: below, nothing tells; above stand disk images.
const (
	minContent = 256
	maxContent = 512 << 20
	minRaw     = 4096 // of bytes of no known type
)

// Collect takes the features of what t holds and what can run or be served: programs, libraries,
// modules, scripts, web interfaces and raw code. The result is in order of the tree. An error
// means that ctx ended or a content could not be read.
func Collect(ctx context.Context, t *artifact.Tree, s *artifact.Store, p *work.Pool, o feature.Options) ([]Sample, error) {
	var picked []*artifact.Content
	for _, c := range t.Contents() {
		if telling(c) {
			picked = append(picked, c)
		}
	}
	out, errs := work.MapBySize(ctx, p, picked, func(c *artifact.Content) int64 { return c.Size }, func(_ context.Context, c *artifact.Content) (Sample, error) {
		r, err := s.Open(c.Digest)
		if err != nil {
			return Sample{}, err
		}
		set, err := feature.Extract(r, c.Size, o)
		if err != nil {
			return Sample{}, fmt.Errorf("%s: %w", nameOf(t, c.Digest), err)
		}
		return Sample{nameOf(t, c.Digest), c.Digest, c.Size, set}, nil
	})
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("fingerprint: %w", err)
	}
	return slices.DeleteFunc(out, func(s Sample) bool { return s.Set.Len() == 0 }), nil
}

// telling reports whether a content is of a kind that has features.
func telling(c *artifact.Content) bool {
	if c.Size < minContent || c.Size > maxContent {
		return false
	}
	switch c.Type {
	case "elf", "pe", "script":
		return true
	}
	for range c.Chunks() {
		return false
	}
	switch c.Type {
	case "text":
		return true
	case "":
		for _, x := range c.Extents {
			if x.Kind == artifact.Unknown && !x.Figures.Class.Opaque() && c.Size >= minRaw {
				return true
			}
		}
	}
	return false
}

// nameOf writes the way to a content as its paths, joined by the borders of layers.
func nameOf(t *artifact.Tree, d artifact.Digest) string {
	var parts []string
	for _, step := range t.FirstPlace(d) {
		if n := t.Node(step); n != nil {
			parts = append(parts, n.Path)
		}
	}
	if len(parts) == 0 {
		return t.Name
	}
	return strings.Join(parts, "//")
}
