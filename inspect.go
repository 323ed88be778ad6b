package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"easel/engine"
)

// inspect is `easel inspect FILE`.
func (p *program) inspect(ctx context.Context, args []string) error {
	fs := p.flags("inspect")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	return p.withEngine(power{}, func(eng engine.Engine) error {
		info, err := eng.Inspect(ctx, rest[0])
		if err != nil {
			return err
		}
		if *asJSON {
			return json.NewEncoder(p.out).Encode(info)
		}
		p.showInfo(info)
		return nil
	})
}

func (p *program) showInfo(info engine.FileInfo) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(p.out, "%-12s%s\n", name, printable(value))
		}
	}
	line("file", info.Path)
	line("kind", info.Kind)
	line("base", info.Base)
	line("note", info.Note)
	if len(info.Ranks) > 0 {
		line("rank", strings.Trim(fmt.Sprint(info.Ranks), "[]"))
	}
	line("size", byteSize(info.Size))
	line("tensors", grouped(int64(info.Tensors)))
	line("parameters", grouped(info.Parameters))
	line("types", strings.Join(info.DTypes, ", "))
	for i, shape := range info.Shapes {
		name := ""
		if i == 0 {
			name = "shapes"
		}
		line(name, shape)
	}
	if len(info.Shapes) > 0 && info.Tensors > len(info.Shapes) {
		line("", fmt.Sprintf("... and %d more", info.Tensors-len(info.Shapes)))
	}
	if len(info.Metadata) > 0 {
		fmt.Fprintln(p.out, "metadata")
	}
	for _, key := range slices.Sorted(maps.Keys(info.Metadata)) {
		fmt.Fprintf(p.out, "  %s = %s\n", printable(key), printable(info.Metadata[key]))
	}
}

// printable makes text from a file harmless to a terminal and short enough for a line.
func printable(text string) string {
	const longest = 200
	runes := []rune(strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 {
			return ' '
		}
		return c
	}, text))
	if len(runes) > longest {
		return string(runes[:longest]) + " ..."
	}
	return string(runes)
}
