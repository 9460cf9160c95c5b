package facts

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"

	"hallmark/artifact"
)

const maxIcon = 64 << 10

// readIcon hashes a small icon or picture with MD5, by which collections of favicons name them.
func readIcon(c *content) {
	if c.Size > maxIcon {
		return
	}
	picture := isIcon(c.head, c.Size)
	for _, magic := range []string{"\x89PNG\r\n\x1a\n", "GIF87a", "GIF89a"} {
		picture = picture || bytes.HasPrefix(c.head, []byte(magic))
	}
	if picture {
		all := artifact.Range{Len: c.Size}
		sum := md5.Sum(c.bytes(all))
		c.say("image.md5", hex.EncodeToString(sum[:]), all)
	}
}

// isIcon reports whether b begins as an ICO file of size bytes: u16 zero, u16 type 1, u16 count,
// then entries of 16 bytes with a zero at 3, u32 length at 8 and u32 offset at 12. The first four
// bytes alone begin many a file of settings.
func isIcon(b []byte, size int64) bool {
	if len(b) < 22 || string(b[:4]) != "\x00\x00\x01\x00" {
		return false
	}
	count := int64(binary.LittleEndian.Uint16(b[4:]))
	n, off := int64(binary.LittleEndian.Uint32(b[14:])), int64(binary.LittleEndian.Uint32(b[18:]))
	return count > 0 && b[9] == 0 && n > 0 && off >= 6+16*count && off+n <= size
}
