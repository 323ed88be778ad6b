// Package presets holds what Easel chooses where a user says nothing: one file a method, for a person to read and to
// change. Package engine/preset says what they mean.
package presets

import "embed"

// Files are the presets, NAME.toml for each method.
//
//go:embed *.toml
var Files embed.FS
