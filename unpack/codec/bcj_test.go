package codec

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// xz-utils of the day may not know RISC-V, so the encoder is here. It follows the description in
// liblzma's riscv.c for pairs of AUIPC and an instruction, and JAL.
func encodeRISCV(b []byte, pos uint32) {
	for i := 0; i+8 <= len(b); i += 2 {
		v := binary.LittleEndian.Uint32(b[i:])
		at := pos + uint32(i)
		switch {
		case v&0xff == 0xef && v&0xd00 == 0:
			to := v&0xff000 | v>>20&1<<11 | v>>21&0x3ff<<1 | v>>31<<20
			to += at
			b[i+1] = byte(v>>8)&15 | byte(to>>13)&0xf0
			b[i+2], b[i+3] = byte(to>>9), byte(to>>1)
			i += 2
		case v&0x7f != 0x17 || v&0xff == 0xef:
		case v&0xe80 != 0:
			second := binary.LittleEndian.Uint32(b[i+4:])
			if (v<<8^(second-3))&0xf8003 != 0 {
				i += 4
				continue
			}
			to := v&0xfffff000 + uint32(int32(second)>>20) + at
			binary.LittleEndian.PutUint32(b[i:], 0x117|second<<12)
			binary.BigEndian.PutUint32(b[i+4:], to)
			i += 6
		default:
			if (v-0x3117)<<18 >= v>>27&0x1d {
				i += 2
				continue
			}
			second := binary.LittleEndian.Uint32(b[i+4:])
			binary.LittleEndian.PutUint32(b[i:], 0x17|v>>27<<7|second&0xfffff000)
			binary.LittleEndian.PutUint32(b[i+4:], v>>12|second<<20)
			i += 6
		}
	}
}

func TestRISCV(t *testing.T) {
	var code []byte
	add := func(v ...uint32) {
		for _, v := range v {
			code = binary.LittleEndian.AppendUint32(code, v)
		}
	}
	for i := range uint32(200) {
		add(0x000000ef|i<<21, 0xff9ff0ef, 0x00a5a297, 0xfff2b283) // jal ra; jal ra, back; auipc t0 + ld t0
		add(0x00000517+i<<12, 0x7ff50513, 0x00000097, 0x00008067) // auipc a0 + addi; auipc ra + jalr zero
		add(0x00f00117, 0x12345678, 0xdead3117+i<<20, i*77777)    // auipc sp, and what looks like a filtered pair
		code = append(code, 0x01, 0x45)                           // a compressed instruction shifts the rest
	}
	code = append(code, sample(5000)...)
	for _, pos := range []uint32{0, 0x1000} {
		b := bytes.Clone(code)
		encodeRISCV(b, pos)
		if bytes.Equal(b, code) {
			t.Fatal("nothing was filtered")
		}
		if riscV(b, pos); !bytes.Equal(b, code) {
			t.Errorf("from %#x: differs", pos)
		}
	}
}
