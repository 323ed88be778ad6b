// Package settings is the page with what holds for all projects, and the values themselves.
package settings

import (
	"os"
	"path/filepath"
	"runtime"

	"fyne.io/fyne/v2"

	"easel/gui/theme"
)

// Values are the settings.
type Values struct {
	Variant  theme.Variant
	Scale    float32 // of text; 1 is the usual size
	Projects string  // folder in which new projects are made
	Memory   int64   // bytes that a run may take; 0 is what the machine has free
	Threads  int     // that compute: 0 is one for each physical core, -1 one less; holds from the next start
	Awake    bool    // the computer does not fall asleep while a run goes on

	Captioner string // path of the user's own, which writes captions; "" is the usual one
}

// The keys of Fyne's preferences.
const (
	keyVariant  = "theme"
	keyScale    = "text-scale"
	keyProjects = "projects"
	keyMemory   = "memory"
	keyThreads  = "threads"
	keyAwake    = "keep-awake"

	keyCaptioner = "captioner"
)

// Load reads the settings, with defaults for what is not set.
func Load(p fyne.Preferences) Values {
	v := Values{
		Variant:  theme.Variant(p.IntWithFallback(keyVariant, int(theme.System))),
		Scale:    float32(p.FloatWithFallback(keyScale, 1)),
		Projects: p.StringWithFallback(keyProjects, defaultProjects()),
		Memory:   int64(p.FloatWithFallback(keyMemory, 0)),
		Threads:  max(p.IntWithFallback(keyThreads, -1), -1),
		Awake:    p.BoolWithFallback(keyAwake, true),

		Captioner: p.String(keyCaptioner),
	}
	if v.Threads > runtime.NumCPU() { // kept on another machine: the engine refuses far too many
		v.Threads = -1
	}
	v.Scale = min(max(v.Scale, 0.75), 2) // or a mistaken file would leave a window that cannot be read
	return v
}

// Save records the settings.
func (v Values) Save(p fyne.Preferences) {
	p.SetInt(keyVariant, int(v.Variant))
	p.SetFloat(keyScale, float64(v.Scale))
	p.SetString(keyProjects, v.Projects)
	p.SetFloat(keyMemory, float64(v.Memory))
	p.SetInt(keyThreads, v.Threads)
	p.SetBool(keyAwake, v.Awake)
	p.SetString(keyCaptioner, v.Captioner)
}

// Theme is how the window looks by these settings.
func (v Values) Theme() theme.Theme { return theme.Theme{Variant: v.Variant, Scale: v.Scale} }

// defaultProjects is Easel's folder in the user's own.
func defaultProjects() string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	return filepath.Join(home, "Easel")
}
