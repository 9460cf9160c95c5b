package format

import (
	"sort"

	"hallmark/artifact"
)

// Gaps returns the runs before end that none of used covers and that are not of a single byte
// value: what a partition table leaves over, and a boot loader may stand in.
func Gaps(src Source, used []artifact.Range, end int64) (out []artifact.Range) {
	sort.Slice(used, func(i, j int) bool { return used[i].Off < used[j].Off })
	at := int64(0)
	for _, r := range append(used, artifact.Range{Off: end}) {
		if g := (artifact.Range{Off: at, Len: min(r.Off, end) - at}); g.Len > 0 && !uniform(src, g) {
			out = append(out, g)
		}
		at = max(at, r.End())
	}
	return out
}

func uniform(src Source, r artifact.Range) bool {
	buf := make([]byte, min(r.Len, 1<<16))
	var value byte
	for off := r.Off; off < r.End(); {
		n, err := src.ReadAt(buf[:min(int64(len(buf)), r.End()-off)], off)
		if off == r.Off && n > 0 {
			value = buf[0]
		}
		for _, c := range buf[:n] {
			if c != value {
				return false
			}
		}
		if off += int64(n); err != nil {
			break
		}
	}
	return true
}
