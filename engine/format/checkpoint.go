package format

import (
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/kernel"
)

const opCheckpoint = "open checkpoint"

// Checkpoint is a model in one file, as A1111 and ComfyUI use it. Its tensors have names of their own (Names, Tensor);
// Component gives those of one network in diffusers' names. The mapping works both ways (Refs, Find), so that a changed
// model can be written in the layout that it came in:
//
//	for _, own := range c.Names() {
//		t, err := c.Tensor(own)        // a view of the file
//		changed := t.Convert(kernel.F32) // a copy, only where Refs names something that changes
//		for _, ref := range c.Refs(own) {
//			copy(ref.Rows(changed).F32(), delta(ref.Part, ref.Name))
//		}
//		out = append(out, format.Named{Name: own, Tensor: changed})
//	}
//
// Shapes may differ from diffusers' in trailing dimensions of 1 (the VAE's attention).
type Checkpoint struct {
	*File
	refs  func(own string) []Ref
	parts map[string]*part
}

// OpenCheckpoint opens a model of Stable Diffusion 1 or 2 in one file, recognised by its tensors. It may lack a VAE,
// and has a UNet and a text encoder. Errors: NotFound, BadFile, and Unsupported for every other file, with a sentence
// that names what it is.
func OpenCheckpoint(path string) (*Checkpoint, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	var info Info
	c := classify(&info, f)
	if what := notTrained(info, c); what != "" {
		f.Close()
		return nil, engine.Errorf(opCheckpoint, path, engine.Unsupported, "this is %s; %s", what, Trains)
	}
	return c, nil
}

// NewCheckpoint maps the names of f, whatever it holds. Moving averages count only where there is no other UNet.
func NewCheckpoint(f *File) *Checkpoint {
	refs := Refs
	if slices.ContainsFunc(f.Names(), func(own string) bool { return strings.HasPrefix(own, "model.diffusion_model.") }) {
		refs = func(own string) []Ref {
			if IsAverage(own) {
				return nil
			}
			return Refs(own)
		}
	}
	return mapNames(f, refs)
}

func mapNames(f *File, refs func(own string) []Ref) *Checkpoint {
	c := &Checkpoint{File: f, refs: refs, parts: map[string]*part{}}
	for _, own := range f.Names() {
		for _, ref := range refs(own) {
			p := c.parts[ref.Part]
			if p == nil {
				p = &part{file: f, places: map[string]place{}}
				c.parts[ref.Part] = p
			}
			p.add(own, ref)
		}
	}
	return c
}

// Refs says what the file's tensor own is to diffusers, as the function Refs does; nil for the moving averages that a
// file holds beside its UNet.
func (c *Checkpoint) Refs(own string) []Ref { return c.refs(own) }

// has says whether the file holds a tensor of a component.
func (c *Checkpoint) has(part, name string) bool {
	_, _, ok := c.Find(part, name)
	return ok
}

// Find is the inverse of Refs: the file's tensor in which a component's tensor lies.
func (c *Checkpoint) Find(part, name string) (own string, ref Ref, ok bool) {
	p := c.parts[part]
	if p == nil {
		return "", Ref{}, false
	}
	at, ok := p.places[name]
	return at.own, at.ref, ok
}

// Component gives the tensors of "unet", "vae" or "text_encoder" in diffusers' names, as views. Error: NotFound.
func (c *Checkpoint) Component(name string) (Source, error) {
	p := c.parts[name]
	if p == nil {
		return nil, engine.Errorf(opCheckpoint, c.path, engine.NotFound, "the file holds no %s", name)
	}
	return p, nil
}

// part is a component of a file as a Source.
type part struct {
	file   *File
	names  []string
	places map[string]place
}

// place is where a tensor lies.
type place struct {
	own string
	ref Ref
}

// add keeps the first of two tensors of the same meaning.
func (p *part) add(own string, ref Ref) {
	if _, twice := p.places[ref.Name]; twice {
		return
	}
	p.names = append(p.names, ref.Name)
	p.places[ref.Name] = place{own, ref}
}

func (p *part) Names() []string { return slices.Clone(p.names) }

func (p *part) Has(name string) bool {
	_, ok := p.places[name]
	return ok
}

func (p *part) Info(name string) (dtype string, shape []int, ok bool) {
	at, ok := p.places[name]
	if !ok {
		return "", nil, false
	}
	dtype, shape, _ = p.file.Info(at.own)
	if len(shape) > 0 {
		shape[0] /= at.ref.Of
	}
	return dtype, shape, true
}

func (p *part) Tensor(name string) (*kernel.Tensor, error) {
	at, ok := p.places[name]
	if !ok {
		return nil, engine.Errorf(opRead, p.file.path, engine.NotFound, "there is no tensor %q", name)
	}
	t, err := p.file.Tensor(at.own)
	if err != nil || at.ref.Of == 1 {
		return t, err
	}
	if len(t.Shape) == 0 || t.Shape[0]%at.ref.Of != 0 {
		return nil, engine.Errorf(opRead, p.file.path, engine.BadFile, "tensor %q of shape %v cannot be split into %d", at.own, t.Shape, at.ref.Of)
	}
	return at.ref.Rows(t), nil
}

// Rows views what ref names of t, a tensor of the file's shape.
func (ref Ref) Rows(t *kernel.Tensor) *kernel.Tensor {
	if ref.Of == 1 {
		return t
	}
	shape := slices.Clone(t.Shape)
	shape[0] /= ref.Of
	n := kernel.Len(shape) * t.DType.Size()
	return &kernel.Tensor{Shape: shape, DType: t.DType, Data: t.Data[ref.Index*n : (ref.Index+1)*n : (ref.Index+1)*n], Frozen: t.Frozen, Mapped: t.Mapped}
}
