package pe

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"hallmark/artifact"
)

// The resources are a tree of three levels: type, name, language. A directory has 16 bytes,
// with the numbers of its named and other entries at 12 and 14; an entry has a name and an
// offset of 4 bytes each. The highest bit of a name says that it is the offset of a string, that
// of an offset that it leads to a directory. Offsets count from the root.
const (
	resourceDirectory = 16
	resourceEntry     = 8
	resourceLeaf      = 16

	typeRCData  = 10
	typeVersion = 16

	maxResources = 4096
)

// tellResources tells the strings of the version resource, and those resources that Windows
// does not show by itself: what a program carries to use or to install.
func (p *program) tellResources() {
	root := p.directory(dirResources).Off
	if root == 0 {
		return
	}
	left := maxResources
	p.eachResource(root, root, &left, func(typ string, id uint32, kind int64) {
		p.eachResource(root, kind, &left, func(name string, _ uint32, languages int64) {
			p.eachResource(root, languages, &left, func(_ string, _ uint32, leaf int64) {
				b, _ := p.at(leaf&^directoryBit, resourceLeaf)
				if b == nil || leaf&directoryBit != 0 {
					return
				}
				address, size := int64(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))
				at, ok := p.stored(address, size)
				switch {
				case !ok:
				case id == typeVersion:
					if raw, at := p.at(address, size); raw != nil {
						p.tellVersion(raw, at.Off)
					}
				case id == typeRCData || id == 0:
					p.tell("resource", fmt.Sprintf("%s/%s %#x+%d", typ, name, at.Off, at.Len), at)
				}
			})
		})
	})
}

// directoryBit marks an address that eachResource passes as that of a directory.
const directoryBit = 1 << 40

// eachResource calls f for the entries of the directory at an address: name, number (0 if it has a
// name), and address of what it leads to, marked with directoryBit if that is a directory.
func (p *program) eachResource(root, dir int64, left *int, f func(name string, id uint32, to int64)) {
	if dir != root && dir&directoryBit == 0 {
		return
	}
	dir &^= directoryBit
	head, _ := p.at(dir, resourceDirectory)
	if head == nil {
		return
	}
	n := int(binary.LittleEndian.Uint16(head[12:])) + int(binary.LittleEndian.Uint16(head[14:]))
	for i := 0; i < n && *left > 0; i++ {
		*left--
		b, _ := p.at(dir+resourceDirectory+int64(i)*resourceEntry, resourceEntry)
		if b == nil {
			return
		}
		id, to := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		name := strconv.FormatUint(uint64(id), 10)
		if id == typeRCData {
			name = "RCDATA"
		}
		if id>>31 != 0 {
			name, id = p.resourceName(root+int64(id&^(1<<31))), 0
		}
		address := root + int64(to&^(1<<31))
		if to>>31 != 0 {
			address |= directoryBit
		}
		f(name, id, address)
	}
}

func (p *program) resourceName(address int64) string {
	head, _ := p.at(address, 2)
	if head == nil {
		return ""
	}
	b, _ := p.at(address+2, 2*int64(min(binary.LittleEndian.Uint16(head), 256)))
	return utf16Text(b)
}

func utf16Text(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}

// tellVersion tells the strings of a VS_VERSIONINFO at off. It is a tree of records: length,
// length of the value in characters if the type is 1, type, key, value, records within, each
// aligned to 4. A string is a leaf of type 1 below "StringFileInfo".
func (p *program) tellVersion(b []byte, off int64) {
	root, _ := readRecord(b, 0, int64(len(b)))
	if root.key != "VS_VERSION_INFO" {
		return
	}
	root.each(b, func(info record) {
		if info.key == "StringFileInfo" {
			info.each(b, func(table record) {
				table.each(b, func(s record) {
					value := utf16Text(b[s.value.Off:s.value.End()])
					if i := strings.IndexByte(value, 0); i >= 0 {
						value = value[:i]
					}
					if name := attrName(s.key); name != "" && strings.TrimSpace(value) != "" {
						at := artifact.Range{Off: off + s.value.Off, Len: 2 * int64(len(utf16.Encode([]rune(value))))}
						p.tell(name, strings.TrimSpace(value), at)
					}
				})
			})
		}
	})
}

// attrName returns the name of the attribute for a string: those that say who made what.
func attrName(key string) string {
	switch key {
	case "CompanyName":
		return "company-name"
	case "ProductName":
		return "product-name"
	case "ProductVersion":
		return "product-version"
	case "FileVersion":
		return "file-version"
	case "FileDescription":
		return "file-description"
	case "OriginalFilename":
		return "original-filename"
	case "InternalName":
		return "internal-name"
	case "LegalCopyright":
		return "legal-copyright"
	case "LegalTrademarks":
		return "legal-trademarks"
	case "Comments":
		return "comments"
	}
	return ""
}

type record struct {
	key    string
	value  artifact.Range
	within artifact.Range // records
}

// readRecord reads the record at off, which ends before end, and returns where it ends.
func readRecord(b []byte, off, end int64) (r record, next int64) {
	if end-off < 6 {
		return r, end
	}
	n, value, typ := int64(binary.LittleEndian.Uint16(b[off:])), int64(binary.LittleEndian.Uint16(b[off+2:])), binary.LittleEndian.Uint16(b[off+4:])
	if n < 6 || n > end-off {
		return r, end
	}
	if end = off + n; typ == 1 {
		value *= 2
	}
	at := off + 6
	for at+2 <= end && (b[at] != 0 || b[at+1] != 0) {
		at += 2
	}
	r.key = utf16Text(b[off+6 : at])
	at = min((at+2+3)&^3, end)
	r.value = artifact.Range{Off: at, Len: min(value, end-at)}
	at = min((r.value.End()+3)&^3, end)
	r.within = artifact.Range{Off: at, Len: end - at}
	return r, (end + 3) &^ 3
}

func (r record) each(b []byte, f func(record)) {
	for at := r.within.Off; at < r.within.End(); {
		var inner record
		inner, at = readRecord(b, at, r.within.End())
		f(inner)
	}
}
