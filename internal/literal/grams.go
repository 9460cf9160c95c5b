package literal

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"
)

const (
	gramLen   = 4  // bytes of a sample
	keyLen    = 8  // bytes compared before a pattern itself is looked at
	maxWindow = 32 // longer windows save no time: the text streams through the cache anyway
)

// grams finds patterns of at least gramLen bytes. The window of a pattern is its first bytes, as
// many as the shortest has. Samples of the text are stride bytes apart, so that exactly one lies
// wholly in any such window, and all stride grams of the window are entered. (Windows chosen for
// rare bytes or for grams that few share let more samples through, not fewer: common beginnings
// keep the filter empty, and groups tell apart what follows them.)
type grams struct {
	patterns []Pattern
	stride   int
	fold     uint64 // for foldCase: 0x20 in each byte if any pattern folds
	mask     uint64 // the bytes of a key that count
	filter   []uint64
	filterSh uint8    // a hash shifted right by it is a bit of filter
	bucketSh uint8    // a hash shifted right by it is a bucket
	buckets  []uint32 // groups[buckets[i]:buckets[i+1]] are those of bucket i
	groups   []group
	entries  []entry
}

// group is entries whose keys stand at the same distance from their gram. The distance is chosen
// to tell them apart, so that many names with one prefix are no burden.
type group struct {
	first, end uint32 // entries[first:end], by key
	delta      int32  // from the gram to the key
}

// entry is one gram of a pattern's window.
type entry struct {
	key     uint64 // folded bytes of the pattern
	pattern uint32
	gramOff int32 // of the gram in the pattern
}

func newGrams(patterns []Pattern, which []int) *grams {
	f := &grams{patterns: patterns, mask: ^uint64(0)}
	shortest := maxWindow
	for _, i := range which {
		p := &patterns[i]
		shortest = min(shortest, len(p.Bytes))
		if p.Fold {
			f.fold = 0x2020202020202020
		}
	}
	f.stride = shortest - gramLen + 1
	if shortest < keyLen {
		f.mask = 1<<(8*gramLen) - 1
	}
	f.size(len(which) * f.stride)
	f.fill(which)
	return f
}

// size makes filter and buckets for n grams: 32 bits of filter a gram, but at least what a
// first-level cache holds easily and at most what a second-level cache does; one to two buckets
// a gram.
func (f *grams) size(n int) {
	order := bits.Len(uint(n))
	filterOrder := min(max(order+5, 17), 21)
	bucketOrder := min(max(order, 4), filterOrder)
	f.filter = make([]uint64, 1<<(filterOrder-6))
	f.filterSh = uint8(32 - filterOrder)
	f.buckets = make([]uint32, 1<<bucketOrder+1)
	f.bucketSh = uint8(32 - bucketOrder)
}

func (f *grams) fill(which []int) {
	byBucket := make([][]entry, len(f.buckets)-1)
	for _, i := range which {
		s := f.patterns[i].Bytes
		for off := range f.stride {
			h := hash(f.gram(s, off))
			bit := h >> f.filterSh
			f.filter[bit>>6] |= 1 << (bit & 63)
			bucket := &byBucket[h>>f.bucketSh]
			*bucket = append(*bucket, entry{pattern: uint32(i), gramOff: int32(off)})
		}
	}
	for i, bucket := range byBucket {
		for len(bucket) > 0 {
			bucket = f.addGroup(bucket)
		}
		f.buckets[i+1] = uint32(len(f.groups))
	}
}

// addGroup makes a group of those entries of bucket that can have their keys at one distance,
// and returns the rest.
func (f *grams) addGroup(bucket []entry) (rest []entry) {
	if f.mask != ^uint64(0) { // too short for keys of their own: the gram is the key
		f.groups = append(f.groups, f.sorted(bucket, 0))
		return nil
	}
	lowest := func(e entry) int32 { return -e.gramOff }
	highest := func(e entry) int32 { return int32(len(f.patterns[e.pattern].Bytes)) - keyLen - e.gramOff }
	slices.SortStableFunc(bucket, func(x, y entry) int { return cmp.Compare(highest(x), highest(y)) })
	lo, hi := lowest(bucket[0]), highest(bucket[0])
	var in []entry
	for _, e := range bucket {
		if lowest(e) <= hi {
			in = append(in, e)
			lo = max(lo, lowest(e))
		} else {
			rest = append(rest, e)
		}
	}
	best, most := lo, 0
	for delta := lo; delta <= hi && most < min(len(in), sample); delta++ {
		if n := f.distinct(in, delta); n > most {
			best, most = delta, n
		}
	}
	f.groups = append(f.groups, f.sorted(in, best))
	return rest
}

// sample is how many entries are looked at to choose a distance.
const sample = 64

// distinct returns how many keys a sample of entries has at delta.
func (f *grams) distinct(entries []entry, delta int32) int {
	keys := map[uint64]bool{}
	for _, e := range entries[:min(len(entries), sample)] {
		keys[f.key(f.patterns[e.pattern].Bytes, int(e.gramOff+delta))] = true
	}
	return len(keys)
}

// sorted appends entries with their keys at delta, in order of key.
func (f *grams) sorted(entries []entry, delta int32) group {
	g := group{first: uint32(len(f.entries)), delta: delta}
	for _, e := range entries {
		e.key = f.key(f.patterns[e.pattern].Bytes, int(e.gramOff+delta))
		f.entries = append(f.entries, e)
	}
	g.end = uint32(len(f.entries))
	slices.SortStableFunc(f.entries[g.first:], func(x, y entry) int { return cmp.Compare(x.key, y.key) })
	return g
}

func (f *grams) gram(s string, off int) uint32 {
	return uint32(foldCase(uint64(binary.LittleEndian.Uint32([]byte(s[off:off+gramLen]))), f.fold))
}

func (f *grams) key(s string, off int) uint64 {
	var k [keyLen]byte
	copy(k[:], s[off:])
	return foldCase(binary.LittleEndian.Uint64(k[:]), f.fold) & f.mask
}

// foldCase sets bit 5 of each byte that has bit 6, where fold says so: letters become lower case.
// A few signs become one too, which verification sorts out; NUL, blank and digits stay apart.
func foldCase(x, fold uint64) uint64 { return x | x>>1&fold }

// hash spreads a gram over 32 bits; its upper bits are the best (Knuth, multiplicative hashing).
func hash(gram uint32) uint32 { return gram * 0x9E3779B1 }

func (f *grams) find(hits []occurrence, b []byte, lo, hi int) []occurrence {
	// Fields are copied out of f: the loop is all that the speed hangs on.
	fold, filter, shift, stride := uint32(f.fold), f.filter, f.filterSh&31, f.stride
	for t, end := lo, min(hi+stride-1, len(b)-gramLen+1); t < end; t += stride {
		gram := binary.LittleEndian.Uint32(b[t:])
		h := hash(gram | gram>>1&fold)
		if bit := h >> shift; filter[bit>>6]>>(bit&63)&1 != 0 {
			hits = f.verify(hits, b, lo, hi, t, h)
		}
	}
	return hits
}

// verify appends the patterns that have the gram at t, whose hash is h, and begin in b[lo:hi].
func (f *grams) verify(hits []occurrence, b []byte, lo, hi, t int, h uint32) []occurrence {
	i := h >> f.bucketSh
	for _, g := range f.groups[f.buckets[i]:f.buckets[i+1]] {
		entries, k := f.entries[g.first:g.end], t+int(g.delta)
		if k < 0 {
			continue // so would all patterns begin before b
		}
		var key uint64
		if k+keyLen <= len(b) {
			key = binary.LittleEndian.Uint64(b[k:])
		} else {
			var last [keyLen]byte
			copy(last[:], b[min(k, len(b)):])
			key = binary.LittleEndian.Uint64(last[:])
		}
		key = foldCase(key, f.fold) & f.mask
		j := 0
		if len(entries) > 8 {
			j = sort.Search(len(entries), func(j int) bool { return entries[j].key >= key })
		}
		for ; j < len(entries) && entries[j].key <= key; j++ {
			e := &entries[j]
			off := t - int(e.gramOff)
			if e.key == key && off >= lo && off < hi && f.patterns[e.pattern].matches(b[off:]) {
				hits = append(hits, occurrence{off, int(e.pattern)})
			}
		}
	}
	return hits
}
