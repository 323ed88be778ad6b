package engine

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an Error is, so that a program can offer the cure.
type Kind int

// The kinds of failure. A new kind is worth adding only where a caller acts differently on it.
const (
	Internal    Kind = iota // a fault of Easel itself
	BadInput                // a setting or argument that cannot be used
	BadFile                 // a file that is damaged or not what it should be
	NotFound                // a file or name that does not exist
	Unsupported             // well-formed, but Easel cannot handle it (yet)
	OutOfMemory             // does not fit; a smaller plan may
	NaN                     // training produced numbers that are not finite
	Cancelled               // the user stopped it
)

var kindNames = [...]string{"internal", "bad input", "bad file", "not found", "unsupported", "out of memory", "not a number", "cancelled"}

// String names the kind in lower-case English.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kindNames[k]
}

// Error is what every package of the engine returns when something outside it is at fault.
type Error struct {
	Op   string // what was being done, as "read weights"
	Path string // the file concerned; may be empty
	Kind Kind
	Err  error // the reason, in words a user understands, with the cure where there is one
}

// Error prints "op path: reason".
func (e *Error) Error() string {
	s := e.Op
	if e.Path != "" {
		s += " " + e.Path
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	} else {
		s += ": " + e.Kind.String()
	}
	return s
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// Errorf builds an Error; format and args are those of fmt.Errorf, so %w wraps.
func Errorf(op, path string, kind Kind, format string, args ...any) *Error {
	return &Error{Op: op, Path: path, Kind: kind, Err: fmt.Errorf(format, args...)}
}

// InFile names the file or folder in an Error that names none.
func InFile(path string, err error) error {
	var e *Error
	if errors.As(err, &e) && e.Path == "" {
		e.Path = path
	}
	return err
}

// KindOf returns the kind of the first Error in err's chain, and Internal where there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
