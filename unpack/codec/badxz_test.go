package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"testing"

	"github.com/ulikunitz/xz/lzma"
)

// Files that a reader must refuse, each made from a good one; what came out before is kept.
func TestBadXZ(t *testing.T) {
	want := sample(5000)
	good := run(t, want, "xz", "--check=crc32", "-c")
	index := len(good) - xzFooter - 4*int(binary.LittleEndian.Uint32(good[len(good)-8:])+1)
	fixBlockHeader := func(b []byte) {
		n := int(b[12])*4 + 4
		binary.LittleEndian.PutUint32(b[12+n-4:], crc32.ChecksumIEEE(b[12:12+n-4]))
	}
	fixFooter := func(b []byte) {
		f := b[len(b)-xzFooter:]
		binary.LittleEndian.PutUint32(f, crc32.ChecksumIEEE(f[4:10]))
	}
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		out    int // bytes that come out
		err    error
	}{
		"stream flags without their crc": {func(b []byte) []byte { b[7] = 0; return b }, 0, ErrHeader},
		"block header crc":               {func(b []byte) []byte { b[13] ^= 1; return b }, 0, ErrCorrupt},
		"reserved block flags":           {func(b []byte) []byte { b[13] |= 4; fixBlockHeader(b); return b }, 0, ErrCorrupt},
		"unknown filter":                 {func(b []byte) []byte { b[14] = 0x22; fixBlockHeader(b); return b }, 0, ErrCorrupt},
		"dictionary size":                {func(b []byte) []byte { b[16] = 41; fixBlockHeader(b); return b }, 0, ErrCorrupt},
		"block header padding":           {func(b []byte) []byte { b[18] = 1; fixBlockHeader(b); return b }, 0, ErrCorrupt},
		"first chunk keeps a dictionary": {func(b []byte) []byte { b[24] = 0xc0; return b }, 0, ErrCorrupt},
		"reserved chunk type":            {func(b []byte) []byte { b[24] = 3; return b }, 0, ErrCorrupt},
		"lc + lp > 4":                    {func(b []byte) []byte { b[29] = 4 + 9; return b }, 0, ErrCorrupt},
		"check":                          {func(b []byte) []byte { b[index-1] ^= 1; return b }, 5000, ErrChecksum},
		"block padding or end":           {func(b []byte) []byte { b[index-5] ^= 1; return b }, 5000, ErrCorrupt},
		"index crc":                      {func(b []byte) []byte { b[len(b)-13] ^= 1; return b }, 5000, ErrCorrupt},
		"index size":                     {func(b []byte) []byte { b[index+2] ^= 1; return b }, 5000, ErrCorrupt},
		"index count":                    {func(b []byte) []byte { b[index+1] = 2; return b }, 5000, ErrCorrupt},
		"footer crc":                     {func(b []byte) []byte { b[len(b)-12] ^= 1; return b }, 5000, ErrCorrupt},
		"footer flags":                   {func(b []byte) []byte { b[len(b)-3] = 4; fixFooter(b); return b }, 5000, ErrCorrupt},
		"backward size":                  {func(b []byte) []byte { b[len(b)-8]++; fixFooter(b); return b }, 5000, ErrCorrupt},
		"footer magic":                   {func(b []byte) []byte { b[len(b)-1] = 'z'; return b }, 5000, ErrCorrupt},
		"no footer":                      {func(b []byte) []byte { return b[:len(b)-12] }, 5000, io.ErrUnexpectedEOF},
	} {
		src := c.change(bytes.Clone(good))
		dst := make([]byte, len(want))
		if n, err := XZ(dst, src); n != c.out || !errors.Is(err, c.err) || !bytes.Equal(dst[:n], want[:n]) {
			t.Errorf("%s: XZ = %d, %v; want %d, %v", name, n, err, c.out, c.err)
		}
		s, err := NewXZ(bytes.NewReader(src), int64(len(src)), 1<<20)
		var got []byte
		if err == nil {
			got, err = io.ReadAll(s)
		}
		if len(got) != c.out || !errors.Is(err, c.err) || !bytes.Equal(got, want[:len(got)]) {
			t.Errorf("%s: NewXZ: %d bytes, %v; want %d, %v", name, len(got), err, c.out, c.err)
		}
	}
}

// What is damaged decodes like ulikunitz/xz does, as far as that comes: no byte is invented.
func TestDamagedLZMA(t *testing.T) {
	want := sample(20_000)
	good := run(t, want, "xz", "--format=lzma", "-c")
	for i := lzmaHeader; i < len(good); i += 37 {
		src := bytes.Clone(good)
		src[i] ^= 0x40
		got := make([]byte, 3*len(want))
		n, err := LZMA(got, src)
		if err == nil {
			t.Errorf("byte %d changed: no error", i)
		}
		same := 0
		for same < n && same < len(want) && got[same] == want[same] {
			same++
		}
		if theirs := decodeUlikunitz(src); !bytes.Equal(theirs, got[:min(n, len(theirs))]) {
			t.Errorf("byte %d changed: %d bytes, %d like the original; ulikunitz/xz gets %d others", i, n, same, len(theirs))
		}
	}
}

func decodeUlikunitz(src []byte) []byte {
	r, err := lzma.NewReader(bytes.NewReader(src))
	if err != nil {
		return nil
	}
	out, _ := io.ReadAll(io.LimitReader(r, 1<<16))
	return out
}
