package literal

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

type found struct {
	Off     int64
	Pattern int
}

// byIndex is the oracle: one search for each pattern.
func byIndex(patterns []Pattern, b []byte) []found {
	var out []found
	folded := make([]byte, len(b))
	for i, c := range b {
		folded[i] = lower(c)
	}
	for i, p := range patterns {
		text, want := b, []byte(p.Bytes)
		if p.Fold {
			text, want = folded, make([]byte, len(want))
			for j := range want {
				want[j] = lower(p.Bytes[j])
			}
		}
		for off := 0; ; off++ {
			j := bytes.Index(text[off:], want)
			if j < 0 {
				break
			}
			off += j
			out = append(out, found{int64(off), i})
		}
	}
	slices.SortFunc(out, func(x, y found) int {
		return cmp.Or(cmp.Compare(x.Off, y.Off), cmp.Compare(x.Pattern, y.Pattern))
	})
	return out
}

func check(t *testing.T, patterns []Pattern, b []byte) {
	t.Helper()
	want := byIndex(patterns, b)
	s := Compile(patterns)
	var scan, read []found
	s.Scan(b, func(p, off int) bool { scan = append(scan, found{int64(off), p}); return true })
	if d := gocmp.Diff(want, scan); d != "" {
		t.Errorf("Scan of %d bytes for %d patterns (-want +got):\n%s", len(b), len(patterns), d)
	}
	const at = 100
	r := bytes.NewReader(append(make([]byte, at), b...))
	if err := s.ScanReader(r, at, int64(len(b)), func(p int, off int64) bool {
		read = append(read, found{off - at, p})
		return true
	}); err != nil {
		t.Error(err)
	}
	if d := gocmp.Diff(want, read); d != "" {
		t.Errorf("ScanReader of %d bytes for %d patterns (-want +got):\n%s", len(b), len(patterns), d)
	}
}

func TestAgainstIndex(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	for round := range 60 {
		alphabet := []string{"ab", "abAB", "abcdefghABCDEFGH0123\x00", "\x00\xff\x20@`[{aA"}[round%4]
		b := make([]byte, rnd.Intn(3000))
		if round%10 == 9 {
			b = make([]byte, block+rnd.Intn(2*block))
			alphabet = "abcdefghABCDEFGH\x00"
		}
		for i := range b {
			b[i] = alphabet[rnd.Intn(len(alphabet))]
		}
		var patterns []Pattern
		for range rnd.Intn(40) {
			n := MinLen + rnd.Intn(20)
			if round%3 == 0 {
				n += 6
			}
			p := Pattern{Fold: rnd.Intn(3) == 0 && round%5 > 0}
			if len(b) > n && rnd.Intn(2) == 0 {
				off := rnd.Intn(len(b) - n)
				p.Bytes = string(b[off : off+n])
			} else {
				for range n {
					p.Bytes += string(alphabet[rnd.Intn(len(alphabet))])
				}
			}
			patterns = append(patterns, p)
		}
		check(t, patterns, b)
	}
}

// TestBorders puts patterns of all lengths across the borders of blocks and at both ends.
func TestBorders(t *testing.T) {
	var patterns []Pattern
	b := bytes.Repeat([]byte{'.'}, 2*block+1000)
	for i, n := range []int{2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 255, 256} {
		p := strings.Repeat(string(rune('a'+i)), n-1) + "|"
		patterns = append(patterns, Pattern{Bytes: p})
		copy(b[block-n/2:], p)
		check(t, patterns, b)
		copy(b, p)
		check(t, patterns, b)
		copy(b[len(b)-n:], p)
		check(t, patterns, b)
	}
}

func TestStop(t *testing.T) {
	s := Compile([]Pattern{{Bytes: "ab"}, {Bytes: "abab"}})
	n := 0
	s.Scan([]byte("abababab"), func(int, int) bool { n++; return n < 3 })
	if n != 3 {
		t.Errorf("hit was called %d times, want 3", n)
	}
}

func TestCompilePanics(t *testing.T) {
	for _, n := range []int{0, 1, MaxLen + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Compile took a pattern of %d bytes", n)
				}
			}()
			Compile([]Pattern{{Bytes: strings.Repeat("x", n)}})
		}()
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("the quick brown fox"), "qu\nquick\nbrown fox\nick brow")
	f.Add([]byte("aAaAaAaAaAaAaA"), "aa\naaaa\nAAAAAAAA")
	f.Fuzz(func(t *testing.T, b []byte, list string) {
		var patterns []Pattern
		for i, p := range strings.Split(list, "\n") {
			if len(p) >= MinLen && len(p) <= MaxLen && i < 50 {
				patterns = append(patterns, Pattern{p, i%2 == 1})
			}
		}
		check(t, patterns, b)
	})
}

// firmwareLike makes bytes with the mix that executables have: code, words and holes. The words
// are those of manyPatterns, so samples pass the filter far more often than in real files.
func firmwareLike(n int) []byte {
	rnd := rand.New(rand.NewSource(7))
	var b []byte
	for len(b) < n {
		switch rnd.Intn(4) {
		case 0:
			b = append(b, make([]byte, rnd.Intn(2000))...)
		case 1:
			for range 200 {
				b = append(b, words[rnd.Intn(len(words))]...)
				b = append(b, " _\x00/"[rnd.Intn(4)])
			}
		default:
			for range 500 {
				b = append(b, byte(rnd.Intn(256)), byte(rnd.Intn(16)), byte(rnd.Intn(4)<<4), 0xe5)
			}
		}
	}
	return b[:n]
}

var words = strings.Fields(`error failed open close read write device channel stream video audio codec encode decode
 init deinit start stop get set create destroy handle buffer frame rate width height config param invalid null pointer
 memory alloc free thread mutex lock socket connect accept listen send recv http rtsp server client user password login
 network address port mask gateway time zone date record playback search disk format upgrade version firmware system
 reboot shutdown temperature sensor image mirror exposure gain white balance motion detect alarm input output serial`)

// manyPatterns makes patterns of 8 to 24 bytes that read like those of a signature file.
func manyPatterns(n int) []Pattern {
	rnd := rand.New(rand.NewSource(3))
	out := make([]Pattern, n)
	for i := range out {
		s := ""
		for want := 8 + rnd.Intn(16); len(s) < want; {
			s += words[rnd.Intn(len(words))] + fmt.Sprint(string("_ ./:"[rnd.Intn(5)]))
		}
		out[i].Bytes = s[:min(len(s), 24)]
	}
	return out
}

func BenchmarkCompile(b *testing.B) {
	patterns := manyPatterns(10000)
	for b.Loop() {
		Compile(patterns)
	}
}

// BenchmarkPrefix looks for many names of one family in text that is full of them.
func BenchmarkPrefix(b *testing.B) {
	var patterns []Pattern
	var text []byte
	rnd := rand.New(rand.NewSource(5))
	for i := range 2000 {
		name := fmt.Sprintf("LENS_DRV_%s%s%d", words[rnd.Intn(len(words))], words[rnd.Intn(len(words))], i)
		patterns = append(patterns, Pattern{Bytes: name})
		text = append(append(text, strings.ToLower(name[9:])...), "\x00LENS_DRV_other\x00"...)
	}
	text = bytes.Repeat(text, 20)
	s := Compile(patterns)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s.Scan(text, func(int, int) bool { return true })
	}
}

func BenchmarkScan(b *testing.B) {
	text := firmwareLike(16 << 20)
	for _, n := range []int{100, 1000, 10000} {
		for _, fold := range []bool{false, true} {
			patterns := manyPatterns(n)
			for i := range patterns {
				patterns[i].Fold = fold
			}
			s := Compile(patterns)
			b.Run(fmt.Sprintf("patterns=%d/fold=%v", n, fold), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				hits := 0
				for b.Loop() {
					s.Scan(text, func(int, int) bool { hits++; return true })
				}
				b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
			})
		}
	}
}
