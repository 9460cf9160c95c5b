package disguise

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/elf"
)

// prefix is what a family's symbols begin with: some words, joined by underlines.
var prefix = regexp.MustCompile(`^(?:_Z\w*?)?([A-Za-z][A-Za-z0-9]{1,11}_(?:[A-Z0-9]{2,8}_)?)[A-Za-z0-9]`)

// renamePrefixes gives the symbols that the programs of the tree define other prefixes of the same
// length, wherever their names stand as whole strings. What the tree does not define (the C
// library) keeps its name.
func (t *tree) renamePrefixes() {
	names := map[string]string{}
	for _, f := range t.files {
		p := program(f.Data)
		if p == nil {
			continue
		}
		for _, s := range p.Exports {
			if m := prefix.FindStringSubmatchIndex(s.Name); m != nil {
				names[s.Name] = s.Name[:m[2]] + t.letters(s.Name[m[2]:m[3]]) + s.Name[m[3]:]
			}
		}
	}
	for i := range t.files {
		if b := t.files[i].Data; isELF(b) {
			eachString(b, artifact.Range{Len: int64(len(b))}, func(s []byte) {
				if to, ok := names[string(s)]; ok {
					copy(s, to)
				}
			})
		}
	}
}

// scramble replaces the letters of half of the strings in what programs load, symbol names aside.
func (t *tree) scramble() {
	for i := range t.files {
		b := t.files[i].Data
		p := program(b)
		if p == nil {
			continue
		}
		keep := map[string]bool{p.Interp.Text: true, p.Soname.Text: true}
		for _, list := range [][]elf.Value{p.Needed, p.Rpath, p.Runpath} {
			for _, v := range list {
				keep[v.Text] = true
			}
		}
		for _, list := range [][]elf.Symbol{p.Exports, p.Imports} {
			for _, s := range list {
				keep[s.Name] = true
			}
		}
		for _, m := range p.Modinfo {
			keep[m.Key+"="+m.Value] = true
		}
		for _, r := range p.AllocatedRanges() {
			eachString(b, r, func(s []byte) {
				if text := string(s); !keep[text] && t.number("string", text)&1 == 0 {
					copy(s, t.letters(text))
				}
			})
		}
	}
}

// eachString calls change for each string of 6 printable bytes or more between NULs in at.
func eachString(b []byte, at artifact.Range, change func([]byte)) {
	lo, hi := max(at.Off, 0), min(at.End(), int64(len(b)))
	if lo >= hi {
		return
	}
	for run := range bytes.SplitSeq(b[lo:hi], []byte{0}) {
		if len(run) >= 6 && !bytes.ContainsFunc(run, func(r rune) bool { return (r < ' ' || r > '~') && r != '\n' && r != '\t' && r != '\r' }) {
			change(run)
		}
	}
}

func program(b []byte) *elf.File {
	if !isELF(b) {
		return nil
	}
	p, err := elf.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil
	}
	return p
}

var host = regexp.MustCompile(`(?i)\b(?:[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?\.)+(?:com|net|org|cn|io|tv|cc|eu|ru|de)\b`)

// replaceHosts gives host names other letters, top-level domain and length kept.
func (t *tree) replaceHosts() {
	for i := range t.files {
		b := t.files[i].Data
		for _, m := range host.FindAllIndex(b, -1) {
			name := b[m[0]:m[1]]
			dot := bytes.LastIndexByte(name, '.')
			copy(name, t.letters(strings.ToLower(string(name[:dot]))))
		}
	}
}

// strip does what sstrip does: no section headers and nothing behind the last segment, thus no
// symbol table but the dynamic one. What has no segments, such as a kernel module, needs its
// sections and is left alone.
func (t *tree) strip() {
	for i := range t.files {
		f := &t.files[i]
		p := program(f.Data)
		if p == nil || len(p.Segments) == 0 {
			continue
		}
		end := int64(0)
		for _, s := range p.Segments {
			end = max(end, s.File.End())
		}
		if end <= 0 || end > int64(len(f.Data)) {
			continue
		}
		f.Data = slices.Clip(f.Data[:end])
		if p.Bits == 64 && len(f.Data) >= 64 {
			p.Order.PutUint64(f.Data[0x28:], 0)     // e_shoff
			copy(f.Data[0x3c:], []byte{0, 0, 0, 0}) // e_shnum, e_shstrndx
		} else if len(f.Data) >= 52 {
			binary.LittleEndian.PutUint32(f.Data[0x20:], 0) // e_shoff
			copy(f.Data[0x30:], []byte{0, 0, 0, 0})         // e_shnum, e_shstrndx
		}
	}
}
