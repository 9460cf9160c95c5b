// Package disguise does to a tree of files what relabellers do to hide who made a device, so that
// it can be measured what survives.
//
// The same files, kinds and seed give the same bytes. Everything keeps its length where a file
// has offsets into itself. What comes out is for analysis, not for running: names in symbol
// tables change and the hash tables beside them do not.
//
// Not done: an older version and another processor, which need other sources; and a file system of
// another format, which takes the file system's own tool (bench/planted.sh has it done).
package disguise

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// File is one file of a tree.
type File struct {
	Path string // slash-separated, relative
	Mode fs.FileMode
	Data []byte
	Link string // target, of a symbolic link
}

// Options say how files are disguised.
type Options struct {
	Seed   uint64
	Brands []string // words by which makers are known; ASCII letters match in either case
	Label  string   // the brand that takes their place, cut or repeated to their length
}

// Kind is one disguise.
type Kind struct {
	Name  string
	Title string
	apply func(*tree)
}

// Kinds returns every disguise, in the order in which they are applied.
func Kinds() []Kind { return slices.Clone(kinds[:]) }

var kinds = [...]Kind{
	{"only", "all but the largest program or library removed", (*tree).only},
	{"config", "configuration emptied", (*tree).clearConfig},
	{"reskin", "web pages given other colours and titles, minified, local names of scripts changed", (*tree).reskin},
	{"prefix", "prefixes of symbols renamed", (*tree).renamePrefixes},
	{"hosts", "host names replaced", (*tree).replaceHosts},
	{"strings", "half of the strings of programs scrambled", (*tree).scramble},
	{"brands", "names of makers replaced", (*tree).replaceBrands},
	{"strip", "symbols and section headers of programs removed", (*tree).strip},
	{"magic", "first bytes of containers and images changed", (*tree).changeMagic},
	{"rename", "files renamed", (*tree).rename},
}

// Apply returns files under the disguises named, whatever their order. The input is not changed.
func Apply(files []File, names []string, o Options) ([]File, error) {
	for _, name := range names {
		if !slices.ContainsFunc(kinds[:], func(k Kind) bool { return k.Name == name }) {
			return nil, fmt.Errorf("disguise: no kind %q", name)
		}
	}
	t := &tree{Options: o, files: slices.Clone(files)}
	for i := range t.files {
		t.files[i].Data = bytes.Clone(t.files[i].Data)
	}
	for _, k := range kinds {
		if slices.Contains(names, k.Name) {
			k.apply(t)
		}
	}
	return t.files, nil
}

type tree struct {
	Options
	files []File
}

// number is drawn from the seed and words, so that it does not depend on what else is done.
func (t *tree) number(words ...string) uint64 {
	h := sha256.New()
	binary.Write(h, binary.LittleEndian, t.Seed)
	for _, w := range words {
		fmt.Fprintf(h, "%d:%s", len(w), w)
	}
	return binary.LittleEndian.Uint64(h.Sum(nil))
}

// letters returns s with each letter replaced by one drawn for s as a whole, case and digits kept.
func (t *tree) letters(s string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", t.Seed, strings.ToLower(s)))
	b := []byte(s)
	for i, c := range b {
		n := byte(sum[i%len(sum)]+byte(i/len(sum))*7) % 26
		switch {
		case 'a' <= c && c <= 'z':
			b[i] = 'a' + n
		case 'A' <= c && c <= 'Z':
			b[i] = 'A' + n
		}
	}
	return string(b)
}

// replaceBrands puts the label, in the same case and length, where a brand stands.
func (t *tree) replaceBrands() {
	for i := range t.files {
		f := &t.files[i]
		for _, brand := range t.Brands {
			f.Data = t.relabel(f.Data, brand)
			f.Path = string(t.relabel([]byte(f.Path), brand))
			f.Link = string(t.relabel([]byte(f.Link), brand))
		}
	}
}

func (t *tree) relabel(b []byte, brand string) []byte {
	if brand == "" || t.Label == "" {
		return b
	}
	lower, word := lowerASCII(b), []byte(strings.ToLower(brand))
	for at := 0; ; {
		n := bytes.Index(lower[at:], word)
		if n < 0 {
			return b
		}
		at += n
		for k := range word {
			c := t.Label[k%len(t.Label)] | 0x20
			if 'A' <= b[at+k] && b[at+k] <= 'Z' {
				c &^= 0x20
			}
			b[at+k] = c
		}
		at += len(word)
	}
}

func lowerASCII(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c | 0x20
		}
	}
	return out
}

// only keeps the largest program.
func (t *tree) only() {
	best := -1
	for i, f := range t.files {
		if isELF(f.Data) && (best < 0 || len(f.Data) > len(t.files[best].Data)) {
			best = i
		}
	}
	if best >= 0 {
		t.files = []File{t.files[best]}
	}
}

// clearConfig empties files of settings.
func (t *tree) clearConfig() {
	for i := range t.files {
		f := &t.files[i]
		switch path.Ext(f.Path) {
		case ".conf", ".cfg", ".ini", ".env", ".config", ".db":
			f.Data = nil
		}
		for _, dir := range []string{"config/", "Config/", "mnt/mtd/"} {
			if strings.HasPrefix(f.Path, dir) || strings.Contains(f.Path, "/"+dir) {
				f.Data = nil
			}
		}
	}
}

// rename gives every file another name of the same suffix; folders stay, links follow.
func (t *tree) rename() {
	names := map[string]string{}
	taken := map[string]bool{}
	for i := range t.files {
		f := &t.files[i]
		if f.Mode.IsDir() {
			continue
		}
		base := path.Base(f.Path)
		if names[base] == "" {
			stem, suffix := base, ""
			if n := strings.IndexByte(base[1:], '.'); n >= 0 {
				stem, suffix = base[:n+1], base[n+1:]
			}
			name := t.letters(stem)
			for taken[name+suffix] {
				name += "x"
			}
			names[base] = name + suffix
			taken[name+suffix] = true
		}
		f.Path = path.Join(path.Dir(f.Path), names[base])
	}
	for i := range t.files {
		if f := &t.files[i]; f.Link != "" && names[path.Base(f.Link)] != "" {
			f.Link = path.Join(path.Dir(f.Link), names[path.Base(f.Link)])
		}
	}
}

// changeMagic turns the first four bytes of what is neither text nor a program into others.
func (t *tree) changeMagic() {
	for i := range t.files {
		f := &t.files[i]
		if len(f.Data) < 64 || isELF(f.Data) || isText(f.Data) {
			continue
		}
		binary.LittleEndian.PutUint32(f.Data, uint32(t.number("magic", string(f.Data[:4]))))
	}
}

func isELF(b []byte) bool { return bytes.HasPrefix(b, []byte("\x7fELF")) }

func isText(b []byte) bool {
	return !bytes.ContainsFunc(b[:min(len(b), 512)], func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' })
}
