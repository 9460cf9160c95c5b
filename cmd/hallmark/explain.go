package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"hallmark/report"
	"hallmark/unpack"
	"hallmark/unpack/format"
)

// explanation collects the verdict on every candidate of a run.
type explanation struct {
	mu   sync.Mutex
	list []unpack.Candidate
}

func (e *explanation) add(c unpack.Candidate) {
	e.mu.Lock()
	e.list = append(e.list, c)
	e.mu.Unlock()
}

// write lists candidates by content and offset: what looked like a format, and why it was one or not.
func (e *explanation) write(w io.Writer, o *opened) error {
	order := map[string]int{}
	for i, c := range o.tree.Contents() {
		order[c.Digest.String()] = i
	}
	slices.SortStableFunc(e.list, func(a, b unpack.Candidate) int {
		return cmp.Or(cmp.Compare(order[a.Content], order[b.Content]), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Format, b.Format))
	})
	e.list = slices.CompactFunc(e.list, func(a, b unpack.Candidate) bool {
		return a.Content == b.Content && a.Offset == b.Offset && a.Format == b.Format
	})
	for _, c := range e.list {
		verdict := "opened"
		if c.Err != nil {
			verdict = "refused: " + report.Printable(c.Err.Error())
			if !errors.Is(c.Err, format.ErrFormat) {
				verdict = "damaged: " + report.Printable(c.Err.Error())
			}
		}
		if _, err := fmt.Fprintf(w, "%s %#x %s %s\n", c.Content[:16], c.Offset, c.Format, verdict); err != nil {
			return err
		}
	}
	return nil
}
