package main

import (
	"context"
	"encoding/json"
	"fmt"

	"easel/engine"
)

// methodListing is a method with what it costs, as --json prints it.
type methodListing struct {
	engine.MethodInfo
	Cost engine.MethodCost `json:"cost"`
}

// listMethods is `easel methods`.
func (p *program) listMethods(ctx context.Context, args []string) error {
	var model string
	var asJSON bool
	fs := p.flags("methods")
	fs.StringVar(&model, "model", "builtin", modelHelp)
	fs.BoolVar(&asJSON, "json", false, "print one JSON array")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return p.withEngine(power{}, func(eng engine.Engine) error {
		costs, err := eng.Costs(ctx, model)
		if err != nil {
			return err
		}
		byName := map[string]engine.MethodCost{}
		for _, c := range costs {
			byName[c.Method] = c
		}
		var list []methodListing
		for _, m := range eng.Methods() {
			list = append(list, methodListing{m, byName[m.Name]})
		}
		if asJSON {
			return json.NewEncoder(p.out).Encode(list)
		}
		for _, m := range list {
			p.showMethod(m)
		}
		return nil
	})
}

func (p *program) showMethod(m methodListing) {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(p.out, "  %-14s%s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(p.out, "%s (--method %s)\n", m.Title, m.Name)
	row("updates", "%s", m.Updates)
	row("good at", "%s", m.Good)
	row("may harm", "%s", m.Harm)
	if m.Cost.Problem != "" {
		row("costs", "%s", m.Cost.Problem)
	} else {
		row("costs", "%s trained numbers, about %s of memory, a file of %s", grouped(m.Cost.Parameters), byteSize(m.Cost.Peak), byteSize(m.Cost.FileBytes))
	}
	for _, f := range m.Files {
		row("writes", "%s (--file %s)", f.Title, f.Name)
	}
	fmt.Fprintln(p.out)
}
