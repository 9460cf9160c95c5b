package artifact

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

func TestMachine(t *testing.T) {
	word := func(order binary.ByteOrder, words ...uint32) []byte {
		r := rand.New(rand.NewPCG(2, 2))
		var b []byte
		for i := range 4096 { // one telling instruction in sixteen, among others
			w := r.Uint32()>>8&0x00ffff | 0xe3000000
			if i%16 == 0 {
				w = words[i/16%len(words)]
			}
			b = append(b, 0, 0, 0, 0)
			order.PutUint32(b[len(b)-4:], w)
		}
		return b
	}
	tests := []struct {
		want string
		in   []byte
	}{
		{"arm-le", word(binary.LittleEndian, 0xe92d4010, 0xe8bd8010)},
		{"arm-be", word(binary.BigEndian, 0xe92d4010, 0xe12fff1e)},
		{"mips-le", word(binary.LittleEndian, 0x27bdffe0, 0x03e00008)},
		{"mips-be", word(binary.BigEndian, 0x27bdffe0, 0x03e00008)},
		{"ppc-be", word(binary.BigEndian, 0x9421ffe0, 0x4e800020)},
		{"arm64-le", word(binary.LittleEndian, 0xa9be7bfd, 0xd65f03c0)},
		{"", random(64 << 10)},
		{"", nil},
	}
	for _, tc := range tests {
		if got := Machine(tc.in); got != tc.want {
			t.Errorf("Machine of %d bytes = %q, want %q", len(tc.in), got, tc.want)
		}
	}
}

func TestPeriodOfXOR(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	plain := make([]byte, 16<<10)
	for i := range plain {
		if r.IntN(4) > 0 { // firmware is full of zeros
			plain[i] = byte(r.Uint32())
		}
	}
	key := random(17)
	for i := range plain {
		plain[i] ^= key[i%len(key)]
	}
	if got := period(plain); got != 17 {
		t.Errorf("period = %d, want 17", got)
	}
	if got := period(random(16 << 10)); got != 0 {
		t.Errorf("period of random bytes = %d", got)
	}
}

func TestCRCTables(t *testing.T) {
	var b []byte
	b = append(b, random(4000)...)
	zlib := crc32.MakeTable(crc32.IEEE)
	second := *zlib
	for i, x := range second {
		second[i] = x>>8 ^ zlib[byte(x)]
	}
	for _, table := range []*crc32.Table{zlib, &second} {
		for _, x := range table {
			b = binary.LittleEndian.AppendUint32(b, x)
		}
	}
	b = append(b, random(400)...)
	at := len(b)
	for _, x := range plainTable(0x04c11db7) {
		b = binary.BigEndian.AppendUint32(b, x)
	}
	got := CRCTables(b)
	want := []Range{{4000, 2048}, {int64(at), 1024}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("CRCTables = %v, want %v", got, want)
	}
	if got := CRCTables(random(32 << 10)); len(got) != 0 {
		t.Errorf("tables in random bytes: %v", got)
	}
}
