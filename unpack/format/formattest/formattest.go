// Package formattest tests one format against the fixtures in testdata/NAME at the module's root.
//
// Each case is a folder with a file "input" (the chunk, perhaps followed by other bytes) and
// "want.txt" (the listing that [List] writes; go test -update writes it anew). If there is a
// "truth.txt", made by the tool that built the input and never by hallmark, every line of it
// must be found in the listing: "sha256  path" for a file, "link path -> target" for a link.
package formattest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

var update = flag.Bool("update", false, "write want.txt anew")

// Cases returns the fixture folders of f.
func Cases(t testing.TB, f format.Format) []string {
	t.Helper()
	inputs, _ := filepath.Glob(filepath.Join("..", "..", "testdata", f.Name, "*", "input"))
	if len(inputs) == 0 {
		t.Fatalf("testdata/%s holds no case with a file named input", f.Name)
	}
	for i := range inputs {
		inputs[i] = filepath.Dir(inputs[i])
	}
	return inputs
}

// Golden compares the listing of every case with its want.txt and truth.txt.
func Golden(t *testing.T, f format.Format) {
	for _, dir := range Cases(t, f) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(dir, "input"))
			if err != nil {
				t.Fatal(err)
			}
			l := List(b, f, 1<<30)
			if l.Err != nil {
				t.Fatalf("Open(%s) = %v", dir, l.Err)
			}
			file := filepath.Join(dir, "want.txt")
			if *update {
				if err := os.WriteFile(file, []byte(l.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.String(); got != string(want) {
				t.Errorf("listing of %s:\n%s\nwant:\n%s", dir, got, want)
			}
			truth, err := os.ReadFile(filepath.Join(dir, "truth.txt"))
			if errors.Is(err, fs.ErrNotExist) {
				return
			}
			for s := bufio.NewScanner(bytes.NewReader(truth)); s.Scan(); {
				if line := s.Text(); line != "" && !l.truths[line] {
					t.Errorf("truth of %s is not in the listing: %q", dir, line)
				}
			}
		})
	}
}

// Truncation opens prefixes of every case: all of a small one, 600 spread over a larger one.
func Truncation(t *testing.T, f format.Format) {
	for _, dir := range Cases(t, f) {
		b, err := os.ReadFile(filepath.Join(dir, "input"))
		if err != nil {
			t.Fatal(err)
		}
		step := max(1, len(b)/600)
		start := time.Now()
		for n := 0; n < len(b); n += step {
			if l := List(b[:n:n], f, 16<<20); l.Err == nil && (l.Size < 0 || l.Size > int64(n)) {
				t.Fatalf("%s cut to %d bytes: Size() = %d, outside the input", dir, n, l.Size)
			}
			if time.Since(start) > 2*time.Minute {
				t.Fatalf("%s: prefixes up to %d bytes took %v", dir, n, time.Since(start))
			}
		}
	}
}

// Fuzz runs f on mutations of its cases: no panic, and an end within the input.
func Fuzz(fz *testing.F, f format.Format) {
	for _, dir := range Cases(fz, f) {
		if b, err := os.ReadFile(filepath.Join(dir, "input")); err == nil && len(b) <= 256<<10 {
			fz.Add(b)
		}
	}
	fz.Fuzz(func(t *testing.T, b []byte) {
		if l := List(b, f, 4<<20); l.Err == nil && (l.Size < 0 || l.Size > int64(len(b))) {
			t.Fatalf("Size() = %d of %d bytes", l.Size, len(b))
		}
	})
}

// Changed returns a check for the cases of f: the byte at off set to a value, the format must
// refuse what is left, or its listing must hold want if that is not empty. What does not add up
// is refused or told.
func Changed(t *testing.T, f format.Format) func(name string, off int, to byte, want string) {
	return func(name string, off int, to byte, want string) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join("..", "..", "testdata", f.Name, name, "input"))
		if err != nil {
			t.Fatal(err)
		}
		b[off] = to
		l := List(b, f, 1<<20)
		if want == "" && l.Err == nil || want != "" && (l.Err != nil || !strings.Contains(l.String(), want)) {
			t.Errorf("%s/%s, byte %#x changed: %v\n%s\nlacks %q", f.Name, name, off, l.Err, l, want)
		}
	}
}

// Listing is what a format makes of some bytes.
type Listing struct {
	Err    error // of Open, or an ErrFormat from Entries
	Size   int64
	lines  []string
	truths map[string]bool
}

func (l *Listing) String() string {
	return fmt.Sprintf("size %d\n%s", l.Size, strings.Join(l.lines, ""))
}

// List opens b with f and reads every entry, up to maxOut bytes in all and 20,000 entries.
func List(b []byte, f format.Format, maxOut int64) *Listing {
	l := &Listing{truths: map[string]bool{}}
	say := func(format string, args ...any) { l.lines = append(l.lines, fmt.Sprintf(format, args...)) }
	c, err := f.Open(format.Source{SectionReader: io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), MaxMemory: 64 << 20})
	if err != nil {
		l.Err = err
		return l
	}
	n := 0
	sums := map[string]string{}
	for e, err := range c.Entries() {
		if err != nil {
			if errors.Is(err, format.ErrFormat) {
				l.Err = err
				return l
			}
			say("problem %s\n", problem(err))
			continue
		}
		if n++; n > 20000 || maxOut <= 0 {
			say("stopped\n")
			break
		}
		say("%s %d:%d %d %q", e.Mode, e.UID, e.GID, e.Size, e.Path)
		switch {
		case e.Link != "":
			say(" -> %q", e.Link)
			l.truths["link "+clean(e.Path)+" -> "+e.Link] = true
		case e.Dev != nil:
			say(" dev %d:%d", e.Dev.Major, e.Dev.Minor)
		case e.HardLink != "":
			say(" = %q", e.HardLink)
			l.truths[sums[clean(e.HardLink)]+"  "+clean(e.Path)] = true
		case e.Mode.IsRegular():
			sum, got, err := drain(b, e, maxOut)
			maxOut -= got
			say(" %d %s", got, sum)
			sums[clean(e.Path)] = sum
			l.truths[sum+"  "+clean(e.Path)] = true
			if err != nil {
				say(" %s", problem(err))
			}
		}
		if e.ModTime != 0 {
			say(" @%d", e.ModTime)
		}
		for _, x := range e.Xattrs {
			say(" %s=%q", x.Name, x.Value)
		}
		for _, p := range e.Problems {
			say(" %s", p)
		}
		say("\n")
	}
	l.Size = c.Size()
	if d, ok := c.(format.Describer); ok {
		for _, a := range d.Describe() {
			say("attr %s=%q @%#x+%d\n", a.Name, a.Value, a.At.Off, a.At.Len)
		}
	}
	return l
}

func drain(b []byte, e format.Entry, maxOut int64) (sum string, n int64, err error) {
	var r io.Reader
	switch {
	case e.Window != nil:
		if !e.Window.Within(int64(len(b))) {
			return "", 0, fmt.Errorf("window %#x+%d outside the input", e.Window.Off, e.Window.Len)
		}
		r = bytes.NewReader(b[e.Window.Off:e.Window.End()])
	case e.Open != nil:
		if r, err = e.Open(); err != nil {
			return "", 0, err
		}
	default:
		return "", 0, errors.New("neither Window nor Open")
	}
	h := sha256.New()
	n, err = io.Copy(h, io.LimitReader(r, maxOut))
	return fmt.Sprintf("%x", h.Sum(nil)), n, err
}

func problem(err error) string {
	var e *format.Error
	if errors.As(err, &e) {
		return artifact.Problem{Kind: e.Kind, At: e.At, Detail: e.Text}.String()
	}
	return "error: " + err.Error()
}

func clean(p string) string { return strings.TrimPrefix(path.Clean("/"+p), "/") }
