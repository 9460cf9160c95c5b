package learnt

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"hallmark/feature"
)

// The file is gzip of: magic, the version of the features, the number of components. A component is
// its three texts, each behind its length, and the number of its files. A file is its digest and
// flags, then as they say its build-id; and its name, the number of its features, how many are
// here, and these as differences. Numbers are varints, of Go's encoding/binary.
const magic = "hallmark components 1\n"

const (
	hasBuild    = 1 << 0
	hasFeatures = 1 << 1

	maxText = 4 << 10 // bytes
)

// Write writes b. The same components give the same bytes, in whatever order they were learnt.
func (b *Base) Write(w io.Writer) error {
	b.prune()
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	out := &writer{w: bufio.NewWriter(z)}
	out.w.WriteString(magic)
	out.number(feature.Version)
	out.number(uint64(len(b.components)))
	for i := range b.components {
		c := &b.components[i]
		for _, s := range []string{c.Name, c.Version, c.Purl} {
			out.number(uint64(len(s)))
			out.w.WriteString(s)
		}
		out.number(uint64(len(c.files)))
		for j := range c.files {
			out.file(&c.files[j])
		}
	}
	return errors.Join(out.w.Flush(), z.Close())
}

// writer leaves errors to the end: bufio keeps the first.
type writer struct{ w *bufio.Writer }

func (w *writer) number(n uint64) {
	w.w.Write(binary.AppendUvarint(nil, n))
}

func (w *writer) file(f *file) {
	w.w.Write(f.digest[:])
	var flags byte
	if f.build != ([8]byte{}) {
		flags |= hasBuild
	}
	if f.total > 0 {
		flags |= hasFeatures
	}
	w.w.WriteByte(flags)
	if flags&hasBuild != 0 {
		w.w.Write(f.build[:])
	}
	if flags&hasFeatures == 0 {
		return
	}
	w.number(f.name)
	w.number(uint64(f.total))
	w.number(uint64(len(f.features)))
	last := uint64(0)
	for _, h := range f.features {
		w.number(h - last)
		last = h
	}
}

// maxBase bounds a base once it is unpacked: a hundred thousand packages have less.
const maxBase = 4 << 30

// Read reads what [Base.Write] wrote.
func Read(r io.Reader) (*Base, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("learnt: no base of components: %w", err)
	}
	in := &reader{r: bufio.NewReader(io.LimitReader(z, maxBase))}
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(in.r, head); err != nil || string(head) != magic {
		return nil, errors.New("learnt: no base of components")
	}
	if v := in.number(); v != feature.Version && in.err == nil {
		return nil, fmt.Errorf("learnt: base of features %d, this program reads %d; learn it again", v, feature.Version)
	}
	b := &Base{}
	for n := in.number(); n > 0 && in.err == nil; n-- {
		c := component{Identity: Identity{in.text(), in.text(), in.text()}}
		for k := in.number(); k > 0 && in.err == nil; k-- {
			c.files = append(c.files, in.file())
		}
		if k := len(b.components); k > 0 && byIdentity(b.components[k-1], c) >= 0 && in.err == nil {
			in.err = errors.New("components out of order")
		}
		b.components = append(b.components, c)
	}
	if in.err == nil {
		if _, err := in.r.ReadByte(); err != io.EOF {
			in.err = errors.New("more behind its end")
		}
	}
	if in.err != nil {
		return nil, fmt.Errorf("learnt: base is damaged: %w", in.err)
	}
	return b, nil
}

type reader struct {
	r   *bufio.Reader
	err error // the first
}

func (r *reader) number() uint64 {
	if r.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(r.r)
	r.err = err
	return n
}

func (r *reader) fill(b []byte) {
	if r.err == nil {
		_, r.err = io.ReadFull(r.r, b)
	}
}

func (r *reader) text() string {
	n := r.number()
	if n > maxText && r.err == nil {
		r.err = fmt.Errorf("a text of %d bytes", n)
	}
	if r.err != nil {
		return ""
	}
	b := make([]byte, n)
	r.fill(b)
	return string(b)
}

func (r *reader) file() (f file) {
	r.fill(f.digest[:])
	var flags [1]byte
	r.fill(flags[:])
	if flags[0]&hasBuild != 0 {
		r.fill(f.build[:])
	}
	if flags[0]&hasFeatures == 0 {
		return f
	}
	f.name = r.number()
	f.total = int(r.number())
	n := r.number()
	if n > maxKept && r.err == nil {
		r.err = fmt.Errorf("%d features of a file", n)
	}
	last := uint64(0)
	for ; n > 0 && r.err == nil; n-- {
		last += r.number()
		f.features = append(f.features, last)
	}
	return f
}
