package unpack

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func identified(b []byte) string {
	return identify(&hot{src: io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), buf: make([]byte, hotBlock)})
}

// TestMediaIsWhole checks that a file counts as a picture, font, sound or film only if it is one
// to its end: behind the same first bytes, random ones must stay unread.
func TestMediaIsWhole(t *testing.T) {
	be, le := binary.BigEndian.AppendUint32, binary.LittleEndian.AppendUint32
	noise := make([]byte, 200<<10)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	png := func(tag, data string) string {
		return string(be(nil, uint32(len(data)))) + tag + data + "crc4"
	}
	font := func(size int) string {
		b := be(be(be([]byte("\x00\x01\x00\x00\x00\x01\x00\x10\x00\x00\x00\x00glyf"), 0), 28), uint32(size))
		return string(b)
	}
	wav := func(size int) string {
		return "RIFF" + string(le(nil, uint32(36+size))) + "WAVEfmt \x10\x00\x00\x00" + strings.Repeat("\x01", 16) + "data" + string(le(nil, uint32(size)))
	}
	mp3 := "\xff\xfb\x90\x00" + strings.Repeat("a", 413)
	ogg := "OggS\x00" + strings.Repeat("\x00", 21) + "\x01\x05hello"
	cases := []struct{ typ, whole, begin, end string }{
		{"png", "\x89PNG\r\n\x1a\n" + png("IHDR", "0123456789012") + png("IDAT", "data") + png("IEND", ""), "\x89PNG\r\n\x1a\n", "\x00\x00\x00\x00IEND\xaeB`\x82"},
		{"gif", "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x00\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;", "GIF89a", "\x00"},
		{"jpeg", "\xff\xd8\xff\xe0\x00\x04JF\xff\xda\x00\x02abc\xff\x00def\xff\xd0gh\xff\xd9", "\xff\xd8\xff", "\xff\xd9"},
		{"font", font(8) + "outlines", "\x00\x01\x00\x00\x00\x10", ""},
		{"font", "wOFF\x00\x01\x00\x00\x00\x00\x00\x10data", "wOFF", ""},
		{"ogg", ogg + ogg, ogg, ""},
		{"mp3", "ID3\x03\x00\x00\x00\x00\x00\x02ab" + mp3 + mp3, "ID3\x03\x00\x00\x00\x00\x00\x02ab" + mp3, ""},
		{"wav", wav(6) + "sounds", string(le([]byte("RIFF"), uint32(len(noise)+4))) + "WAVE", ""},
		{"video", "\x00\x00\x00\x0cftypisom\x00\x00\x00\x0cmdatfilm", "\x00\x00\x00\x0cftypisom", ""},
	}
	for _, c := range cases {
		if got := identified([]byte(c.whole)); got != c.typ {
			t.Errorf("identify(%q) = %q, want %q", c.whole, got, c.typ)
		}
		hidden := append(append([]byte(c.begin), noise...), c.end...)
		if got := identified(hidden); got != "" {
			t.Errorf("identify(%q, noise, %q) = %q, want none", c.begin, c.end, got)
		}
		for n := range len(c.whole) {
			identified([]byte(c.whole[:n])) // must end
		}
	}
}
