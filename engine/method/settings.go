package method

import (
	"maps"
	"slices"
	"strconv"

	"easel/engine"
)

// Settings reads a job's settings by the method's declarations. The first mistake is kept in Err.
type Settings struct {
	info   engine.MethodInfo
	values map[string]string
	Err    error
}

// ReadSettings completes given settings by the defaults. A name that the method does not have is a mistake.
func ReadSettings(info engine.MethodInfo, given map[string]string) *Settings {
	s := &Settings{info: info, values: map[string]string{}}
	for _, d := range info.Settings {
		s.values[d.Name] = d.Default
	}
	for name, v := range given {
		if _, ok := s.values[name]; !ok {
			s.Fail("%s has no setting %q", info.Title, name)
			continue
		}
		s.values[name] = v
	}
	for _, d := range info.Settings {
		if v := s.values[d.Name]; len(d.Choices) > 0 && !slices.Contains(d.Choices, v) {
			s.Fail("%s cannot be %q; choose one of %v", d.Name, v, d.Choices)
		}
	}
	return s
}

// Fail keeps a mistake, of kind BadInput, unless one was kept before.
func (s *Settings) Fail(format string, args ...any) {
	if s.Err == nil {
		s.Err = engine.Errorf("read settings", "", engine.BadInput, format, args...)
	}
}

// All are the settings with their defaults filled in, for the record.
func (s *Settings) All() map[string]string { return maps.Clone(s.values) }

// Text is a setting as given.
func (s *Settings) Text(name string) string { return s.values[name] }

// Int is a whole number between least and most. An empty setting is otherwise.
func (s *Settings) Int(name string, otherwise, least, most int) int {
	v := s.values[name]
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		s.Fail("%s must be a whole number from %d to %d, not %q", name, least, most, v)
		return otherwise
	}
	return n
}

// Float is a number above 0 and at most most. An empty setting is otherwise.
func (s *Settings) Float(name string, otherwise, most float64) float64 {
	v := s.values[name]
	if v == "" {
		return otherwise
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || !(f > 0) || f > most {
		s.Fail("%s must be a number above 0, at most %g, not %q", name, most, v)
		return otherwise
	}
	return f
}
