package elf

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write want.txt anew")

// dump writes f a value a line, as want.txt and truth.txt have it.
func dump(f *File) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d-bit %v %v %v, flags %#x, entry %#x, ends at %#x\n", f.Bits, f.Order, f.Machine, f.Type, f.Flags, f.Entry, f.End)
	value := func(name string, values ...Value) {
		for _, v := range values {
			if v.Text != "" {
				fmt.Fprintf(&b, "%s %s\n", name, v.Text)
			}
		}
	}
	value("interp", f.Interp)
	value("soname", f.Soname)
	value("needed", f.Needed...)
	value("rpath", f.Rpath...)
	value("runpath", f.Runpath...)
	value("buildid", f.BuildID)
	value("comment", f.Comments...)
	for _, p := range f.Modinfo {
		fmt.Fprintf(&b, "modinfo %s=%s\n", p.Key, p.Value)
	}
	symbols := func(name string, symbols []Symbol) {
		for _, s := range symbols {
			fmt.Fprintf(&b, "%s %s", name, s.Name)
			if s.Version != "" {
				fmt.Fprintf(&b, "@%s", s.Version)
			}
			fmt.Fprintln(&b)
		}
	}
	symbols("export", f.Exports)
	symbols("import", f.Imports)
	for _, n := range f.Notes {
		fmt.Fprintf(&b, "note %s type %#x at %#x+%d\n", n.Owner, n.Type, n.Desc.Off, n.Desc.Len)
	}
	for _, s := range f.Segments {
		fmt.Fprintf(&b, "segment %#x at %#x+%#x, address %#x+%#x, flags %#x\n", s.Type, s.File.Off, s.File.Len, s.Addr, s.Memory, s.Flags)
	}
	for _, s := range f.Sections {
		fmt.Fprintf(&b, "section %q type %#x at %#x+%#x, flags %#x\n", s.Name, s.Type, s.File.Off, s.File.Len, s.Flags)
	}
	for _, p := range f.Problems {
		fmt.Fprintln(&b, p)
	}
	return b.String()
}

func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	inputs, _ := filepath.Glob(filepath.Join("..", "testdata", "elf", "*", "input"))
	for _, name := range inputs {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Dir(name)] = b
	}
	if len(out) == 0 {
		t.Fatal("testdata/elf holds no case")
	}
	return out
}

func read(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatalf("Read() = %v", err)
	}
	return f
}

func TestGolden(t *testing.T) {
	for dir, b := range fixtures(t) {
		f := read(t, b)
		citations(t, dir, b, f)
		got, file := dump(f), filepath.Join(dir, "want.txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s:\n%s\nwant:\n%s", dir, got, want)
		}
		truth, err := os.ReadFile(filepath.Join(dir, "truth.txt"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for s := bufio.NewScanner(bytes.NewReader(truth)); s.Scan(); {
			if !strings.Contains("\n"+got, "\n"+s.Text()+"\n") {
				t.Errorf("%s: truth is not read: %q", dir, s.Text())
			}
		}
	}
}

// TestTruncation reads every prefix of the fixtures.
func TestTruncation(t *testing.T) {
	for dir, b := range fixtures(t) {
		for n := range b {
			if f, err := Read(bytes.NewReader(b[:n]), int64(n)); err == nil {
				citations(t, fmt.Sprintf("%s cut to %d", dir, n), b[:n], f)
			} else if !errors.Is(err, ErrNotELF) {
				t.Fatalf("Read(%s cut to %d) = %v", dir, n, err)
			}
		}
	}
}

// TestWithoutSections reads the same from what sections would only have repeated.
func TestWithoutSections(t *testing.T) {
	all := fixtures(t)
	whole := read(t, all[filepath.Join("..", "testdata", "elf", "shared64")])
	bare := read(t, all[filepath.Join("..", "testdata", "elf", "sstripped64")])
	if len(bare.Sections) != 0 || len(bare.Problems) != 0 {
		t.Errorf("%d sections, problems %v, want none", len(bare.Sections), bare.Problems)
	}
	whole.Sections, whole.Comments, whole.End = nil, nil, bare.End
	if got, want := dump(bare), dump(whole); got != want {
		t.Errorf("without sections:\n%s\nwith:\n%s", got, want)
	}
}

func TestOverlay(t *testing.T) {
	b := fixtures(t)[filepath.Join("..", "testdata", "elf", "program32")]
	if f := read(t, b); string(b[f.End:]) != "bytes behind the program" {
		t.Errorf("ends at %#x of %#x", f.End, len(b))
	}
}

func TestAllocated(t *testing.T) {
	for dir, b := range fixtures(t) {
		f := read(t, b)
		for _, s := range f.Sections {
			if s.File.Len > 0 && f.Allocated(s.File) != (s.Flags&shfAlloc != 0) && f.Type != Executable {
				t.Errorf("%s: Allocated(%s) = %v, flags %#x", dir, s.Name, f.Allocated(s.File), s.Flags)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, b := range fixtures(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if file, err := Read(bytes.NewReader(b), int64(len(b))); err == nil {
			citations(t, "input", b, file)
			for _, r := range file.AllocatedRanges() {
				file.Allocated(r)
			}
		}
	})
}
