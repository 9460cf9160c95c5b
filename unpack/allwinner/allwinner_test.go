package allwinner

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestChanged(t *testing.T) {
	changed := formattest.Changed(t, Format)
	changed("v300", 7, 0, "")
	changed("v300", 28, 1, "")
	changed("v300", 57, 0, "")
	changed("v300", 1029, 0, "")
	changed("v300", 2053, 0, "problem damaged: allwinner: item \"boot.fex\" at 0x800")
	changed("v300", 26, 1, "problem truncated: allwinner")
	changed("v300", 6144, 1, "BOOT_FEX00000000, 198 bytes\"")
	changed("v300", 1340, 'a', "22 bytes, encryption \\\"a\\\"")
	changed("encrypted", 0, 0, "")
	changed("encrypted", 100, 0, "problem encrypted: allwinner: image encrypted with RC6")
}
