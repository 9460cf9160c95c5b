package kernel

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func all() []format.Format { return []format.Format{ZImage, Image, BzImage, Config} }

func TestGolden(t *testing.T) {
	for _, f := range all() {
		t.Run(f.Name, func(t *testing.T) { formattest.Golden(t, f) })
	}
}

func TestTruncation(t *testing.T) {
	for _, f := range all() {
		t.Run(f.Name, func(t *testing.T) { formattest.Truncation(t, f) })
	}
}

func FuzzOpenZImage(f *testing.F)  { formattest.Fuzz(f, ZImage) }
func FuzzOpenImage(f *testing.F)   { formattest.Fuzz(f, Image) }
func FuzzOpenBzImage(f *testing.F) { formattest.Fuzz(f, BzImage) }
func FuzzOpenConfig(f *testing.F)  { formattest.Fuzz(f, Config) }

func TestEdges(t *testing.T) {
	for _, tt := range []struct {
		f        format.Format
		file     string
		from, to string // replaced once
		want     string // "" if it is not the format any more
	}{
		{ZImage, "gzip", "\x1f\x8b\x08\x00", "\x00\x00\x00\x00", "3308 \"kernel\""}, // no stream
		{ZImage, "gzip", "\x00\x00\xa0\xe1", "\x01\x00\xa0\xe1", "piggy"},           // words before the five do not count
		{ZImage, "gzip", "\x00\x00\xa0\xe1\x18\x28\x6f\x01", "\x00\x00\xa0\xe1\x18\x28\x6f\x02", "piggy"},
		{ZImage, "gzip", "KLSZ", "none", "2012 \"piggy\""}, // no length word: to the end of the image
		{Image, "efi", "\x00\x80\x00\x00\x00\x00\x00\x00", "\x00\x80\x00\x00\x00\x00\x00\x80", ""},
		{Image, "efi", "PE\x00\x00", "PE\x00\x01", "size 5218"}, // fills the content
		{BzImage, "xz", "HdrS\x0f\x02", "HdrS\x07\x02", "attr protocol=\"2.07\""},
		{BzImage, "xz", "\x55\xaa", "\x55\xab", ""},
		{Config, "config", "IKCFG_ED", "IKCFG_EX", ""},
	} {
		b, err := os.ReadFile("../../testdata/" + tt.f.Name + "/" + tt.file + "/input")
		if err != nil {
			t.Fatal(err)
		}
		c := bytes.Replace(b, []byte(tt.from), []byte(tt.to), 1)
		l := formattest.List(c, tt.f, 1<<20)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("%s/%s, %q: %v\n%s\nlacks %q", tt.f.Name, tt.file, tt.from, l.Err, l, tt.want)
		}
	}
}
