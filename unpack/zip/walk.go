package zip

import (
	"bytes"
	"encoding/binary"
	"io"

	"hallmark/artifact"
)

// walk reads the local headers one after the other from offset 0 on, and returns the directory if it
// comes to one. It needs no directory; where a member does not tell its length, it is decoded.
func (a *archive) walk() (directory, bool) {
	limit := int(a.src.Memory() / 512)
	for pos := int64(0); len(a.members) < limit; {
		var b [4]byte
		n, _ := a.src.ReadAt(b[:], pos)
		switch signature(b[:n]) {
		case localHeader:
			m, err := readLocal(a.src, pos)
			if err != nil {
				break
			}
			next := a.skip(&m)
			a.members = append(a.members, m)
			pos, a.end = next, next
			continue
		case centralHeader:
			return a.directoryAt(pos), true
		case endRecord:
			if d, err := readEnd(a.src, pos); err == nil && d.count == 0 {
				return d, true
			}
		}
		next, ok := a.resync(pos)
		if pos < a.src.Size() || !ok {
			kind := artifact.Damaged
			if pos >= a.src.Size()-4 {
				kind = artifact.Truncated
			}
			a.problem(kind, pos, "zip: no header and no directory at %#x", pos)
		}
		if !ok {
			break
		}
		pos = next
	}
	return directory{}, false
}

// directoryAt returns the directory whose first header is at pos: its end record follows its last.
func (a *archive) directoryAt(pos int64) directory {
	d := directory{start: pos}
	at := d.entries(a.src, func(member) bool { return true })
	d.end = at
	for range 3 { // ZIP64 end record and locator may stand before the end record
		var b [12]byte
		n, _ := a.src.ReadAt(b[:], at)
		switch signature(b[:n]) {
		case end64Record:
			if size := binary.LittleEndian.Uint64(b[4:]); size < 1<<16 {
				at += 12 + int64(size)
			}
		case end64Locator:
			at += locatorLen
		case endRecord:
			end, err := readEnd(a.src, at)
			if err == nil && end.start == pos {
				return end
			}
			if !end.hasEnd { // cut off
				d.end = a.src.Size()
				return d
			}
			// The sizes are wrong, but the record stands where it must.
			d.hasEnd, d.comment, d.end, d.count = true, end.comment, end.end, end.count
			d.offset = pos
			if end.offset > 0 && end.offset <= pos+a.src.Before {
				d.offset = end.offset
			}
			return d
		}
	}
	return d
}

// skip finds where the data of m ends and returns where the next record must be.
func (a *archive) skip(m *member) int64 {
	limit := a.src.Size()
	if m.stored < 0 {
		if !a.measure(m) {
			next, ok := a.resync(m.data)
			if !ok {
				next = limit
			}
			m.stored = next - m.data
			m.note(artifact.Damaged, "zip: member %q at %#x: end not found", m.name, m.header)
			return next
		}
	}
	a.clip(m, limit)
	end := m.data + m.stored
	if m.flags&flagDescriptor == 0 {
		return end
	}
	return a.descriptor(m, end)
}

// descriptor reads the data descriptor at end, which has a signature or not and sizes of 4 or 8 bytes.
// It is the one whose stored size fits. APPNOTE 4.3.9.
func (a *archive) descriptor(m *member, end int64) int64 {
	var buf [24]byte
	n, _ := a.src.ReadAt(buf[:], end)
	b, le := buf[:n], binary.LittleEndian
	skip := int64(0)
	if signature(b) == descriptor {
		b, skip = b[4:], 4
	}
	switch {
	case len(b) >= 20 && le.Uint64(b[4:]) == uint64(m.stored) && (m.stored != 0 || signature(b[12:]) == 0):
		m.crc, m.size, m.hasCRC = le.Uint32(b), int64(le.Uint64(b[12:])), true
		return end + skip + 20
	case len(b) >= 12 && le.Uint32(b[4:]) == uint32(m.stored):
		m.crc, m.size, m.hasCRC = le.Uint32(b), int64(le.Uint32(b[8:])), true
		return end + skip + 12
	}
	return end
}

// measure finds the length of a member of unknown length: by decoding it, or if that does not tell where
// it ends by its descriptor.
func (a *archive) measure(m *member) bool {
	if m.flags&flagEncrypted != 0 || m.method <= methodImplode || !m.known() {
		return a.findDescriptor(m)
	}
	left := a.src.Size() - m.data
	s, err := decoder(m, io.NewSectionReader(a.src, m.data, left), left, a.src.Memory())
	if err != nil {
		return false
	}
	// Deflate makes at most 1032 bytes of one: the bound is on the time that a false candidate may cost.
	if _, err := io.Copy(io.Discard, io.LimitReader(s, 1<<30+32*left)); err != nil {
		return false
	}
	if n, _ := s.Read(make([]byte, 1)); n > 0 {
		return false
	}
	m.stored = s.Consumed()
	return true
}

// findDescriptor searches for a descriptor with a signature that declares as many bytes as lie before it.
func (a *archive) findDescriptor(m *member) bool {
	found := a.search(m.data, a.reach(m.data), func(at int64, b []byte) bool {
		if signature(b) != descriptor || len(b) < 16 {
			return false
		}
		m.stored = at - m.data
		return uint32(m.stored) == binary.LittleEndian.Uint32(b[8:])
	})
	if found < 0 {
		m.stored = -1
	}
	return found >= 0
}

// resync searches for the next local or central header behind damage.
func (a *archive) resync(pos int64) (int64, bool) {
	at := a.search(pos, a.reach(pos), func(at int64, b []byte) bool {
		switch signature(b) {
		case localHeader:
			_, err := readLocal(a.src, at)
			return err == nil
		case centralHeader:
			// Versions and reserved flags as in a local header.
			return len(b) >= 12 && b[6] <= 63 && b[7] <= 20 && binary.LittleEndian.Uint16(b[8:])&flagReserved == 0
		}
		return false
	})
	return at, at >= 0
}

// reach bounds a search that starts at pos: in proportion to what was read up to there, so that
// many false candidates do not cost more than the content is long.
func (a *archive) reach(pos int64) int64 { return min(a.src.Size(), pos+1<<18+64*pos) }

// search calls is for each signature in [pos, end), with up to 16 bytes from it, until it returns true.
func (a *archive) search(pos, end int64, is func(at int64, b []byte) bool) int64 {
	const block, overlap = 1 << 16, 15
	buf := make([]byte, block+overlap)
	for ; pos < end; pos += block {
		n, _ := a.src.ReadAt(buf, pos)
		b := buf[:n]
		for i := 0; i < min(n, block) && pos+int64(i) < end; i++ {
			k := bytes.IndexAny(b[i:min(n, block+1)], "PD")
			if k < 0 {
				break
			}
			if i += k; i < block && signature(b[i:]) != 0 && is(pos+int64(i), b[i:min(n, i+16)]) {
				return pos + int64(i)
			}
		}
	}
	return -1
}

// credible reports whether what was found is an archive, and not a stray header.
func (a *archive) credible() bool {
	if a.hasEnd || len(a.members) > 1 {
		return true
	}
	if len(a.members) == 0 {
		return false
	}
	// One member without a directory. Cut off it must at least decode.
	m := &a.members[0]
	for _, c := range m.name {
		if c < 0x20 {
			return false
		}
	}
	if m.bad != nil || m.stored == 0 {
		return false
	}
	if len(m.problems) == 0 || m.method == methodStore {
		return true
	}
	if !m.known() || m.flags&flagEncrypted != 0 {
		return true
	}
	r, err := a.opener(m)()
	if err != nil {
		return false
	}
	n, _ := io.CopyN(io.Discard, r, 1<<12)
	return n > 0
}
