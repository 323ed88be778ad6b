//go:build !linux

package picker

import "context"

// choose is written for Linux only so far.
func choose(context.Context, string, Question) ([]string, error) { return nil, errNone }
