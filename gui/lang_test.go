package gui

import (
	"encoding/json"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestGermanAndSpanishSayAll: whatever the window says is said in German and Spanish too, and nothing else is there.
func TestGermanAndSpanishSayAll(t *testing.T) {
	said, literals := textsOf(t)
	for _, language := range []string{"de", "es"} {
		texts := translation(t, language)
		for key, text := range texts {
			if text, ok := text.(string); ok && key != "pictures.advice" && !slices.Equal(verbs(key), verbs(text)) {
				t.Errorf("%s: %q does not fill in what %q does", language, text, key)
			}
			if forms, ok := text.(map[string]any); ok && (forms["one"] == nil || forms["other"] == nil) {
				t.Errorf("%s: %q lacks one or other", language, key)
			}
			if literals[key] == "" {
				t.Errorf("%s has %q, which nothing says", language, key)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(said)) {
			if _, ok := texts[key]; !ok {
				t.Errorf("%s has no %q of %s", language, key, said[key])
			}
		}
	}
}

// TestEnglishHasPlurals: a text with a count has two forms in each language.
func TestEnglishHasPlurals(t *testing.T) {
	said, _ := textsOf(t)
	for _, language := range []string{"en", "de", "es"} {
		texts := translation(t, language)
		for key, file := range said {
			if _, forms := texts[key].(map[string]any); strings.Contains(key, "{{.Count}}") && !forms {
				t.Errorf("%s has no plural of %q of %s", language, key, file)
			}
		}
	}
}

func translation(t *testing.T, language string) map[string]any {
	data, err := os.ReadFile(filepath.Join("translations", "easel."+language+".json"))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]any{}
	if err := json.Unmarshal(data, &texts); err != nil {
		t.Fatal(err)
	}
	return texts
}

// textsOf finds what the window's sources say through lang, and all texts that they, the samples, the presets and the methods
// hold; each with its file.
func textsOf(t *testing.T) (said, literals map[string]string) {
	said, literals = map[string]string{}, map[string]string{}
	for _, root := range []string{".", "../samples", "../engine/method"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err == nil {
				ast.Inspect(file, func(n ast.Node) bool {
					for _, key := range saidBy(n) {
						said[key] = path
					}
					if e, ok := n.(ast.Expr); ok && textOf(e) != "" {
						literals[textOf(e)] = path
						literals[titled(textOf(e))] = path
					}
					return true
				})
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range presetTexts(t) {
		for _, why := range regexp.MustCompile(`why = "([^"]*)"`).FindAllStringSubmatch(text, -1) {
			said[why[1]], literals[why[1]] = name, name
		}
	}
	return said, literals
}

// presetTexts are the presets' files.
func presetTexts(t *testing.T) map[string]string {
	texts := map[string]string{}
	names, err := filepath.Glob("../presets/*.toml")
	if err != nil || len(names) == 0 {
		t.Fatalf("presets: %v, %d files", err, len(names))
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	return texts
}

// titled is the name of a setting as the window titles it: "text-until" is "Text until".
func titled(name string) string {
	name = strings.ReplaceAll(name, "-", " ")
	return strings.ToUpper(name[:1]) + name[1:]
}

// tables are the functions that make a setting of gui/method: its title and help, the second and third argument, go through
// lang where it is shown.
var tables = []string{"whole", "number", "text", "yesNo", "list"}

// spoken are the lists of gui/speech and of the pipeline whose texts go through lang where they are shown.
var spoken = []string{"kinds", "formats", "parts", "added", "Phases"}

// saidBy are the texts that a call hands to lang, or a list that is spoken.
func saidBy(n ast.Node) (texts []string) {
	if list, ok := n.(*ast.ValueSpec); ok && slices.Contains(spoken, list.Names[0].Name) {
		ast.Inspect(list, func(n ast.Node) bool {
			if e, ok := n.(*ast.BasicLit); ok && textOf(e) != "" {
				texts = append(texts, textOf(e))
			}
			return true
		})
		return texts
	}
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return nil
	}
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		pkg, ok := f.X.(*ast.Ident)
		if ok && pkg.Name == "lang" && slices.Contains([]string{"L", "N", "X", "XN"}, f.Sel.Name) && textOf(call.Args[0]) != "" {
			return []string{textOf(call.Args[0])}
		}
	case *ast.Ident:
		if slices.Contains(tables, f.Name) && len(call.Args) > 3 && textOf(call.Args[2]) != "" {
			return []string{textOf(call.Args[1]), textOf(call.Args[2])}
		}
	}
	return nil
}

// textOf is the value of a literal text, or of several that are added; "" for anything else.
func textOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			return constant.StringVal(constant.MakeFromLiteral(e.Value, e.Kind, 0))
		}
	case *ast.BinaryExpr:
		if left, right := textOf(e.X), textOf(e.Y); e.Op == token.ADD && left != "" && right != "" {
			return left + right
		}
	}
	return ""
}

// verbs are what fmt fills in, in their order.
func verbs(text string) []string { return regexp.MustCompile(`%[0-9.]*[a-z%]`).FindAllString(text, -1) }
