package engine_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// node is a package of the module, or its imports where it is one of them.
type node struct {
	imports []string
	cgo     bool
}

const (
	module = "easel"
	fyne   = "fyne.io/fyne/v2"
)

// layers says which packages of the engine each package of the engine may import, beside the root. Names are relative
// to easel/engine; "method/*" stands for each sub-folder of method.
var layers = map[string][]string{
	"builtin":             {},
	"compare":             {"internal/atomicfile"},
	"diffusion":           {},
	"internal/golden":     {"kernel", "format"},
	"internal/atomicfile": {},
	"internal/rng":        {},
	"kernel":              {},
	"store":               {"internal/atomicfile"},
	"tokenizer":           {},
	"dataset":             {"internal/rng", "internal/atomicfile"},
	"format":              {"kernel", "internal/atomicfile", "format/pickle"},
	"format/pickle":       {},
	"optim":               {"kernel", "internal/rng"},
	"preset":              {},
	"kernel/onednn":       {"kernel", "internal/rng", "internal/atomicfile"},
	"kernel/ref":          {"kernel", "internal/rng"},
	"kernel/vulkan":       {"kernel"},
	"kernel/kerneltest":   {"kernel", "kernel/ref", "internal/golden"},
	"graph":               {"kernel", "kernel/ref"},
	"model":               {"graph", "kernel", "format", "tokenizer"},
	"model/vit":           {"model", "graph", "kernel", "format"},
	"model/blip":          {"model", "model/vit", "graph", "kernel", "format", "tokenizer"},
	"model/tagger":        {"model", "model/vit", "graph", "kernel", "format"},
	"caption":             {"model/blip", "model/tagger", "graph", "kernel", "tokenizer", "dataset", "internal/atomicfile"},
	"method":              {"model", "graph", "kernel", "format"},
	"method/*":            {"method", "model", "graph", "kernel", "format", "internal/rng"},
	"sample":              {"model", "graph", "kernel", "diffusion", "tokenizer", "method", "dataset", "internal/rng", "format"},
	"train":               nil, // everything but the packages of topLayer
	"local":               nil, // everything
}

// topLayer sees everything below; only main imports it.
const topLayer = "local"

// withCgo are the only packages that may contain C.
var withCgo = []string{module + "/engine/kernel/onednn", module + "/engine/kernel/vulkan"}

// pages of the window know nothing of each other.
var pages = []string{"pictures", "method", "compare", "train", "export", "settings"}

// TestImportRules holds the module to the rules of ARCHITECTURE.md.
func TestImportRules(t *testing.T) {
	packages := listPackages(t)
	for _, needed := range []string{module, module + "/engine", module + "/engine/kernel", module + "/engine/store", module + "/gui"} {
		if _, ok := packages[needed]; !ok {
			t.Errorf("package %s was not looked at", needed)
		}
	}
	for _, breach := range breaches(packages) {
		t.Error(breach)
	}
}

// TestImportRulesNoticeABreach feeds the rules with breaches.
func TestImportRulesNoticeABreach(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"easel/engine/train", "easel/gui", "the engine must not import the window"},
		{"easel/engine/model", "easel/presets", "the engine must not import the window"},
		{"easel/engine/store", fyne, "the engine must not import Fyne"},
		{"easel/engine", "easel/engine/kernel", "engine is plain data and imports no package of Easel"},
		{"easel/engine/kernel", "easel/engine/graph", "it may import only engine"},
		{"easel/engine/method/lora", "easel/engine/method/ti", "it may import only engine, method"},
		{"easel/engine/train", "easel/engine/local", "only main imports it"},
		{"easel/engine/store", "easel/engine/internal/golden", "is for tests"},
		{"easel/engine/novelty", "easel/engine", "has no row"},
		{"easel/gui", "easel/engine/kernel", "the window sees only engine, presets, icons and samples"},
		{"easel/gui/train", "easel/gui/method", "pages must not import each other"},
		{"easel/gui", fyne + "/app", "only main may import Fyne's app"},
		{"easel/presets", "easel/engine/local", "may import nothing of Easel"},
		{"easel/engine/format", "C", "C belongs only in"},
	} {
		got := breaches(map[string]node{c.from: {imports: []string{c.to}, cgo: c.to == "C"}})
		if len(got) != 1 || !strings.Contains(got[0], c.want) {
			t.Errorf("%s importing %s gives %q, want one breach with %q", c.from, c.to, got, c.want)
		}
	}
	allowed := map[string]node{
		"easel":                        {imports: []string{fyne + "/app", "easel/gui", "easel/engine/local"}},
		"easel/gui":                    {imports: []string{fyne, "easel/engine", "easel/icons", "easel/gui/train"}},
		"easel/gui/train":              {imports: []string{"easel/gui/widgets"}},
		"easel/engine":                 {imports: []string{"context"}},
		"easel/engine/kernel/onednn":   {imports: []string{"C", "easel/engine/kernel"}, cgo: true},
		"easel/engine/method/lora":     {imports: []string{"easel/engine", "easel/engine/method", "easel/engine/internal/rng"}},
		"easel/engine/train":           {imports: []string{"easel/engine/store", "easel/engine/method/lora"}},
		"easel/engine/local":           {imports: []string{"easel/engine/train", "easel/engine/kernel/ref", "easel/engine/builtin"}},
		"easel/engine/internal/golden": {imports: []string{"os"}},
	}
	if diff := cmp.Diff([]string(nil), breaches(allowed)); diff != "" {
		t.Error(diff)
	}
}

// listPackages reads the whole module at once, with cgo on so that its files count. Tests are left out.
func listPackages(t *testing.T) map[string]node {
	t.Helper()
	command := exec.Command("go", "list", "-e", "-f", `{{.ImportPath}} {{len .CgoFiles}} {{join .Imports " "}}`, "./...")
	command.Dir = ".." // the module's root
	command.Env = append(os.Environ(), "CGO_ENABLED=1")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := map[string]node{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		packages[fields[0]] = node{imports: fields[2:], cgo: fields[1] != "0"}
	}
	return packages
}

// breaches lists what in packages breaks the rules, sorted.
func breaches(packages map[string]node) []string {
	var all []string
	for _, from := range slices.Sorted(maps.Keys(packages)) {
		if packages[from].cgo && !slices.Contains(withCgo, from) {
			all = append(all, fmt.Sprintf("%s: C belongs only in %s", from, strings.Join(withCgo, " and ")))
		}
		if name, ok := strings.CutPrefix(from, module+"/engine/"); ok {
			if _, known := allowedIn(name); !known {
				all = append(all, fmt.Sprintf("%s has no row in the table of layers; give it one", from))
			}
		}
		for _, to := range packages[from].imports {
			if why := breach(from, to); why != "" {
				all = append(all, fmt.Sprintf("%s imports %s: %s", from, to, why))
			}
		}
	}
	return all
}

// breach says why from must not import to, or nothing.
func breach(from, to string) string {
	ofEngine := from == module+"/engine" || strings.HasPrefix(from, module+"/engine/")
	switch {
	case to == fyne+"/app" && from != module:
		return "only main may import Fyne's app"
	case ofEngine && (to == fyne || strings.HasPrefix(to, "fyne.io/")):
		return "the engine must not import Fyne"
	case !strings.HasPrefix(to, module+"/"), from == module:
		return "" // the rest is about imports within the module, all of which main may see
	case ofEngine:
		return engineBreach(from, to)
	case from == module+"/gui" || strings.HasPrefix(from, module+"/gui/"):
		return guiBreach(from, to)
	}
	return "it may import nothing of Easel"
}

func engineBreach(from, to string) string {
	name, inside := strings.CutPrefix(from, module+"/engine/")
	target, ofEngine := strings.CutPrefix(to, module+"/engine/")
	switch {
	case to == module+"/engine":
		return ""
	case !ofEngine:
		return "the engine must not import the window"
	case !inside:
		return "engine is plain data and imports no package of Easel"
	case target == "internal/golden" && name != "kernel/kerneltest": // itself for tests only
		return "it is for tests"
	case target == topLayer:
		return "only main imports it"
	}
	allowed, known := allowedIn(name)
	if !known || allowed == nil || slices.Contains(allowed, target) {
		return "" // an unknown package is reported once, by breaches
	}
	return "it may import only " + strings.Join(append([]string{"engine"}, allowed...), ", ")
}

// allowedIn finds a package's row in layers.
func allowedIn(name string) (row []string, known bool) {
	if rest, ok := strings.CutPrefix(name, "method/"); ok && !strings.Contains(rest, "/") {
		name = "method/*"
	}
	row, known = layers[name]
	return row, known
}

func guiBreach(from, to string) string {
	page := func(path string) bool {
		name, ok := strings.CutPrefix(path, module+"/gui/")
		return ok && slices.Contains(pages, strings.Split(name, "/")[0])
	}
	switch {
	case page(from) && page(to) && !strings.HasPrefix(to, from+"/"):
		return "pages must not import each other"
	case strings.HasPrefix(to, module+"/gui/"), slices.Contains([]string{module + "/engine", module + "/presets", module + "/icons", module + "/samples"}, to):
		return ""
	}
	return "the window sees only engine, presets, icons and samples"
}
