package elf

import (
	"bytes"
	stdelf "debug/elf"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
)

// compare reads b with the standard library and fails t on any difference in what both read.
func compare(t *testing.T, name string, b []byte) {
	t.Helper()
	got, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatalf("Read(%s) = %v", name, err)
	}
	citations(t, name, b, got)
	std, err := stdelf.NewFile(bytes.NewReader(b))
	if err != nil || len(std.Sections) == 0 {
		return // it cannot read these
	}
	if len(got.Problems) > 0 {
		t.Errorf("%s: problems %v, want none", name, got.Problems)
	}
	type basics struct {
		Type, Machine                          uint16
		Entry                                  uint64
		Big                                    bool
		Interp                                 string
		Soname, Needed, Rpath, Runpath         []string
		BuildID                                string
		Segments, Sections, Exports, Imports   int
		SectionNames, ExportNames, ImportNames []string
	}
	dynamic := func(tag stdelf.DynTag) []string {
		s, _ := std.DynString(tag)
		return append([]string{}, s...)
	}
	want := basics{
		Type: uint16(std.Type), Machine: uint16(std.Machine), Entry: std.Entry, Big: std.Data == stdelf.ELFDATA2MSB,
		Soname: dynamic(stdelf.DT_SONAME), Needed: dynamic(stdelf.DT_NEEDED), Rpath: dynamic(stdelf.DT_RPATH), Runpath: dynamic(stdelf.DT_RUNPATH),
		Segments: len(std.Progs), Sections: len(std.Sections),
	}
	for _, p := range std.Progs {
		if p.Type == stdelf.PT_INTERP {
			at := b[p.Off : p.Off+p.Filesz]
			want.Interp = string(bytes.TrimRight(at, "\x00"))
		}
	}
	for _, s := range std.Sections {
		want.SectionNames = append(want.SectionNames, s.Name)
	}
	if s := std.Section(".note.gnu.build-id"); s != nil {
		if d, err := s.Data(); err == nil && len(d) > 16 {
			want.BuildID = hex.EncodeToString(d[16:])
		}
	}
	symbols, _ := std.DynamicSymbols()
	if std.Type == stdelf.ET_REL {
		symbols, _ = std.Symbols()
	}
	for _, s := range symbols {
		v := s.Name + "@" + s.Version
		switch bind, kind := stdelf.ST_BIND(s.Info), stdelf.ST_TYPE(s.Info); {
		case bind == stdelf.STB_LOCAL, kind == stdelf.STT_FILE, kind == stdelf.STT_SECTION, s.Name == "":
		case s.Section == stdelf.SHN_UNDEF:
			want.ImportNames = append(want.ImportNames, v+"@"+s.Library)
		default:
			want.ExportNames = append(want.ExportNames, v)
		}
	}
	texts := func(v ...Value) []string {
		out := []string{}
		for _, v := range v {
			if v.Text != "" || v.At.Len > 0 || v.At.Off > 0 {
				out = append(out, v.Text)
			}
		}
		return out
	}
	have := basics{
		Type: uint16(got.Type), Machine: uint16(got.Machine), Entry: got.Entry, Big: got.Order.String() == "BigEndian",
		Interp: got.Interp.Text, Soname: texts(got.Soname), Needed: texts(got.Needed...), Rpath: texts(got.Rpath...), Runpath: texts(got.Runpath...),
		Segments: len(got.Segments), Sections: len(got.Sections),
	}
	if want.BuildID != "" {
		have.BuildID = got.BuildID.Text
	}
	for _, s := range got.Sections {
		have.SectionNames = append(have.SectionNames, s.Name)
	}
	for _, s := range got.Exports {
		have.ExportNames = append(have.ExportNames, s.Name+"@"+s.Version)
	}
	for _, s := range got.Imports {
		have.ImportNames = append(have.ImportNames, s.Name+"@"+s.Version+"@"+s.Library)
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("%s (-debug/elf +Read):\n%s", name, d)
	}
}

// citations fails t unless the range of each value holds the value.
func citations(t *testing.T, name string, b []byte, f *File) {
	t.Helper()
	check := func(text string, at artifact.Range) {
		if text == "" {
			return
		}
		if !at.Within(int64(len(b))) {
			t.Errorf("%s: %q is said to stand at %v of %d bytes", name, text, at, len(b))
		} else if got := string(b[at.Off:at.End()]); got != text {
			t.Errorf("%s: bytes at %v are %q, want %q", name, at, got, text)
		}
	}
	values := append([]Value{f.Interp, f.Soname}, f.Needed...)
	values = append(append(append(values, f.Rpath...), f.Runpath...), f.Comments...)
	for _, v := range values {
		check(v.Text, v.At)
	}
	for _, s := range append(f.Exports[:len(f.Exports):len(f.Exports)], f.Imports...) {
		check(s.Name, s.At)
	}
	for _, m := range f.Modinfo {
		check(m.Key+"="+m.Value, m.At)
	}
	if at := f.BuildID.At; f.BuildID.Text != "" {
		if got := hex.EncodeToString(b[at.Off:at.End()]); got != f.BuildID.Text {
			t.Errorf("%s: build-id at %v is %s, want %s", name, at, got, f.BuildID.Text)
		}
	}
	for _, p := range f.Problems {
		if !p.At.Within(int64(len(b))) {
			t.Errorf("%s: problem %v at %v of %d bytes", name, p, p.At, len(b))
		}
	}
	if f.End < 0 || f.End > int64(len(b)) {
		t.Errorf("%s: ends at %#x of %#x bytes", name, f.End, len(b))
	}
}

// TestAgainstStandardLibrary reads what executables this system has, and those below
// $HALLMARK_ELF_DIR, with debug/elf too.
func TestAgainstStandardLibrary(t *testing.T) {
	left := 150
	if testing.Short() {
		left = 20
	}
	dirs := []string{"/usr/bin", "/usr/lib", "/lib/modules"}
	if dir := os.Getenv("HALLMARK_ELF_DIR"); dir != "" {
		dirs, left = []string{dir}, 1<<30
	}
	n := 0
	for _, dir := range dirs {
		left := left
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil
			}
			if left == 0 {
				return filepath.SkipAll
			}
			if info, err := d.Info(); err != nil || info.Size() > 32<<20 || strings.HasSuffix(path, ".debug") {
				return nil
			}
			b, err := os.ReadFile(path)
			if err != nil || !bytes.HasPrefix(b, []byte(stdelf.ELFMAG)) {
				return nil
			}
			left--
			n++
			compare(t, path, b)
			return nil
		})
	}
	t.Logf("%d files compared", n)
}
