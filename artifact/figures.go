package artifact

import (
	"compress/flate"
	"encoding/binary"
	"hash/maphash"
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
	Entropy    float64 `json:"entropy"`           // bits a byte over the byte histogram, 0 to 8
	ChiSquare  float64 `json:"chi_square"`        // against the even distribution, 255 degrees of freedom
	Printable  float64 `json:"printable"`         // share of printable ASCII, tab and line ends
	Deflate    float64 `json:"deflate"`           // size after DEFLATE, as a share of the first 16 KiB; 0 if the entropy is below 6.5
	BlockReuse float64 `json:"block_reuse"`       // share of 16-byte aligned blocks that occurred before; likewise
	Period     int     `json:"period,omitempty"`  // of opaque bytes: length of a key that XOR seems to repeat
	Machine    string  `json:"machine,omitempty"` // of code in no file of known type: processor and byte order that it looks to be for
}

// Meter takes [Figures] of bytes as they pass. The zero value is ready for use.
type Meter struct {
	hist [256]int64
	n    int64
	head []byte // the first bytes, up to blockSample, for what Figures tries on them
}

const blockSample = 64 << 10

// Write takes b in. It never fails.
func (m *Meter) Write(b []byte) (int, error) {
	if room := blockSample - len(m.head); room > 0 {
		m.head = append(m.head, b[:min(room, len(b))]...)
	}
	m.n += int64(len(b))
	n := len(b)
	if len(b) >= 4096 { // four tables: equal bytes in a row do not wait for each other
		var h [4][256]uint32
		for ; len(b) >= 8; b = b[8:] {
			w := binary.LittleEndian.Uint64(b)
			h[0][byte(w)]++
			h[1][byte(w>>8)]++
			h[2][byte(w>>16)]++
			h[3][byte(w>>24)]++
			h[0][byte(w>>32)]++
			h[1][byte(w>>40)]++
			h[2][byte(w>>48)]++
			h[3][w>>56]++
		}
		for c := range m.hist {
			m.hist[c] += int64(h[0][c]) + int64(h[1][c]) + int64(h[2][c]) + int64(h[3][c])
		}
	}
	for _, c := range b {
		m.hist[c]++
	}
	return n, nil
}

// Join takes in what o took in.
func (m *Meter) Join(o *Meter) {
	for c, k := range o.hist {
		m.hist[c] += k
	}
	m.n += o.n
	if room := blockSample - len(m.head); room > 0 {
		m.head = append(m.head, o.head[:min(room, len(o.head))]...)
	}
}

// Reset makes m as new, but keeps its memory.
func (m *Meter) Reset() { *m = Meter{head: m.head[:0]} }

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
	f := m.spread()
	if f.Entropy > dense {
		f.BlockReuse = blockReuse(m.head)
		f.Deflate = deflated(m.head)
	}
	for _, x := range []*float64{&f.Entropy, &f.ChiSquare, &f.Printable, &f.Deflate, &f.BlockReuse} {
		*x = math.Round(*x*1000) / 1000
	}
	f.Class = f.classify(float64(m.n))
	return f
}

// Guess adds to f, the figures of m, what is tried only on bytes that stay unclaimed in the end:
// the period of a repeated key in opaque ones, the processor in others.
func (m *Meter) Guess(f Figures) Figures {
	switch f.Class {
	case ClassEncrypted, ClassCompressed:
		f.Period = period(m.head)
	case ClassCode, ClassData:
		f.Machine = Machine(m.head)
	}
	return f
}

// dense is the entropy from which on bytes can be opaque: only there is more than the histogram needed.
const dense = 6.5

// Opaque reports whether the class in [Meter.Figures], or in [Meter.FiguresIn] if the bytes are
// part of a file of known type, is opaque. It costs less: for most bytes the histogram decides.
func (m *Meter) Opaque(in bool) bool {
	if m.n < minOpaque {
		return false
	}
	if f := m.spread(); f.Entropy <= dense || in && f.ChiSquare > float64(m.n)+1 {
		return false
	}
	if in {
		return m.FiguresIn().Class.Opaque()
	}
	return m.Figures().Class.Opaque()
}

// spread returns the figures that the histogram gives.
func (m *Meter) spread() Figures {
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
	case n >= 4096 && f.Entropy > dense && f.BlockReuse > 0.05 && f.BlockReuse < 0.9 && f.ChiSquare < n:
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
// a single value aside: a block cipher without chaining shows so.
func blockReuse(b []byte) float64 {
	seen := tables.Get().(*blockTable)
	defer tables.Put(seen)
	clear(seen[:])
	var reused, all int
	for ; len(b) >= 16; b = b[16:] {
		x, y := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		if x == y && x == uint64(b[0])*0x0101010101010101 {
			continue
		}
		if seen.add(maphash.Bytes(seed, b[:16]), [2]uint64{x, y}) {
			reused++
		}
		all++
	}
	if all == 0 {
		return 0
	}
	return float64(reused) / float64(all)
}

// blockTable is a hash table of the 16-byte blocks of one sample, at most half full. No block
// added is all zeros.
type blockTable [2 * blockSample / 16][2]uint64

// add reports whether k, whose hash is h, was there, and adds it if not.
func (t *blockTable) add(h uint64, k [2]uint64) bool {
	for i := h; ; i++ {
		switch at := &t[i%uint64(len(t))]; *at {
		case k:
			return true
		case [2]uint64{}:
			*at = k
			return false
		}
	}
}

var (
	seed   = maphash.MakeSeed() // nobody can make up blocks that collide
	tables = sync.Pool{New: func() any { return new(blockTable) }}
)
