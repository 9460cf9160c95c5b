// Package nand takes the spare areas out of a raw dump of a NAND flash chip.
//
// A NAND page has a spare (out-of-band) area behind its data, for bad block marks and error
// correcting codes. A programmer or nanddump -o writes both, page by page, so that what is stored
// is cut in pieces. The dump says nowhere how long the pieces are. They are found by evidence
// alone: by structures with a checksum (UBI volume tables, UBIFS and JFFS2 nodes, uImages) and by
// the metadata of SquashFS, which come out right with one geometry and not without.
//
// The Hamming code of Linux's software ECC (1 bit in 256 or 512 bytes) is checked, and a wrong
// bit corrected: https://docs.kernel.org/driver-api/mtdnand.html and
// https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/drivers/mtd/nand/ecc-sw-hamming.c.
// So are BCH codes as Linux computes them
// (https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/lib/bch.c), in either
// order of bits: where they stand in the spare area is found by looking for them.
//
// Not read: Reed-Solomon codes, BCH codes that are over the spare area, too, or of other fields,
// data that a controller scrambled, controllers that put parity
// between the sectors of a page in other proportions than those listed, dumps that have data and
// spare areas apart, and dumps where only YAFFS says what the geometry is: it lives in the spare
// areas and reads them itself.
package nand

import (
	"fmt"
	"io"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is a dump of NAND flash with its spare areas.
var Format = format.Format{
	Name:   "nand",
	Title:  "NAND flash dump with spare areas",
	Kind:   format.Layout,
	Magics: magics(),
	Whole:  true,
	Refs: []format.Ref{
		{Title: "Linux MTD NAND driver programming interface", URL: "https://docs.kernel.org/driver-api/mtdnand.html"},
		{Title: "Linux software Hamming ECC", URL: "https://docs.kernel.org/driver-api/mtd/nand_ecc.html"},
		{Title: "Linux lib/bch.c", URL: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/lib/bch.c"},
	},
	Limits: []string{
		"Of the codes of flash controllers only BCH codes over the data alone are checked.",
		"A dump without a checksummed structure that is longer than a page is not recognised.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return open(src) },
}

// geometry is how a chip divides its pages, in bytes.
type geometry struct{ page, spare int64 }

func (g geometry) whole() int64 { return g.page + g.spare }

// geometries are those of chips in use, from the table of drivers/mtd/nand/raw/nand_ids.c and
// data sheets of serial NAND; the usual ones first.
var geometries = [...]geometry{
	{2048, 64}, {2048, 128}, {4096, 256}, {4096, 128}, {4096, 224}, {4096, 218}, {512, 16}, {2048, 112}, {2048, 96},
	{4096, 232}, {4096, 192}, {8192, 640}, {8192, 448}, {8192, 436}, {8192, 744}, {16384, 1280}, {16384, 1664},
}

type dump struct {
	src      format.Source
	geometry geometry
	evidence evidence
	ecc      corrector // nil if the spare areas hold no known code
	counts   counts
}

func open(src format.Source) (*dump, error) {
	g, e, err := detect(src)
	if err != nil {
		return nil, err
	}
	d := &dump{src: src, geometry: g, evidence: e}
	d.ecc = findCode(src, g)
	return d, nil
}

// Size returns the size of the dump.
func (d *dump) Size() int64 { return d.src.Size() }

// Entries yields the data of all pages as one file.
func (d *dump) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if rest := d.src.Size() % d.geometry.whole(); rest != 0 {
			off := d.src.Size() - rest
			if !yield(format.Entry{}, format.Errorf(artifact.Truncated, off, "nand: page at %#x: %d bytes, %d left", off, d.geometry.whole(), rest)) {
				return
			}
		}
		d.counts = check(d.ecc, d.src, d.geometry)
		if d.counts.lost > 0 {
			first := d.counts.first
			if !yield(format.Entry{}, format.Errorf(artifact.Checksum, first, "nand: ECC of page at %#x: more wrong bits than it can correct, as in %d steps in all", first, d.counts.lost)) {
				return
			}
		}
		size := stripped{d.src, d.geometry}.size()
		yield(format.Entry{Path: "nand", Size: size, Open: func() (io.Reader, error) { return &reader{d: d}, nil }}, nil)
	}
}

// Describe tells the geometry and what it was concluded from.
func (d *dump) Describe() []artifact.Attr {
	at := artifact.Range{Off: d.evidence.first.off, Len: 4}
	number := func(name string, v int64) artifact.Attr {
		return artifact.Attr{Name: name, Value: strconv.FormatInt(v, 10), At: at}
	}
	attrs := []artifact.Attr{number("page", d.geometry.page), number("spare", d.geometry.spare)}
	if d.evidence.block > 0 {
		attrs = append(attrs, number("block", d.evidence.block))
	}
	attrs = append(attrs, artifact.Attr{Name: "evidence", Value: d.evidence.String(), At: at})
	if d.ecc != nil {
		attrs = append(attrs, artifact.Attr{Name: "ecc", Value: fmt.Sprintf("%s, %d corrected, %d uncorrectable", d.ecc, d.counts.corrected, d.counts.lost), At: artifact.Range{Off: d.geometry.page, Len: d.geometry.spare}})
	}
	return attrs
}

// reader reads the data areas one behind the other, corrected.
type reader struct {
	d    *dump
	next int64 // offset of the next page in the dump
	buf  []byte
	rest []byte
}

func (r *reader) Read(p []byte) (int, error) {
	g := r.d.geometry
	for len(r.rest) == 0 {
		n := min(g.whole(), r.d.src.Size()-r.next)
		if n <= 0 {
			return 0, io.EOF
		}
		if r.buf == nil {
			r.buf = make([]byte, g.whole())
		}
		if got, err := r.d.src.ReadAt(r.buf[:n], r.next); int64(got) < n {
			return 0, format.Errorf(artifact.Damaged, r.next, "nand: page at %#x: %v", r.next, err)
		}
		if n == g.whole() && r.d.ecc != nil {
			r.d.ecc.fix(r.buf[:g.page], r.buf[g.page:])
		}
		r.rest = r.buf[:min(n, g.page)]
		r.next += n
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// stripped reads the data areas one behind the other, as they are.
type stripped struct {
	src format.Source
	g   geometry // a page of 0 bytes means that there are no spare areas
}

func (s stripped) size() int64 {
	if s.g.page == 0 {
		return s.src.Size()
	}
	return s.src.Size()/s.g.whole()*s.g.page + min(s.src.Size()%s.g.whole(), s.g.page)
}

// place returns where the byte at off of the dump is in the data, and false if it is in a spare area.
func (s stripped) place(off int64) (int64, bool) {
	if s.g.page == 0 {
		return off, true
	}
	in := off % s.g.whole()
	return off/s.g.whole()*s.g.page + in, in < s.g.page
}

// bytes returns n bytes at off of the data, or nil.
func (s stripped) bytes(off, n int64) []byte {
	if off < 0 || n < 0 || off > s.size() || n > s.size()-off {
		return nil
	}
	b := make([]byte, n)
	if s.g.page == 0 {
		if got, _ := s.src.ReadAt(b, off); int64(got) < n {
			return nil
		}
		return b
	}
	for done := int64(0); done < n; {
		page, in := (off+done)/s.g.page, (off+done)%s.g.page
		part := b[done:min(n, done+s.g.page-in)]
		if got, _ := s.src.ReadAt(part, page*s.g.whole()+in); got < len(part) {
			return nil
		}
		done += int64(len(part))
	}
	return b
}

// crosses reports whether n bytes at off of the data go over the end of a page.
func (s stripped) crosses(off, n int64) bool {
	return s.g.page > 0 && off/s.g.page != (off+n-1)/s.g.page
}
