package zip

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// directory is what the records behind the members say. Offsets are from the start of the chunk,
// but for offset, which is as stored.
type directory struct {
	start   int64 // of the first central header
	size    int64 // of all central headers, as declared
	offset  int64 // of the first central header as declared, from wherever the writer counted
	count   uint64
	wide    bool // count has 64 bits, not 16
	disk    uint16
	hasEnd  bool // an end record was found
	end     int64
	comment artifact.Range
}

const (
	endLen       = 22
	end64Len     = 56
	locatorLen   = 20
	maxComment   = 1<<16 - 1
	firstEntries = 4096 // of a directory, in which the entry of the first member must be to find it from the end
)

// findDirectory finds the archive's end record in the last 64 KiB of src, where it is if nothing
// follows the archive. It accepts no record of another archive: one of the entries must be the
// member at offset 0.
func findDirectory(src format.Source) (directory, bool) {
	at := max(0, src.Size()-endLen-maxComment)
	b, err := format.ReadAt(src, at, src.Size()-at, "zip: end record")
	if err != nil {
		return directory{}, false
	}
	tries := 0
	for i := len(b) - endLen; i >= 0 && tries < 64; i-- {
		if b[i+2] != 5 || b[i+3] != 6 || signature(b[i:]) != endRecord {
			continue
		}
		tries++
		d, err := readEnd(src, at+int64(i))
		if err != nil || d.comment.End() > src.Size() {
			continue
		}
		found := false
		n := 0
		d.entries(src, func(m member) bool {
			n++
			found = m.header+d.start-d.offset == 0
			return !found && n < firstEntries
		})
		if found {
			return d, true
		}
	}
	return directory{}, false
}

// readEnd reads the end record at off, and the ZIP64 records before it if there are any.
func readEnd(src format.Source, off int64) (directory, error) {
	// 0 signature, 4 disk, 6 disk of the directory, 8 entries here, 10 entries, 12 size, 16 offset, 20 comment
	b, err := format.ReadAt(src, off, endLen, "zip: end record")
	if err != nil {
		return directory{}, err
	}
	le := binary.LittleEndian
	if signature(b) != endRecord {
		return directory{}, fmt.Errorf("end record at %#x: signature %q", off, b[:4])
	}
	d := directory{
		disk: le.Uint16(b[4:]), count: uint64(le.Uint16(b[10:])), size: int64(le.Uint32(b[12:])), offset: int64(le.Uint32(b[16:])),
		hasEnd: true, comment: artifact.Range{Off: off + endLen, Len: int64(le.Uint16(b[20:]))},
	}
	d.end = min(d.comment.End(), src.Size())
	d.comment.Len = d.end - d.comment.Off
	before := off
	if at, ok := d.read64(src, off); ok {
		before = at
	}
	if d.start = before - d.size; d.size < 0 || d.start < 0 {
		return d, fmt.Errorf("end record at %#x: directory of %d bytes", off, d.size)
	}
	return d, nil
}

// read64 reads the ZIP64 end record that belongs to the end record at off, and returns where it is.
// The locator gives its offset as the writer counted, so it is looked for directly before the locator first.
func (d *directory) read64(src format.Source, off int64) (int64, bool) {
	if off < locatorLen+end64Len {
		return 0, false
	}
	l, err := format.ReadAt(src, off-locatorLen, locatorLen, "zip: locator")
	if err != nil || signature(l) != end64Locator {
		return 0, false
	}
	le := binary.LittleEndian
	declared := int64(le.Uint64(l[8:]))
	for _, at := range [...]int64{off - locatorLen - end64Len, declared, declared - src.Before} {
		// 0 signature, 4 size of the rest (8), 12 made by, 14 needed, 16 disk, 20 disk, 24 entries here (8), 32 entries (8), 40 size (8), 48 offset (8)
		if at < 0 || at > off-locatorLen-end64Len {
			continue
		}
		b, err := format.ReadAt(src, at, end64Len, "zip: ZIP64 end record")
		if err != nil || signature(b) != end64Record {
			continue
		}
		d.count, d.wide = le.Uint64(b[32:]), true
		d.size, d.offset = int64(le.Uint64(b[40:])), int64(le.Uint64(b[48:]))
		return at, true
	}
	return 0, false
}

// entries reads the central headers from d.start on until one is none, and returns where that was.
// The header field of the members is as stored: it counts from wherever the writer counted.
func (d *directory) entries(src format.Source, each func(member) bool) (end int64) {
	r := bufio.NewReaderSize(io.NewSectionReader(src, d.start, src.Size()-d.start), 1<<14)
	at := d.start
	le := binary.LittleEndian
	for {
		// 0 signature, 4 made by, 6 needed, 8 flags, 10 method, 12 time, 14 date, 16 CRC-32, 20 stored, 24 size,
		// 28 name, 30 extra, 32 comment, 34 disk, 36 internal attributes, 38 external, 42 offset of the local header
		var h [centralLen]byte
		if _, err := io.ReadFull(r, h[:]); err != nil || signature(h[:]) != centralHeader {
			return at
		}
		name, extra, comment := int(le.Uint16(h[28:])), int(le.Uint16(h[30:])), int(le.Uint16(h[32:]))
		b := make([]byte, name+extra)
		if _, err := io.ReadFull(r, b); err != nil {
			return at
		}
		if _, err := r.Discard(comment); err != nil {
			return at
		}
		at += int64(centralLen + name + extra + comment)
		m := member{
			name: string(b[:name]), made: le.Uint16(h[4:]), flags: le.Uint16(h[8:]), method: le.Uint16(h[10:]),
			mtime: format.DOSTime(le.Uint16(h[14:]), le.Uint16(h[12:])), crc: le.Uint32(h[16:]), hasCRC: true,
			stored: int64(le.Uint32(h[20:])), size: int64(le.Uint32(h[24:])), attrs: le.Uint32(h[38:]), header: int64(le.Uint32(h[42:])),
		}
		if off, ok := m.extra(b[name:], false); ok && m.header == 0xffffffff {
			m.header = off
		}
		if !each(m) {
			return at
		}
	}
}

// fromDirectory takes the members from the directory. What only the local headers know is kept if
// the directory turns out to be incomplete.
func (a *archive) fromDirectory() {
	d := &a.directory
	walked := a.members
	var listed []member
	limit := int(a.src.Memory() / 512)
	last := d.entries(a.src, func(m member) bool {
		listed = append(listed, m)
		return len(listed) < limit
	})
	complete := d.hasEnd && (d.wide && d.count == uint64(len(listed)) || !d.wide && uint16(d.count) == uint16(len(listed)))
	shift := d.start - d.offset
	if !d.hasEnd { // the first member listed is taken for the one at offset 0
		shift = 0
		if len(listed) > 0 {
			shift = -listed[0].header
		}
		d.end = max(d.end, last)
	}
	a.end = d.end
	local := make(map[int64]int, len(walked))
	for i := range walked {
		local[walked[i].header] = i
	}
	for i := range listed {
		m := &listed[i]
		m.header += shift
		a.locate(m, d.start)
		delete(local, m.header)
	}
	a.members = listed
	if complete {
		a.problems = nil
		return
	}
	a.problem(artifact.Damaged, d.start, "zip: directory at %#x: %d entries read, %d declared", d.start, len(listed), d.count)
	for i := range walked {
		if _, ok := local[walked[i].header]; ok {
			a.members = append(a.members, walked[i])
		}
	}
	if len(walked) == 0 && !complete { // found from the end: the local headers were not read yet
		b := &archive{src: a.src}
		b.walk()
		have := make(map[int64]bool, len(listed))
		for i := range listed {
			have[listed[i].header] = true
		}
		for _, m := range b.members {
			if !have[m.header] {
				a.members = append(a.members, m)
			}
		}
	}
}

// locate finds the data of a member from the directory by its local header, which ends before limit.
func (a *archive) locate(m *member, limit int64) {
	if m.header < 0 || m.header > limit-localLen {
		m.bad = format.Errorf(artifact.Damaged, max(0, m.header), "zip: member %q: local header at %#x lies outside", m.name, m.header)
		m.header, m.stored = max(0, min(m.header, limit)), 0
		return
	}
	l, err := readLocal(a.src, m.header)
	if err != nil {
		if err := a.guess(m); err != nil {
			m.bad, m.stored = err, 0
			return
		}
		l = *m
	}
	if l.name != m.name {
		m.note(artifact.Damaged, "zip: member %q at %#x: its local header calls it %q", m.name, m.header, l.name)
	}
	m.data = l.data
	if m.uid|m.gid == 0 {
		m.uid, m.gid = l.uid, l.gid
	}
	if l.flags&flagDescriptor == 0 && l.stored >= 0 && (m.stored == 0xffffffff || m.stored > limit-m.data) {
		m.stored = l.stored
	}
	if m.size == 0xffffffff && l.size >= 0 {
		m.size = l.size
	}
	a.clip(m, limit)
}

// guess takes a damaged local header for one if the member's name stands where it must.
func (a *archive) guess(m *member) *format.Error {
	var h [localLen]byte
	name := make([]byte, len(m.name))
	a.src.ReadAt(h[:], m.header)
	a.src.ReadAt(name, m.header+localLen)
	extra := int64(binary.LittleEndian.Uint16(h[28:]))
	if string(name) != m.name || m.name == "" {
		return format.Errorf(artifact.Damaged, m.header, "zip: member %q: no local header at %#x", m.name, m.header)
	}
	m.data = m.header + localLen + int64(len(name)) + extra
	m.note(artifact.Damaged, "zip: member %q at %#x: local header is damaged", m.name, m.header)
	return nil
}

// clip bounds the stored bytes of m by limit.
func (a *archive) clip(m *member, limit int64) {
	if m.data > limit {
		m.bad, m.data, m.stored = format.Errorf(artifact.Damaged, m.header, "zip: member %q at %#x: no data", m.name, m.header), limit, 0
		return
	}
	if left := limit - m.data; m.stored < 0 || m.stored > left {
		m.note(artifact.Truncated, "zip: member %q at %#x: %d bytes stored, %d left", m.name, m.header, m.stored, left)
		m.stored = left
	}
}

func (m *member) note(kind artifact.ProblemKind, text string, args ...any) {
	m.problems = append(m.problems, artifact.Problem{Kind: kind, At: artifact.Range{Off: m.header}, Detail: fmt.Sprintf(text, args...)})
}

func (a *archive) problem(kind artifact.ProblemKind, at int64, text string, args ...any) {
	a.problems = append(a.problems, format.Errorf(kind, at, text, args...))
}
