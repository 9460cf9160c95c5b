// Package format says what a format is to the unpacker.
//
// A format is a [Format] value. Its Open decides, from the bytes alone, whether the candidate is
// one, and returns a [Chunk] whose entries the unpacker pulls. A format never sees a path on
// disk, keeps no goroutine, and reads with ReadAt only, so many may be open at a time.
package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"hallmark/artifact"
)

// Kind groups formats for people.
type Kind string

const (
	Filesystem Kind = "filesystem"
	Archive    Kind = "archive"
	Stream     Kind = "stream"    // one compressed payload
	Container  Kind = "container" // a header around one or more payloads, firmware update files
	Boot       Kind = "boot"      // boot loader data, kernels, device trees
	Layout     Kind = "layout"    // how a flash chip or disk is divided
	Crypto     Kind = "crypto"    // keys and certificates
)

// Magic is a byte string that makes an offset a candidate.
type Magic struct {
	Bytes string // at least 2 bytes; fewer than 4 only with a cheap and strict Open
	Off   int64  // where it stands, from the start of the chunk
	Start bool   // counts only if the chunk then starts at offset 0 of its content
}

// Ref is a public description of the format.
type Ref struct{ Title, URL string }

// Format is what the unpacker knows of a format. It is a value: no method, no state.
type Format struct {
	Name   string // lower case, as the field writes it: "squashfs"
	Title  string // for people: "SquashFS 4.0"
	Kind   Kind
	Magics []Magic
	// Whole means that the format is about the content as a whole: it is tried once, at offset 0,
	// if one of its magics occurs anywhere in the content.
	Whole bool
	// Align, if not 0, means that the format has no magic to search for: Open is tried at each
	// multiple of Align in what other formats leave unclaimed, and where Begins, if there is one,
	// says of the first HeadLen bytes (fewer at the end) that the format may begin so.
	Align  int64
	Begins func(head []byte) bool
	Refs   []Ref
	Limits []string // what is not read, one sentence each
	// Open reads the chunk that starts at offset 0 of src. It returns an error that wraps
	// ErrFormat if there is none, and another error if there is one that cannot be read at all.
	// It must not trust a length, and must not panic on any input.
	Open func(src Source) (Chunk, error)
}

// Source is what a format reads: the bytes from the candidate's first to the end of the content
// that holds it. Reads are safe for concurrent use.
type Source struct {
	*io.SectionReader
	Before    int64 // bytes of the content before offset 0
	MaxMemory int64 // the most a format may hold at a time for one entry, in bytes; 0 means 256 MiB
	Keys      Keys
	Recover   bool // also yield what a filesystem holds but no longer refers to: deleted files, older versions
	// Unnoted reads the same bytes, see [Summed]. nil is the same as the reader itself.
	Unnoted *io.SectionReader
	// Found is where each of the format's Magics stands, in order, up to MaxFound offsets each. It
	// is set for a Whole format by the unpacker, which searched anyway; see [Source.Occurrences].
	Found [][]int64
}

// Limits of what the unpacker tells.
const (
	HeadLen  = 64   // bytes that Begins gets
	MaxFound = 1024 // offsets of one magic in Source.Found
)

// Occurrences returns where each of magics, which are the format's own, stands in s: Found, or
// what a search finds.
func (s Source) Occurrences(magics []Magic) [][]int64 {
	if s.Found != nil {
		return s.Found
	}
	found := make([][]int64, len(magics))
	buf := make([]byte, 256<<10)
	for i, m := range magics {
		for at := int64(0); at < s.Size() && len(found[i]) < MaxFound; at += int64(len(buf) - len(m.Bytes) + 1) {
			n, _ := s.ReadAt(buf[:min(int64(len(buf)), s.Size()-at)], at)
			for b := 0; len(found[i]) < MaxFound; b++ {
				k := bytes.Index(buf[b:n], []byte(m.Bytes))
				if k < 0 {
					break
				}
				b += k
				found[i] = append(found[i], at+int64(b))
			}
		}
	}
	return found
}

// Summed returns a reader of r, a [Source] as a rule, for a pass that takes a checksum of bytes
// without parsing them. The unpacker hands out as a gap what a chunk claims and its format never
// read; what is read through Summed does not count as read.
func Summed(r io.ReaderAt) io.ReaderAt {
	if s, ok := r.(Source); ok && s.Unnoted != nil {
		return s.Unnoted
	}
	return r
}

// Memory returns MaxMemory or its default.
func (s Source) Memory() int64 {
	if s.MaxMemory > 0 {
		return s.MaxMemory
	}
	return 256 << 20
}

// Keys are keys that the user brought, by name. hallmark ships none.
type Keys map[string][]byte

// Chunk is an opened chunk. A Chunk may also be a [Describer].
type Chunk interface {
	// Entries yields what the chunk holds, in the order stored. An error beside a zero Entry is
	// a problem of the chunk; the sequence goes on if it can. If it wraps ErrFormat, the chunk
	// turns out to be none after all and what it yielded is dropped.
	Entries() iter.Seq2[Entry, error]
	// Size is the exact number of bytes of the chunk from its first to its last. A stream knows
	// it only after its entry was read to the end; the unpacker asks after Entries and every
	// entry were drained. A damaged chunk answers with the bytes it could make sense of.
	Size() int64
}

// Skipper is a Chunk that read bytes and made nothing of them: fields for other programs, records
// of a kind it does not know. The unpacker hands them out as it does what no format read, if
// there is enough of them. Ranges count from the chunk's start. It is asked after the entries
// were drained.
type Skipper interface{ Skipped() []artifact.Range }

// Describer is a Chunk that knows facts from its headers. Ranges count from the chunk's start.
// It is asked after the entries were drained.
type Describer interface{ Describe() []artifact.Attr }

// Entry is one thing in a chunk. Path and Link are as stored: the unpacker cleans them.
type Entry struct {
	Path     string      // slash-separated; "" is the one payload of a stream or container without a name
	Mode     fs.FileMode // type and permission; 0 is a regular file of unknown permission
	Size     int64       // as declared, -1 if not known; never believed
	UID, GID uint32
	ModTime  int64 // seconds since 1970 UTC
	Link     string
	HardLink string // path of an entry yielded before, whose content this one shares; Open and Window are then unset
	Dev      *artifact.Device
	Xattrs   []artifact.Xattr
	// A regular file has one of:
	Window   *artifact.Range           // its bytes stand in the chunk as they are
	Open     func() (io.Reader, error) // its bytes are decoded; safe for concurrent use with other entries' Open and reads
	Problems []artifact.Problem        // found in its metadata; ranges count from the chunk's start
}

// ErrFormat is wrapped by the error of an Open that found something else.
var ErrFormat = errors.New("not this format")

// Error is a problem found while reading: what kind, where in the chunk, and a sentence that
// reads "squashfs: inode table at 0x3a10: block 70000 > 8192".
type Error struct {
	Kind artifact.ProblemKind
	At   artifact.Range
	Text string
}

func (e *Error) Error() string { return e.Text }

// Errorf returns an Error at offset at of the chunk.
func Errorf(kind artifact.ProblemKind, at int64, text string, args ...any) *Error {
	return &Error{kind, artifact.Range{Off: at}, fmt.Sprintf(text, args...)}
}

// Not returns an error that wraps ErrFormat and says why.
func Not(text string, args ...any) error { return notFormat(fmt.Sprintf(text, args...)) }

type notFormat string

func (e notFormat) Error() string { return string(e) + ": " + ErrFormat.Error() }
func (e notFormat) Unwrap() error { return ErrFormat }

// ReadAt returns n bytes of src at off, or an error of kind Truncated that says what was read.
// It checks n against what src holds before it allocates.
func ReadAt(src Source, off, n int64, what string) ([]byte, error) {
	if off < 0 || n < 0 || off > src.Size() || n > src.Size()-off {
		return nil, Errorf(artifact.Truncated, off, "%s at %#x: %d bytes, %d left", what, off, n, max(0, src.Size()-off))
	}
	if n > src.Memory() {
		return nil, Errorf(artifact.Limit, off, "%s at %#x: %d bytes > %d of memory allowed", what, off, n, src.Memory())
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(src, off, n), b); err != nil {
		return nil, Errorf(artifact.Damaged, off, "%s at %#x: %v", what, off, err)
	}
	return b, nil
}
