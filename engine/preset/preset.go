// Package preset fills in what a job leaves open, from tables that a person can read and change: one TOML file a
// method. Each value stands with its reason and its source.
//
//	[all]
//	rate = { is = 1e-4, why = "learns most subjects in a few hundred steps", from = "diffusers' DreamBooth example" }
//	settings.rank = { is = "16", why = "..." }
//
//	[person]   # over [all] where job.Goal is "person"
//	steps = { is = "120 per picture, 800 to 2000", why = "faces need more steps than things" }
//
//	[small]    # over both for models below 256 px
//
//	["kind=classic"]        # over these where the user chose that setting of the method
//	["small kind=classic"]
//
// Keys are those of a recorded job (run.toml).
package preset

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"easel/engine"
)

// Goals are what a subject can be.
var Goals = []string{"object", "person", "animal", "style", "trying"}

// layers are the tables of a file, in the order in which they are laid over each other.
const (
	all   = "all"
	small = "small"
)

// Set holds the presets of methods, by the name of the method.
type Set map[string]tables

// tables are the layers of one method: for each the values by dotted key.
type tables map[string]map[string]value

// value is what a preset says for a key.
type value struct {
	is        any
	why, from string
}

// Read reads the presets of a folder: NAME.toml for each method. A file that cannot be understood is an error of kind
// BadFile that names the place.
func Read(fsys fs.FS) (Set, error) {
	names, err := fs.Glob(fsys, "*.toml")
	if err != nil {
		return nil, engine.Errorf("read presets", "", engine.Internal, "%w", err)
	}
	s := Set{}
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, engine.Errorf("read presets", name, engine.BadFile, "%w", err)
		}
		t, err := parse(text)
		if err != nil {
			return nil, engine.Errorf("read presets", name, engine.BadFile, "%w", err)
		}
		s[strings.TrimSuffix(path.Base(name), ".toml")] = t
	}
	return s, nil
}

// Over lays the presets of a user over s.
func (s Set) Over(users Set) Set {
	both := maps.Clone(s)
	for method, t := range users {
		both[method] = tables{}
		for layer := range layers(s[method], t) {
			both[method][layer] = maps.Clone(s[method][layer])
			if both[method][layer] == nil {
				both[method][layer] = map[string]value{}
			}
			maps.Copy(both[method][layer], t[layer])
		}
	}
	return both
}

func layers(of ...tables) map[string]bool {
	names := map[string]bool{}
	for _, t := range of {
		for name := range t {
			names[name] = true
		}
	}
	return names
}

// parse reads one file and tries every value on a job.
func parse(text []byte) (tables, error) {
	var doc map[string]any
	if _, err := toml.Decode(string(text), &doc); err != nil {
		return nil, err
	}
	t := tables{}
	for layer, keys := range doc {
		if _, _, chosen := setting(layer); !chosen && layer != all && layer != small && !slices.Contains(Goals, layer) {
			return nil, fmt.Errorf("[%s] is no table of a preset; there are all, small, %s, and \"setting=value\"", layer, strings.Join(Goals, ", "))
		}
		t[layer] = map[string]value{}
		if err := collect(t[layer], "", keys); err != nil {
			return nil, err
		}
		for key, v := range t[layer] {
			n, err := number(v.is, 10)
			if err != nil {
				return nil, err
			}
			if err := apply(new(engine.Job), key, n); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// collect finds the values in nested tables; one is a table that has "is".
func collect(into map[string]value, key string, v any) error {
	table, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s must be a table such as { is = 1, why = \"a reason\" }", key)
	}
	is, ok := table["is"]
	if !ok {
		for _, name := range slices.Sorted(maps.Keys(table)) {
			if err := collect(into, strings.TrimPrefix(key+"."+name, "."), table[name]); err != nil {
				return err
			}
		}
		return nil
	}
	why, _ := table["why"].(string)
	from, _ := table["from"].(string)
	if why == "" {
		return fmt.Errorf("%s has no reason (why)", key)
	}
	into[key] = value{is, why, from}
	return nil
}

// Fill gives an open job the values of its method's preset, and says where every value comes from. Values are open that
// are zero. pictures is how many there are, isSmall says that the model is below 256 px. A file that training
// begins with says the method's own settings.
func (s Set) Fill(job engine.Job, pictures int, isSmall bool) (engine.Job, []engine.Choice, error) {
	goalGiven := job.Goal != ""
	job.Goal = cmp.Or(job.Goal, Goals[0])
	if !slices.Contains(Goals, job.Goal) {
		return job, nil, engine.Errorf("choose settings", "", engine.BadInput, "the goal cannot be %q; choose from %s", job.Goal, strings.Join(Goals, ", "))
	}
	given, err := flatten(job)
	if err != nil {
		return job, nil, err
	}
	if !goalGiven {
		delete(given, "goal")
	}
	chosen := map[string]value{}
	for _, layer := range s[job.Method].order(job, isSmall) {
		for key, v := range s[job.Method][layer] {
			_, isGiven := given[key]
			if saidByFile := job.From != "" && strings.HasPrefix(key, "settings."); !isGiven && !saidByFile {
				chosen[key] = v
			}
		}
	}
	if job.Settings != nil {
		job.Settings = maps.Clone(job.Settings)
	}
	for key, v := range chosen {
		n, err := number(v.is, pictures)
		if err == nil {
			err = apply(&job, key, n)
		}
		if err != nil {
			return job, nil, engine.Errorf("choose settings", "", engine.BadFile, "preset of %s: %w", job.Method, err)
		}
	}
	choices, err := explain(job, given, chosen)
	return job, choices, err
}

// order lists the layers that count for a job, the last over those before.
func (t tables) order(job engine.Job, isSmall bool) []string {
	order := []string{all, job.Goal}
	if isSmall {
		order = append(order, small)
	}
	for _, layer := range slices.Sorted(maps.Keys(t)) { // those of small models come last
		name, is, ok := setting(layer)
		if ok && job.Settings[name] == is && (isSmall || !strings.HasPrefix(layer, small+" ")) {
			order = append(order, layer)
		}
	}
	return order
}

// setting takes the name of a layer for one choice apart: "kind=classic", "small kind=classic".
func setting(layer string) (name, is string, ok bool) {
	name, is, ok = strings.Cut(strings.TrimPrefix(layer, small+" "), "=")
	return name, is, ok && !strings.Contains(name, " ")
}

// apply sets one value of a job by its dotted key.
func apply(job *engine.Job, key string, v any) error {
	nested := v
	parts := strings.Split(key, ".")
	for _, part := range slices.Backward(parts) {
		nested = map[string]any{part: nested}
	}
	var text bytes.Buffer
	if err := toml.NewEncoder(&text).Encode(nested); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	meta, err := toml.Decode(text.String(), job)
	if err != nil {
		return fmt.Errorf("%s cannot be %v: %w", key, v, err)
	}
	if rest := meta.Undecoded(); len(rest) > 0 {
		return fmt.Errorf("a job has no setting %q", key)
	}
	return nil
}
