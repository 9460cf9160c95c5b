package codec

// causeError is one of the package's errors together with what a decoder said.
type causeError struct{ kind, cause error }

func (e *causeError) Error() string   { return e.kind.Error() + ": " + e.cause.Error() }
func (e *causeError) Unwrap() []error { return []error{e.kind, e.cause} }
