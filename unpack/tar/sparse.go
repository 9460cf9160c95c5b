package tar

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// region is a run of a sparse file that is stored.
type region struct {
	off int64 // in the file
	len int64
	at  int64 // in the archive
}

// sparse reads a sparse file. What no region holds is zeros.
type sparse struct {
	r       io.ReaderAt
	regions []region
	size    int64
	pos     int64
}

func (s *sparse) Read(p []byte) (int, error) {
	for len(s.regions) > 0 && s.pos >= s.regions[0].off+s.regions[0].len {
		s.regions = s.regions[1:]
	}
	if s.pos >= s.size {
		return 0, io.EOF
	}
	next := s.size
	if len(s.regions) > 0 {
		x := s.regions[0]
		if s.pos >= x.off {
			in := s.pos - x.off
			n, err := s.r.ReadAt(p[:min(int64(len(p)), x.len-in)], x.at+in)
			s.pos += int64(n)
			if n > 0 {
				err = nil
			} else if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		}
		next = x.off
	}
	n := min(int64(len(p)), next-s.pos)
	clear(p[:n])
	s.pos += n
	return int(n), nil
}

const maxRegions = 1 << 20

// readSparse reads the map of a sparse member whose stored bytes begin at data.
func (m *member) readSparse(data, stored int64) (*sparse, error) {
	s := &sparse{r: m.src}
	var pairs []int64
	var err error
	switch {
	case m.kind == typeSparse:
		var ext [][block]byte
		if ext, err = oldSparseBlocks(m.src, m.pos); err != nil {
			return nil, err
		}
		data += int64(len(ext)) * block
		stored = min(m.header.stored(), max(0, m.src.Size()-data))
		if s.size, err = numeric(m.raw[483:495]); err != nil {
			return nil, err
		}
		pairs, err = oldSparsePairs(&m.raw, ext)
	case m.sparse["GNU.sparse.major"] == "1":
		var n int64
		s.size, _ = decimal(m.sparse["GNU.sparse.realsize"])
		pairs, n, err = sparsePairs(m.src, data, stored)
		data, stored = data+n, stored-n
	default:
		s.size, _ = decimal(m.sparse["GNU.sparse.size"])
		for _, v := range strings.Split(m.sparse["GNU.sparse.map"], ",") {
			n, ok := decimal(v)
			if !ok {
				return nil, fmt.Errorf("map has %q", v)
			}
			pairs = append(pairs, n)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(pairs)%2 != 0 {
		return nil, errors.New("map has an odd count of numbers")
	}
	end, used := int64(0), int64(0)
	for i := 0; i+1 < len(pairs); i += 2 {
		x := region{off: pairs[i], len: pairs[i+1], at: data + used}
		if x.off < end || x.len < 0 || x.len > s.size || x.off > s.size-x.len || x.len > stored-used {
			return nil, fmt.Errorf("region %#x+%d of %d bytes, %d stored", x.off, x.len, s.size, stored)
		}
		end, used = x.off+x.len, used+x.len
		if x.len > 0 {
			s.regions = append(s.regions, x)
		}
	}
	return s, nil
}

// oldSparseBlocks returns the blocks behind the header at pos that continue its map: GNU tar.h,
// struct oldgnu_header and struct sparse_header. The last byte used of each says whether another follows.
func oldSparseBlocks(r io.ReaderAt, pos int64) ([][block]byte, error) {
	var b [block]byte
	if _, err := r.ReadAt(b[:], pos); err != nil {
		return nil, err
	}
	var out [][block]byte
	for more := b[482]; more != 0; more = b[504] {
		pos += block
		if _, err := r.ReadAt(b[:], pos); err != nil {
			return out, fmt.Errorf("map at %#x: %w", pos, err)
		}
		if out = append(out, b); len(out) > maxRegions/21 {
			return nil, errors.New("map is too long")
		}
	}
	return out, nil
}

// oldSparsePairs reads 4 pairs from the header and 21 from each further block.
func oldSparsePairs(h *[block]byte, ext [][block]byte) ([]int64, error) {
	var pairs []int64
	read := func(b []byte) error {
		for ; len(b) >= 24 && b[12] != 0; b = b[24:] {
			off, err1 := numeric(b[:12])
			n, err2 := numeric(b[12:24])
			if err := errors.Join(err1, err2); err != nil {
				return err
			}
			pairs = append(pairs, off, n)
		}
		return nil
	}
	err := read(h[386:482])
	for i := 0; i < len(ext) && err == nil; i++ {
		err = read(ext[i][:504])
	}
	return pairs, err
}

// sparsePairs reads the map of GNU's format 1.0, which stands before the data: the count of
// regions and then offset and length of each, a decimal number a line, padded to whole blocks.
func sparsePairs(r io.ReaderAt, data, stored int64) (pairs []int64, n int64, err error) {
	var text []byte
	count := int64(-1)
	for count < 0 || int64(len(pairs)) < 2*count {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			var b [block]byte
			if n+block > stored || len(text) > block {
				return nil, 0, errors.New("map is cut off")
			}
			if _, err := r.ReadAt(b[:], data+n); err != nil {
				return nil, 0, err
			}
			n += block
			text = append(text, b[:]...)
			continue
		}
		if text[0] == '#' { // a comment, as libarchive has it
			text = text[i+1:]
			continue
		}
		v, ok := decimal(string(text[:i]))
		if !ok || v < 0 || count < 0 && v > maxRegions {
			return nil, 0, fmt.Errorf("map has %.20q", text[:i])
		}
		text = text[i+1:]
		if count < 0 {
			count = v
		} else {
			pairs = append(pairs, v)
		}
	}
	return pairs, n, nil
}
