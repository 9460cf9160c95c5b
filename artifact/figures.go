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

// Measure classifies b. It looks at no more than its argument and is deterministic.
//
// Thresholds: a random byte string of n bytes has a chi-square of 255 +- 22.6; compressors leave
// a bias that shows from some 8 KiB on, ciphers do not. Below minOpaque bytes the two cannot be
// told from dense code or tables, so the class is never an opaque one.
func Measure(b []byte) Figures {
	if len(b) == 0 {
		return Figures{Class: ClassData}
	}
	var hist [256]int
	for _, c := range b {
		hist[c]++
	}
	n := float64(len(b))
	var f Figures
	even := n / 256
	for c, k := range hist {
		if k > 0 {
			p := float64(k) / n
			f.Entropy -= p * math.Log2(p)
			if c >= 0x20 && c < 0x7f || c == '\n' || c == '\r' || c == '\t' {
				f.Printable += p
			}
		}
		f.ChiSquare += (float64(k) - even) * (float64(k) - even) / even
	}
	f.BlockReuse = blockReuse(b)
	round := func(x float64) float64 { return math.Round(x*1000) / 1000 }
	f.Entropy, f.ChiSquare, f.Printable, f.BlockReuse = round(f.Entropy), round(f.ChiSquare), round(f.Printable), round(f.BlockReuse)
	f.Class = f.classify(len(b))
	return f
}

const minOpaque = 512

func (f Figures) classify(n int) Class {
	// A sample of n bytes cannot reach 8 bits; the expected shortfall is 255/(2 n ln 2).
	full := 8 - 255/(2*float64(n)*math.Ln2)
	switch {
	case f.Printable > 0.95:
		return ClassText
	case n >= minOpaque && f.Entropy > full-0.02 && f.ChiSquare < 400:
		return ClassEncrypted
	case n >= minOpaque && f.Entropy > full-0.35 && f.Entropy > 7:
		return ClassCompressed
	case n >= 4096 && f.Entropy > 6.5 && f.BlockReuse > 0.05 && f.ChiSquare < 40*n2(n):
		return ClassEncrypted
	case f.Entropy > 4.5:
		return ClassCode
	}
	return ClassData
}

func n2(n int) float64 { return float64(n) / 256 }

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
