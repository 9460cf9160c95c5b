package cfb

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"hallmark/artifact"
)

func (f *file) Describe() []artifact.Attr { return f.attrs }

func (f *file) tell(name, value string, at artifact.Range) {
	if value != "" {
		f.attrs = append(f.attrs, artifact.Attr{Name: name, Value: value, At: at})
	}
}

func (f *file) describe() {
	f.tell("version", strconv.Itoa(int(f.version)), artifact.Range{Off: 26, Len: 2})
	root := &f.entries[0]
	if root.class != [16]byte{} {
		c := root.class
		id := fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(c[:]), binary.LittleEndian.Uint16(c[4:]), binary.LittleEndian.Uint16(c[6:]), c[8:10], c[10:])
		at := artifact.Range{Off: root.at.Off + 80, Len: 16}
		f.tell("class", id, at)
		f.tell("kind", kindOf(id), at)
	}
	f.walk(func(e *entry, path string) bool {
		if path != "[5]SummaryInformation" {
			return true
		}
		if ranges := f.locate(e); len(ranges) == 1 && ranges[0].Len < 1<<20 {
			f.summary(f.read(ranges), ranges[0].Off)
		}
		return false
	})
}

// kindOf names the classes of Windows Installer.
func kindOf(class string) string {
	switch class {
	case "000c1084-0000-0000-c000-000000000046":
		return "MSI package"
	case "000c1086-0000-0000-c000-000000000046":
		return "MSI patch"
	case "000c1082-0000-0000-c000-000000000046":
		return "MSI transform"
	}
	return ""
}

// summary tells the texts of a property set that stands at off. After 28 bytes follow, for each
// set, a class and an offset; at it size and number of properties, then number and offset of
// each; at that the type of the value, 30 for text, its length, its bytes.
func (f *file) summary(b []byte, off int64) {
	word := func(at int64) (int64, bool) {
		if at < 0 || at+4 > int64(len(b)) {
			return 0, false
		}
		return int64(binary.LittleEndian.Uint32(b[at:])), true
	}
	set, ok := word(44)
	count, ok1 := word(set + 4)
	if !ok || !ok1 || binary.LittleEndian.Uint16(b) != 0xfffe {
		return
	}
	for i := int64(0); i < min(count, 64); i++ {
		id, _ := word(set + 8 + 8*i)
		at, ok := word(set + 12 + 8*i)
		typ, ok1 := word(set + at)
		n, ok2 := word(set + at + 4)
		at += set + 8
		name := propertyName(id)
		if !ok || !ok1 || !ok2 || name == "" || n > int64(len(b))-at {
			continue
		}
		switch typ {
		case 30:
			text, _, _ := strings.Cut(string(b[at:at+n]), "\x00")
			f.tell(name, toUTF8(text), artifact.Range{Off: off + at, Len: int64(len(text))})
		case 31:
			u := make([]uint16, min(n, (int64(len(b))-at)/2))
			for i := range u {
				u[i] = binary.LittleEndian.Uint16(b[at+2*int64(i):])
			}
			text, _, _ := strings.Cut(string(utf16.Decode(u)), "\x00")
			f.tell(name, text, artifact.Range{Off: off + at, Len: 2 * int64(len(u))})
		}
	}
}

// toUTF8 takes bytes above 127 for Latin-1 if they are no UTF-8. The code page is not looked at.
func toUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

// propertyName names the properties of a summary. In an MSI the subject is the product, the author
// its maker, the template its platform and languages, the revision the package's own number.
func propertyName(id int64) string {
	switch id {
	case 2:
		return "title"
	case 3:
		return "subject"
	case 4:
		return "author"
	case 5:
		return "keywords"
	case 6:
		return "comments"
	case 7:
		return "template"
	case 9:
		return "revision"
	case 18:
		return "application"
	}
	return ""
}
