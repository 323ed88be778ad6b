// Package samples holds small sets of pictures of invented things, to try Easel with.
package samples

import (
	"embed"
	"io/fs"
	"os"
)

//go:embed zorbit dotmug birdbot
var files embed.FS

// Sample is a set of pictures with captions.
type Sample struct {
	Name  string // of its folder, and the word that calls its subject
	Class string // what the subject is
	Cover string // path of a picture in Files
}

// All lists the samples.
func All() []Sample {
	return []Sample{
		{"zorbit", "monster toy", "zorbit/zorbit_01.png"},
		{"dotmug", "mug", "dotmug/dotmug_01.png"},
		{"birdbot", "robot", "birdbot/birdbot_01.png"},
	}
}

// Files are the samples' pictures and captions, in a folder each.
func Files() fs.FS { return files }

// Copy writes the sample's pictures and captions into dir, which is made where absent. Files that are there stay, and are
// an error.
func (s Sample) Copy(dir string) error {
	folder, err := fs.Sub(files, s.Name)
	if err != nil {
		return err
	}
	return os.CopyFS(dir, folder)
}
