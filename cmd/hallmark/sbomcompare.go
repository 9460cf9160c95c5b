package main

import (
	"errors"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"hallmark/artifact"
	"hallmark/report"
	"hallmark/sbom/compare"
)

func newSBOMCompareCommand(env *environment) *cobra.Command {
	a := &analysis{bom: true}
	var declared string
	var out formatFlag
	c := &cobra.Command{
		Use:   "compare --declared DOCUMENT IMAGE",
		Short: "Hold what a supplier declares against what the image shows",
		Long: `compare reads DOCUMENT, a supplier's CycloneDX or SPDX, takes IMAGE apart (or reads a bill of
materials of it) and says of each component: confirmed, version differs, declared but not seen,
seen but not declared, or cannot be told, with the evidence of both sides. That something is
absent is claimed only if every byte was read and hallmark knows how it looks.

It ends with 0 if all is confirmed, 1 if anything differs, and 2 if nothing differs but something
cannot be told.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if declared == "" {
				return errors.New("give the supplier's document with --declared")
			}
			if err := out.check(); err != nil {
				return err
			}
			d, err := readBOM(env, declared)
			if err != nil {
				return err
			}
			list := compare.FromSupplier(d)
			if len(list) == 0 {
				return exitf(exitInput, "%s: the document declares no components", declared)
			}
			s, err := observe(c.Context(), env, a, args[0])
			if err != nil {
				return err
			}
			defer s.close()
			r := compare.Compare(filepath.Base(declared), list, s.Observed)
			if err := out.write(env, r, func(w io.Writer) error { return report.WriteComparison(w, r) }); err != nil {
				return err
			}
			if err := s.limited(); err != nil {
				return err
			}
			if r.Contradicts() {
				return exitf(exitViolation, "%s is not what %s declares", args[0], declared)
			}
			if !r.Agrees() {
				return exitf(exitInconclusive, "%d components cannot be told", r.Counts[compare.CannotTell])
			}
			return nil
		},
	}
	a.input.register(c)
	a.knows(c)
	c.Flags().StringVar(&declared, "declared", "", "the supplier's document (`FILE`)")
	out.register(c)
	return c
}

func newSBOMDiffCommand(env *environment) *cobra.Command {
	a := &analysis{bom: true}
	var out formatFlag
	c := &cobra.Command{
		Use:   "diff A B",
		Short: "Say which components changed between two releases",
		Long: `diff takes images A and B apart, or reads bills of materials that hallmark wrote of them, and says
which components were added, removed, upgraded, downgraded, rebuilt in the same version, or patched
in place: of the same version, with a few bytes that differ. The last needs both images.`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			var sides [2]*side
			for i, name := range args {
				s, err := observe(c.Context(), env, a, name)
				if err != nil {
					return err
				}
				defer s.close()
				sides[i] = s
			}
			var bytes compare.Bytes
			if sides[0].image != nil && sides[1].image != nil {
				bytes = bytesOf(sides[0].image.store, sides[1].image.store)
			}
			d := compare.Diff(sides[0].Observed, sides[1].Observed, bytes)
			if err := out.write(env, d, func(w io.Writer) error { return report.WriteDelta(w, d) }); err != nil {
				return err
			}
			return errors.Join(sides[0].limited(), sides[1].limited())
		},
	}
	a.input.register(c)
	a.knows(c)
	out.register(c)
	return c
}

// maxRuns is how many differing runs of a file are told.
const maxRuns = 8

// bytesOf compares contents of two stores.
func bytesOf(a, b *artifact.Store) compare.Bytes {
	return func(x, y artifact.Digest) (runs []artifact.Range, differ int64, ok bool) {
		rx, err := a.Open(x)
		ry, err2 := b.Open(y)
		if err != nil || err2 != nil || rx.Size() != ry.Size() {
			return nil, 0, false
		}
		bx, by := make([]byte, 1<<20), make([]byte, 1<<20)
		last := int64(-2)
		for off := int64(0); off < rx.Size(); off += int64(len(bx)) {
			n := int(min(int64(len(bx)), rx.Size()-off))
			_, ex := rx.ReadAt(bx[:n], off)
			_, ey := ry.ReadAt(by[:n], off)
			if ex != nil && ex != io.EOF || ey != nil && ey != io.EOF {
				return nil, 0, false
			}
			for i := range n {
				if bx[i] == by[i] {
					continue
				}
				at := off + int64(i)
				differ++
				if at == last+1 && len(runs) > 0 && runs[len(runs)-1].End() == at {
					runs[len(runs)-1].Len++
				} else if len(runs) < maxRuns {
					runs = append(runs, artifact.Range{Off: at, Len: 1})
				}
				last = at
			}
		}
		return runs, differ, true
	}
}
