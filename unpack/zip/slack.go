package zip

import (
	"cmp"
	"slices"

	"hallmark/artifact"
)

// minSlack is how many bytes in a row must be no member's and no header's to be told: behind a
// member there may be a data descriptor of 24 bytes, and fields of headers hold some hundred.
const minSlack = 1024

// slack returns the runs of bytes in the archive that belong to no member: between members, where
// deleted ones and alignment leave them, in the extra fields of local headers, in the comment.
// Nobody would look at them otherwise.
func (a *archive) slack() []artifact.Range {
	if !a.hasEnd {
		return nil
	}
	members := slices.Clone(a.members)
	slices.SortFunc(members, func(x, y member) int { return cmp.Compare(x.header, y.header) })
	var out []artifact.Range
	add := func(from, to int64) {
		if to-from >= minSlack && from >= 0 && to <= a.end {
			out = append(out, artifact.Range{Off: from, Len: to - from})
		}
	}
	at := int64(0)
	for i := range members {
		m := &members[i]
		add(at, m.header)
		add(max(at, m.header+localLen+int64(len(m.name))), m.data)
		at = max(at, m.data+max(0, m.stored))
	}
	add(at, a.start)
	add(a.comment.Off, a.comment.End())
	return out
}
