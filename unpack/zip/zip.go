// Package zip reads ZIP archives, APPNOTE 6.3.10 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT),
// and Dahua's updates, which are ZIP archives whose signatures begin with DH in place of PK.
//
// The central directory is followed where it is sound. Where it is damaged or cut off, the
// local headers are, one after the other. Members come out as the directory lists them, the
// same name as often as it occurs. The CRC-32 of every member is checked.
// Not read: archives split over several volumes, encrypted members, an encrypted central directory,
// and the methods PPMd, WavPack and JPEG.
package zip

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is ZIP.
var Format = format.Format{
	Name:  "zip",
	Title: "ZIP archive",
	Kind:  format.Archive,
	Magics: []format.Magic{
		{Bytes: "PK\x03\x04"},
		{Bytes: "DH\x03\x04"}, // Dahua changes the first two bytes of an update, the rest is a plain ZIP
		{Bytes: "PK\x05\x06"}, // an archive without members is only this record
	},
	Refs: []format.Ref{
		{Title: "APPNOTE.TXT, ZIP file format specification 6.3.10", URL: "https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT"},
		{Title: "Info-ZIP, extra fields (proginfo/extrafld.txt)", URL: "https://libzip.org/specifications/extrafld.txt"},
		{Title: "BotoX, DH_IPC-HX4XXX-Eos: a Dahua update taken apart", URL: "https://github.com/BotoX/DH_IPC-HX4XXX-Eos"},
	},
	Limits: []string{
		"Encrypted members are yielded as they are stored.",
		"Methods PPMd, WavPack and JPEG are not decoded.",
		"Archives split over several volumes are not joined.",
	},
	Open: Open,
}

// archive is an opened archive.
type archive struct {
	src       format.Source
	magic     string // first four bytes
	directory        // what the end of the archive says
	members   []member
	problems  []*format.Error
	end       int64
}

// Open opens the archive whose first local header is at offset 0 of src.
func Open(src format.Source) (format.Chunk, error) {
	var sig [4]byte
	if n, _ := src.ReadAt(sig[:], 0); n < len(sig) {
		return nil, format.Not("zip: %d bytes", n)
	}
	a := &archive{src: src, magic: string(sig[:])}
	if signature(sig[:]) == endRecord {
		return a.openEmpty()
	}
	if _, err := readLocal(src, 0); err != nil {
		return nil, format.Not("zip: %v", err)
	}
	dir, ok := findDirectory(src)
	if !ok {
		dir, ok = a.walk()
	}
	if ok {
		a.directory = dir
		a.fromDirectory()
	}
	if !a.credible() {
		return nil, format.Not("zip: no second header and no directory behind the first")
	}
	return a, nil
}

// openEmpty accepts an archive without members: an end record that counts nothing.
func (a *archive) openEmpty() (format.Chunk, error) {
	dir, err := readEnd(a.src, 0)
	if err != nil {
		return nil, format.Not("zip: %v", err)
	}
	if dir.count != 0 || dir.size != 0 || dir.disk != 0 || dir.offset != 0 && dir.offset != a.src.Before {
		return nil, format.Not("zip: end record alone counts %d members", dir.count)
	}
	a.directory, a.end = dir, dir.end
	return a, nil
}

// Size returns where the archive ends: behind the comment of the end record if there is one.
func (a *archive) Size() int64 { return a.end }

// Describe tells the first signature, which tells a Dahua update from a plain archive, and the comment.
func (a *archive) Describe() []artifact.Attr {
	attrs := []artifact.Attr{{Name: "first-magic", Value: a.magic, At: artifact.Range{Off: 0, Len: 4}}}
	if c := a.comment; c.Len > 0 {
		b := make([]byte, min(c.Len, 256))
		n, _ := a.src.ReadAt(b, c.Off)
		attrs = append(attrs, artifact.Attr{Name: "comment", Value: string(b[:n]), At: artifact.Range{Off: c.Off, Len: int64(n)}})
	}
	return attrs
}

// Entries yields the members, and behind them what lies between them, as slack-0xOFFSET.
//
// Members may share bytes: that is how a small archive is made to hold petabytes
// (https://www.usenix.org/conference/woot19/presentation/fifield). A local header is used once,
// and all members together may not have more stored bytes than twice the archive.
func (a *archive) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, p := range a.problems {
			if !yield(format.Entry{}, p) {
				return
			}
		}
		used := make(map[int64]bool, len(a.members))
		left := 2 * a.end
		for i := range a.members {
			m := &a.members[i]
			e := a.entry(m)
			if e.Mode.IsRegular() || e.Link != "" {
				if used[m.header] || m.stored > left {
					e = refuse(e, m)
				} else {
					left -= m.stored
				}
			}
			used[m.header] = true
			if !yield(e, nil) {
				return
			}
		}
		for _, r := range a.slack() {
			if !yield(format.Entry{Path: fmt.Sprintf("slack-%#x", r.Off), Size: r.Len, Window: &r}, nil) {
				return
			}
		}
	}
}

func refuse(e format.Entry, m *member) format.Entry {
	e.Window, e.Link, e.Mode = nil, "", e.Mode&fs.ModePerm
	err := format.Errorf(artifact.Limit, m.header, "zip: member %q at %#x: shares its bytes with other members", m.name, m.header)
	e.Open = func() (io.Reader, error) { return nil, err }
	return e
}

// entry makes the entry of m.
func (a *archive) entry(m *member) format.Entry {
	e := format.Entry{
		Path: m.name, Mode: m.mode(), Size: m.size,
		UID: m.uid, GID: m.gid, ModTime: m.mtime, Problems: m.problems,
	}
	if m.made>>8 == madeFAT && !strings.Contains(e.Path, "/") {
		e.Path = strings.ReplaceAll(e.Path, `\`, "/") // written by programs that ignore section 4.4.17.1
	}
	window := artifact.Range{Off: m.data, Len: m.stored}
	problem := func(err *format.Error) {
		e.Problems = append(e.Problems, artifact.Problem{Kind: err.Kind, At: err.At, Detail: err.Text})
	}
	switch {
	case m.bad != nil:
		bad := m.bad
		e.Mode = e.Mode.Perm()
		e.Open = func() (io.Reader, error) { return nil, bad }
	case e.Mode.IsDir(), e.Mode&(fs.ModeDevice|fs.ModeNamedPipe|fs.ModeSocket|fs.ModeIrregular) != 0:
		e.Size = 0
		if e.Mode&fs.ModeDevice != 0 {
			e.Dev = &artifact.Device{}
		}
	case m.flags&flagEncrypted != 0:
		e.Window, e.Mode, e.Size = &window, e.Mode.Perm(), m.stored
		problem(format.Errorf(artifact.Encrypted, m.data, "zip: member %q at %#x: encrypted", m.name, m.header))
	case !m.known():
		e.Window, e.Mode, e.Size = &window, e.Mode.Perm(), m.stored
		problem(format.Errorf(artifact.Unsupported, m.data, "zip: member %q at %#x: method %d", m.name, m.header, m.method))
	case e.Mode&fs.ModeSymlink != 0:
		link, err := a.link(m)
		if err != nil {
			e.Mode = e.Mode.Perm()
			e.Open = a.opener(m)
			break
		}
		e.Link, e.Size = link, int64(len(link))
	case m.method == methodStore:
		e.Window, e.Size = &window, m.stored
		if err := a.verify(m); err != nil {
			problem(err)
		}
	default:
		e.Open = a.opener(m)
		if m.size/maxRatio > m.stored {
			e.Size = -1 // what is declared is not possible, but a few bytes may well be there
		}
	}
	return e
}

// maxRatio is the most that deflate can make of a byte.
const maxRatio = 1032

const maxLink = 1 << 16

func (a *archive) link(m *member) (string, error) {
	r, err := a.opener(m)()
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(r, maxLink+1))
	if err != nil {
		return "", err
	}
	if len(b) == 0 || len(b) > maxLink || bytes.IndexByte(b, 0) >= 0 {
		return "", format.Errorf(artifact.Damaged, m.data, "zip: link %q: target of %d bytes", m.name, len(b))
	}
	return string(b), nil
}
