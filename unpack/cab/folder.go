package cab

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"

	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

func (f *folder) open(src format.Source) io.Reader { return &stream{src: src, f: f} }

// stream decodes the blocks of a folder, one after the other.
type stream struct {
	src   format.Source
	f     *folder
	next  int // block
	out   []byte
	plain []byte // the last block decoded: the window of the next
	flate io.ReadCloser
	coder framer
	err   error
}

func (s *stream) Read(p []byte) (int, error) {
	for len(s.out) == 0 && s.err == nil {
		if s.next == len(s.f.blocks) {
			s.err = io.EOF
			break
		}
		s.err = s.decode(s.f.blocks[s.next])
		s.next++
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	if n == 0 && len(p) > 0 {
		return 0, s.err
	}
	return n, nil
}

func (s *stream) decode(b block) error {
	data, err := format.ReadAt(s.src, b.at, b.stored, "cab: data block")
	if err != nil {
		return err
	}
	switch s.f.method & methodMask {
	case methodNone:
		s.out = data
		if b.stored != b.size {
			return fmt.Errorf("data block at %#x: %d bytes stored, not %d", b.at, b.stored, b.size)
		}
		return nil
	case methodLZX, methodQuantum:
		err = s.frame(data, b.size)
	default:
		err = s.mszip(data, b.size)
	}
	if err != nil {
		return fmt.Errorf("data block at %#x: %w", b.at, err)
	}
	return nil
}

// framer decodes one block after the other, each of which needs what was in those before.
type framer interface {
	Frame(dst, src []byte) (int, error)
}

// frame decodes LZX or Quantum, whose window's size stands with the method. [MS-CAB] 2.2.
func (s *stream) frame(data []byte, size int64) (err error) {
	if s.coder == nil {
		bits := int(s.f.method >> 8 & 0x1f)
		if s.f.method&methodMask == methodLZX {
			s.coder, err = codec.NewLZX(bits)
		} else {
			s.coder, err = codec.NewQuantum(bits)
		}
		if err != nil {
			return err
		}
	}
	plain := make([]byte, size)
	n, err := s.coder.Frame(plain, data)
	s.out = plain[:n]
	return err
}

func (s *stream) mszip(data []byte, size int64) error {
	// [MS-MCI]: "CK" and a deflate stream that may refer back to the block before.
	if len(data) < 2 || data[0] != 'C' || data[1] != 'K' {
		return errors.New("no MSZIP signature")
	}
	in := bytes.NewReader(data[2:])
	if s.flate == nil {
		s.flate = flate.NewReader(in)
	} else if err := s.flate.(flate.Resetter).Reset(in, s.plain); err != nil {
		return err
	}
	plain := make([]byte, size)
	n, err := io.ReadFull(s.flate, plain)
	s.out = plain[:n]
	if err != nil {
		return err
	}
	// Blocks before the last of a folder are full, so the last 32 KiB are the block before.
	if s.plain = append(s.plain, plain...); len(s.plain) > maxBlock {
		s.plain = append(s.plain[:0], s.plain[len(s.plain)-maxBlock:]...)
	}
	return nil
}
