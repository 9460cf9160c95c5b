package main

import (
	"errors"
	"fmt"
	"io/fs"
)

// Exit codes, fixed for ever.
const (
	exitPass         = 0
	exitViolation    = 1
	exitInconclusive = 2
	exitList         = 3
	exitUsage        = 64
	exitInput        = 65
	exitInternal     = 70
	exitIO           = 74
	exitLimit        = 75
)

const exitHelp = `Exit codes:
  0   pass
  1   policy violation
  2   inconclusive: bytes stayed unread, and nothing found in the rest says enough
  3   list, waiver or pack unusable
  64  wrong usage
  65  bad input
  70  internal fault
  74  input or output failed
  75  a resource limit ended the run; the partial result was written`

// exitError is an error that says how the program ends.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func exitf(code int, format string, args ...any) error {
	return &exitError{code, fmt.Errorf(format, args...)}
}

// exitCode maps an error of a command. What says no code of its own is wrong usage, since that
// is what cobra's own errors are, unless it comes from a file.
func exitCode(err error) int {
	var e *exitError
	var path *fs.PathError
	switch {
	case err == nil:
		return exitPass
	case errors.As(err, &e):
		return e.code
	case errors.As(err, &path):
		return exitIO
	}
	return exitUsage
}
