package feature

import (
	"encoding/binary"
	"math/bits"
)

// Odd constants with as many ones as zeros, from the fractions of the golden ratio and of roots.
const (
	k0 = 0x9e3779b97f4a7c15
	k1 = 0xa0761d6478bd642f
	k2 = 0xe7037ed1a0b428db
)

// fold multiplies and folds the product, the mixing step of wyhash (public domain).
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// hash hashes b. It is no cryptographic hash: who makes two texts collide only makes his own
// file look like another.
func hash(seed uint64, b []byte) uint64 {
	h := seed ^ k0 ^ uint64(len(b))*k1
	for ; len(b) >= 8; b = b[8:] {
		h = fold(h^binary.LittleEndian.Uint64(b), k1)
	}
	if len(b) > 0 {
		var w uint64
		for i, c := range b {
			w |= uint64(c) << (8 * i)
		}
		h = fold(h^w, k2)
	}
	return fold(h^k2, k1)
}

// hash2 hashes two words.
func hash2(a, b uint64) uint64 {
	return fold(fold(a^k0, b^k1)^k2, k1)
}
