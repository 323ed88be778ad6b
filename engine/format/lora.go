package format

import (
	"fmt"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/kernel"
)

const opLoRA = "read LoRA"

// LoRAModule is the low-rank update of one weight: delta W = Alpha/rank * Up * Down.
type LoRAModule struct {
	Name  string         // kohya's, as "lora_unet_mid_block_attentions_0_proj_in"
	Down  *kernel.Tensor // [rank, in], or [rank, in, kh, kw] of a convolution
	Up    *kernel.Tensor // [out, rank], or [out, rank, 1, 1] of a convolution
	Alpha float32
}

// Rank is the inner dimension of the update.
func (m LoRAModule) Rank() int {
	if len(m.Down.Shape) == 0 {
		return 0
	}
	return m.Down.Shape[0]
}

// spatial says whether the update is of a convolution wider than 1x1, which has a rank of its own in kohya.
func (m LoRAModule) spatial() bool {
	return len(m.Down.Shape) == 4 && m.Down.Shape[2]*m.Down.Shape[3] > 1
}

// loraPrefixes begin every name of a file that A1111, ComfyUI and diffusers all accept.
var loraPrefixes = []string{"lora_unet_", "lora_te_", "lora_te1_", "lora_te2_"}

// KohyaName is the module's name in a LoRA file: prefix ("lora_unet_", "lora_te_", "lora_te1_", "lora_te2_") and
// the module's path with its dots turned into underscores. SD1 and SD2 use diffusers' paths, SDXL the original's.
func KohyaName(prefix, module string) string {
	return prefix + strings.ReplaceAll(module, ".", "_")
}

// check says what makes a module unusable.
func (m LoRAModule) check() error {
	if !slices.ContainsFunc(loraPrefixes, func(p string) bool { return strings.HasPrefix(m.Name, p) }) || strings.Contains(m.Name, ".") {
		return fmt.Errorf("%q is no kohya module name; it must begin with one of %s and hold no dot", m.Name, strings.Join(loraPrefixes, " "))
	}
	if m.Down == nil || m.Up == nil {
		return fmt.Errorf("%s: lora_down and lora_up belong together, one is missing", m.Name)
	}
	down, up := m.Down.Shape, m.Up.Shape
	flat := len(up) == 2 || len(up) == 4 && up[2] == 1 && up[3] == 1
	if len(down) != 2 && len(down) != 4 || !flat || down[0] != up[1] || down[0] == 0 {
		return fmt.Errorf("%s: lora_down %v and lora_up %v do not fit each other", m.Name, down, up)
	}
	return nil
}

// ReadLoRA returns the modules of a LoRA in kohya's names, sorted by name; their tensors are f's. A module without
// alpha gets its rank, as in all loaders. Errors: Unsupported for other kinds of adapter (DoRA, LoHa, LoKr, OFT,
// CP convolutions) and other names, BadFile where the parts of a module do not fit.
func ReadLoRA(f *File) ([]LoRAModule, error) {
	byName := map[string]*LoRAModule{}
	alphas := map[string]bool{}
	for _, key := range f.Names() {
		name, part, _ := strings.Cut(key, ".")
		if !isLoRAPart(part) || !strings.HasPrefix(name, "lora_") {
			return nil, engine.Errorf(opLoRA, f.Path(), engine.Unsupported, "%s", refusal(key))
		}
		t, err := f.Tensor(key)
		if err != nil {
			return nil, err
		}
		m := byName[name]
		if m == nil {
			m = &LoRAModule{Name: name}
			byName[name] = m
		}
		switch part {
		case "lora_down.weight":
			m.Down = t
		case "lora_up.weight":
			m.Up = t
		case "alpha":
			if t.Len() != 1 {
				return nil, engine.Errorf(opLoRA, f.Path(), engine.BadFile, "%s has shape %v, one number was expected", key, t.Shape)
			}
			m.Alpha, alphas[name] = t.Floats()[0], true
		}
	}
	modules := make([]LoRAModule, 0, len(byName))
	for name, m := range byName {
		if err := m.check(); err != nil {
			return nil, engine.Errorf(opLoRA, f.Path(), engine.BadFile, "%w", err)
		}
		if !alphas[name] {
			m.Alpha = float32(m.Rank())
		}
		modules = append(modules, *m)
	}
	if len(modules) == 0 {
		return nil, engine.Errorf(opLoRA, f.Path(), engine.BadFile, "the file holds no LoRA")
	}
	slices.SortFunc(modules, func(a, b LoRAModule) int { return strings.Compare(a.Name, b.Name) })
	return modules, nil
}

func isLoRAPart(part string) bool {
	return part == "lora_down.weight" || part == "lora_up.weight" || part == "alpha"
}

// foreign maps a piece of a tensor's name to the kind of adapter that it betrays.
var foreign = []struct{ piece, kind string }{
	{"dora_scale", "a DoRA"},
	{"lora_magnitude_vector", "a DoRA"},
	{"lora_mid", "a LoRA with CP-decomposed convolutions"},
	{"hada_", "a LoHa (LyCORIS)"},
	{"lokr_", "a LoKr (LyCORIS)"},
	{"oft_", "an OFT adapter"},
	{"glora", "a GLoRA (LyCORIS)"},
	{".a1.", "a GLoRA (LyCORIS)"},
	{".w_norm", "a LyCORIS norm adapter"},
	{".diff", "a full weight difference"},
	{".on_input", "an IA3 adapter"},
	{"bundle_emb", "a LoRA with embedded textual inversions"},
	{"base_model.model.", "a LoRA in peft's names"},
	{".lora_A.", "a LoRA in diffusers' names"},
	{".lora.down.", "a LoRA in diffusers' old names"},
	{"_lora.down.", "a LoRA in diffusers' old names"},
	{":down", "a LoRA in cloneofsimo's names"},
	{":up", "a LoRA in cloneofsimo's names"},
}

// refusal is a sentence on why a file with such a tensor cannot be read.
func refusal(key string) string {
	for _, f := range foreign {
		if strings.Contains(key, f.piece) {
			return fmt.Sprintf("this is %s (it holds %q), which Easel cannot read; only plain LoRA in kohya's names can be", f.kind, key)
		}
	}
	return fmt.Sprintf("the tensor %q does not belong in a plain LoRA with kohya's names", key)
}
