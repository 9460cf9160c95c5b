package fat

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

// fat32 returns a file system of 40 clusters of 512 bytes, smaller than any tool makes one:
// boot sector, one table, root directory in cluster 2. The chains are from cluster to cluster.
func fat32(chains map[int]uint32, entries ...dirent) []byte {
	const sectors = 42
	b := make([]byte, sectors*512)
	le := binary.LittleEndian
	copy(b, "\xeb\x58\x90mkfs.fat")
	le.PutUint16(b[11:], 512)
	b[13], b[16], b[21] = 1, 1, 0xf8
	le.PutUint16(b[14:], 1)
	le.PutUint32(b[32:], sectors)
	le.PutUint32(b[36:], 1)
	le.PutUint32(b[44:], 2)
	copy(b[82:], "FAT32   ")
	le.PutUint16(b[510:], 0xaa55)
	table := b[512:1024]
	le.PutUint32(table, 0x0ffffff8)
	le.PutUint32(table[8:], 0x0fffffff)
	for from, to := range chains {
		le.PutUint32(table[4*from:], to)
	}
	for n := 3; n < 42; n++ {
		copy(b[1024+512*(n-2):], bytes.Repeat([]byte{byte('A' + n)}, 512))
	}
	for i, e := range entries {
		d := b[1024+32*i:]
		copy(d, e.name)
		d[11] = e.attrs
		le.PutUint16(d[26:], uint16(e.cluster))
		le.PutUint32(d[28:], e.size)
	}
	return b
}

func TestChains(t *testing.T) {
	b := fat32(map[int]uint32{3: 5, 5: 0x0fffffff, 6: 7, 7: 8, 8: 7, 9: 99, 10: 0x0fffffff},
		dirent{name: "GAP     BIN", cluster: 3, size: 700},
		dirent{name: "LOOP    BIN", cluster: 6, size: 15000},
		dirent{name: "OUTSIDE BIN", cluster: 9, size: 600},
		dirent{name: "SHORT   BIN", cluster: 10, size: 513},
	)
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ name, content, problem string }{
		{"GAP.BIN", strings.Repeat("D", 512) + strings.Repeat("F", 188), ""},
		{"LOOP.BIN", "", "loops"},
		{"OUTSIDE.BIN", strings.Repeat("J", 512), "leads to cluster 99"},
		{"SHORT.BIN", strings.Repeat("K", 512), "ends 1 bytes early"},
	}
	i := 0
	for e, err := range r.Entries() {
		if err != nil || i >= len(want) || e.Path != want[i].name {
			t.Fatalf("entry %d = %q, %v", i, e.Path, err)
		}
		f, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(f)
		if (err == nil) != (want[i].problem == "") || err != nil && !strings.Contains(err.Error(), want[i].problem) {
			t.Errorf("%s: %v, want %q", e.Path, err, want[i].problem)
		}
		if want[i].content != "" && string(got) != want[i].content {
			t.Errorf("%s: %q, want %q", e.Path, got, want[i].content)
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%d entries, want %d", i, len(want))
	}
}
