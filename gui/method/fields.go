package method

import (
	"fmt"
	"strconv"
	"strings"

	"easel/engine"
	"easel/gui/widgets"
)

// field is a setting as the drawer shows it.
type field struct {
	name    string // as in engine.Choice: "rate", "settings.rank"
	title   string
	help    string // with the unit
	choices []string
	several bool   // more than one of choices may be taken
	usual   string // what an empty value means, where that is known beforehand
	get     func(engine.Job) string
	set     func(*engine.Job, string) error // "" sets back
}

// group is a part of the drawer.
type group struct {
	title  string
	fields []field
}

// groupsOf are all settings that a job with a method has.
func groupsOf(info engine.MethodInfo) []group {
	own := group{title: info.Title}
	for _, s := range info.Settings {
		own.fields = append(own.fields, ownField(s))
	}
	if len(info.Files) > 1 {
		own.fields = append(own.fields, filesField(info.Files))
	}
	if len(own.fields) == 0 {
		return common
	}
	return append([]group{own}, common...)
}

// ownField is a setting that only some methods have.
func ownField(s engine.Setting) field {
	return field{name: "settings." + s.Name, title: strings.ReplaceAll(s.Name, "-", " "), help: s.Help, choices: s.Choices, usual: s.Default,
		get: func(j engine.Job) string { return j.Settings[s.Name] },
		set: func(j *engine.Job, text string) error {
			settings := map[string]string{}
			for k, v := range j.Settings { // others may hold the old one
				settings[k] = v
			}
			if settings[s.Name] = text; text == "" {
				delete(settings, s.Name)
			}
			j.Settings = settings
			return nil
		}}
}

// filesField chooses the forms of file that are written.
func filesField(forms []engine.FileForm) field {
	f := field{name: "files", title: "Files", several: true, usual: forms[0].Name,
		get: func(j engine.Job) string { return strings.Join(j.Files, listSeparator) },
		set: func(j *engine.Job, text string) error { j.Files = parts(text); return nil }}
	var help []string
	for _, form := range forms {
		f.choices = append(f.choices, form.Name)
		help = append(help, form.Name+": "+form.Title)
	}
	f.help = strings.Join(help, ". ")
	return f
}

func whole(name, title, help string, of func(*engine.Job) *int) field {
	return field{name: name, title: title, help: help,
		get: func(j engine.Job) string { return blank(fmt.Sprint(*of(&j))) },
		set: func(j *engine.Job, s string) error {
			n, err := strconv.Atoi(orZero(s))
			if err != nil {
				return fmt.Errorf("a whole number")
			}
			*of(j) = n
			return nil
		}}
}

func number(name, title, help string, of func(*engine.Job) *float64) field {
	return field{name: name, title: title, help: help,
		get: func(j engine.Job) string { return blank(strconv.FormatFloat(*of(&j), 'g', -1, 64)) },
		set: func(j *engine.Job, s string) error {
			n, err := strconv.ParseFloat(strings.ReplaceAll(orZero(s), ",", "."), 64)
			if err != nil {
				return fmt.Errorf("a number, as 0.5 or 1e-4")
			}
			*of(j) = n
			return nil
		}}
}

func text(name, title, help string, of func(*engine.Job) *string, choices ...string) field {
	return field{name: name, title: title, help: help, choices: choices,
		get: func(j engine.Job) string { return *of(&j) },
		set: func(j *engine.Job, s string) error { *of(j) = s; return nil }}
}

// yesNo is off unless set.
func yesNo(name, title, help string, of func(*engine.Job) *bool) field {
	return field{name: name, title: title, help: help, choices: []string{"off", "on"}, usual: "off",
		get: func(j engine.Job) string {
			if *of(&j) {
				return "on"
			}
			return ""
		},
		set: func(j *engine.Job, s string) error { *of(j) = s == "on"; return nil }}
}

// listSeparator stands between the texts of a list.
const listSeparator = "; "

func list(name, title, help string, of func(*engine.Job) *[]string) field {
	return field{name: name, title: title, help: help,
		get: func(j engine.Job) string { return strings.Join(*of(&j), listSeparator) },
		set: func(j *engine.Job, s string) error { *of(j) = parts(s); return nil }}
}

// parts are the texts of a list, without empty ones.
func parts(s string) (texts []string) {
	for _, part := range strings.Split(s, strings.TrimSpace(listSeparator)) {
		if part = strings.TrimSpace(part); part != "" {
			texts = append(texts, part)
		}
	}
	return texts
}

// blank is empty for 0, which a job takes for "as the method suggests".
func blank(s string) string {
	if s == "0" {
		return ""
	}
	return s
}

func orZero(s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return "0"
	}
	return s
}

// titleOf is how the page calls a choice of the engine's.
func titleOf(name string) string {
	for _, g := range common {
		for _, f := range g.fields {
			if f.name == name {
				return f.title
			}
		}
	}
	name = strings.TrimPrefix(name, "settings.")
	return widgets.Sentence(strings.NewReplacer("-", " ", "_", " ").Replace(name))[:len(name)]
}
