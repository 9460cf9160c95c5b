package facts

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/elf"
)

const (
	maxSourcePath  = 256  // bytes
	maxSourcePaths = 2000 // of one file; a kernel has some thousands
	sourceBlock    = 64 << 10
)

// readSourcePaths finds what __FILE__ left in assertions and messages: strings between NULs, in
// bytes that are loaded (so not in debug information), each once.
func readSourcePaths(c *content, f *elf.File) {
	seen, omitted := map[string]bool{}, 0
	for _, r := range loaded(f, artifact.Range{Len: c.Size}) {
		for off := r.Off; off < r.End(); off += sourceBlock {
			from := max(r.Off, off-maxSourcePath)
			b := c.bytes(artifact.Range{Off: from, Len: min(off+sourceBlock+8, r.End()) - from})
			eachSourcePath(b, int(off-from), func(start, end int) {
				path := string(b[start:end])
				switch {
				case seen[path]:
				case len(seen) == maxSourcePaths:
					omitted++
				default:
					seen[path] = true
					c.say("elf.source-path", path, artifact.Range{Off: from + int64(start), Len: int64(end - start)})
				}
			})
		}
	}
	if omitted > 0 {
		c.say("elf.source-path-omitted", strconv.Itoa(omitted), artifact.Range{})
	}
}

// loaded returns the loaded bytes of f within all, each once, in pieces that begin where a
// section does: no NUL need stand before the first string of one.
func loaded(f *elf.File, all artifact.Range) []artifact.Range {
	var cuts []int64
	for _, s := range f.Sections {
		cuts = append(cuts, s.File.Off)
	}
	slices.Sort(cuts)
	ranges := f.AllocatedRanges()
	slices.SortFunc(ranges, func(a, b artifact.Range) int { return cmp.Compare(a.Off, b.Off) })
	var out []artifact.Range
	end := all.Off
	for _, r := range ranges {
		lo, hi := max(r.Off, end), min(r.End(), all.End())
		i, _ := slices.BinarySearch(cuts, lo+1)
		for end = max(end, hi); lo < hi; i++ {
			next := hi
			if i < len(cuts) {
				next = min(hi, cuts[i])
			}
			if lo < next {
				out = append(out, artifact.Range{Off: lo, Len: next - lo})
			}
			lo = next
		}
	}
	return out
}

// sourceSuffixes end the names of source files; those of one letter only count behind a folder.
var sourceSuffixes = [...]struct {
	suffix string
	folder bool
}{
	{".c\x00", false}, {".cpp\x00", false}, {".cc\x00", false}, {".cxx\x00", false}, {".h\x00", false}, {".hpp\x00", false},
	{".hh\x00", false}, {".hxx\x00", false}, {".inl\x00", false}, {".S\x00", true}, {".y\x00", true}, {".m\x00", true}, {".mm\x00", true},
}

// eachSourcePath calls found for each source path in b whose last dot stands at from or later.
func eachSourcePath(b []byte, from int, found func(start, end int)) {
	for dot := from; dot < len(b); dot++ {
		next := bytes.IndexByte(b[dot:], '.')
		if next < 0 {
			return
		}
		dot += next
		if tail := b[dot+1 : min(dot+5, len(b))]; bytes.IndexByte(tail, 0) < 1 {
			continue // no suffix is longer, and most dots are none
		}
		for _, s := range sourceSuffixes {
			if !bytes.HasPrefix(b[dot:], []byte(s.suffix)) {
				continue
			}
			end := dot + len(s.suffix) - 1
			low := max(0, end-maxSourcePath)
			start := bytes.LastIndexByte(b[low:dot], 0) + 1 + low
			if start == low && low > 0 { // no NUL within reach
				break
			}
			if readsLikePath(string(b[start:end]), s.folder) {
				found(start, end)
			}
			break
		}
	}
}

func readsLikePath(s string, folder bool) bool {
	base := s[strings.LastIndexAny(s, `/\`)+1:]
	if folder && base == s {
		return false
	}
	drive := len(s) > 3 && s[1] == ':' && (s[2] == '\\' || s[2] == '/') // such paths may have blanks
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c == 0x7f || c == ' ' && !drive || strings.IndexByte("%*?\"'<>|=;,&!`", c) >= 0 {
			return false
		}
	}
	for i := range len(base) {
		if base[i] == '.' {
			return false // no letter before it
		}
		if c := base[i] | 0x20; 'a' <= c && c <= 'z' || base[i] >= 0x80 {
			return true
		}
	}
	return false
}
