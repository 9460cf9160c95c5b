package feature

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func extract(t testing.TB, b []byte, o Options) *Set {
	t.Helper()
	s, err := Extract(bytes.NewReader(b), int64(len(b)), o)
	if err != nil {
		t.Fatalf("Extract() = %v", err)
	}
	return s
}

// common counts the features of a that b has too.
func common(a, b *Set, c Class) int {
	n := 0
	for _, f := range a.Lists[c] {
		if slices.ContainsFunc(b.Lists[c], func(g Feature) bool { return f.Hash == g.Hash }) {
			n++
		}
	}
	return n
}

func TestNormalise(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"Failed to open  device 12\n", "failed to open device 0"},
		{"at 0x7ffe12 of 0xZZ", "at 0 of 0xzz"},
		{"Mar 12 2019 10:11:12", "m 0 0 0:0:0"},
		{"Built Tue Mar  3", "built m m 0"},
		{"market is open", "market is open"},
		{"May I help", "m i help"},
		{"key deadbeef01", "key 0"},
		{"utf8 and h264 stay", "utf0 and h0 stay"},
		{"12345678abcdef", "0"},
	} {
		if got, _ := normalise(nil, []byte(tc.in)); string(got) != tc.want {
			t.Errorf("normalise(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

func TestTextIsBoundedByNUL(t *testing.T) {
	count := func(b string) int {
		return len(extract(t, []byte(b), Options{Classes: []Class{Strings}}).Lists[Strings])
	}
	for _, tc := range []struct {
		in   string
		want int
	}{
		{"\x00cannot open the device\x00", 1},
		{"\x01cannot open the device\x00", 0},
		{"\x00cannot open the device\x01", 0},
		{"\x00cannot open\x00the device now\x00", 2},
		{"\x00AVAUATL\x89\x00", 0},
		{"\x00%%%%%%####!!!!\x00", 0},
		{"\x00" + strings.Repeat("long text ", 1000) + "\x00", 1},
	} {
		if got := count(tc.in); got != tc.want {
			t.Errorf("%.40q: %d texts, want %d", tc.in, got, tc.want)
		}
	}
}

// TestBlocks reads the same features wherever a block ends.
func TestBlocks(t *testing.T) {
	text := []byte("\x00the quick brown fox jumps over the lazy dog\x00")
	for shift := range len(text) + 2 {
		b := append(bytes.Repeat([]byte{1}, blockSize-shift), text...)
		if n := len(extract(t, append(b, 1), Options{Classes: []Class{Strings}}).Lists[Strings]); n != 1 {
			t.Errorf("text begins %d bytes before the end of a block: %d texts, want 1", shift, n)
		}
	}
}

func TestPrefixDoesNotMatter(t *testing.T) {
	x := &extractor{}
	words := func(name string) []Feature {
		x.lists[Words], x.bound[Words] = nil, Bound(1)
		x.nameWords([]byte(name), 0)
		return slices.Clone(x.lists[Words])
	}
	for _, tc := range []struct{ a, b string }{
		{"HX_DeviceStartUpgrade", "QQ_DeviceStartUpgrade"},
		{"hx_vi_set_dev_attr", "zz_vi_set_dev_attr"},
		{"HXMpiVencCreateChn", "ABMpiVencCreateChn"},
		{"HX_DEVICE_LOGIN_NOW", "hx_device_login_now"},
	} {
		if a, b := words(tc.a), words(tc.b); len(a) == 0 || !slices.Equal(a, b) {
			t.Errorf("%s gives %v, %s gives %v", tc.a, a, tc.b, b)
		}
	}
	if a := words("HX_open"); len(a) != 0 {
		t.Errorf("HX_open gives %v, want nothing: the rest is a common word", a)
	}
}

func TestWeb(t *testing.T) {
	page := `/* a comment "not read at all" */
function initView(channelList){ var deviceName = channelList.deviceInfo.serialText; $("#videoPanel").show("Please select a channel first"); return {streamKind: 1}; }
.toolbar-left { color: red } #statusLine { color: blue }`
	minified := `function a(b){var c=b.deviceInfo.serialText;$("#videoPanel").show("Please select a channel first");return{streamKind:1}}.toolbar-left{color:green}#statusLine{color:black}`
	a, b := extract(t, []byte(page), Options{}), extract(t, []byte(minified), Options{})
	if a.Kind != "web" || len(a.Lists[Web]) < 6 {
		t.Fatalf("kind %s, %d features", a.Kind, len(a.Lists[Web]))
	}
	if n := common(a, b, Web); n != len(a.Lists[Web])-1 { // all but the colour
		t.Logf("%d of %d features survive minifying", n, len(a.Lists[Web]))
		if n*10 < len(a.Lists[Web])*7 {
			t.Errorf("%d of %d features survive minifying", n, len(a.Lists[Web]))
		}
	}
}

func TestOmit(t *testing.T) {
	b := []byte("\x00acme: cannot open the device\x00cannot close the device\x00")
	if n := len(extract(t, b, Options{Classes: []Class{Strings}, Omit: []string{"acme"}}).Lists[Strings]); n != 1 {
		t.Errorf("%d texts, want 1", n)
	}
}

// TestStrippedIsTheSame reads the same from a file without section headers, all from its segments.
func TestStrippedIsTheSame(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join("..", "testdata", "elf", "shared64", "input"))
	if err != nil {
		t.Fatal(err)
	}
	bare := slices.Clone(whole)
	clear(bare[0x28:0x30]) // e_shoff
	clear(bare[0x3c:0x40]) // e_shnum, e_shstrndx
	a, b := extract(t, whole, Options{}), extract(t, bare, Options{})
	for c := range NumClasses {
		if c == Data {
			continue // the header itself is loaded
		}
		if !slices.Equal(a.Lists[c], b.Lists[c]) {
			t.Errorf("%v: %d features with section headers, %d without", c, len(a.Lists[c]), len(b.Lists[c]))
		}
	}
	if len(a.Lists[Exports]) == 0 {
		t.Error("no exports")
	}
}

func TestARMAndThumb(t *testing.T) {
	d := &arm{order: binary.LittleEndian}
	code := make([]byte, armSpan)
	for i := 0; i < len(code); i += 4 {
		binary.LittleEndian.PutUint32(code[i:], 0xe92d4010)
	}
	if d.block(code); d.thumb {
		t.Error("A32 is taken for T32")
	}
	for i := 0; i < len(code); i += 2 {
		binary.LittleEndian.PutUint16(code[i:], 0xb510)
	}
	if d.block(code); !d.thumb {
		t.Error("T32 is taken for A32")
	}
	// movw r0, #0x5678; movt r0, #0x1234 in both.
	for _, tc := range []struct {
		thumb bool
		code  string
	}{{false, "\x78\x06\x05\xe3\x34\x02\x41\xe3"}, {true, "\x45\xf2\x78\x60\xc1\xf2\x34\x20"}} {
		d := &arm{order: binary.LittleEndian, thumb: tc.thumb}
		d.decode([]byte(tc.code))
		d.decode([]byte(tc.code[4:]))
		if v, ok := d.constant(); !ok || v != 0x12345678 {
			t.Errorf("thumb %v: constant %#x, %v, want 0x12345678", tc.thumb, v, ok)
		}
	}
}

func TestX86Lengths(t *testing.T) {
	for _, tc := range []struct {
		code string
		long bool
	}{
		{"\x55", true},
		{"\x48\x89\xe5", true},
		{"\x48\x83\xec\x10", true},
		{"\x48\x8b\x05\x01\x02\x03\x04", true},
		{"\xe8\x01\x02\x03\x04", true},
		{"\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", true},
		{"\x0f\x84\x01\x02\x03\x04", true},
		{"\x66\x0f\x1f\x84\x00\x00\x00\x00\x00", true},
		{"\xc7\x44\x24\x08\x01\x02\x03\x04", true},
		{"\x66\xc7\x45\xf0\x01\x02", true},
		{"\xf7\xc1\x01\x02\x03\x04", true},
		{"\xf7\xd9", true},
		{"\xf6\x40\x08\x01", true},
		{"\xc5\xf8\x77", true},
		{"\xc5\xfd\x6f\x04\x24", true},
		{"\xc4\xe3\x7d\x39\xc1\x01", true},
		{"\x62\xf1\xfe\x48\x6f\x06", true},
		{"\x0f\x3a\x0f\xc1\x08", true},
		{"\x40", false},
		{"\xa1\x01\x02\x03\x04", false},
		{"\xc4\x07", false},
		{"\x8b\x04\x8d\x01\x02\x03\x04", false},
	} {
		d := &x86{long: tc.long}
		if _, n := d.decode([]byte(tc.code + "\x90\x90\x90\x90\x90\x90\x90\x90")); n != len(tc.code) {
			t.Errorf("% x (long %v): %d bytes, want %d", tc.code, tc.long, n, len(tc.code))
		}
	}
}

// TestSampling keeps memory bounded and the hashes comparable.
func TestSampling(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := &extractor{}
	x.scale[Data], x.bound[Data] = 1, Bound(1)
	for i := range 3 * MaxPerClass {
		x.add(Data, r.Uint64(), int64(i))
	}
	x.compact(Data)
	if n := len(x.lists[Data]); n > MaxPerClass || n < MaxPerClass/3 {
		t.Errorf("%d features kept of %d, at most %d wanted", n, 3*MaxPerClass, MaxPerClass)
	}
	if b := Bound(x.scale[Data]); x.lists[Data][len(x.lists[Data])-1].Hash > b {
		t.Errorf("a hash above the bound %#x is kept", b)
	}
}

func fixtures(t testing.TB) [][]byte {
	names, _ := filepath.Glob(filepath.Join("..", "testdata", "elf", "*", "input"))
	var out [][]byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func FuzzExtract(f *testing.F) {
	for _, b := range fixtures(f) {
		f.Add(b)
	}
	f.Add([]byte("#!/bin/sh\necho starting the service\n"))
	f.Add([]byte(`a.b="c` + "\n'"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := extract(t, b, Options{})
		for c, l := range s.Lists {
			for _, x := range l {
				if x.Off < 0 || x.Off > int64(len(b)) {
					t.Fatalf("%v at %#x of %#x", Class(c), x.Off, len(b))
				}
			}
		}
	})
}

// program is a program of some MiB: HALLMARK_BENCH, or this test.
func program(b *testing.B) []byte {
	name := os.Getenv("HALLMARK_BENCH")
	if name == "" {
		var err error
		if name, err = os.Executable(); err != nil {
			b.Fatal(err)
		}
	}
	data, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

func BenchmarkAll(b *testing.B)     { benchmark(b, Options{}) }
func BenchmarkStrings(b *testing.B) { benchmark(b, Options{Classes: []Class{Strings}}) }

func BenchmarkClass(b *testing.B) {
	for c := range NumClasses {
		b.Run(fmt.Sprint(c), func(b *testing.B) { benchmark(b, Options{Classes: []Class{c}}) })
	}
}

func benchmark(b *testing.B, o Options) {
	data := program(b)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Extract(bytes.NewReader(data), int64(len(data)), o); err != nil {
			b.Fatal(err)
		}
	}
}
