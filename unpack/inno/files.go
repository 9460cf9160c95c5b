package inno

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// part is where a file's bytes are: in a run of bytes that several files may share, compressed together.
type part struct {
	first, last uint32 // file of the set
	start       int64  // of the run, from the offset of the files
	offset      int64  // in the run, decoded
	size        int64
	packed      int64 // of the run, without its magic
	sum         []byte
	time        int64
	calls       bool // were made absolute
	encrypted   bool
	compressed  bool
}

// form is how a record of a part looks: first and last file of the set (4 each), start of the run (4 or 8), offset in it (8),
// size (8), stored size of the run (8), digest, time (8), version (8), flags, from 6.3 to 6.4.1 how it is signed (1).
type form struct {
	start, digest, tail    int
	calls, sealed, squeeze uint // bits of the flags
}

func (f form) size() int { return 8 + f.start + 24 + f.digest + 16 + f.tail }

// forms are told apart by their size.
var forms = [...]form{
	{4, md5.Size, 1, 4, 6, 7},    // 5.1.5
	{4, md5.Size, 2, 4, 6, 7},    // 5.1.13
	{4, sha1.Size, 2, 4, 6, 7},   // 5.3.9
	{4, sha1.Size, 3, 4, 6, 7},   // 6.3
	{4, sha256.Size, 3, 4, 6, 7}, // 6.4
	{4, sha256.Size, 1, 2, 3, 4}, // 6.4.2
	{8, sha256.Size, 1, 2, 3, 4}, // 6.5.2
}

func (s *installer) readParts(b []byte) []part {
	for _, f := range forms {
		if len(b)%f.size() != 0 {
			continue
		}
		list := make([]part, 0, len(b)/f.size())
		for c := (cursor{b: b}); len(c.b) > 0; {
			p := f.read(&c)
			if c.bad || !s.sane(p) {
				list = nil
				break
			}
			list = append(list, p)
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

func (f form) read(c *cursor) part {
	p := part{first: c.u32(), last: c.u32()}
	if p.start = int64(c.u32()); f.start == 8 {
		p.start |= int64(c.u32()) << 32
	}
	p.offset, p.size, p.packed = int64(c.u64()), int64(c.u64()), int64(c.u64())
	p.sum = c.take(int64(f.digest))
	if t := c.u64(); t > 0 {
		p.time = int64(t/1e7) - 11_644_473_600 // since 1601
	}
	c.u64()
	flags := append(bytes.Clone(c.take(int64(f.tail))), 0, 0)
	bit := func(n uint) bool { return flags[n/8]>>(n%8)&1 != 0 }
	p.calls, p.encrypted, p.compressed = bit(f.calls), bit(f.sealed), bit(f.squeeze)
	return p
}

func (s *installer) sane(p part) bool {
	const limit = 1 << 50
	if p.first > p.last || p.last > 1<<16 || p.start < 0 || min(p.offset, p.size, p.packed) < 0 || max(p.offset, p.size, p.packed) > limit || p.start > limit {
		return false
	}
	if s.table.files == 0 || p.first > 0 {
		return true
	}
	var b [len(partMagic)]byte
	n, _ := s.src.ReadAt(b[:], s.table.files+p.start)
	return n < len(b) || string(b[:]) == partMagic
}

// name is what a record says of a file.
type name struct {
	path string
	part int // -1 if the file is not in the installer
}

// findNames returns the longest run of records of files in b. It goes backwards, so that each place is read once.
func (s *installer) findNames(b []byte) (list []name) {
	type record struct {
		name
		next, run int
	}
	found := map[int]record{}
	best := -1
	for at := len(b) - 1; at >= 0; at-- {
		c := cursor{b: b[at:]}
		n, ok := s.name(&c)
		if !ok {
			continue
		}
		r := record{n, len(b) - len(c.b), 0}
		r.run = found[r.next].run + 1
		if found[at] = r; best < 0 || r.run > found[best].run {
			best = at
		}
	}
	for at := best; at >= 0 && found[at].run > 0; at = found[at].next {
		list = append(list, found[at].name)
	}
	// Other records may look the same. The header tells how many there are, and then how many parts.
	for n := len(list); n > 0; n-- {
		counts := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, uint32(n)), uint32(len(s.parts)))
		if bytes.Contains(b[:best], counts) {
			return list[:n]
		}
	}
	return list
}

const uninstaller = 1 // a kind of file, which is made when it is installed

// name reads a record: texts (source, destination, font, assembly, then conditions), versions of Windows (20), part (4),
// attributes (4), size (8), permissions (2), flags, kind (1). Versions from 6.5 on have more texts and 33 bytes behind them; from 7 on
// there is a byte before the flags.
func (s *installer) name(c *cursor) (n name, ok bool) {
	count, skip, flags := 10, int64(20), int64(4)
	switch {
	case s.version < 5_002_005:
		count = 9
	case s.version >= 7_000_000:
		count, skip, flags = 15, 33+20, 9
	case s.version >= 6_005_000:
		count, skip, flags = 15, 33+20, 5
	}
	wide := s.wide()
	for i := range count {
		t := c.text(wide)
		if c.bad || strings.ContainsFunc(t, control) {
			return n, false
		}
		if i == 1 {
			n.path = destination(t)
		}
	}
	if skip > 20 {
		c.text(false)
	}
	c.take(skip)
	n.part = int(int32(c.u32()))
	c.take(4 + 8)
	permissions := c.take(2)
	c.take(flags)
	kind := c.take(1)
	if c.bad || n.part < -1 || n.part >= len(s.parts) || kind[0] > 2 {
		return n, false
	}
	if n.path == "" && (n.part != -1 || kind[0] != uninstaller) {
		return n, false
	}
	p := int16(binary.LittleEndian.Uint16(permissions))
	return n, p >= -1 && p < 1<<12
}

// destination makes a path of a destination: "{app}\bin\x.dll" is "app/bin/x.dll".
func destination(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\\':
			return '/'
		case '{', '}':
			return -1
		}
		return r
	}, s)
}

// run names a run of bytes that files share.
type run struct {
	first uint32
	start int64
}

// files yields the files under their names, then those that have none.
func (s *installer) files() iter.Seq[format.Entry] {
	return func(yield func(format.Entry) bool) {
		shared, plain := map[run]int{}, map[run]int64{}
		for _, p := range s.parts {
			r := run{p.first, p.start}
			shared[r]++
			plain[r] = max(plain[r], p.offset+p.size)
		}
		seen, windows := make([]string, len(s.parts)), map[run]bool{}
		entry := func(path string, i int) format.Entry {
			p := &s.parts[i]
			r := run{p.first, p.start}
			e := s.entry(path, p, shared[r], plain[r], windows[r])
			windows[r] = true
			return e
		}
		for _, n := range s.names {
			if n.part < 0 {
				continue
			}
			e := format.Entry{Path: n.path, HardLink: seen[n.part]}
			if e.HardLink == "" {
				e, seen[n.part] = entry(n.path, n.part), n.path
			} else if e.HardLink == n.path {
				continue // the same file, for another component or task
			}
			if !yield(e) {
				return
			}
		}
		for i := range s.parts {
			if seen[i] == "" && !yield(entry(fmt.Sprintf("part-%d", i), i)) {
				return
			}
		}
	}
}

// entry is a file in one of count that share a run, which decodes to plain bytes. Of a run that is not
// decoded the first file has the bytes; listed says that it was.
func (s *installer) entry(path string, p *part, count int, plain int64, listed bool) format.Entry {
	e := format.Entry{Path: path, Size: p.size, ModTime: p.time}
	at := artifact.Range{Off: s.table.files + p.start, Len: int64(len(partMagic)) + p.packed}
	missing := func(kind artifact.ProblemKind, at artifact.Range, text string) format.Entry {
		e.Open = func() (io.Reader, error) {
			return nil, &format.Error{Kind: kind, At: at, Text: fmt.Sprintf("inno: file %q: %s", path, text)}
		}
		return e
	}
	left := s.src.Size() - at.Off
	switch {
	case s.table.files == 0 || p.last > 0:
		return missing(artifact.Truncated, artifact.Range{}, "in another file of the set")
	case left < int64(len(partMagic)):
		return missing(artifact.Truncated, artifact.Range{Off: s.src.Size()}, fmt.Sprintf("at %#x, content ends at %#x", at.Off, s.src.Size()))
	}
	if p.encrypted && s.version < 6_004_000 {
		at.Len += 8 // salt
	}
	at.Len = min(at.Len, left)
	switch {
	case p.encrypted && listed:
		return missing(artifact.Encrypted, at, "encrypted")
	case p.encrypted:
		e.Window, e.Size = &at, at.Len
		e.Problems = []artifact.Problem{{Kind: artifact.Encrypted, At: at, Detail: fmt.Sprintf("inno: file %q: encrypted", path)}}
		return e
	}
	e.Open = func() (io.Reader, error) {
		begin := func() (io.Reader, error) { return s.decode(p, at) }
		var r io.Reader
		var err error
		if count > 1 && p.compressed {
			r, err = s.passes.Reader(run{p.first, p.start}, p.offset, plain, s.src.Memory()*3/8, begin)
		} else if r, err = begin(); err == nil {
			_, err = io.CopyN(io.Discard, r, p.offset)
		}
		if err != nil {
			return nil, wrap(path, at, err)
		}
		c := &checked{path: path, p: p, at: at, r: io.LimitReader(r, p.size), sum: newHash(len(p.sum))}
		if p.calls {
			c.undo = &calls{flip: s.version >= 5_003_009, old: s.version < 5_002_000}
		}
		return c, nil
	}
	return e
}

func newHash(n int) hash.Hash {
	switch n {
	case md5.Size:
		return md5.New()
	case sha1.Size:
		return sha1.New()
	}
	return sha256.New()
}

// decode begins a run. No field that is read says how it is compressed: its first bytes do.
func (s *installer) decode(p *part, at artifact.Range) (io.Reader, error) {
	off, n := at.Off+int64(len(partMagic)), at.Len-int64(len(partMagic))
	if !p.compressed {
		return io.NewSectionReader(s.src, off, n), nil
	}
	var b [lzmaHeader]byte
	if k, _ := s.src.ReadAt(b[:min(n, lzmaHeader)], off); k < lzmaHeader {
		return nil, io.ErrUnexpectedEOF
	}
	in := func(skip int64) (io.ReaderAt, int64) { return io.NewSectionReader(s.src, off+skip, n-skip), n - skip }
	memory := s.src.Memory()
	switch {
	case string(b[:3]) == "BZh":
		r, size := in(0)
		return codec.NewBzip2(r, size, memory)
	case b[0] == 0x78 && binary.BigEndian.Uint16(b[:])%31 == 0:
		r, size := in(0)
		return codec.NewZlib(r, size, memory)
	case b[0] <= 40 && (b[1] == 1 || b[1] >= 0xe0): // the dictionary's size, and a piece that needs none before it
		r, size := in(1)
		return codec.NewLZMA2(r, size, b[0], memory)
	}
	r, size := in(lzmaHeader)
	return codec.NewLZMARaw(r, size, b[:], -1, memory)
}

// checked undoes what was done to calls, block by block, and compares the digest at the end.
type checked struct {
	path string
	p    *part
	at   artifact.Range
	r    io.Reader
	undo *calls
	sum  hash.Hash
	n    int64
	buf  []byte
	left []byte // of buf
	err  error
}

// callBlock is how many bytes were changed at a time: no call that crosses their end was.
const callBlock = 64 << 10

func (c *checked) Read(p []byte) (int, error) {
	for len(c.left) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		if c.buf == nil {
			c.buf = make([]byte, min(callBlock, max(1, c.p.size)))
		}
		n, err := io.ReadFull(c.r, c.buf)
		c.left = c.buf[:n]
		if c.undo != nil {
			c.undo.undo(c.left)
		}
		c.sum.Write(c.left)
		if c.n += int64(n); err == nil && c.n < c.p.size {
			continue
		}
		c.err = c.end(err)
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}

func (c *checked) end(err error) error {
	switch {
	case c.n == c.p.size && bytes.Equal(c.sum.Sum(nil), c.p.sum):
		return io.EOF
	case c.n == c.p.size:
		return &format.Error{Kind: artifact.Checksum, At: c.at, Text: fmt.Sprintf("inno: file %q: digest is not %x", c.path, c.p.sum)}
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return &format.Error{Kind: artifact.Truncated, At: c.at, Text: fmt.Sprintf("inno: file %q: %d bytes, want %d", c.path, c.n, c.p.size)}
	}
	return wrap(c.path, c.at, err)
}

func wrap(path string, at artifact.Range, err error) error {
	kind := artifact.Damaged
	switch {
	case errors.Is(err, codec.ErrMemory):
		kind = artifact.Limit
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		kind = artifact.Truncated
	}
	return &format.Error{Kind: kind, At: at, Text: fmt.Sprintf("inno: file %q: %v", path, err)}
}
