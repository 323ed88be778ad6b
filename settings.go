package main

import (
	"flag"
	"fmt"
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
				fs.Var(&settingValue{s, job}, s.Name, settingHelp(s, methods))
			}
		}
	}
}

func settingHelp(s engine.Setting, methods []engine.MethodInfo) string {
	var of []string
	for _, m := range methods {
		if hasSetting(m, s.Name) {
			of = append(of, m.Name)
		}
	}
	help := fmt.Sprintf("%s: %s", strings.Join(of, ", "), s.Help)
	if len(s.Choices) > 0 {
		help += " (" + strings.Join(s.Choices, ", ") + ")"
	}
	return help
}

// checkSettings reports settings in job that its method does not have.
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
		if !hasSetting(methods[i], name) {
			return usagef("--%s is no setting of method %s; leave it out", name, job.Method)
		}
	}
	return nil
}

func hasSetting(m engine.MethodInfo, name string) bool {
	return slices.ContainsFunc(m.Settings, func(s engine.Setting) bool { return s.Name == name })
}

// settingValue is the flag of a method's setting; job gets it only when it is given.
type settingValue struct {
	setting engine.Setting
	job     *engine.Job
}

// String returns the default, for the help.
func (v *settingValue) String() string { return v.setting.Default }

// Set keeps the value for the engine, which knows what is allowed, but checks a choice at once.
func (v *settingValue) Set(text string) error {
	if c := v.setting.Choices; len(c) > 0 && !slices.Contains(c, text) {
		return fmt.Errorf("choose from %s", strings.Join(c, ", "))
	}
	if v.job.Settings == nil {
		v.job.Settings = map[string]string{}
	}
	v.job.Settings[v.setting.Name] = text
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
