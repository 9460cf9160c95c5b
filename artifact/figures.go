package artifact

import (
	"bytes"
	"compress/flate"
	"io"
	"math"
	"sync"
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
	Deflate    float64 `json:"deflate"`     // size after DEFLATE, as a share of the first 16 KiB; 0 if the entropy is below 6.5
	BlockReuse float64 `json:"block_reuse"` // share of 16-byte aligned blocks that occurred before; likewise
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
// What tells packed bytes from others is whether they can be packed further. Measured on 32 KiB
// pieces of ARM, MIPS and x86-64 programs and their compressed forms, as share left by DEFLATE:
// code 0.65 to 0.74 (ARM Thumb included, whose entropy of 7.2 misleads), tables of numbers up to
// 0.89, LZ4 and LZO 0.77 to 0.88, compress(1) 0.93, gzip, bzip2, xz, zstd and ciphers 0.99 and
// more. Random bytes have a chi-square of 255 +- 22.6 whatever their number; the best compressors
// come close to that, so "encrypted" means "as even as a cipher's output".
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
	if f.Entropy > 6.5 { // only there do they decide anything
		f.BlockReuse = blockReuse(m.head)
		f.Deflate = deflated(m.head)
	}
	round := func(x float64) float64 { return math.Round(x*1000) / 1000 }
	f.Entropy, f.ChiSquare, f.Printable, f.BlockReuse = round(f.Entropy), round(f.ChiSquare), round(f.Printable), round(f.BlockReuse)
	f.Deflate = round(f.Deflate)
	f.Class = f.classify(n)
	return f
}

// Shorter runs are never opaque: they are keys, tables and digests, and too few to tell.
const minOpaque = 1024

func (f Figures) classify(n float64) Class {
	// A sample of n random bytes falls short of 8 bits by 255/(2 n ln 2) on average.
	full := 8 - 255/(2*n*math.Ln2)
	switch {
	case f.Printable > 0.95:
		return ClassText
	case n >= minOpaque && f.Entropy > full-0.05 && f.ChiSquare < 400 && f.Deflate > 0.93:
		return ClassEncrypted
	case n >= 4096 && f.Entropy > 6.5 && f.BlockReuse > 0.05 && f.BlockReuse < 0.9 && f.ChiSquare < n:
		return ClassEncrypted // a block cipher without chaining
	case n >= minOpaque && f.Deflate > 0.77:
		return ClassCompressed
	case f.Entropy > 4.5:
		return ClassCode
	}
	return ClassData
}

// FiguresIn returns Figures for a part of a file whose type is known, where dense tables of
// numbers are expected: only what DEFLATE cannot pack further and what is also evenly spread, as
// a strong compressor or a cipher leaves it, counts as opaque. Tables of floating point numbers
// (libm: chi-square 2.7 for each byte) resist DEFLATE but are far from even.
func (m *Meter) FiguresIn() Figures {
	f := m.Figures()
	if f.Class.Opaque() && (f.Deflate < 0.93 || f.ChiSquare > float64(m.n)) {
		f.Class = ClassCode
	}
	return f
}

// deflated returns the share of the first 16 KiB of b that DEFLATE at its fastest leaves.
func deflated(b []byte) float64 {
	b = b[:min(len(b), 16<<10)]
	var n counter
	w := writers.Get().(*flate.Writer)
	defer writers.Put(w)
	w.Reset(&n)
	w.Write(b)
	w.Close()
	return float64(n) / float64(len(b))
}

var writers = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(io.Discard, flate.BestSpeed) // fails for unknown levels only
	return w
}}

type counter int

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

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
