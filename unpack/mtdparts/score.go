package mtdparts

import (
	"bytes"
	"encoding/binary"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// score says how well a table fits what stands in the image.
type score struct {
	known  int // partitions that begin with a file system, boot image or the like
	empty  int // partitions that begin erased
	other  int // partitions that begin with anything else
	broken bool
}

// believable asks for two partitions, behind the first, that start where something starts.
func (s score) believable() bool { return !s.broken && s.known >= 1 && s.known+s.empty >= 2 }

func (s score) better(o score) bool {
	if s.known != o.known {
		return s.known > o.known
	}
	return s.other < o.other || o.known == 0
}

func rate(src format.Source, parts []partition) (s score) {
	head := make([]byte, 4096)
	for _, p := range parts {
		if p.at.Off == 0 {
			continue
		}
		n, _ := src.ReadAt(head[:min(int64(len(head)), p.at.Len)], p.at.Off)
		switch b := head[:n]; {
		case longer(b, p.at):
			s.broken = true
		case known(b):
			s.known++
		case len(bytes.TrimLeft(b, "\xff")) == 0:
			s.empty++
		default:
			s.other++
		}
	}
	return s
}

// The beginnings that count, in both byte orders where there are two.
var starts = [...]string{
	"hsqs", "sqsh", // SquashFS
	"\x85\x19\x01\xe0", "\x85\x19\x02\xe0", "\x85\x19\x03\x20", "\x19\x85\xe0\x01", "\x19\x85\xe0\x02", "\x19\x85\x20\x03", // JFFS2 nodes
	"\x45\x3d\xcd\x28", "\x28\xcd\x3d\x45", // CramFS
	"\x27\x05\x19\x56",         // uImage
	"\xd0\x0d\xfe\xed",         // device tree, FIT
	"UBI#", "\x31\x18\x10\x06", // UBI, UBIFS
	"-rom1fs-", "\x1f\x8b\x08", "\xfd7zXZ\x00", "BUHD", "CKSM",
}

func known(b []byte) bool {
	for _, s := range starts {
		if bytes.HasPrefix(b, []byte(s)) {
			return true
		}
	}
	return len(b) > 5 && (environment(b[4:]) || environment(b[5:]))
}

// environment reports whether b begins with "name=", as that of U-Boot does behind its CRC.
func environment(b []byte) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	name, _, ok := strings.Cut(string(b[:min(len(b), 40)]), "=")
	return ok && len(name) > 2 && strings.Trim(name, letters) == ""
}

// longer reports whether what begins at the start of the partition says that it goes on behind
// its end. Such a table is for something else.
func longer(b []byte, at artifact.Range) bool {
	switch {
	case len(b) >= 64 && string(b[:4]) == "\x27\x05\x19\x56":
		return int64(binary.BigEndian.Uint32(b[12:]))+64 > at.Len
	case len(b) >= 48 && string(b[:4]) == "hsqs":
		return binary.LittleEndian.Uint64(b[40:]) > uint64(at.Len)
	}
	return false
}
