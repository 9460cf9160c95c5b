//go:build ignore

// Core runs one inner loop of hallmark over a file, for the benchmarks beside it:
//
//	core scan PATTERNS FILE   count the lines of PATTERNS in FILE
//	core sha256 FILE          as sha256sum
//	core xz FILE              decode to standard output
package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"os"

	"hallmark/internal/literal"
	"hallmark/unpack/codec"
)

func main() {
	f, err := os.Open(os.Args[len(os.Args)-1])
	if err != nil {
		log.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		log.Fatal(err)
	}
	switch os.Args[1] {
	case "scan":
		err = scan(os.Args[2], f, info.Size())
	case "sha256":
		h := sha256.New()
		_, err = io.CopyBuffer(h, struct{ io.Reader }{f}, make([]byte, 256<<10))
		fmt.Printf("%x\n", h.Sum(nil))
	case "xz":
		var s codec.Stream
		if s, err = codec.NewXZ(f, info.Size(), 256<<20); err == nil {
			_, err = io.CopyBuffer(struct{ io.Writer }{os.Stdout}, struct{ io.Reader }{s}, make([]byte, 256<<10))
		}
	}
	if err != nil {
		log.Fatal(err)
	}
}

func scan(name string, f *os.File, size int64) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var patterns []literal.Pattern
	for line := range bytes.Lines(b) {
		patterns = append(patterns, literal.Pattern{Bytes: string(bytes.TrimSuffix(line, []byte("\n")))})
	}
	hits, found := 0, map[int]bool{}
	err = literal.Compile(patterns).ScanReader(f, 0, size, func(p int, _ int64) bool {
		hits++
		found[p] = true
		return true
	})
	fmt.Println(hits, "hits of", len(found), "patterns")
	return err
}
