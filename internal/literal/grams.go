package literal

import (
	"encoding/binary"
	"math/bits"
)

const (
	gramLen   = 4  // bytes of a sample
	keyLen    = 8  // bytes compared before a pattern itself is looked at
	maxWindow = 32 // longer windows save no time: the text streams through the cache anyway
)

// grams finds patterns of at least gramLen bytes. Of each pattern one window is chosen, as long
// as the shortest pattern. Samples of the text are stride bytes apart, so that exactly one lies
// wholly in any such window, and all stride grams of the window are entered.
type grams struct {
	patterns []Pattern
	stride   int
	reach    int    // longest distance from the start of a pattern to a gram of its window
	fold     uint64 // set in each byte before it is compared: 0x20 if any pattern folds
	mask     uint64 // the bytes of a key that count
	filter   []uint64
	filterSh uint8    // a hash shifted right by it is a bit of filter
	bucketSh uint8    // a hash shifted right by it is a bucket
	buckets  []uint32 // entries[buckets[i]:buckets[i+1]] are those of bucket i
	entries  []entry
}

// entry is one gram of a pattern's window.
type entry struct {
	key     uint64 // folded bytes of the pattern from keyOff
	pattern uint32
	gramOff uint8 // of the gram in the pattern
	keyOff  uint8 // of the key in the pattern
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
	f.fill(which, shortest)
	return f
}

// size makes filter and buckets for n grams: 32 bits of filter a gram while that stays in a
// second-level cache, and one to two buckets a gram.
func (f *grams) size(n int) {
	order := bits.Len(uint(n))
	filterOrder := min(max(order+5, 15), 21)
	bucketOrder := min(max(order, 4), filterOrder)
	f.filter = make([]uint64, 1<<(filterOrder-6))
	f.filterSh = uint8(32 - filterOrder)
	f.buckets = make([]uint32, 1<<bucketOrder+1)
	f.bucketSh = uint8(32 - bucketOrder)
}

func (f *grams) fill(which []int, window int) {
	type placed struct {
		bucket uint32
		entry
	}
	var all []placed
	for _, i := range which {
		s := f.patterns[i].Bytes
		w := rarestWindow(s, window)
		for off := w; off < w+f.stride; off++ {
			h := hash(f.gram(s, off))
			bit := h >> f.filterSh
			f.filter[bit>>6] |= 1 << (bit & 63)
			keyOff := max(0, min(off, len(s)-keyLen))
			if window < keyLen {
				keyOff = off
			}
			f.reach = max(f.reach, off)
			all = append(all, placed{h >> f.bucketSh, entry{f.key(s, keyOff), uint32(i), uint8(off), uint8(keyOff)}})
			f.buckets[h>>f.bucketSh+1]++
		}
	}
	for i := 1; i < len(f.buckets); i++ {
		f.buckets[i] += f.buckets[i-1]
	}
	f.entries = make([]entry, len(all))
	next := append([]uint32(nil), f.buckets...)
	for _, p := range all {
		f.entries[next[p.bucket]] = p.entry
		next[p.bucket]++
	}
}

func (f *grams) gram(s string, off int) uint32 {
	return binary.LittleEndian.Uint32([]byte(s[off:off+gramLen])) | uint32(f.fold)
}

func (f *grams) key(s string, off int) uint64 {
	var k [keyLen]byte
	copy(k[:], s[off:])
	return (binary.LittleEndian.Uint64(k[:]) | f.fold) & f.mask
}

// hash spreads a gram over 32 bits; its upper bits are the best (Knuth, multiplicative hashing).
func hash(gram uint32) uint32 { return gram * 0x9E3779B1 }

func (f *grams) find(hits []occurrence, b []byte, lo, hi int) []occurrence {
	fold, filter, shift := uint32(f.fold), f.filter, f.filterSh&31
	for t, end := lo, min(hi+f.reach, len(b)-gramLen+1); t < end; t += f.stride {
		h := hash(binary.LittleEndian.Uint32(b[t:]) | fold)
		if bit := h >> shift; filter[bit>>6]>>(bit&63)&1 != 0 {
			hits = f.verify(hits, b, lo, hi, t, h)
		}
	}
	return hits
}

// verify appends the patterns that have the gram at t, whose hash is h, and begin in b[lo:hi].
func (f *grams) verify(hits []occurrence, b []byte, lo, hi, t int, h uint32) []occurrence {
	i := h >> f.bucketSh
	bucket := f.entries[f.buckets[i]:f.buckets[i+1]]
	for j := range bucket {
		e := &bucket[j]
		off := t - int(e.gramOff)
		if off < lo || off >= hi {
			continue
		}
		k := off + int(e.keyOff)
		if k+keyLen <= len(b) && (binary.LittleEndian.Uint64(b[k:])|f.fold)&f.mask != e.key {
			continue
		}
		if f.patterns[e.pattern].matches(b[off:]) {
			hits = append(hits, occurrence{off, int(e.pattern)})
		}
	}
	return hits
}

// rarestWindow returns the start of the window of s whose grams occur least in firmware.
func rarestWindow(s string, window int) int { return 0 }
