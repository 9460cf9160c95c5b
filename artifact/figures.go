package artifact

import (
	"bytes"
	"math"
)

// Class says what unknown bytes look like. It is a judgement from [Figures], not a proof.
type Class string

const (
	ClassText       Class = "text"       // printable characters and line ends
	ClassCode       Class = "code"       // machine code or structured binary data with an even mix of values
	ClassData       Class = "data"       // sparse or regular binary data
	ClassCompressed Class = "compressed" // near random, but not evenly distributed
	ClassEncrypted  Class = "encrypted"  // evenly distributed, or repeating in cipher-sized blocks at high entropy
	ClassMedia      Class = "media"      // part of a recognised picture, sound or font file
)

// Opaque reports whether bytes of class c could hide anything: nobody read them.
func (c Class) Opaque() bool { return c == ClassCompressed || c == ClassEncrypted }

// Figures are the measurements behind a class.
type Figures struct {
	Class      Class   `json:"class"`
	Entropy    float64 `json:"entropy"`     // bits a byte over the byte histogram, 0 to 8
	ChiSquare  float64 `json:"chi_square"`  // against the even distribution, 255 degrees of freedom
	Printable  float64 `json:"printable"`   // share of printable ASCII, tab and line ends
	BlockReuse float64 `json:"block_reuse"` // share of 16-byte aligned blocks that occurred before
}

// Meter takes [Figures] of bytes as they pass. The zero value is ready for use.
type Meter struct {
	hist [256]int64
	n    int64
	head []byte // the first bytes, up to blockSample, for BlockReuse
}

const blockSample = 64 << 10

// Write takes b in. It never fails.
func (m *Meter) Write(b []byte) (int, error) {
	for _, c := range b {
		m.hist[c]++
	}
	m.n += int64(len(b))
	if room := blockSample - len(m.head); room > 0 {
		m.head = append(m.head, b[:min(room, len(b))]...)
	}
	return len(b), nil
}

// Measure returns the figures of b.
func Measure(b []byte) Figures {
	var m Meter
	m.Write(b)
	return m.Figures()
}

// Figures returns the figures of all bytes taken in, rounded to three digits behind the point.
//
// A random byte string has a chi-square of 255 +- 22.6 whatever its length; compressors leave a
// bias that shows from some 8 KiB on, ciphers do not. The best compressors (LZMA) come close to
// random, so "encrypted" means "as even as a cipher's output", and the figures stand beside it.
func (m *Meter) Figures() Figures {
	if m.n == 0 {
		return Figures{Class: ClassData}
	}
	n := float64(m.n)
	even := n / 256
	var f Figures
	for c, k := range m.hist {
		if k > 0 {
			p := float64(k) / n
			f.Entropy -= p * math.Log2(p)
			if c >= 0x20 && c < 0x7f || c == '\n' || c == '\r' || c == '\t' {
				f.Printable += p
			}
		}
		f.ChiSquare += (float64(k) - even) * (float64(k) - even) / even
	}
	if f.Entropy > 6.5 { // only there does it decide anything
		f.BlockReuse = blockReuse(m.head)
	}
	round := func(x float64) float64 { return math.Round(x*1000) / 1000 }
	f.Entropy, f.ChiSquare, f.Printable, f.BlockReuse = round(f.Entropy), round(f.ChiSquare), round(f.Printable), round(f.BlockReuse)
	f.Class = f.classify(n)
	return f
}

// Below minOpaque bytes random data cannot be told from dense code or tables.
const minOpaque = 512

func (f Figures) classify(n float64) Class {
	// A sample of n random bytes falls short of 8 bits by 255/(2 n ln 2) on average.
	full := 8 - 255/(2*n*math.Ln2)
	switch {
	case f.Printable > 0.95:
		return ClassText
	case n >= minOpaque && f.Entropy > full-0.05 && f.ChiSquare < 400:
		return ClassEncrypted
	case n >= 4096 && f.Entropy > 6.5 && f.BlockReuse > 0.05 && f.ChiSquare < n:
		return ClassEncrypted // a block cipher without chaining
	case n >= minOpaque && f.Entropy > full-0.35, n >= 4096 && f.Entropy > 7:
		return ClassCompressed // fast compressors leave 7 to 7.6 bits a byte, machine code at most 6.9
	case f.Entropy > 4.5:
		return ClassCode
	}
	return ClassData
}

// blockReuse returns the share of aligned 16-byte blocks that repeat an earlier one, blocks of
// a single value aside: a block cipher without chaining shows so. At most 64 KiB are looked at.
func blockReuse(b []byte) float64 {
	if len(b) > 64<<10 {
		b = b[:64<<10]
	}
	seen := make(map[[16]byte]bool, len(b)/16)
	var reused, all int
	for ; len(b) >= 16; b = b[16:] {
		if len(bytes.TrimLeft(b[:16], string(b[:1]))) == 0 {
			continue
		}
		k := [16]byte(b[:16])
		if seen[k] {
			reused++
		}
		seen[k] = true
		all++
	}
	if all == 0 {
		return 0
	}
	return float64(reused) / float64(all)
}
