package elf

import (
	"encoding/hex"
	"slices"
	"strings"

	"hallmark/artifact"
)

// noteBuildID is NT_GNU_BUILD_ID.
const noteBuildID = 3

// readNotes reads note segments, and note sections that lie in none: Go's linker leaves its
// build-id so, and relocatable files have no segments.
func (m *image) readNotes() {
	var done []artifact.Range
	for _, s := range m.Segments {
		if s.Type == ptNote {
			m.addNotes(s.File, int64(s.Align))
			done = append(done, s.File)
		}
	}
	for _, s := range m.Sections {
		within := func(r artifact.Range) bool { return r.Contains(s.File) }
		if s.Type == shtNote && !slices.ContainsFunc(done, within) {
			m.addNotes(s.File, 4)
		}
	}
}

// addNotes reads entries of owner size, description size, type, owner and description, the
// latter two padded to align.
func (m *image) addNotes(at artifact.Range, align int64) {
	if align != 8 {
		align = 4
	}
	b := m.bytes(at, maxTable)
	pad := func(n int64) int64 { return (n + align - 1) / align * align }
	for off := int64(0); off+12 <= int64(len(b)) && len(m.Notes) < maxEntries; {
		f := m.fields(b[off:])
		nameLen, descLen, kind := int64(f.u32()), int64(f.u32()), f.u32()
		desc := off + pad(12+nameLen)
		if desc+descLen > int64(len(b)) {
			m.problem(artifact.Damaged, artifact.Range{Off: at.Off + off}, "note at %#x: %d + %d bytes, segment has %d", at.Off+off, nameLen, descLen, int64(len(b))-off)
			return
		}
		n := Note{
			Owner: strings.TrimRight(string(b[off+12:off+12+min(nameLen, 256)]), "\x00"),
			Type:  kind,
			Desc:  artifact.Range{Off: at.Off + desc, Len: descLen},
		}
		m.Notes = append(m.Notes, n)
		if n.Owner == "GNU" && kind == noteBuildID && m.BuildID.Text == "" && descLen <= 64 {
			m.BuildID = Value{hex.EncodeToString(b[desc : desc+descLen]), n.Desc}
		}
		off = desc + pad(descLen)
	}
}

// readComments reads .comment: NUL-terminated strings of compilers and linkers, each once.
func (m *image) readComments() {
	seen := map[string]bool{}
	if s := m.Section(".comment"); s != nil {
		for _, v := range m.list(s.File) {
			if !seen[v.Text] && len(m.Comments) < 64 {
				m.Comments = append(m.Comments, v)
				seen[v.Text] = true
			}
		}
	}
}

// readModinfo reads .modinfo: NUL-terminated strings key=value.
func (m *image) readModinfo() {
	s := m.Section(".modinfo")
	if s == nil {
		return
	}
	for _, v := range m.list(s.File) {
		if key, value, ok := strings.Cut(v.Text, "="); ok && key != "" {
			m.Modinfo = append(m.Modinfo, Pair{key, value, v.At})
		}
	}
}

// list returns the strings between NULs of at.
func (m *image) list(at artifact.Range) []Value {
	table := string(m.bytes(at, 1<<20))
	var out []Value
	for off := 0; off < len(table) && len(out) < maxEntries; {
		v, _ := text(table, at.Off, uint64(off))
		if v.Text != "" {
			out = append(out, v)
		}
		off += len(v.Text) + 1
	}
	return out
}
