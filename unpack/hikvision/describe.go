package hikvision

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"hallmark/artifact"
)

// attrs collects facts of a header that is little endian throughout.
type attrs struct {
	header []byte
	list   []artifact.Attr
}

func (a *attrs) add(name, value string, off, n int64) {
	a.list = append(a.list, artifact.Attr{Name: name, Value: value, At: artifact.Range{Off: off, Len: n}})
}

func (a *attrs) u32(off int64) uint32 { return binary.LittleEndian.Uint32(a.header[off:]) }

// number adds the field at off unless it is unset (all ones).
func (a *attrs) number(name, verb string, off int64) {
	if v := a.u32(off); v != 0xffffffff {
		a.add(name, fmt.Sprintf(verb, v), off, 4)
	}
}

// Describe returns what the header says. HKWS, by offset:
//
//	4 sum of the bytes from 0xc   10 language       20 length of the package   2c device code[20]
//	8 size of the header          14 device class   24 date, decimal YYMMDD    40 table
//	c number of members           18 OEM code       28 version
//
// A recorder of 2015 leaves 0x18 to 0x33 empty and has a date in BCD at 0x34; an access
// controller leaves 0x20 to 0x3f empty. So date and version are told only where they make sense.
// HK20 has the length at 0x10, the number at 0x14 and the device code at 0x2c.
func (c *container) Describe() []artifact.Attr {
	a := &attrs{header: c.header}
	a.magic(c.magic, c.masked)
	a.add("checksum", c.checksum, 4, 4)
	a.number("header-size", "%d", 8)
	a.number("files", "%d", int64(c.countAt()))
	if c.magic == wrapperMagic {
		a.describeWrapper()
	} else {
		a.describePackage()
	}
	if v := a.u32(int64(c.totalAt())); stated(v) {
		a.add("total", strconv.FormatUint(uint64(v), 10), int64(c.totalAt()), 4)
	}
	return a.list
}

func (a *attrs) magic(magic string, masked bool) {
	a.add("magic", magic, 0, 4)
	if masked {
		a.add("masked", "yes", 0, 4)
	} else {
		a.add("masked", "no", 0, 4)
	}
}

func (a *attrs) describePackage() {
	a.number("language", "%d", 0x10)
	a.number("device-class", "%#x", 0x14)
	a.number("oem-code", "%#x", 0x18)
	date := decimalDate(a.u32(0x24))
	if date != "" {
		v := a.u32(0x28)
		a.add("build-date", date, 0x24, 4)
		a.add("version", fmt.Sprintf("V%d.%d.%d", v>>16&0xff, v>>24, v&0xffff), 0x28, 4)
		a.add("version-raw", fmt.Sprintf("0x%08x", v), 0x28, 4)
	} else if date = bcdDate(a.u32(0x34)); date != "" {
		a.add("build-date", date, 0x34, 4)
	}
	a.deviceCode(0x2c)
}

func (a *attrs) deviceCode(off int64) {
	if s := text(a.header[off : off+20]); len(s) >= 4 {
		a.add("device-code", s, off, int64(len(s)))
	}
}

// describeWrapper adds the codes of the devices that each package is for. The name of a package
// is such a code, or 0x100, the id of the key, the code and 1.
func (a *attrs) describeWrapper() {
	a.deviceCode(0x2c)
	for off := int64(fixedSize); off < int64(len(a.header)); off += entrySize {
		if a.u32(off) != 0x100 {
			a.deviceCode(off)
			continue
		}
		a.number("key-id", "%#x", off+4)
		a.deviceCode(off + 8)
	}
}

// decimalDate reads 170312 as 2017-03-12.
func decimalDate(v uint32) string {
	return date(2000+v/10000, v/100%100, v%100)
}

// bcdDate reads 0x20150315 as 2015-03-15.
func bcdDate(v uint32) string {
	n, err := strconv.ParseUint(fmt.Sprintf("%x", v), 10, 32)
	if err != nil {
		return ""
	}
	return date(uint32(n/10000), uint32(n/100%100), uint32(n%100))
}

func date(y, m, d uint32) string {
	if y < 2005 || y > 2060 || m < 1 || m > 12 || d < 1 || d > 31 {
		return ""
	}
	return fmt.Sprintf("%d-%02d-%02d", y, m, d)
}
