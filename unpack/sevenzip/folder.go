package sevenzip

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// folder is a graph of coders whose inputs are packed streams or other coders' outputs. Every
// coder has one output here; 7-Zip knows no method with more.
type folder struct {
	coders []coder
	inputs []input          // of all coders, in order
	packed []artifact.Range // streams
	main   int              // the coder whose output is the folder's
	at     artifact.Range   // from the first packed byte to the last
	files  int              // how many files the output is divided into
	crc    uint32
	hasCRC bool
}

type coder struct {
	method uint64
	first  int // of its inputs
	inputs int
	props  []byte
	size   int64 // of its output
}

// input is where a coder reads from: the output of another, or a packed stream. The other is -1.
type input struct{ coder, packed int }

// Limits of 7-Zip itself.
const (
	maxCoders = 32
	maxInputs = 32
)

func (c *cursor) folder() folder {
	f := folder{coders: []coder{{}}}
	n := c.number()
	if c.bad != nil || n < 1 || n > maxCoders {
		c.fail("%d coders", n)
		return f
	}
	f.coders = make([]coder, n)
	for i := range f.coders {
		f.coders[i] = c.coder(len(f.inputs))
		for range f.coders[i].inputs {
			f.inputs = append(f.inputs, input{-1, -1})
		}
	}
	bound := make([]bool, n)
	for range n - 1 {
		in, out := c.number(), c.number()
		if c.bad != nil || in >= uint64(len(f.inputs)) || out >= n || f.inputs[in].coder >= 0 || bound[out] {
			c.fail("input %d bound to output %d", in, out)
			return f
		}
		f.inputs[in].coder, bound[out] = int(out), true
	}
	for i := range bound {
		if !bound[i] {
			f.main = i
		}
	}
	left := f.packs()
	for k := range left {
		in := uint64(0)
		if left > 1 {
			in = c.number()
		} else { // not said: the one that is left
			for f.inputs[in].coder >= 0 {
				in++
			}
		}
		if c.bad != nil || in >= uint64(len(f.inputs)) || f.inputs[in] != (input{-1, -1}) {
			c.fail("packed stream %d goes to input %d", k, in)
			return f
		}
		f.inputs[in].packed = k
	}
	return f
}

// coder reads a coder. Its flags: 0-3 length of the method, 4 not one input and one output, 5 has properties.
func (c *cursor) coder(first int) coder {
	flags := c.byte()
	k := coder{first: first, inputs: 1}
	for _, b := range c.take(uint64(min(flags&15, 8))) {
		k.method = k.method<<8 | uint64(b)
	}
	inputs, outputs := uint64(1), uint64(1)
	if flags&0x10 != 0 {
		inputs, outputs = c.number(), c.number()
	}
	if flags&0x20 != 0 {
		k.props = c.take(c.number())
	}
	if flags&0xc0 != 0 || outputs != 1 || inputs < 1 || inputs > uint64(maxInputs-first) {
		c.fail("coder with flags %#x, %d inputs, %d outputs: %w", flags, inputs, outputs, errMethod)
		return k
	}
	k.inputs = int(inputs)
	return k
}

// packs is how many inputs are packed streams.
func (f *folder) packs() int { return max(0, len(f.inputs)-(len(f.coders)-1)) }

func (f *folder) size() int64 { return f.coders[f.main].size }

// stored reports whether the folder is not compressed.
func (f *folder) stored() bool { return len(f.coders) == 1 && f.coders[0].method == methodCopy }

var (
	errMethod = errors.New("not supported")
	errSealed = errors.New("encrypted")
)

// readable returns why f cannot be decoded, nil if it can.
func (f *folder) readable() error {
	var why error
	for i := range f.coders {
		k := &f.coders[i]
		if k.method == methodAES {
			return errSealed
		}
		if !k.known() {
			why = fmt.Errorf("method %s: %w", methodName(k.method), errMethod)
		}
	}
	return why
}

// methods names the coders from the packed side on.
func (f *folder) methods() string {
	var names []string
	for i := len(f.coders) - 1; i >= 0; i-- {
		names = append(names, methodName(f.coders[i].method))
	}
	return strings.Join(names, " ")
}

// open returns the output of f from its beginning.
func (f *folder) open(src format.Source) (io.Reader, error) {
	if err := f.readable(); err != nil {
		return nil, err
	}
	if !f.at.Within(src.Size()) {
		return nil, fmt.Errorf("packed streams at %#x+%d of %d bytes", f.at.Off, f.at.Len, src.Size())
	}
	return f.output(src, f.main, make([]bool, len(f.coders)))
}

// output returns what coder i puts out. Outputs are bound once, so only a ring of coders could
// come here twice.
func (f *folder) output(src format.Source, i int, used []bool) (io.Reader, error) {
	if used[i] {
		return nil, errors.New("coders in a ring")
	}
	used[i] = true
	k := &f.coders[i]
	ins := make([]side, k.inputs)
	for n := range ins {
		in := f.inputs[k.first+n]
		if in.coder < 0 {
			at := f.packed[in.packed]
			r := io.NewSectionReader(src, at.Off, at.Len)
			ins[n] = side{r, r, at.Len}
			continue
		}
		r, err := f.output(src, in.coder, used)
		if err != nil {
			return nil, err
		}
		ins[n] = side{r, &sequence{r: r}, f.coders[in.coder].size}
	}
	r, err := k.decoder(ins, src.Memory())
	if err != nil {
		return nil, fmt.Errorf("method %s: %w", methodName(k.method), err)
	}
	return io.LimitReader(r, k.size), nil
}

// side is one input of a decoder, in the two shapes that decoders want.
type side struct {
	io.Reader
	at   io.ReaderAt
	size int64
}

// sequence is a reader for decoders that want an io.ReaderAt and read from it in order.
type sequence struct {
	r  io.Reader
	at int64
}

func (s *sequence) ReadAt(p []byte, off int64) (n int, err error) {
	if off != s.at {
		return 0, fmt.Errorf("read at %#x, not %#x", off, s.at)
	}
	for n < len(p) && err == nil {
		var k int
		k, err = s.r.Read(p[n:])
		n += k
	}
	s.at += int64(n)
	return n, err
}

// Methods. Methods.txt.
const (
	methodCopy      = 0
	methodDelta     = 0x03
	methodRISCV     = 0x0b
	methodLZMA2     = 0x21
	methodLZMA      = 0x030101
	methodX86       = 0x03030103
	methodBCJ2      = 0x0303011b
	methodPPC       = 0x03030205
	methodIA64      = 0x03030401
	methodARM       = 0x03030501
	methodThumb     = 0x03030701
	methodSPARC     = 0x03030805
	methodPPMd      = 0x030401
	methodDeflate   = 0x040108
	methodDeflate64 = 0x040109
	methodBzip2     = 0x040202
	methodZstd      = 0x04f71101 // of the fork 7-Zip ZS
	methodAES       = 0x06f10701
)

func (k *coder) known() bool {
	switch k.method {
	case methodCopy, methodLZMA, methodLZMA2, methodPPMd, methodDeflate, methodDeflate64, methodBzip2, methodZstd:
		return k.inputs == 1
	case methodBCJ2:
		return k.inputs == 4
	}
	return xzFilter(k.method) != 0 && k.inputs == 1
}

func (k *coder) decoder(ins []side, memory int64) (io.Reader, error) {
	in := ins[0]
	switch k.method {
	case methodCopy:
		return in, nil
	case methodBCJ2:
		return newBCJ2(ins), nil
	case methodLZMA:
		return codec.NewLZMARaw(in.at, in.size, k.props, k.size, memory)
	case methodLZMA2:
		if len(k.props) != 1 {
			return nil, codec.ErrHeader
		}
		return codec.NewLZMA2(in.at, in.size, k.props[0], memory)
	case methodPPMd:
		return codec.NewPPMd(in.at, in.size, k.props, k.size, memory)
	case methodDeflate:
		return codec.NewDeflate(in.at, in.size, memory)
	case methodDeflate64:
		return codec.NewDeflate64(in.at, in.size, memory)
	case methodBzip2:
		return codec.NewBzip2(in.at, in.size, memory)
	case methodZstd:
		return codec.NewZstd(in.at, in.size, memory)
	}
	return codec.NewFilter(in, xzFilter(k.method), k.props)
}

// xzFilter returns xz's id of a filter, 0 for other methods. 7z's short ids are the same.
func xzFilter(method uint64) uint64 {
	switch method {
	case methodX86:
		return 4
	case methodPPC:
		return 5
	case methodIA64:
		return 6
	case methodARM:
		return 7
	case methodThumb:
		return 8
	case methodSPARC:
		return 9
	}
	if method >= methodDelta && method <= methodRISCV {
		return method
	}
	return 0
}

// methodName names a method as 7-Zip lists it.
func methodName(m uint64) string {
	if id := xzFilter(m); id != 0 {
		return [...]string{3: "Delta", 4: "BCJ", 5: "PPC", 6: "IA64", 7: "ARM", 8: "ARMT", 9: "SPARC", 10: "ARM64", 11: "RISCV"}[id]
	}
	switch m {
	case methodCopy:
		return "Copy"
	case methodLZMA2:
		return "LZMA2"
	case methodLZMA:
		return "LZMA"
	case methodBCJ2:
		return "BCJ2"
	case methodPPMd:
		return "PPMD"
	case methodDeflate:
		return "Deflate"
	case methodDeflate64:
		return "Deflate64"
	case methodBzip2:
		return "BZip2"
	case methodZstd:
		return "ZSTD"
	case methodAES:
		return "7zAES"
	}
	return fmt.Sprintf("%x", m)
}
