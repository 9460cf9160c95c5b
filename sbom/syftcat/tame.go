package syftcat

import (
	"bufio"
	"io"
	"maps"
	"slices"
)

// Limits of what a parser gets to read. Some of syft's take time that grows with the square of
// the lines of one field or of one list of files; no honest package comes near these.
const (
	maxFile  = 64 << 20 // bytes of a file
	maxLine  = 64 << 10 // bytes of a line; the rest of it is dropped
	maxField = 4_000    // lines that continue a field of a record, or begin alike
)

// tame returns r without the lines that would make a parser slow: those of a field that has more
// than maxField of them, and the ends of long ones.
func tame(r io.Reader) io.Reader { return &tamed{r: bufio.NewReaderSize(r, maxLine)} }

type tamed struct {
	r    *bufio.Reader
	line []byte // not yet read by the caller
	run  int    // lines of this field so far
}

func (t *tamed) Read(p []byte) (int, error) {
	for len(t.line) == 0 {
		line, err := t.r.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull && len(line) == 0 {
			return 0, err
		}
		if t.run++; len(line) > 0 && line[0] != ' ' && line[0] != '\t' {
			t.run = 0
		}
		long := err == bufio.ErrBufferFull
		if t.run <= maxField {
			t.line = append(t.line[:0], line...)
			if long {
				t.line = append(t.line, '\n')
			}
		}
		for long {
			_, err = t.r.ReadSlice('\n')
			long = err == bufio.ErrBufferFull
		}
	}
	n := copy(p, t.line)
	t.line = t.line[n:]
	return n, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
