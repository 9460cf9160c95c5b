// Package hex reads program images written as text: Intel HEX and Motorola S-records.
//
// Specification: Intel, Hexadecimal Object File Format Specification, revision A, 1988
// (https://git.usebox.net/ubox-msx-lib/plain/tools/hex2bin-2.0/doc/intelhex.spc), and srec(5) by Motorola
// (https://manpages.debian.org/srec_motorola.5). The checksum of every line must hold; what
// follows the first that does not is left.
//
// The bytes come out by address. Runs with at most 4 KiB between them are one entry, filled up
// with FF as erased flash is, as long as not more is filled than was there; others are entries of their own.
package hex

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Intel is Intel HEX.
var Intel = format.Format{
	Name:  "ihex",
	Title: "Intel HEX",
	Kind:  format.Container,
	Magics: []format.Magic{ // a first record of up to 64 bytes; within a content, of the lengths that tools write
		{Bytes: ":0", Start: true}, {Bytes: ":1", Start: true}, {Bytes: ":2", Start: true}, {Bytes: ":3", Start: true}, {Bytes: ":40", Start: true},
		{Bytes: ":02000002"}, {Bytes: ":02000004"}, {Bytes: ":10"}, {Bytes: ":20"},
	},
	Refs:   []format.Ref{{Title: "Intel Hexadecimal Object File Format Specification", URL: "https://git.usebox.net/ubox-msx-lib/plain/tools/hex2bin-2.0/doc/intelhex.spc"}},
	Limits: []string{"Within another content, text is found only if its first record sets an address or holds 16 or 32 bytes."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src, "ihex", intel) },
}

// Motorola is the S-record.
var Motorola = format.Format{
	Name:  "srec",
	Title: "Motorola S-record",
	Kind:  format.Container,
	Magics: []format.Magic{ // within a content, a header or data of the lengths that tools write
		{Bytes: "S0", Start: true}, {Bytes: "S1", Start: true}, {Bytes: "S2", Start: true}, {Bytes: "S3", Start: true},
		{Bytes: "S00"}, {Bytes: "S01"}, {Bytes: "S113"}, {Bytes: "S123"}, {Bytes: "S214"}, {Bytes: "S224"}, {Bytes: "S315"}, {Bytes: "S325"},
	},
	Refs:   []format.Ref{{Title: "srec_motorola(5)", URL: "https://manpages.debian.org/srec_motorola.5"}},
	Limits: []string{"Within another content, text is found only if its first record is a header or holds 16 or 32 bytes."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src, "srec", motorola) },
}

// dialect takes the bytes of one line, whose checksum was checked, and reports whether the line was the last.
type dialect func(t *text, line []byte) (last bool, err error)

// text is a file of records.
type text struct {
	name    string
	size    int64
	data    []byte // of all records, in the order of the file
	runs    []run
	base    uint64         // of addresses, Intel's
	records int            // of data
	counted bool           // a record told how many there are
	line    artifact.Range // being read
	attrs   []artifact.Attr
	problem error
}

// run is data[from:to] at consecutive addresses.
type run struct {
	addr     uint64
	from, to int
}

func (r run) end() uint64 { return r.addr + uint64(r.to-r.from) }

const (
	maxLine  = 2 * 263 // ":" or "S" and type, and 260 bytes or fewer in two digits each
	minLines = 3       // that must hold before a bad one counts as damage, and not as another text
)

func open(src format.Source, name string, d dialect) (*text, error) {
	if src.Size() > 4*src.Memory() {
		return nil, format.Not("%s: %d bytes > four times %d of memory allowed", name, src.Size(), src.Memory())
	}
	t := &text{name: name}
	if err := t.read(src, d); err != nil {
		return nil, err
	}
	if len(t.runs) == 0 {
		return nil, format.Not("%s: no data", name)
	}
	slices.SortStableFunc(t.runs, func(a, b run) int { return cmp.Compare(a.addr, b.addr) })
	return t, nil
}

func (t *text) read(src format.Source, d dialect) error {
	l := &lines{src: src, buf: make([]byte, 0, 2*maxLine)}
	for n := 0; ; n++ {
		line, at, ok := l.next()
		t.line = artifact.Range{Off: at, Len: int64(len(line))}
		if !ok {
			if t.counted && at == src.Size() {
				return nil // a last record tells the start address, and is left out where there is none
			}
			if n < minLines {
				return format.Not("%s: line at %#x: no end", t.name, at)
			}
			t.problem = format.Errorf(artifact.Truncated, at, "%s: line at %#x: text ends before its last record", t.name, at)
			return nil
		}
		b, err := decode(line)
		last := false
		if err == nil {
			last, err = d(t, b)
		}
		if err != nil {
			if n < minLines {
				return format.Not("%s: line at %#x: %v", t.name, at, err)
			}
			t.problem = format.Errorf(artifact.Damaged, at, "%s: line at %#x: %v", t.name, at, err)
			return nil
		}
		if n == minLines {
			l.grow()
		}
		t.size = l.pos
		if last {
			return nil
		}
	}
}

// lines cuts a text into lines.
type lines struct {
	src  format.Source
	buf  []byte
	from int
	at   int64 // offset of buf
	pos  int64 // behind the last line and its end
}

// next returns the next line that is not empty. The last of the text may lack its line end.
func (l *lines) next() (line []byte, at int64, ok bool) {
	for {
		i := bytes.IndexByte(l.buf[l.from:], '\n')
		if i < 0 && len(l.buf)-l.from <= maxLine && l.fill() {
			continue
		}
		rest, at := l.buf[l.from:], l.at+int64(l.from)
		end := i
		if i < 0 {
			i, end = len(rest)-1, len(rest)
		}
		if end > maxLine || len(rest) == 0 {
			return nil, at, false
		}
		l.from += i + 1
		l.pos = l.at + int64(l.from)
		if line = bytes.TrimRight(rest[:end], "\r \t"); len(line) > 0 {
			return line, at, true
		}
	}
}

// grow makes longer reads, once the text looks like one.
func (l *lines) grow() { l.buf = append(make([]byte, 0, 64<<10), l.buf...) }

func (l *lines) fill() bool {
	n := copy(l.buf[:cap(l.buf)], l.buf[l.from:])
	l.at, l.from, l.buf = l.at+int64(l.from), 0, l.buf[:n]
	k, _ := l.src.ReadAt(l.buf[n:cap(l.buf)], l.at+int64(n))
	l.buf = l.buf[:n+k]
	return k > 0
}

// decode turns the digits of a line into bytes, its first character kept as it is.
func decode(line []byte) ([]byte, error) {
	if line[0] == 'S' && len(line) > 1 { // the type is a digit by itself
		line = line[1:]
	}
	if len(line)%2 == 0 {
		return nil, fmt.Errorf("%d digits", len(line)-1)
	}
	b := make([]byte, 1, 1+len(line)/2)
	b[0] = line[0]
	for i := 1; i < len(line); i += 2 {
		v, err := strconv.ParseUint(string(line[i:i+2]), 16, 8)
		if err != nil {
			return nil, fmt.Errorf("digits %q", line[i:i+2])
		}
		b = append(b, byte(v))
	}
	return b, nil
}

// add takes the data of a record at addr.
func (t *text) add(addr uint64, b []byte) {
	if len(b) == 0 {
		return
	}
	t.data = append(t.data, b...)
	if n := len(t.runs); n > 0 && t.runs[n-1].end() == addr {
		t.runs[n-1].to = len(t.data)
		return
	}
	t.runs = append(t.runs, run{addr, len(t.data) - len(b), len(t.data)})
}

// sum adds up all bytes.
func sum(b []byte) (s byte) {
	for _, x := range b {
		s += x
	}
	return s
}

// Size returns where the last record that holds ends.
func (t *text) Size() int64 { return t.size }

// Describe tells the start address and the header, where there are such records.
func (t *text) Describe() []artifact.Attr { return t.attrs }

func (t *text) attr(name, value string) {
	if len(t.attrs) < 8 {
		t.attrs = append(t.attrs, artifact.Attr{Name: name, Value: value, At: t.line})
	}
}

const maxGap = 4 << 10

// Entries yields what stands together, by address.
func (t *text) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if t.problem != nil && !yield(format.Entry{}, t.problem) {
			return
		}
		fill := uint64(len(t.data))
		for runs := t.runs; len(runs) > 0; {
			n := 1
			for n < len(runs) {
				gap := runs[n].addr - runs[n-1].end()
				if runs[n].addr < runs[n-1].end() || gap > maxGap || gap > fill {
					break
				}
				fill -= gap
				n++
			}
			e := t.entry(runs[:n])
			if n < len(runs) && runs[n].addr < runs[n-1].end() {
				e.Problems = []artifact.Problem{{Kind: artifact.Damaged, Detail: fmt.Sprintf("%s: data at %#x stands behind data at %#x+%d too", t.name, runs[n].addr, runs[n-1].addr, runs[n-1].to-runs[n-1].from)}}
			}
			if !yield(e, nil) {
				return
			}
			runs = runs[n:]
		}
	}
}

func (t *text) entry(runs []run) format.Entry {
	e := format.Entry{Path: fmt.Sprintf("%08x.bin", runs[0].addr), Size: int64(runs[len(runs)-1].end() - runs[0].addr)}
	e.Open = func() (io.Reader, error) { return &image{data: t.data, runs: runs, at: runs[0].addr}, nil }
	return e
}

// image reads runs, with FF between them.
type image struct {
	data []byte
	runs []run
	at   uint64
}

func (m *image) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && len(m.runs) > 0 {
		r := m.runs[0]
		var k int
		if m.at < r.addr {
			k = int(min(r.addr-m.at, uint64(len(p)-n)))
			for i := range k {
				p[n+i] = 0xff
			}
		} else {
			k = copy(p[n:], m.data[r.from+int(m.at-r.addr):r.to])
		}
		m.at, n = m.at+uint64(k), n+k
		if m.at == r.end() {
			m.runs = m.runs[1:]
		}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}
