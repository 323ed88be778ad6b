package format

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"easel/engine/format/pickle"
)

// headerOf lists the tensors of what a pickle holds: a state_dict, bare or under that name, or anything with tensors in
// it, whose names then are the ways to them ("string_to_param.*"). Texts, numbers and lists of numbers beside them become
// metadata. None may be larger than the file of size bytes.
func headerOf(root any, size int) (*header, error) {
	c := collector{header: header{metadata: map[string]string{}}, seen: map[string]bool{}, size: uint64(size)}
	if d, ok := root.(*pickle.Dict); ok {
		c.describe(d)
		if state, ok := d.Get("state_dict"); ok {
			root = state
		}
	}
	if err := c.collect("", root, 0); err != nil {
		return nil, err
	}
	h := &c.header
	slices.SortFunc(h.entries, compareEntries)
	return h, nil
}

// Limits of the search for tensors in a pickle: lists may hold each other, and many times the same tensor.
const (
	maxName    = 1024 // bytes
	maxNesting = 6
	maxVisited = 1_000_000
)

type collector struct {
	header
	seen    map[string]bool
	size    uint64 // of the file
	named   uint64 // bytes of all names
	visited int
}

func (c *collector) describe(d *pickle.Dict) {
	for i, key := range d.Keys {
		name, ok := key.(string)
		if !ok || len(c.metadata) >= maxMetadata {
			continue
		}
		if text, ok := plain(d.Values[i]); ok {
			c.metadata[name] = text
		}
	}
}

// plain is a text, number, truth value or short list of them as Python would print it.
func plain(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case bool:
		return map[bool]string{true: "True", false: "False"}[v], true
	case *pickle.List:
		return plainList(v.Items)
	}
	return "", false
}

// maxPlain is how many items a list may have to become metadata.
const maxPlain = 64

func plainList(items []any) (string, bool) {
	if len(items) > maxPlain {
		return "", false
	}
	texts := make([]string, len(items))
	for i, item := range items {
		switch item.(type) {
		case int64, float64, bool:
			texts[i], _ = plain(item)
		default:
			return "", false
		}
	}
	return "[" + strings.Join(texts, ", ") + "]", true
}

// collect adds the tensors below v, whose name so far is name.
func (c *collector) collect(name string, v any, depth int) error {
	if c.visited++; c.visited > maxVisited {
		return fmt.Errorf("there are more than %d values: %w", maxVisited, pickle.ErrRefused)
	}
	if depth > maxNesting {
		return nil
	}
	below := func(key string, v any) error {
		if len(name)+len(key) > maxName {
			return fmt.Errorf("a name is longer than %d bytes: %w", maxName, pickle.ErrRefused)
		}
		if name != "" {
			key = name + "." + key
		}
		return c.collect(key, v, depth+1)
	}
	switch v := v.(type) {
	case *pickle.Dict:
		for i, key := range v.Keys {
			if err := below(keyName(key), v.Values[i]); err != nil {
				return err
			}
		}
	case *pickle.List:
		return c.items(v.Items, below)
	case pickle.Tuple:
		return c.items(v, below)
	case *pickle.Object:
		if v.Class == (pickle.Global{Module: "torch.nn.modules.container", Name: "ParameterDict"}) {
			if state, ok := v.State.(*pickle.Dict); ok {
				parameters, _ := state.Get("_parameters")
				return c.collect(name, parameters, depth+1)
			}
		}
		return c.tensor(name, v)
	}
	return nil
}

func (c *collector) items(items []any, below func(string, any) error) error {
	for i, item := range items {
		if err := below(strconv.Itoa(i), item); err != nil {
			return err
		}
	}
	return nil
}

// keyName is a key as part of a name; hypernetworks have numbers.
func keyName(key any) string {
	switch k := key.(type) {
	case string:
		return k
	case int64:
		return strconv.FormatInt(k, 10)
	}
	return "?"
}

// tensor adds v where it is one. Two of the same name cannot be told apart.
func (c *collector) tensor(name string, v *pickle.Object) error {
	e, ok, err := tensorEntry(v)
	if err != nil {
		return fmt.Errorf("tensor %q: %w", name, err)
	}
	if !ok {
		return nil
	}
	if c.seen[name] {
		return fmt.Errorf("the name %q occurs twice", name)
	}
	if n, err := byteLen(e.dtype, e.shape); err != nil || n > c.size {
		return fmt.Errorf("tensor %q of shape %v is larger than the file", name, e.shape)
	}
	if len(c.entries) == maxTensors {
		return fmt.Errorf("there are more than %d tensors", maxTensors)
	}
	if c.named += uint64(len(name)); c.named > c.size {
		return fmt.Errorf("the names are larger than the file: %w", pickle.ErrRefused)
	}
	e.name = name
	c.seen[name] = true
	c.entries = append(c.entries, e)
	return nil
}
