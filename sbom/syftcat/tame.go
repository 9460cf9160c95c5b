package syftcat

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"slices"
)

// Limits of what a parser gets to read. Some of syft's work grows with the square of the lines of
// a field, of the files in a list, or of packages that provide the same: a small file made for
// it would take hours or all memory. No honest database comes near these.
const (
	maxFile     = 64 << 20 // bytes of a file
	maxLine     = 64 << 10 // bytes of a line; the rest of it is dropped
	maxField    = 4_000    // lines that continue a field
	maxList     = 20_000   // lines in a row that are no field, as lists of files have them
	maxRecords  = 50_000   // packages
	maxSame     = 8        // packages of one name, or that provide one name
	maxRelation = 200_000  // names that packages depend on or provide, in all
)

// tame returns r without the lines that are over the limits, and without those for which syft
// would drop the whole database: fields that a record has twice, continuations of nothing.
func tame(r io.Reader) io.Reader {
	return &tamed{r: bufio.NewReaderSize(r, maxLine), same: map[string]int{}, keys: map[string]bool{}}
}

type tamed struct {
	r         *bufio.Reader
	line      []byte // not yet read by the caller
	field     int    // lines that continued this field so far
	list      int    // lines so far that are no field
	records   int
	relations int
	same      map[string]int  // how often a name was provided
	skip      bool            // to the end of the record
	keys      map[string]bool // of the record so far; apk's, of one letter, may stand twice
	dropped   bool            // the field before was dropped, so are its continuations
}

func (t *tamed) Read(p []byte) (int, error) {
	for len(t.line) == 0 {
		line, err := t.r.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull && len(line) == 0 {
			return 0, err
		}
		long := err == bufio.ErrBufferFull
		if t.keep(line) {
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

// keep reports whether line is within the limits.
func (t *tamed) keep(line []byte) bool {
	if len(bytes.TrimSpace(line)) == 0 {
		t.skip, t.list, t.dropped = false, 0, false
		clear(t.keys)
		return true
	}
	if t.skip {
		return false
	}
	if line[0] == ' ' || line[0] == '\t' {
		t.field++
		return t.field <= maxField && len(t.keys) > 0 && !t.dropped
	}
	t.field = 0
	key, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(key) > 32 {
		t.list++
		return t.list <= maxList
	}
	if name := string(bytes.ReplaceAll(bytes.TrimSpace(key), []byte("-"), nil)); len(name) != 1 {
		t.dropped = t.keys[name]
		t.keys[name] = true
	} else {
		t.keys[name], t.dropped = true, false
	}
	if t.dropped {
		return false
	}
	switch string(key) {
	case "Package", "P":
		t.records++
		t.skip = t.records > maxRecords || !t.few(value)
		return !t.skip
	case "Provides", "p":
		return t.related(value) && !slices.ContainsFunc(names(value), func(n []byte) bool { return !t.few(n) })
	case "Depends", "Pre-Depends", "D":
		return t.related(value)
	}
	return true
}

// few counts name and reports whether it was not provided too often.
func (t *tamed) few(name []byte) bool {
	s := string(bytes.TrimSpace(name))
	t.same[s]++
	return t.same[s] <= maxSame
}

func (t *tamed) related(value []byte) bool {
	t.relations += len(names(value))
	return t.relations <= maxRelation
}

// names parts a list at commas and spaces, or at spaces as apk writes it.
func names(value []byte) [][]byte {
	return bytes.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' || r == '|' || r == '\n' })
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
