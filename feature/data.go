package feature

import "encoding/binary"

// windowSize is the bytes of one window of data, and windowStep how far apart windows begin: data
// is aligned to four bytes, and a table of any size holds many windows.
const (
	windowSize = 16
	windowStep = 4
)

// windows adds those windows of b, which stands at off, that begin within its first n bytes.
func (x *extractor) windows(b []byte, n int, off int64) {
	bound := x.bound[Data]
	for i := 0; i < n && i+windowSize <= len(b); i += windowStep {
		lo, hi := binary.LittleEndian.Uint64(b[i:]), binary.LittleEndian.Uint64(b[i+8:])
		if lo == 0 || hi == 0 {
			continue
		}
		if h := hash2(lo, hi); h <= bound && telling(b[i:i+windowSize]) {
			x.add(Data, h, off+int64(i))
			bound = x.bound[Data]
		}
	}
}

// telling reports whether a window is neither text nor filler: eight values of bytes at least, and
// a third of them not printable.
func telling(b []byte) bool {
	var seen [4]uint64
	values, odd := 0, 0
	for _, c := range b {
		if bit := uint64(1) << (c & 63); seen[c>>6]&bit == 0 {
			seen[c>>6] |= bit
			values++
		}
		if !printable[c] {
			odd++
		}
	}
	return values >= 8 && odd*3 >= len(b)
}
