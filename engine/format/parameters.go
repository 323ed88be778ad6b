package format

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Parameters is the text by which A1111 describes a generated picture (modules/processing.py,
// create_infotext; modules/infotext_utils.py).
type Parameters struct {
	Prompt   string
	Negative string

	Steps         int
	Sampler       string // "Euler a", "DPM++ 2M"
	Schedule      string // "Karras"; empty for the sampler's own
	CFGScale      float64
	Seed          int64
	Width, Height int // pixels
	ModelHash     string
	Model         string
	ClipSkip      int // 1, or 0, for the last layer

	Extra   []Setting // further settings, in the order of the text
	Version string    // the program that made the picture
}

// Setting is one "Key: value" of Parameters.
type Setting struct{ Key, Value string }

// String prints the text. Prompt and Negative keep their line breaks; values with a comma, colon or line break are
// quoted as JSON.
func (p Parameters) String() string {
	settings := []Setting{
		{"Steps", strconv.Itoa(p.Steps)},
		{"Sampler", p.Sampler},
		{"Schedule type", p.Schedule},
		{"CFG scale", strconv.FormatFloat(p.CFGScale, 'f', -1, 64)},
		{"Seed", strconv.FormatInt(p.Seed, 10)},
	}
	if p.Width > 0 && p.Height > 0 {
		settings = append(settings, Setting{"Size", fmt.Sprintf("%dx%d", p.Width, p.Height)})
	}
	settings = append(settings, Setting{"Model hash", p.ModelHash}, Setting{"Model", p.Model})
	if p.ClipSkip > 1 {
		settings = append(settings, Setting{"Clip skip", strconv.Itoa(p.ClipSkip)})
	}
	settings = append(append(settings, p.Extra...), Setting{"Version", p.Version})

	var last []string
	for _, s := range settings {
		if s.Value != "" {
			last = append(last, s.Key+": "+quoteValue(s.Value))
		}
	}
	text := p.Prompt
	if p.Negative != "" {
		text += "\nNegative prompt: " + p.Negative
	}
	return text + "\n" + strings.Join(last, ", ")
}

// quoteValue also quotes what begins with a quotation mark, which a reader would pair with a later one.
func quoteValue(v string) string {
	if !strings.ContainsAny(v, ",\n:") && v[0] != '"' {
		return v
	}
	return string(quote(nil, v))
}

var (
	settingPattern = regexp.MustCompile(`\s*([\pL\pN_][\pL\pN_ \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)`)
	sizePattern    = regexp.MustCompile(`^(\d+)x(\d+)$`)
)

// ParseParameters reads the text as A1111 does (parse_generation_parameters): the last line holds the settings
// where at least three are found in it, else it belongs to the prompt, so any text can be read. Settings whose
// values do not parse are kept in Extra.
func ParseParameters(text string) Parameters {
	var p Parameters
	lines := strings.Split(strings.TrimSpace(text), "\n")
	settings := settingPattern.FindAllStringSubmatch(lines[len(lines)-1], -1)
	if len(settings) >= 3 {
		lines = lines[:len(lines)-1]
	} else {
		settings = nil
	}
	p.prompts(lines)
	for _, s := range settings {
		key, value := s[1], s[2]
		if unquoted := ""; strings.HasPrefix(value, `"`) && json.Unmarshal([]byte(value), &unquoted) == nil {
			value = unquoted
		}
		if !p.set(key, value) {
			p.Extra = append(p.Extra, Setting{key, value})
		}
	}
	return p
}

// prompts splits the lines above the settings.
func (p *Parameters) prompts(lines []string) {
	var prompt, negative []string
	inNegative := false
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "Negative prompt:"); ok {
			inNegative, line = true, strings.TrimSpace(rest)
		}
		if inNegative {
			negative = append(negative, line)
		} else {
			prompt = append(prompt, line)
		}
	}
	p.Prompt, p.Negative = strings.Join(prompt, "\n"), strings.Join(negative, "\n")
}

// set stores a setting that has a field, and says whether it could.
func (p *Parameters) set(key, value string) bool {
	switch key {
	case "Steps":
		return parseTo(&p.Steps, value, strconv.Atoi)
	case "Sampler":
		p.Sampler = value
	case "Schedule type":
		p.Schedule = value
	case "CFG scale":
		return parseTo(&p.CFGScale, value, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
	case "Seed":
		return parseTo(&p.Seed, value, func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
	case "Size":
		size := sizePattern.FindStringSubmatch(value)
		return size != nil && parseTo(&p.Width, size[1], strconv.Atoi) && parseTo(&p.Height, size[2], strconv.Atoi)
	case "Model hash":
		p.ModelHash = value
	case "Model":
		p.Model = value
	case "Clip skip":
		return parseTo(&p.ClipSkip, value, strconv.Atoi)
	case "Version":
		p.Version = value
	default:
		return false
	}
	return true
}

// parseTo stores the parsed value where it parses, and says whether it does.
func parseTo[T any](field *T, value string, parse func(string) (T, error)) bool {
	v, err := parse(value)
	if err == nil {
		*field = v
	}
	return err == nil
}
