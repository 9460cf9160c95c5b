package artifact

import "fmt"

// ProblemKind says what kept bytes from being read in full.
type ProblemKind string

const (
	Damaged     ProblemKind = "damaged"     // structure broken: a bad offset, a decoder's error
	Checksum    ProblemKind = "checksum"    // the bytes were read, but a stored checksum does not fit
	Truncated   ProblemKind = "truncated"   // the content ends before the structure does
	Encrypted   ProblemKind = "encrypted"   // recognised, and not readable without a key
	Unsupported ProblemKind = "unsupported" // recognised, and this version or method is not read
	Limit       ProblemKind = "limit"       // stopped by one of the run's limits
	Unsafe      ProblemKind = "unsafe"      // a name or link that points out of the tree; kept as text
	Recursive   ProblemKind = "recursive"   // the content holds itself
	Internal    ProblemKind = "internal"    // hallmark's own fault
)

// Hides reports whether a problem of kind k means that bytes stayed unread,
// so that finding nothing proves nothing.
func (k ProblemKind) Hides() bool {
	switch k {
	case Checksum, Unsafe, Recursive:
		return false
	}
	return true
}

// Problem is something that went wrong while bytes were read. The analysis goes on.
type Problem struct {
	Kind   ProblemKind `json:"kind"`
	At     Range       `json:"at"` // within the content that has the problem; zero length if only the place is known
	Detail string      `json:"detail"`
}

func (p Problem) String() string { return fmt.Sprintf("%s: %s", p.Kind, p.Detail) }
