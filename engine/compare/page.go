// Package compare writes what engine.Engine's Compare found: a page to look at and the same as JSON.
package compare

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"os"
	"path/filepath"

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
}).Parse(pageText))

// Write writes a comparison into dir and returns it with Page set. The page holds its pictures, so that it can be sent
// to somebody as one file. A picture that cannot be read is an error of kind BadFile.
func Write(dir string, job engine.Job, c engine.Comparison) (engine.Comparison, error) {
	c.Page = filepath.Join(dir, pageName)
	var text bytes.Buffer
	err := page.Execute(&text, struct {
		engine.Comparison
		Job  engine.Job
		Best map[string]string
	}{c, job, best(c.Rows)})
	if err != nil {
		return c, engine.Errorf("write comparison", c.Page, engine.BadFile, "%w", err)
	}
	if err := write(c.Page, text.Bytes()); err != nil {
		return c, err
	}
	data, err := json.MarshalIndent(struct {
		Job engine.Job `json:"job"`
		engine.Comparison
	}{job, c}, "", "  ")
	if err != nil {
		return c, engine.Errorf("write comparison", dir, engine.Internal, "%w", err)
	}
	return c, write(filepath.Join(dir, jsonName), append(data, '\n'))
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
