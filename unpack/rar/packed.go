package rar

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// decoder decodes the members of a group, one after the other.
type decoder interface {
	File(r io.ReaderAt, size, plain int64, solid bool) codec.Stream
}

// group is members each of which goes on with the decoder's state that the one before left: one, if the archive is not solid.
type group struct {
	members []*block
	size    int64 // decoded
	why     error // why those after members cannot be decoded
}

var errMethod = errors.New("not supported")

// groups tells each compressed member of blocks its group and its place there.
func groups(blocks []*block, size int64) {
	var g *group
	for _, b := range blocks {
		m := &b.member
		if b.kind != fileHeader || m.stored || m.size == 0 {
			continue
		}
		if !m.solid || g == nil {
			g = &group{}
			if m.solid {
				g.why = fmt.Errorf("goes on with a member that is not there: %w", errMethod)
			}
		}
		m.group, m.offset = g, g.size
		if m.why = g.why; m.why == nil {
			m.why = m.readable(b.data.Within(size))
		}
		if m.why != nil {
			if g.why == nil {
				g.why = fmt.Errorf("goes on with member %q, which is not read: %w", m.name, errMethod)
			}
			continue
		}
		g.members = append(g.members, b)
		g.size += m.size
	}
}

// readable returns why a member cannot be decoded, nil if it can. One that is cut off can, up to there.
func (m *member) readable(whole bool) error {
	switch {
	case m.encrypted, m.split:
		return errMethod
	case m.dictionary == 0, m.size > 1<<60:
		return fmt.Errorf("compression method %s: %w", m.method, errMethod)
	}
	return nil
}

func (a *archive) open(b *block) (io.Reader, error) {
	m := &b.member
	g := m.group
	begin := func() (io.Reader, error) { return &sequence{a: a, g: g}, nil }
	r, err := begin()
	if len(g.members) > 1 {
		// The unpacker reads entries in batches of up to 64 MiB: what a pass keeps covers that.
		r, err = a.passes.Reader(g, m.offset, g.size, a.src.Memory()*3/8, begin)
	}
	if err != nil {
		return nil, err
	}
	return &checked{b: b, r: io.LimitReader(r, m.size)}, nil
}

// sequence is the decoded members of a group.
type sequence struct {
	a    *archive
	g    *group
	d    decoder
	next int
	r    io.Reader
}

func (s *sequence) Read(p []byte) (int, error) {
	for {
		if s.r == nil {
			if s.next == len(s.g.members) {
				return 0, io.EOF
			}
			b := s.g.members[s.next]
			if s.d == nil {
				s.d = b.member.decoder(s.a.src.Memory())
			}
			n := min(b.data.Len, max(0, s.a.src.Size()-b.data.Off))
			s.r = s.d.File(io.NewSectionReader(s.a.src, b.data.Off, n), n, b.member.size, s.next > 0)
			s.next++
		}
		n, err := s.r.Read(p)
		if err != io.EOF {
			return n, err
		}
		s.r = nil
		if n > 0 {
			return n, nil
		}
	}
}

func (m *member) decoder(memory int64) decoder {
	if m.version4 {
		return codec.NewRAR3(memory)
	}
	return codec.NewRAR5(m.dictionary, memory)
}

// checked passes on what r reads and checks its length and CRC-32 at the end.
type checked struct {
	b   *block
	r   io.Reader
	n   int64
	crc uint32
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p[:n])
	m := &c.b.member
	kind := artifact.Damaged
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF && c.n < m.size, errors.Is(err, io.ErrUnexpectedEOF):
		kind, err = artifact.Truncated, fmt.Errorf("%d bytes, want %d", c.n, m.size)
	case err == io.EOF && m.hasCRC && c.crc != m.crc:
		kind, err = artifact.Checksum, fmt.Errorf("CRC-32 %08x, want %08x", c.crc, m.crc)
	case err == io.EOF:
		return n, err
	case errors.Is(err, codec.ErrFilter):
		kind = artifact.Unsupported
	case errors.Is(err, codec.ErrMemory):
		kind = artifact.Limit
	}
	return n, &format.Error{Kind: kind, At: c.b.data, Text: fmt.Sprintf("rar: member %q at %#x: %v", m.name, c.b.at, err)}
}
