package main

import (
	"flag"
	"maps"
	"slices"
	"strings"

	"easel/engine"
)

// methods asks the engine for its fine-tuning methods.
func (p *program) methods() (methods []engine.MethodInfo, err error) {
	err = p.withEngine(power{}, func(eng engine.Engine) error {
		methods = eng.Methods()
		return nil
	})
	return methods, err
}

// settingFlags makes each setting of each method a flag. One flag serves the methods that share a setting's name.
func settingFlags(fs *flag.FlagSet, methods []engine.MethodInfo, job *engine.Job) {
	for _, m := range methods {
		for _, s := range m.Settings {
			if fs.Lookup(s.Name) == nil {
				fs.Var(&settingValue{s.Name, job}, s.Name, settingHelp(s.Name, methods))
			}
		}
	}
}

// settingHelp says what a setting means to each method that has it, a line for those to which it means the same.
func settingHelp(name string, methods []engine.MethodInfo) string {
	var meanings []string
	of := map[string][]string{}
	for _, m := range methods {
		s, ok := settingNamed(m, name)
		if !ok {
			continue
		}
		meaning := s.Help
		if len(s.Choices) > 0 {
			meaning += " (" + strings.Join(s.Choices, ", ") + ")"
		}
		if s.Default != "" {
			meaning += " (default " + s.Default + ")"
		}
		if of[meaning] == nil {
			meanings = append(meanings, meaning)
		}
		of[meaning] = append(of[meaning], m.Name)
	}
	for i, meaning := range meanings {
		meanings[i] = strings.Join(of[meaning], ", ") + ": " + meaning
	}
	return strings.Join(meanings, "\n")
}

// checkSettings reports settings in job that its method does not have, or that cannot be what they are.
func checkSettings(job engine.Job, methods []engine.MethodInfo) error {
	i := slices.IndexFunc(methods, func(m engine.MethodInfo) bool { return m.Name == job.Method })
	if i < 0 {
		var names []string
		for _, m := range methods {
			names = append(names, m.Name)
		}
		return usagef("there is no method %q; there are: %s", job.Method, strings.Join(names, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(job.Settings)) {
		s, ok := settingNamed(methods[i], name)
		if !ok {
			return usagef("--%s is no setting of method %s; leave it out", name, job.Method)
		}
		if c, v := s.Choices, job.Settings[name]; len(c) > 0 && !slices.Contains(c, v) {
			return usagef("--%s cannot be %q; choose from %s", name, v, strings.Join(c, ", "))
		}
	}
	return nil
}

func settingNamed(m engine.MethodInfo, name string) (engine.Setting, bool) {
	i := slices.IndexFunc(m.Settings, func(s engine.Setting) bool { return s.Name == name })
	if i < 0 {
		return engine.Setting{}, false
	}
	return m.Settings[i], true
}

// settingValue is the flag of a method's setting; job gets it only when it is given.
type settingValue struct {
	name string
	job  *engine.Job
}

// String is empty: the help says each method's default.
func (v *settingValue) String() string { return "" }

// Set keeps the value for checkSettings and the engine, which know what is allowed: another method may allow something
// else under the name.
func (v *settingValue) Set(text string) error {
	if v.job.Settings == nil {
		v.job.Settings = map[string]string{}
	}
	v.job.Settings[v.name] = text
	return nil
}

// textList is a flag that may be repeated. The first one given replaces the default.
type textList struct {
	list  *[]string
	given bool
}

func (l *textList) String() string { return "" }

func (l *textList) Set(text string) error {
	if !l.given {
		*l.list, l.given = nil, true
	}
	*l.list = append(*l.list, text)
	return nil
}
