// Package unpack takes an image apart, level by level, within limits.
package unpack

import (
	"hallmark/unpack/format"
)

// Formats returns every format, in order of precedence: where two claim the same offset, the
// earlier one is asked first. It is a list, written out.
func Formats() []format.Format {
	return []format.Format{}
}
