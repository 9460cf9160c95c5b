package bosch

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)            { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T)        { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)              { formattest.Fuzz(f, Format) }
func TestGoldenArchive(t *testing.T)     { formattest.Golden(t, Archive) }
func TestTruncationArchive(t *testing.T) { formattest.Truncation(t, Archive) }
func FuzzOpenArchive(f *testing.F)       { formattest.Fuzz(f, Archive) }

func TestChanged(t *testing.T) {
	changed := formattest.Changed(t, Format)
	changed("one", 3, 0, "")
	changed("one", 1024, 0, "")
	changed("one", 18, 127, "problem truncated: bosch: payload at 0x400")
	changed("nested", 1024, 0, "")
	changed("nested", 2048, 0, "")
	changed("raw", 31, 0, "")
	changed = formattest.Changed(t, Archive)
	changed("files", 7, 1, "")
	changed("files", 8, 0, "")
	changed("files", 224, 0, "problem damaged: bosch: file \"www/index.html\" at 0xe0")
	changed("files", 266, 127, "problem damaged: bosch: file")
}
