package zip

import (
	"errors"
	"hash/crc32"
	"io"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// decoder returns the stream of m's method over the size bytes of r.
func decoder(m *member, r io.ReaderAt, size, maxMemory int64) (codec.Stream, error) {
	switch m.method {
	case methodShrink:
		return codec.NewShrink(r, size, m.size)
	case methodReduce1, methodReduce2, methodReduce3, methodReduce4:
		return codec.NewReduce(r, size, m.size, int(m.method-methodReduce1)+1)
	case methodImplode:
		return codec.NewImplode(r, size, m.size, m.flags&flagLarge != 0, m.flags&flagLiterals != 0)
	case methodDeflate:
		return codec.NewDeflate(r, size, maxMemory)
	case methodDeflate64:
		return codec.NewDeflate64(r, size, maxMemory)
	case methodBzip2:
		return codec.NewBzip2(r, size, maxMemory)
	case methodZstd, methodOldZstd:
		return codec.NewZstd(r, size, maxMemory)
	case methodXZ:
		return codec.NewXZ(r, size, maxMemory)
	case methodLZMA:
		return newLZMA(m, r, size, maxMemory)
	}
	return nil, codec.ErrHeader
}

// newLZMA reads LZMA as APPNOTE 5.8.8 stores it: version (2), length of properties (2), properties (5), data.
// The codec wants the header of a file instead: properties (5), size (8).
func newLZMA(m *member, r io.ReaderAt, size, maxMemory int64) (codec.Stream, error) {
	const zipHeader, fileHeader = 9, 13
	var h [zipHeader]byte
	if _, err := r.ReadAt(h[:], 0); err != nil || h[2] != 5 || h[3] != 0 {
		return nil, codec.ErrHeader
	}
	p := &prefixed{head: [fileHeader]byte(append(h[4:9:9], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)), skip: zipHeader, r: r}
	if m.flags&flagMarker == 0 && m.size >= 0 { // bit 1: the data ends with a marker
		for i := range 8 {
			p.head[5+i] = byte(m.size >> (8 * i))
		}
	}
	s, err := codec.NewLZMA(p, size-zipHeader+fileHeader, maxMemory)
	if err != nil {
		return nil, err
	}
	return shifted{s, zipHeader - fileHeader}, nil
}

// prefixed is head and then what r holds behind its first skip bytes.
type prefixed struct {
	head [13]byte
	skip int64
	r    io.ReaderAt
}

func (p *prefixed) ReadAt(b []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("zip: negative offset")
	}
	if off < int64(len(p.head)) {
		n = copy(b, p.head[off:])
	}
	if n == len(b) {
		return n, nil
	}
	k, err := p.r.ReadAt(b[n:], off+int64(n)-int64(len(p.head))+p.skip)
	return n + k, err
}

type shifted struct {
	codec.Stream
	by int64
}

func (s shifted) Consumed() int64 { return max(0, s.Stream.Consumed()+s.by) }

// opener returns the Open of m's entry.
func (a *archive) opener(m *member) func() (io.Reader, error) {
	return func() (io.Reader, error) {
		section := io.NewSectionReader(a.src, m.data, m.stored)
		if m.method == methodStore {
			return &checked{m: m, r: section}, nil
		}
		s, err := decoder(m, section, m.stored, a.src.Memory())
		if err != nil {
			return nil, m.fault(err)
		}
		return &checked{m: m, r: s}, nil
	}
}

// checked passes on what r reads and checks its length and CRC-32 at the end.
type checked struct {
	m   *member
	r   io.Reader
	n   int64
	crc uint32
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p[:n])
	switch {
	case err == io.EOF:
		if fault := c.m.check(c.n, c.crc); fault != nil {
			err = fault
		}
	case err != nil:
		err = c.m.fault(err)
	}
	return n, err
}

// check compares what came out with what the headers say.
func (m *member) check(n int64, crc uint32) *format.Error {
	if !m.hasCRC || crc == m.crc {
		return nil // a wrong size alone says nothing of the content
	}
	return format.Errorf(artifact.Checksum, m.data, "zip: member %q at %#x: CRC-32 %08x of %d bytes, want %08x of %d", m.name, m.header, crc, n, m.crc, m.size)
}

// fault says what err means for m.
func (m *member) fault(err error) error {
	kind := artifact.Damaged
	switch {
	case errors.Is(err, codec.ErrMemory):
		kind = artifact.Limit
	case errors.Is(err, codec.ErrChecksum):
		kind = artifact.Checksum
	case errors.Is(err, io.ErrUnexpectedEOF):
		kind = artifact.Truncated
	}
	return &format.Error{Kind: kind, At: artifact.Range{Off: m.data, Len: m.stored}, Text: format.Errorf(kind, 0, "zip: member %q at %#x: %v", m.name, m.header, err).Text}
}

// verify checks the CRC-32 of a stored member.
func (a *archive) verify(m *member) *format.Error {
	h := crc32.NewIEEE()
	buf := make([]byte, max(1, min(m.stored, 1<<16)))
	n, err := io.CopyBuffer(h, io.NewSectionReader(a.src, m.data, m.stored), buf)
	if err != nil {
		return format.Errorf(artifact.Damaged, m.data, "zip: member %q at %#x: %v", m.name, m.header, err)
	}
	return m.check(n, h.Sum32())
}
