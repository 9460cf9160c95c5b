package codec

import "testing"

// TestQuantumDamage: no input may do harm, and a frame ends where its output does.
func TestQuantumDamage(t *testing.T) {
	src := sample(400_000)
	dst := make([]byte, quantumFrame)
	for bits := quantumMinBits; bits <= quantumMaxBits; bits++ {
		for at := 0; at+40_000 < len(src); at += 17_000 {
			s, err := NewQuantum(bits)
			if err != nil {
				t.Fatal(err)
			}
			for err == nil && at+2000 < len(src) {
				var n int
				if n, err = s.Frame(dst, src[at:min(at+40_000, len(src))]); n > len(dst) || err == nil && n < len(dst) {
					t.Fatalf("window of 2^%d bytes: %d bytes of %d, %v", bits, n, len(dst), err)
				}
				at += 2000
			}
		}
	}
	for _, bits := range []int{quantumMinBits - 1, quantumMaxBits + 1} {
		if _, err := NewQuantum(bits); err == nil {
			t.Errorf("a window of 2^%d bytes is accepted", bits)
		}
	}
}
