package ubifs

import (
	"encoding/binary"
	"math/bits"

	"hallmark/unpack/format"
)

// The LEB properties tree says how full blocks are and nothing of files. Its nodes are packed bit
// by bit, one behind the other: 16 bits of CRC over what follows, 4 bits of type. Kinds and sizes
// are those of the kernel's fs/ubifs/lpt.c, do_calc_lpt_geom.
const (
	flagBigLPT = 0x2
	lptFanout  = 4
	lptHead    = 16 + 4 // bits of CRC and type
	lptTypes   = 4      // pnode, nnode, ltab, lsave
)

// readProperties reads the nodes of the tree whose CRC is good. What else stands between them is
// left unread.
func (r *Reader) readProperties() {
	s := &r.super
	if s.most < 1 || s.lptLEBs < 1 || s.lptLEBs > s.lebs || s.saved > s.most {
		return
	}
	leb := uint32(s.leb)
	number := 0
	if s.flags&flagBigLPT != 0 {
		number = bits.Len32((s.most+lptFanout-1)/lptFanout - 1)
	}
	size := [lptTypes]int{
		lptHead + number + (2*(bits.Len32(leb)-3)+1)*lptFanout,
		lptHead + number + (bits.Len32(s.lptLEBs)+bits.Len32(leb-1))*lptFanout,
		lptHead + int(s.lptLEBs)*2*bits.Len32(leb),
		lptHead + int(s.saved)*bits.Len32(s.most-1),
	}
	minIO := int(max(8, s.minIO))
	b := make([]byte, s.leb)
	for lnum := logLEB + s.logLEBs; lnum < logLEB+s.logLEBs+s.lptLEBs; lnum++ {
		at := int64(lnum) * s.leb
		if at >= r.limit {
			return
		}
		n, _ := format.Summed(r.src).ReadAt(b[:min(s.leb, r.limit-at)], at)
		for pos := 0; pos+3 <= n; {
			if typ := b[pos+2] & 15; typ < lptTypes {
				if k := (size[typ] + 7) / 8; pos+k <= n && crc16(b[pos+2:pos+k]) == binary.LittleEndian.Uint16(b[pos:]) {
					r.src.ReadAt(b[pos:pos+k], at+int64(pos))
					pos += k
					continue
				}
			}
			pos = (pos/minIO + 1) * minIO
		}
	}
}

// crc16 is Linux's: polynomial 0x8005, lowest bit first, begun at ffff.
func crc16(b []byte) uint16 {
	crc := uint16(0xffff)
	for _, c := range b {
		crc ^= uint16(c)
		for range 8 {
			crc = crc>>1 ^ crc&1*0xa001
		}
	}
	return crc
}
