package hex

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Types of Intel's records.
const (
	intelData = iota
	intelEnd
	intelSegment // base address, in paragraphs of 16 bytes
	intelStartSegment
	intelLinear // upper 16 bits of the address
	intelStart
)

// intel reads ":", length (1), address (2), type (1), data and checksum, which makes the sum 0.
func intel(t *text, line []byte) (last bool, err error) {
	b := line[1:]
	if line[0] != ':' || len(b) < 5 || len(b) != int(b[0])+5 {
		return false, fmt.Errorf("%q and %d bytes", line[0], len(b))
	}
	if s := sum(b); s != 0 {
		return false, fmt.Errorf("checksum is off by %#02x", s)
	}
	addr, kind, data := binary.BigEndian.Uint16(b[1:]), b[3], b[4:len(b)-1]
	want := [...]int{intelData: len(data), intelEnd: 0, intelSegment: 2, intelStartSegment: 4, intelLinear: 2, intelStart: 4}
	if int(kind) >= len(want) || len(data) != want[kind] {
		return false, fmt.Errorf("record of type %d with %d bytes", kind, len(data))
	}
	switch kind {
	case intelData:
		t.add(t.base+uint64(addr), data)
	case intelEnd:
		return true, nil
	case intelSegment:
		t.base = uint64(binary.BigEndian.Uint16(data)) << 4
	case intelLinear:
		t.base = uint64(binary.BigEndian.Uint16(data)) << 16
	case intelStartSegment, intelStart:
		t.attr("start", fmt.Sprintf("%#08x", binary.BigEndian.Uint32(data)))
	}
	return false, nil
}

// motorola reads "S", type as a digit, length of the rest (1), address (2 to 4, by type), data and
// checksum, which makes the sum of all but the type FF.
func motorola(t *text, line []byte) (last bool, err error) {
	kind, b := line[0]-'0', line[1:]
	if kind > 9 || kind == 4 || len(b) < 4 || len(b) != int(b[0])+1 {
		return false, fmt.Errorf("type %q with %d bytes", line[0], len(b))
	}
	if s := sum(b); s != 0xff {
		return false, fmt.Errorf("checksum is off by %#02x", 0xff-s)
	}
	n := [...]int{0: 2, 1: 2, 2: 3, 3: 4, 5: 2, 6: 3, 7: 4, 8: 3, 9: 2}[kind]
	if len(b) < n+2 {
		return false, fmt.Errorf("type %d with %d bytes", kind, len(b))
	}
	var addr uint64
	for _, x := range b[1 : 1+n] {
		addr = addr<<8 | uint64(x)
	}
	data := b[1+n : len(b)-1]
	switch kind {
	case 0:
		t.attr("header", strings.TrimRight(string(data), "\x00 "))
	case 1, 2, 3:
		t.records++
		t.add(addr, data)
	case 5, 6:
		if uint64(t.records)&(1<<(8*n)-1) != addr {
			return false, fmt.Errorf("%d records counted, %d read", addr, t.records)
		}
		t.counted = true
	default:
		t.attr("start", fmt.Sprintf("%#08x", addr))
		return true, nil
	}
	return false, nil
}
