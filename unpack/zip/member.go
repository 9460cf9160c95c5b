package zip

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Record signatures, without the PK or DH that goes before them. APPNOTE 4.3.
const (
	localHeader   = 0x0403
	centralHeader = 0x0201
	endRecord     = 0x0605
	end64Record   = 0x0606
	end64Locator  = 0x0706
	descriptor    = 0x0807
)

// signature returns which record begins b, or 0.
func signature(b []byte) uint16 {
	if len(b) < 4 || (b[0] != 'P' || b[1] != 'K') && (b[0] != 'D' || b[1] != 'H') {
		return 0
	}
	return binary.LittleEndian.Uint16(b[2:])
}

// Sizes of the fixed part of records.
const (
	localLen   = 30
	centralLen = 46
)

// Bits of the general purpose flag, and hosts in "version made by". APPNOTE 4.4.
const (
	flagEncrypted  = 1 << 0
	flagMarker     = 1 << 1 // LZMA: the data ends with a marker
	flagLarge      = 1 << 1 // implode: a window of 8 KiB
	flagLiterals   = 1 << 2 // implode: literals are coded
	flagDescriptor = 1 << 3 // sizes and CRC stand behind the data
	flagReserved   = 1<<7 | 1<<8 | 1<<9 | 1<<10 | 1<<12 | 1<<14 | 1<<15

	madeFAT    = 0
	madeUnix   = 3
	madeDarwin = 19
)

// Methods. APPNOTE 4.4.5.
const (
	methodStore     = 0
	methodShrink    = 1
	methodReduce1   = 2 // with a factor of 1
	methodReduce2   = 3
	methodReduce3   = 4
	methodReduce4   = 5
	methodImplode   = 6
	methodDeflate   = 8
	methodDeflate64 = 9
	methodBzip2     = 12
	methodLZMA      = 14
	methodOldZstd   = 20
	methodZstd      = 93
	methodXZ        = 95
	methodAES       = 99
)

// member is one file of the archive, from its local header, its central header or both.
type member struct {
	name     string
	header   int64 // of the local header, from the start of the chunk
	data     int64 // first byte stored
	stored   int64 // bytes stored; -1 until the end is found
	size     int64 // bytes of content as declared, -1 if not known
	crc      uint32
	hasCRC   bool
	method   uint16
	flags    uint16
	made     uint16
	attrs    uint32 // external attributes
	uid, gid uint32
	mtime    int64
	problems []artifact.Problem
	bad      *format.Error // why the content cannot be read
}

// readLocal reads the local header at off. An error means that there is none: every field that can
// be checked is, as the signature alone occurs in many programs.
func readLocal(src format.Source, off int64) (member, error) {
	// 0 signature, 4 version needed, 6 flags, 8 method, 10 time, 12 date, 14 CRC-32, 18 stored, 22 size, 26 name, 28 extra
	var h [localLen]byte
	if _, err := src.ReadAt(h[:], off); err != nil {
		return member{}, fmt.Errorf("local header at %#x: %w", off, err)
	}
	le := binary.LittleEndian
	m := member{header: off, stored: int64(le.Uint32(h[18:])), size: int64(le.Uint32(h[22:])), crc: le.Uint32(h[14:]),
		method: le.Uint16(h[8:]), flags: le.Uint16(h[6:]), mtime: format.DOSTime(le.Uint16(h[12:]), le.Uint16(h[10:]))}
	version, name, extra := le.Uint16(h[4:]), int64(le.Uint16(h[26:])), int64(le.Uint16(h[28:]))
	switch {
	case signature(h[:]) != localHeader:
		return m, fmt.Errorf("local header at %#x: signature %q", off, h[:4])
	case version&0xff > 63 || version>>8 > 20 || m.flags&flagReserved != 0:
		return m, fmt.Errorf("local header at %#x: version %d, flags %#x, method %d", off, version, m.flags, m.method)
	case name == 0 || name > 4096:
		return m, fmt.Errorf("local header at %#x: name of %d bytes", off, name)
	}
	b, err := format.ReadAt(src, off+localLen, name+extra, "zip: name")
	if err != nil {
		return m, err
	}
	if m.name = string(b[:name]); strings.IndexByte(m.name, 0) >= 0 {
		return m, fmt.Errorf("local header at %#x: name %q", off, m.name)
	}
	m.data = off + localLen + name + extra
	m.hasCRC = m.flags&flagDescriptor == 0
	m.extra(b[name:], true)
	if !m.hasCRC && m.stored == 0 {
		m.stored, m.size = -1, -1
	}
	if (m.method > 20 && m.method < 92 || m.method > methodAES) && !follows(src, m.data+m.stored) {
		return m, fmt.Errorf("local header at %#x: method %d", off, m.method)
	}
	return m, nil
}

// follows reports whether another header stands at off. A method that is nobody's is believed if so: it must not hide the members behind.
func follows(src format.Source, off int64) bool {
	var h [4]byte
	_, err := src.ReadAt(h[:], off)
	return err == nil && (signature(h[:]) == localHeader || signature(h[:]) == centralHeader)
}

// known reports whether the member's method can be decoded.
func (m *member) known() bool {
	switch m.method {
	case methodStore, methodShrink, methodReduce1, methodReduce2, methodReduce3, methodReduce4, methodImplode, methodDeflate, methodDeflate64,
		methodBzip2, methodLZMA, methodOldZstd, methodZstd, methodXZ:
		return true
	}
	return false
}

// mode returns type and permission from the external attributes. Their upper half is a Unix mode
// where the host says so, and also if it has type bits: 7-Zip writes those for any host.
func (m *member) mode() fs.FileMode {
	unix := m.attrs >> 16
	dir := strings.HasSuffix(m.name, "/") || m.attrs&0x10 != 0 && m.made>>8 == madeFAT
	if host := m.made >> 8; host == madeUnix || host == madeDarwin || unix&0o170000 != 0 {
		mode := format.UnixMode(unix)
		if mode.IsRegular() && dir {
			mode |= fs.ModeDir
		}
		return mode
	}
	if dir {
		return fs.ModeDir
	}
	return 0
}

// Ids of extra fields: APPNOTE 4.5.2 and Info-ZIP's extrafld.txt.
const (
	extraZip64   = 0x0001
	extraNTFS    = 0x000a
	extraTime    = 0x5455 // "UT"
	extraOldUnix = 0x5855 // "UX"
	extraUnix    = 0x7875 // "ux"
)

// extra reads extra fields of a local or central header. What does not fit its field is passed over.
func (m *member) extra(b []byte, local bool) (offset int64, hasOffset bool) {
	le := binary.LittleEndian
	for len(b) >= 4 {
		id, n := le.Uint16(b), int(le.Uint16(b[2:]))
		b = b[4:]
		if n > len(b) {
			break
		}
		f := b[:n]
		b = b[n:]
		switch id {
		case extraZip64: // only the values that did not fit their 32 bits, in this order
			next := func(v *int64) {
				if *v == 0xffffffff && len(f) >= 8 {
					*v, f = int64(le.Uint64(f)), f[8:]
				}
			}
			next(&m.size)
			next(&m.stored)
			if len(f) >= 8 && !local {
				offset, hasOffset = int64(le.Uint64(f)), true
			}
		case extraTime:
			if n >= 5 && f[0]&1 != 0 {
				m.mtime = int64(int32(le.Uint32(f[1:])))
			}
		case extraOldUnix: // access time, modification time, and in the local header uid and gid
			if n >= 8 {
				m.mtime = int64(int32(le.Uint32(f[4:])))
			}
			if n >= 12 {
				m.uid, m.gid = uint32(le.Uint16(f[8:])), uint32(le.Uint16(f[10:]))
			}
		case extraUnix:
			if n < 1 || f[0] != 1 {
				break
			}
			uid, rest := number(f[1:])
			gid, _ := number(rest)
			m.uid, m.gid = uid, gid
		case extraNTFS: // 4 bytes reserved, then attribute 1 of 24 bytes: three counts of 100 ns since 1601
			if n >= 16 && le.Uint16(f[4:]) == 1 {
				m.mtime = int64(le.Uint64(f[8:])/10_000_000) - 11_644_473_600
			}
		}
	}
	return offset, hasOffset
}

// number reads a length byte and that many bytes, little endian.
func number(b []byte) (v uint32, rest []byte) {
	if len(b) == 0 || int(b[0]) > len(b)-1 {
		return 0, nil
	}
	n := int(b[0])
	for i := min(n, 4); i > 0; i-- {
		v = v<<8 | uint32(b[i])
	}
	return v, b[1+n:]
}
