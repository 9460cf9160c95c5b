package nand

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestBCH breaks up to t bits in data and code, and then more.
func TestBCH(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, kind := range bchKinds {
		for _, reversed := range []bool{false, true} {
			c := newBCH(kind.step, kind.t, reversed)
			c.at, c.inverted = []int{0}, true
			data := make([]byte, kind.step)
			for i := range data {
				data[i] = byte(rnd.Uint32())
			}
			code := c.stored(data)
			for errors := range kind.t + 3 {
				bad, spare := bytes.Clone(data), bytes.Clone(code)
				for _, bit := range rnd.Perm(8*len(data) + c.size/8*8)[:errors] {
					if bit < 8*len(data) {
						bad[bit/8] ^= 1 << (bit % 8)
					} else {
						spare[bit/8-len(data)] ^= 1 << (bit % 8)
					}
				}
				corrected, lost := c.fix(bad, spare)
				if errors <= kind.t && (corrected != errors || lost != 0 || !bytes.Equal(bad, data)) {
					t.Errorf("%s: %d bits broken, %d corrected, %d steps lost", c, errors, corrected, lost)
				}
				if errors > kind.t && lost == 0 && bytes.Equal(bad, data) {
					t.Errorf("%s: %d bits broken and none lost", c, errors)
				}
			}
		}
	}
}
