package nsis

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf16"

	"hallmark/unpack/format"
)

// The decoded header begins with flags, then eight blocks: offset from the header's start and
// number of records. Offsets have 4 bytes, in installers for 64-bit Windows 8.
const (
	blockEntries  = 2
	blockStrings  = 3
	blockLanguage = 4
	blockCount    = 8

	blocks32 = 4 + blockCount*8
	blocks64 = 4 + blockCount*12

	instruction = 28 // a code and six parameters, 4 bytes each
)

// Instructions that write files. Their codes are the same in versions 2 and 3.
const (
	opCreateDir = 11 // path; whether it becomes $OUTDIR
	opExtract   = 20 // flags, name, place of the data, time as two halves
	opAssign    = 25 // variable, text
)

// Variables. Those up to 20 are $0 to $R9.
const (
	varInstDir = 21
	varOutDir  = 22
	varFirst   = 27 // from here the numbers differ from one version to the next
)

// file is one name of a part.
type file struct {
	path string
	time int64
}

// script is what is read from the header.
type script struct {
	strings []byte
	wide    bool // UTF-16
	old     bool // codes of version 2
	files   map[int64][]file
	budget  int // characters of paths still to be written
}

// Bounds on what a hostile script makes of a small header.
const (
	maxInstructions = 1 << 20
	maxPath         = 4 << 10
	maxPaths        = 32 << 20 // characters of all paths
)

func parseScript(b []byte) (*script, error) {
	entries, strs, ok := findBlocks(b, blocks32, 4)
	if !ok {
		if entries, strs, ok = findBlocks(b, blocks64, 8); !ok {
			return nil, format.Not("nsis: blocks of the header")
		}
	}
	s := &script{strings: strs, files: map[int64][]file{}, budget: maxPaths}
	s.wide = len(strs) >= 2 && strs[0] == 0 && strs[1] == 0
	s.old = !s.wide && s.looksOld()
	s.run(entries)
	return s, nil
}

// findBlocks returns the instructions and the strings.
func findBlocks(b []byte, start, word int) (entries, strs []byte, ok bool) {
	if len(b) < start {
		return nil, nil, false
	}
	block := func(i int) (off, n uint64) {
		at := 4 + i*(word+4)
		off = uint64(binary.LittleEndian.Uint32(b[at:]))
		if word == 8 {
			off = binary.LittleEndian.Uint64(b[at:])
		}
		return off, uint64(binary.LittleEndian.Uint32(b[at+word:]))
	}
	eOff, eNum := block(blockEntries)
	sOff, _ := block(blockStrings)
	lOff, _ := block(blockLanguage)
	if eOff < uint64(start) || eNum > maxInstructions || eOff+eNum*instruction > sOff || sOff >= lOff || lOff > uint64(len(b)) || eOff > sOff {
		return nil, nil, false
	}
	return b[eOff : eOff+eNum*instruction], b[sOff:lOff], true
}

// looksOld reports whether the strings have the codes of version 2, 252 to 255, before
// two bytes with their highest bit set, and not those of version 3, 1 to 4.
func (s *script) looksOld() bool {
	old, current := 0, 0
	for i := 0; i+2 < len(s.strings); i++ {
		switch c := s.strings[i]; {
		case c >= 252 && s.strings[i+1] >= 0x80 && s.strings[i+2] >= 0x80:
			old++
		case c >= 1 && c <= 4 && s.strings[i+1] >= 0x80 && s.strings[i+2] >= 0x80:
			current++
		}
	}
	return old > current
}

func (s *script) encoding() string {
	switch {
	case s.wide:
		return "UTF-16"
	case s.old:
		return "ANSI, version 2"
	}
	return "ANSI"
}

// run follows the instructions from first to last, as far as they say where files go.
func (s *script) run(entries []byte) {
	out := "$INSTDIR"
	saved := map[uint32]string{}
	for ; len(entries) >= instruction && s.budget > 0; entries = entries[instruction:] {
		param := func(i int) uint32 { return binary.LittleEndian.Uint32(entries[4*i:]) }
		switch param(0) {
		case opCreateDir:
			if param(2) != 0 {
				out = s.expand(param(1), out, saved)
			}
		case opAssign:
			if v := param(1); v >= varFirst && s.expand(param(2), "", nil) == "$OUTDIR" {
				saved[v] = out
			}
		case opExtract:
			name := s.expand(param(2), out, saved)
			if name == "" {
				continue
			}
			if !rooted(name) {
				name = out + `\` + name
			}
			ticks := uint64(param(5))<<32 | uint64(param(4))
			pos := int64(param(3))
			s.files[pos] = append(s.files[pos], file{clean(name), unixTime(ticks)})
		}
	}
}

func rooted(name string) bool {
	return strings.HasPrefix(name, "$") && !strings.HasPrefix(name, "$$") || strings.HasPrefix(name, `\`) || len(name) > 2 && name[1] == ':'
}

// clean makes a path with slashes, relative to the folder of the installation.
func clean(name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	if rest, ok := strings.CutPrefix(name, "$INSTDIR"); ok {
		name = rest
	}
	if len(name) > 1 && name[1] == ':' {
		name = name[:1] + name[2:]
	}
	return strings.TrimLeft(name, "/")
}

// unixTime converts the time of Windows, 100 ns since 1601.
func unixTime(ticks uint64) int64 {
	const epoch = 11644473600
	if t := int64(ticks/10_000_000) - epoch; t > 0 && ticks>>63 == 0 {
		return t
	}
	return 0
}

// expand writes the string at off, with the names of variables it has no value for.
func (s *script) expand(off uint32, out string, saved map[uint32]string) string {
	var b strings.Builder
	write := func(text string) {
		if s.budget -= 1 + len(text); b.Len()+len(text) <= maxPath {
			b.WriteString(text)
		}
	}
	s.read(off, write, func(v uint32) {
		switch value, ok := saved[v]; {
		case v == varOutDir && saved != nil:
			write(out)
		case ok:
			write(value)
		default:
			write(variable(v))
		}
	})
	return b.String()
}

// Codes within strings. Version 2 has them at 252 to 255, in another order.
const (
	codeLanguage = 1
	codeShell    = 2
	codeVar      = 3
	codeSkip     = 4
)

// maxString bounds one string; NSIS's own bound is 1,024 or 8,192 characters.
const maxString = 16 << 10

// read reads the string at off, in units of characters: text, and numbers of variables between.
// It returns how many characters it has.
func (s *script) read(off uint32, text func(string), variable func(uint32)) int {
	width := 1
	if s.wide {
		width = 2
	}
	b := s.strings[min(uint64(off)*uint64(width), uint64(len(s.strings))):]
	b = b[:min(len(b), maxString*width)]
	if s.wide {
		return readWide(b, text, variable)
	}
	start, i := 0, 0
	for ; i < len(b) && b[i] != 0; i++ {
		code := b[i]
		if s.old {
			code = map[byte]byte{252: codeSkip, 253: codeVar, 254: codeShell, 255: codeLanguage}[code]
		}
		if code == 0 || code > codeSkip {
			continue
		}
		text(latin(b[start:i]))
		if code == codeSkip {
			start = min(i+1, len(b)) // the next character stands for itself
			i++
			continue
		}
		if i+2 >= len(b) {
			return len(b)
		}
		n := uint32(b[i+1]&0x7f) | uint32(b[i+2]&0x7f)<<7
		tell(code, n, uint32(b[i+1])|uint32(b[i+2])<<8, text, variable)
		i += 2
		start = i + 1
	}
	i = min(i, len(b))
	text(latin(b[min(start, i):i]))
	return i
}

func readWide(b []byte, text func(string), variable func(uint32)) int {
	var u []uint16
	flush := func() { text(string(utf16.Decode(u))); u = u[:0] }
	i := 0
	for ; 2*i+1 < len(b); i++ {
		c := binary.LittleEndian.Uint16(b[2*i:])
		if c == 0 {
			break
		}
		if c > codeSkip || 2*i+3 >= len(b) {
			u = append(u, c)
			continue
		}
		i++
		n := binary.LittleEndian.Uint16(b[2*i:])
		if c == codeSkip {
			u = append(u, n)
			continue
		}
		flush()
		tell(byte(c), uint32(n&0x7f|n>>8&0x7f<<7), uint32(n), text, variable)
	}
	flush()
	return i
}

// tell passes on a code: n is its number, raw the two bytes as they stand.
func tell(code byte, n, raw uint32, text func(string), variable func(uint32)) {
	switch code {
	case codeVar:
		variable(n)
	case codeShell:
		text(shellFolder(raw))
	case codeLanguage:
		text("$(LSTR_" + strconv.FormatUint(uint64(n), 10) + ")")
	}
}

// latin reads ANSI text. Its code page is not told: bytes above 127 are taken for Latin-1 if they are no UTF-8.
func latin(b []byte) string {
	if bytes.IndexFunc(b, func(r rune) bool { return r == 0xfffd }) < 0 {
		return string(b)
	}
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

func variable(n uint32) string {
	names := [...]string{"CMDLINE", "INSTDIR", "OUTDIR", "EXEDIR", "LANGUAGE", "TEMP", "PLUGINSDIR", "EXEPATH", "EXEFILE", "HWNDPARENT", "_CLICK", "_OUTDIR"}
	switch {
	case n < 10:
		return "$" + strconv.Itoa(int(n))
	case n < 20:
		return "$R" + strconv.Itoa(int(n-10))
	case n-20 < uint32(len(names)):
		return "$" + names[n-20]
	}
	return "$_" + strconv.FormatUint(uint64(n), 10) + "_"
}

// shellFolder names a folder by the number that Windows has for it (CSIDL): two of them, for one
// user and for all. Those of the registry have the highest bit set.
func shellFolder(raw uint32) string {
	first := raw & 0xff
	if first&0x80 != 0 {
		if first&0x40 != 0 {
			return "$COMMONFILES64"
		}
		return "$PROGRAMFILES"
	}
	switch first {
	case 0x00, 0x10, 0x19:
		return "$DESKTOP"
	case 0x02, 0x17:
		return "$SMPROGRAMS"
	case 0x05:
		return "$DOCUMENTS"
	case 0x07, 0x18:
		return "$SMSTARTUP"
	case 0x0b, 0x16:
		return "$STARTMENU"
	case 0x14:
		return "$FONTS"
	case 0x1a, 0x23:
		return "$APPDATA"
	case 0x1c:
		return "$LOCALAPPDATA"
	case 0x24:
		return "$WINDIR"
	case 0x25:
		return "$SYSDIR"
	case 0x26:
		return "$PROGRAMFILES"
	case 0x28:
		return "$PROFILE"
	}
	return "$_SHELL_" + strconv.FormatUint(uint64(first), 16)
}

// text returns all strings, a line each, in UTF-8.
func (s *script) text() []byte {
	var b bytes.Buffer
	width := 1
	if s.wide {
		width = 2
	}
	for off := 0; off*width < len(s.strings); {
		start := b.Len()
		n := s.read(uint32(off), func(t string) { b.WriteString(t) }, func(v uint32) { b.WriteString(variable(v)) })
		if b.Len() > start {
			b.WriteByte('\n')
		}
		off += n + 1
	}
	return b.Bytes()
}
