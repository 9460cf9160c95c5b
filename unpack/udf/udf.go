// Package udf reads the Universal Disk Format of DVDs and some memory cards.
//
// The format is ECMA-167 (https://ecma-international.org/publications-and-standards/standards/ecma-167/) as OSTA's
// UDF, revisions 1.02 to 2.60 (http://www.osta.org/specs/), restricts it. Sectors of 512 to 4096 bytes, files in
// extents, embedded in their entries or with holes, and metadata partitions are read. Of a bridge disc, which is
// ISO 9660 too, UDF is read only if the other has neither Joliet nor Rock Ridge, and so perhaps only a note.
//
// Not read: virtual partitions (CD-R written in packets), the replacements of worn blocks in a sparable partition,
// named streams, and deleted files.
package udf

import (
	"encoding/binary"
	"io"
	"io/fs"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is UDF to the unpacker.
var Format = format.Format{
	Name:  "udf",
	Title: "Universal Disk Format (UDF)",
	Kind:  format.Filesystem,
	Magics: []format.Magic{
		{Bytes: "\x00BEA01\x01", Off: recognition}, // alone
		{Bytes: "\x01CD001\x01", Off: recognition}, // on a bridge disc
	},
	Refs: []format.Ref{
		{Title: "ECMA-167, volume and file structure for non-sequential recording", URL: "https://ecma-international.org/publications-and-standards/standards/ecma-167/"},
		{Title: "OSTA Universal Disk Format", URL: "http://www.osta.org/specs/"},
	},
	Limits: []string{
		"Virtual partitions and the sparing tables of sparable ones are not read.",
		"Named streams and deleted files are not read.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return newReader(src) },
}

const (
	recognition = 32 << 10 // where the volume recognition sequence begins
	vrsStep     = 2048
)

// Reader reads one volume. It is safe for concurrent use, but for Entries.
type Reader struct {
	src    format.Source
	sector int64
	parts  []partition // by the number that addresses use
	root   address
	size   int64
	attrs  []artifact.Attr
	budget int64 // bytes of directories that may still be read
}

// NewReader returns a reader of the volume at offset 0 of r, which has size bytes. The error wraps
// [format.ErrFormat] if there is none.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	return newReader(format.Source{SectionReader: io.NewSectionReader(r, 0, size)})
}

func newReader(src format.Source) (*Reader, error) {
	if err := recognize(src); err != nil {
		return nil, err
	}
	for _, sector := range []int64{2048, 512, 4096} {
		r := &Reader{src: src, sector: sector}
		a, err := r.descriptor(256*sector, tagAnchor)
		if err != nil {
			continue
		}
		if err := r.volume(a); err != nil {
			return nil, err
		}
		return r, nil
	}
	return nil, format.Not("udf: no anchor")
}

// recognize looks for the descriptor that says UDF, and leaves bridge discs with a full ISO 9660 to its reader.
func recognize(src format.Source) error {
	const most = 64
	found := false
	for i := range int64(most) {
		b := make([]byte, 190)
		if n, _ := src.ReadAt(b, recognition+i*vrsStep); n < len(b) {
			break
		}
		switch id := string(b[1:6]); {
		case id == "NSR02" || id == "NSR03":
			found = true
		case id == "CD001" && b[0] == 2:
			return format.Not("udf: ISO 9660 with Joliet")
		case id == "CD001" && b[0] == 1 && rockRidge(src, int64(binary.LittleEndian.Uint32(b[158:]))):
			return format.Not("udf: ISO 9660 with Rock Ridge")
		case id != "CD001" && id != "BEA01" && id != "TEA01" && id != "BOOT2" && id != "\x00\x00\x00\x00\x00":
			i = most
		}
		if found {
			return nil
		}
	}
	return format.Not("udf: no NSR02 or NSR03")
}

// rockRidge reports whether the first record of a directory of ISO 9660 has the entry SP.
func rockRidge(src format.Source, block int64) bool {
	var b [41]byte
	n, _ := src.ReadAt(b[:], block*2048)
	return n == len(b) && string(b[34:36]) == "SP"
}

// volume reads what the anchor leads to:
//
//	anchor: 16 length and 20 sector of the descriptors, 24 and 28 of their copies
//	partition: 22 number (2), 188 first sector, 192 sectors
//	logical volume: 84 name (128), 212 size of a block, 248 file set (16), 432 descriptors of its state, 264 bytes and 268 number of maps, 440 maps
func (r *Reader) volume(anchor []byte) error {
	le := binary.LittleEndian
	at := int64(le.Uint32(anchor[20:])) * r.sector
	count := min(int64(le.Uint32(anchor[16:]))/r.sector, 256)
	r.size = max(257*r.sector, at+count*r.sector, (int64(le.Uint32(anchor[28:]))*r.sector + int64(le.Uint32(anchor[24:]))))
	ranges := map[uint16]artifact.Range{}
	var logical []byte
	for i := range count {
		b, err := r.descriptor(at+i*r.sector, tagAny)
		if err != nil {
			break
		}
		switch le.Uint16(b) {
		case tagPartition:
			p := artifact.Range{Off: int64(le.Uint32(b[188:])) * r.sector, Len: int64(le.Uint32(b[192:])) * r.sector}
			ranges[le.Uint16(b[22:])] = p
			r.size = max(r.size, p.End())
		case tagLogical:
			logical = b
		}
	}
	if logical == nil || len(ranges) == 0 {
		return format.Errorf(artifact.Damaged, at, "udf: descriptors at %#x: no logical volume or no partition", at)
	}
	if n := int64(le.Uint32(logical[212:])); n != r.sector {
		return format.Errorf(artifact.Unsupported, at, "udf: blocks of %d bytes on sectors of %d", n, r.sector)
	}
	r.size = min(r.size, r.src.Size())
	if end := r.src.Size()/r.sector - 1; end > 256 { // a volume may end with an anchor
		if _, err := r.descriptor(end*r.sector, tagAnchor); err == nil {
			r.size = r.src.Size()
		}
	}
	for _, b := range [][]byte{anchor[24:], logical[432:]} { // copies, and what is said of the state
		for i := range min(int64(le.Uint32(b))/r.sector, 256) {
			r.descriptor((int64(le.Uint32(b[4:]))+i)*r.sector, tagAny)
		}
	}
	if name := dstring(logical[84:212]); name != "" {
		r.attrs = append(r.attrs, artifact.Attr{Name: "volume", Value: name, At: artifact.Range{Off: at, Len: r.sector}})
	}
	if err := r.maps(logical, ranges); err != nil {
		return err
	}
	return r.fileSet(parseLong(logical[248:]))
}

// fileSet reads the descriptor of the file set: 400 directory at the root (16).
func (r *Reader) fileSet(a address) error {
	off, ok := r.place(a)
	if !ok {
		return format.Errorf(artifact.Damaged, 0, "udf: file set in block %d of partition %d", a.block, a.part)
	}
	b, err := r.descriptor(off, tagFileSet)
	if err != nil {
		return err
	}
	r.root = parseLong(b[400:])
	return nil
}

// Size returns the end of the last partition or descriptor, or of the content if an anchor ends it.
func (r *Reader) Size() int64 { return r.size }

// Describe tells what the descriptors say.
func (r *Reader) Describe() []artifact.Attr { return r.attrs }

// maxPath bounds paths: directories that hang below each other without an end would make them grow so.
const maxPath = 1 << 16

// Entries yields the files below the root, depth first in the order stored. The root itself is not yielded.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		r.budget = 1<<20 + 4*r.src.Size()
		seen := map[address]bool{}
		first := map[address]string{}
		var walk func(path string, at address) bool
		walk = func(path string, at address) bool {
			var err error
			switch {
			case seen[at]:
				err = format.Errorf(artifact.Damaged, 0, "udf: directory %q has another name already", path)
			case len(path) > maxPath:
				err = format.Errorf(artifact.Limit, 0, "udf: path of %d bytes", len(path))
			}
			if err != nil {
				return yield(format.Entry{}, err)
			}
			seen[at] = true
			list, err := r.directory(at)
			if err != nil && !yield(format.Entry{}, err) {
				return false
			}
			for _, d := range list {
				e, dir := r.entry(path+d.name, d, first)
				if !yield(e, nil) || dir && !walk(path+d.name+"/", d.at) {
					return false
				}
			}
			return true
		}
		walk("", r.root)
	}
}

// entry makes the entry of d and reports whether it is a directory.
func (r *Reader) entry(path string, d dirent, first map[address]string) (format.Entry, bool) {
	e := format.Entry{Path: path}
	n, err := r.inode(d.at)
	if err != nil {
		e.Open = func() (io.Reader, error) { return nil, err }
		return e, false
	}
	e.Mode, e.UID, e.GID, e.ModTime, e.Size = n.mode, n.uid, n.gid, n.mtime, n.size
	switch n.kind {
	case kindDir:
		e.Mode, e.Size = e.Mode|fs.ModeDir, 0
		return e, true
	case kindLink:
		target, err := r.target(n)
		e.Mode, e.Link, e.Size = e.Mode|fs.ModeSymlink, target, int64(len(target))
		if err != nil {
			e.Problems = append(e.Problems, artifact.Problem{Kind: artifact.Damaged, At: artifact.Range{Off: n.off}, Detail: err.Error()})
		}
		return e, false
	}
	if path, ok := first[d.at]; ok {
		e.HardLink, e.Size = path, 0
		return e, false
	}
	first[d.at] = path
	if len(n.extents) == 1 && n.extents[0].off >= 0 && n.extents[0].n >= n.size {
		if w := (artifact.Range{Off: n.extents[0].off, Len: n.size}); w.Within(r.src.Size()) {
			e.Window = &w
			return e, false
		}
	}
	e.Open = func() (io.Reader, error) { return r.open(n) }
	return e, false
}
