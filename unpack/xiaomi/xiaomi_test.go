package xiaomi

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestChanged(t *testing.T) {
	changed := formattest.Changed(t, Format)
	changed("hdr1", 12, 1, "")
	changed("hdr1", 6, 1, "")
	changed("hdr1", 16, 49, "")
	changed("hdr1", 48, 0, "")
	changed("hdr1", 57, 9, "")
	changed("hdr1", 100, 0, "problem checksum: xiaomi: CRC")
	changed("hdr2", 33, 85, "attr crc=\"bad\"")
}
