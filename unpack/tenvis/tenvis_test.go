package tenvis

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestChanged(t *testing.T) {
	changed := formattest.Changed(t, Format)
	changed("update", 24, 0, "")
	changed("update", 28, 0, "")
	changed("update", 33, 0, "")
	changed("update", 60, 0, "")
	changed("update", 200, 0, "checksum: tenvis: section 1 at 0x43: MD5")
	changed("update", 67, 0, "problem damaged: tenvis: section 1 at 0x43: type")
	changed("update", 91, 255, "problem damaged: tenvis: file at 0x5b: sizes do not fit")
}
