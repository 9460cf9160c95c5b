package fingerprint

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkIndex searches a file among a million, in a file on disk, opening it each time or not.
func BenchmarkIndex(b *testing.B) {
	name := filepath.Join(b.TempDir(), "index")
	var old *Index
	data := million(b, 1_000_000)
	old, err := OpenIndex(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		b.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	query := program(b, "query", 7, 300, 0)
	if _, err := WriteIndex(f, old, []Entry{NewEntry(query, "acme", "c", "1")}); err != nil {
		b.Fatal(err)
	}
	size, _ := f.Seek(0, 2)
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			if _, err := OpenIndex(f, size); err != nil {
				b.Fatal(err)
			}
		}
	})
	x, err := OpenIndex(f, size)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("find", func(b *testing.B) {
		for b.Loop() {
			r, err := x.Find(query, 10)
			if err != nil || len(r.Nearest) == 0 || !r.Nearest[0].Identical {
				b.Fatal(r, err)
			}
		}
	})
}
