package report

import (
	"hallmark/match"
)

// textContents bounds the contents that the text names one by one.
const textContents = 12

// contents says which rung single contents stand on. What says no more than that a chip's maker
// delivered it, or that it speaks a protocol, is counted.
func (t *text) contents() {
	var named []match.ContentVerdict
	others := 0
	for _, c := range t.r.Match.Contents {
		switch c.Class {
		case match.Component, match.SDKClient, match.LeadOnly, match.Undetermined:
			named = append(named, c)
		default:
			others++
		}
	}
	if len(named) == 0 {
		return
	}
	t.head("By content")
	for i, c := range named {
		if i == textContents {
			t.line("  and %d more (see -o json)", len(named)-i)
			break
		}
		where := t.short(c.Content)
		if where == "" {
			where = Printable(t.r.Tree.Name)
		}
		t.line("  %-26s %-14s %s", c.Class, Printable(c.Maker), where)
	}
	if others > 0 {
		t.line("  %d more speak a protocol, are of a chip or of free firmware", others)
	}
}
