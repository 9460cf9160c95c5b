package mtdparts

import (
	"bytes"
	"os"
	"reflect"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestGoldenDeviceTree(t *testing.T)     { formattest.Golden(t, DeviceTree) }
func TestTruncationDeviceTree(t *testing.T) { formattest.Truncation(t, DeviceTree) }
func FuzzOpenDeviceTree(f *testing.F)       { formattest.Fuzz(f, DeviceTree) }

// TestDoubtDeviceTree: the same rules hold for tables of device trees.
func TestDoubtDeviceTree(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile("../../testdata/fdtparts/" + name + "/input")
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b, old := read("board"), read("old")
	for name, c := range map[string][]byte{
		"nothing starts there": bytes.ReplaceAll(bytes.ReplaceAll(old, []byte("hsqs"), []byte("none")), []byte("\x27\x05\x19\x56"), []byte("none")),
		"no binding":           bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("fixed-partitions"), []byte("other-partitions")), []byte("partition@0"), []byte("somewhere@0")),
		"cuts the kernel":      bytes.Replace(b, []byte{0, 0, 0x50, 0, 0, 0, 0x30, 0}, []byte{0, 0, 0x50, 0, 0, 0, 1, 0}, 1),
		"longer image":         append(bytes.Clone(b[:0xe000]), bytes.Repeat([]byte{0}, 0x800)...),
		"structure elsewhere":  bytes.Replace(b, []byte{0, 0, 0, 0x38}, []byte{0, 0, 0xff, 0x38}, 1),
		"overlap":              bytes.Replace(b, []byte{0, 0, 0xa0, 0, 0, 0, 0x40, 0}, []byte{0, 0, 0x70, 0, 0, 0, 0x70, 0}, 1),
	} {
		if l := formattest.List(c, DeviceTree, 1<<20); l.Err == nil {
			t.Errorf("%s: accepted as\n%s", name, l)
		}
	}
}

func TestGoldenAnyka(t *testing.T)     { formattest.Golden(t, Anyka) }
func TestTruncationAnyka(t *testing.T) { formattest.Truncation(t, Anyka) }
func FuzzOpenAnyka(f *testing.F)       { formattest.Fuzz(f, Anyka) }

func TestDoubtAnyka(t *testing.T) {
	for _, tt := range []struct {
		what string
		off  int
		to   byte
	}{
		{"number", 0x3000, 16}, {"type", 0x3004, 3}, {"flags", 0x3005, 2}, {"name", 0x3006, 7}, {"size", 0x300e, 1},
		{"order", 0x3031, 0x30}, {"no file system", 0xf000, 0}, {"not Anyka", 0x220, 0},
	} {
		b, err := os.ReadFile("../../testdata/anyka/nor/input")
		if err != nil {
			t.Fatal(err)
		}
		b[tt.off] = tt.to
		if tt.what == "not Anyka" {
			b[4] = 0
		}
		if l := formattest.List(b, Anyka, 1<<20); l.Err == nil {
			t.Errorf("%s: accepted as\n%s", tt.what, l)
		}
	}
}

func TestParse(t *testing.T) {
	type want struct {
		name      string
		off, size int64
		ro        bool
	}
	for _, tt := range []struct {
		in   string
		size int64
		want []want // nil if it does not parse or fit
	}{
		{"d:1k(a),-(b)", 4096, []want{{"a", 0, 1024, false}, {"b", 1024, 3072, false}}},
		{"d:1k(a)ro,0x400@0xC00(b)rolk", 4096, []want{{"a", 0, 1024, true}, {"b", 3072, 1024, true}}},
		{"phys:0:2k,2K(b) console=x", 4096, []want{{"Partition_000", 0, 2048, false}, {"b", 2048, 2048, false}}},
		{"d:4096(a/b)", 4096, []want{{"a_b", 0, 4096, false}}},
		{"d:010(a),-(b)", 4096, []want{{"a", 0, 8, false}, {"b", 8, 4088, false}}}, // octal, as strtoul reads it
		{"d:-(all),1k@0(a)", 4096, []want{{"all", 0, 4096, false}, {"a", 0, 1024, false}}},
		{"d:-(a),1k(b)", 4096, nil},
		{"d:1k(a)", 4096, nil}, // does not reach the end
		{"d:8k(a)", 4096, nil}, // goes beyond it
		{"d:4k(a),0(b)", 4096, nil},
		{"d:4k(a),-(b)", 4096, nil}, // nothing left
		{"d:9223372036854775807g(a)", 4096, nil},
		{"d:4k@99999999g(a)", 4096, nil},
		{"d:4k(a", 4096, nil},
		{"<mtd-def>[;<mtd-def>...]", 4096, nil},
		{"mtdparts=d:4k(a)", 4096, nil}, // the inner one is found by itself
		{"", 4096, nil},
	} {
		var got []want
		if list := parse(tt.in, 0); len(list) > 0 && list[0].place(tt.size) {
			for _, p := range list[0].parts {
				got = append(got, want{p.name, p.at.Off, p.at.Len, p.readOnly})
			}
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("parse(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
}

// TestDoubt: a table is not believed where nothing starts as it says, or something is cut by it.
func TestDoubt(t *testing.T) {
	b, err := os.ReadFile("../../testdata/mtdparts/nested/input")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][]byte{
		"nothing starts there": bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("hsqs"), []byte("none")), []byte("\x27\x05\x19\x56"), []byte("none")),
		"cuts the kernel":      bytes.Replace(b, []byte("0x4000(kernel),0x4000"), []byte("0x0700(kernel),0x7900"), 1),
		"longer image":         append(bytes.Clone(b), 0),
		"overlap":              bytes.Replace(b, []byte("0x4000(root),64k"), []byte("16k@44k(root),64k"), 1),
	} {
		if l := formattest.List(c, Format, 1<<20); l.Err == nil {
			t.Errorf("%s: accepted as\n%s", name, l)
		}
	}
}
