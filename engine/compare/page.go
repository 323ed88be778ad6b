// Package compare keeps what engine.Engine's Compare finds: as JSON, and as a page to look at.
package compare

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"easel/engine"
	"easel/engine/internal/atomicfile"
)

// Names of the files in the comparison's folder.
const (
	pageName = "compare.html"
	jsonName = "compare.json"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"picture": dataURI, "share": share, "size": size, "grouped": grouped, "duration": duration, "number": number,
	"best": func(c engine.Comparison, figure engine.Figure, method string) bool {
		return slices.Contains(c.Best[figure], method)
	},
}).Parse(pageText))

// Write writes a comparison, as far as it is, into its folder, which is made where absent, and returns it with Page set
// where there is something to see. The page holds its pictures, so that it can be sent to somebody as one file. A picture
// that cannot be read is an error of kind BadFile.
func Write(c engine.Comparison) (engine.Comparison, error) {
	dir := c.Request.Job.Out
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return c, engine.Errorf("write comparison", dir, engine.BadInput, "%w; choose another folder", err)
	}
	if len(c.Before) > 0 {
		c.Page = filepath.Join(dir, pageName)
		var text bytes.Buffer
		if err := page.Execute(&text, c); err != nil {
			return c, engine.Errorf("write comparison", c.Page, engine.BadFile, "%w", err)
		}
		if err := write(c.Page, text.Bytes()); err != nil {
			return c, err
		}
	}
	data, err := json.MarshalIndent(mapPaths(c, func(path string) string { return within(dir, path) }), "", "  ")
	if err != nil {
		return c, engine.Errorf("write comparison", dir, engine.Internal, "%w", err)
	}
	return c, write(filepath.Join(dir, jsonName), append(data, '\n'))
}

// Read reads the comparison in dir, with its paths as they are there now. Errors are of kind NotFound where there is none.
func Read(dir string) (engine.Comparison, error) {
	var c engine.Comparison
	path := filepath.Join(dir, jsonName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, engine.Errorf("open comparison", dir, engine.NotFound, "nothing has been compared here")
	}
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err == nil {
		err = check(c)
	}
	if err != nil {
		return engine.Comparison{}, engine.Errorf("open comparison", path, engine.BadFile, "%w", err)
	}
	c.Request.Job.Out = dir
	return mapPaths(c, func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, filepath.FromSlash(path))
	}), nil
}

// check refuses a record that no comparison has left.
func check(c engine.Comparison) error {
	if len(c.Request.Methods) == 0 || len(c.Rows) > len(c.Request.Methods) {
		return fmt.Errorf("it has %d methods and %d rows", len(c.Request.Methods), len(c.Rows))
	}
	if len(c.Before) > 0 && len(c.Before) != len(c.Columns) {
		return fmt.Errorf("it has %d pictures in %d columns", len(c.Before), len(c.Columns))
	}
	for i, row := range c.Rows {
		if row.Method != c.Request.Methods[i] {
			return fmt.Errorf("row %d is of %q in place of %q", i+1, row.Method, c.Request.Methods[i])
		}
		if len(row.Pictures) > 0 && len(row.Pictures) != len(c.Columns) {
			return fmt.Errorf("row %d has %d pictures in %d columns", i+1, len(row.Pictures), len(c.Columns))
		}
	}
	return nil
}

// within is path as it is recorded: relative where it lies in dir, so that the folder may be moved.
func within(dir, path string) string {
	whole, err := filepath.Abs(dir)
	if err != nil || path == "" {
		return path
	}
	if !filepath.IsAbs(path) {
		whole = dir
	}
	if relative, err := filepath.Rel(whole, path); err == nil && filepath.IsLocal(relative) {
		return filepath.ToSlash(relative)
	}
	return path
}

// mapPaths returns c with f applied to the paths of what Easel wrote. The original stays as it is.
func mapPaths(c engine.Comparison, f func(string) string) engine.Comparison {
	all := func(paths []string) []string {
		paths = slices.Clone(paths)
		for i, path := range paths {
			paths[i] = f(path)
		}
		return paths
	}
	c.Page, c.Before, c.Rows = f(c.Page), all(c.Before), slices.Clone(c.Rows)
	for i := range c.Rows {
		c.Rows[i].Pictures, c.Rows[i].Export = all(c.Rows[i].Pictures), f(c.Rows[i].Export)
	}
	return c
}

func write(path string, data []byte) error {
	return atomicfile.Write("write comparison", path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// dataURI is a picture's file as the source of an <img>.
func dataURI(path string) (template.URL, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read picture: %w", err)
	}
	return template.URL("data:" + http.DetectContentType(data) + ";base64," + base64.StdEncoding.EncodeToString(data)), nil
}
