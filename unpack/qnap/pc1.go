package qnap

import "io"

// pc1 is QNAP's variant of the stream cipher PC1 by Alexander Pukall. What is added to a byte depends on the
// exclusive or of all bytes of plain text before it.
type pc1 struct {
	words [256][]pc1Word // by that exclusive or
	sum   byte
	y, z  uint16
}

type pc1Word struct{ hash, next uint16 }

// Constants of the cipher.
const (
	pc1Factor = 0x4e35
	pc1Next   = 0x15a
)

// newPC1 takes the bytes of key in pairs. The last of an odd number has no effect.
func newPC1(key []byte) *pc1 {
	c := new(pc1)
	for sum := range c.words {
		words := make([]pc1Word, len(key)/2)
		hash := uint16(0)
		for i := range words {
			high, low := key[2*i]^byte(sum), key[2*i+1]^byte(sum)
			x := uint16(high)<<8 + uint16(low)
			if high >= 0x80 {
				x -= 0x100 // the original adds numbers with a sign, one too little
			}
			x ^= hash
			hash = pc1Factor*x + 1
			words[i] = pc1Word{hash, pc1Next * x}
		}
		c.words[sum] = words
	}
	return c
}

// decrypt decrypts b in place.
func (c *pc1) decrypt(b []byte) {
	for k := range b {
		var mix uint16
		for i, w := range c.words[c.sum] {
			before := c.y
			c.y = w.next
			c.z = c.y + before + pc1Factor*(c.z+uint16(i))
			mix ^= w.hash ^ c.z
		}
		b[k] ^= byte(mix>>8) ^ byte(mix)
		c.sum ^= b[k]
	}
}

// decrypted decrypts what it reads.
type decrypted struct {
	r io.Reader
	c *pc1
}

func (d *decrypted) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.c.decrypt(p[:n])
	return n, err
}
