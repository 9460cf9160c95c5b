package ubi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// volume is a run of LEBs. Its record in the volume table:
//
//	0 reserved PEBs u32, 4 alignment u32, 8 data pad u32, 12 type u8, 13 update marker u8,
//	14 length of the name u16, 16 name [128], 144 flags u8, 168 CRC of 0-167
type volume struct {
	r       *Reader
	id      uint32
	name    string
	typ     byte
	pad     int64
	updated bool  // false if an update was begun and not completed
	lebs    int64 // up to the last one mapped, or as many as a static volume tells
	missing places
}

// readTable finds the volumes by the volume table, of which LEB 0 and 1 of the layout volume are
// copies, and those that it lacks by the headers of their LEBs.
func (r *Reader) readTable() {
	found := map[uint32]*volume{}
	table := false
	var good []byte
	for lnum := uint32(0); lnum < 2; lnum++ {
		v, ok := r.lebs[leb{layoutVolume, lnum}]
		switch n := min(maxVolumes*recordSize, r.lebSize()); {
		case !ok:
		case !table:
			good = r.bytes(v.data, n)
			table = r.parseTable(good, v.data, found)
		default:
			copied := make([]byte, n)
			if got, _ := format.Summed(r.src).ReadAt(copied, v.data); int64(got) == n && bytes.Equal(copied, good) {
				r.bytes(v.data, n) // the same once more: read, too
			}
		}
	}
	if !table {
		clear(found)
		r.problem = append(r.problem, format.Errorf(artifact.Damaged, 0, "ubi: no volume table with good checksums: volumes are named by number"))
	}
	for k, v := range r.lebs {
		if k.volume >= layoutVolume {
			continue
		}
		if found[k.volume] == nil {
			found[k.volume] = &volume{r: r, id: k.volume, typ: v.typ, pad: int64(v.pad), updated: true}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		v := found[id]
		if v.name == "" {
			v.name = fmt.Sprintf("volume-%d", id)
		}
		r.volumes = append(r.volumes, v)
	}
	r.measure(found)
}

func (r *Reader) parseTable(b []byte, at int64, found map[uint32]*volume) bool {
	clear(found)
	records := len(b) / recordSize
	for i := range records {
		rec := b[i*recordSize:][:recordSize]
		if checksum(rec[:168]) != binary.BigEndian.Uint32(rec[168:]) {
			return false
		}
		n := binary.BigEndian.Uint16(rec[14:])
		if binary.BigEndian.Uint32(rec) == 0 || n > 128 {
			continue
		}
		v := &volume{r: r, id: uint32(i), name: string(rec[16:][:n]), typ: rec[12], updated: rec[13] == 0}
		if v.pad = int64(binary.BigEndian.Uint32(rec[8:])); v.pad >= r.lebSize() {
			return false
		}
		found[v.id] = v
		text := "dynamic"
		if v.typ == volumeStatic {
			text = "static"
		}
		if rec[144]&flagAutoresize != 0 {
			text += ", autoresize"
		}
		r.attrs = append(r.attrs, artifact.Attr{
			Name: "volume " + v.name, Value: text, At: artifact.Range{Off: at + int64(i)*recordSize, Len: recordSize},
		})
	}
	return records > 0
}

// measure finds how long each volume is and which of its LEBs are missing.
func (r *Reader) measure(found map[uint32]*volume) {
	mapped := map[uint32]int64{}
	for k, h := range r.lebs {
		v := found[k.volume]
		if v == nil {
			continue
		}
		mapped[k.volume]++
		v.lebs = max(v.lebs, int64(k.lnum)+1)
		if v.typ == volumeStatic && int64(h.used) <= maxSparse*(r.limit/r.peb) {
			v.lebs = max(v.lebs, int64(h.used))
		}
	}
	for _, v := range r.volumes {
		v.missing.n = int(v.lebs - mapped[v.id])
		if v.missing.n == 0 {
			continue
		}
		for lnum := uint32(0); ; lnum++ {
			if _, ok := r.lebs[leb{v.id, lnum}]; !ok {
				v.missing.first = int64(lnum)
				break
			}
		}
		if v.typ != volumeStatic {
			r.attrs = append(r.attrs, artifact.Attr{
				Name: "volume " + v.name, Value: fmt.Sprintf("%d of %d blocks not mapped, first %d", v.missing.n, v.lebs, v.missing.first),
			})
		}
	}
}

// usable returns the number of bytes that v has in one LEB.
func (v *volume) usable() int64 { return v.r.lebSize() - v.pad }

func (v *volume) entry() format.Entry {
	e := format.Entry{Path: v.name, Size: v.size(), Open: func() (io.Reader, error) { return &content{v: v}, nil }}
	damaged := func(text string, args ...any) {
		e.Problems = append(e.Problems, artifact.Problem{Kind: artifact.Damaged, Detail: fmt.Sprintf(text, args...)})
	}
	if !v.updated {
		damaged("ubi: volume %q: an update was not completed", v.name)
	}
	if v.typ == volumeStatic && v.missing.n > 0 {
		damaged("ubi: volume %q: %d of %d blocks missing, first %d", v.name, v.missing.n, v.lebs, v.missing.first)
	}
	return e
}

func (v *volume) size() int64 {
	if v.lebs == 0 || v.typ != volumeStatic {
		return v.lebs * v.usable()
	}
	last := v.usable()
	if h, ok := v.r.lebs[leb{v.id, uint32(v.lebs - 1)}]; ok {
		last = min(last, int64(h.size))
	}
	return (v.lebs-1)*v.usable() + last
}

// content reads a volume LEB by LEB. Missing ones read as FF; the first thing wrong is the error
// at the end.
type content struct {
	v    *volume
	lnum int64
	buf  []byte // rest of the LEB before lnum
	err  error
}

func (c *content) Read(p []byte) (int, error) {
	for len(c.buf) == 0 {
		if c.lnum >= c.v.lebs {
			if c.err != nil {
				return 0, c.err
			}
			return 0, io.EOF
		}
		var err error
		if c.buf, err = c.v.read(c.lnum); err != nil && c.err == nil {
			c.err = err
		}
		c.lnum++
	}
	n := copy(p, c.buf)
	c.buf = c.buf[n:]
	return n, nil
}

// read returns the bytes of one LEB.
func (v *volume) read(lnum int64) ([]byte, error) {
	h, ok := v.r.lebs[leb{v.id, uint32(lnum)}]
	size := v.usable()
	static := v.typ == volumeStatic
	if !ok {
		b := erased(size)
		if static {
			return b, format.Errorf(artifact.Damaged, 0, "ubi: volume %q: block %d missing", v.name, lnum)
		}
		return b, nil
	}
	if static {
		size = min(size, int64(h.size))
	}
	have := min(size, max(0, v.r.limit-h.data))
	b := v.r.bytes(h.data, have)
	switch {
	case int64(len(b)) < have:
		return erased(size), format.Errorf(artifact.Damaged, h.data, "ubi: volume %q: block %d at %#x cannot be read", v.name, lnum, h.data)
	case have < size:
		err := format.Errorf(artifact.Truncated, min(h.data, v.r.limit), "ubi: volume %q: block %d at %#x: %d bytes, %d left", v.name, lnum, h.data, size, have)
		return append(b, erased(size-have)...), err
	case static && checksum(b) != h.crc:
		return b, format.Errorf(artifact.Checksum, h.data, "ubi: volume %q: block %d at %#x: bad checksum", v.name, lnum, h.data)
	}
	return b, nil
}

// erased returns n bytes of erased flash.
func erased(n int64) []byte { return bytes.Repeat([]byte{0xff}, int(n)) }
