package format

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/kernel"
)

const opLoRA = "read LoRA"

// LoRAModule is the low-rank update of one weight: W becomes W + Alpha/rank * Up * Down. Of a DoRA, each row of the sum is
// then brought to the norm that Magnitude says (Liu et al., arXiv 2402.09353).
type LoRAModule struct {
	Name  string         // kohya's, as "lora_unet_mid_block_attentions_0_proj_in"
	Down  *kernel.Tensor // [rank, in], or [rank, in, kh, kw] of a convolution
	Up    *kernel.Tensor // [out, rank], or [out, rank, 1, 1] of a convolution
	Alpha float32

	Magnitude *kernel.Tensor // F32 [out] of a DoRA, else nil
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
// the module's path in diffusers with its dots turned into underscores. Files for SDXL have the original's paths instead.
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
	if m.Magnitude != nil && (len(m.Magnitude.Shape) != 1 || m.Magnitude.Len() != up[0]) {
		return fmt.Errorf("%s: a magnitude of shape %v does not fit lora_up %v", m.Name, m.Magnitude.Shape, up)
	}
	return nil
}

// OpenLoRA is Open for a LoRA, which may also be a folder as peft saves it.
func OpenLoRA(path string) (*File, error) {
	if adapter := filepath.Join(path, peftFile); isFile(adapter) {
		path = adapter
	}
	return Open(path)
}

// peftFile is the name of peft's adapters in their folders.
const peftFile = "adapter_model.safetensors"

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// ReadLoRA returns the modules of a LoRA, sorted by name; their tensors are f's. The file may have kohya's names with
// diffusers' or the original's blocks, diffusers' names old and new, peft's or cloneofsimo's; all give kohya's names
// with diffusers' blocks. A module without alpha gets the one of peft's configuration, else its rank, as in all loaders.
// Word vectors beside cloneofsimo's modules, and bundled ones (BundledEmbeddings), are left out. Errors: Unsupported for
// other kinds of adapter (LoHa, LoKr, OFT, CP convolutions, DoRA over inputs), other names and files that are something
// else, BadFile where the parts of a module do not fit or are not finite.
func ReadLoRA(f *File) ([]LoRAModule, error) {
	if loraNaming(f.Names()) == "cloneofsimo" {
		return readCloneofsimo(f)
	}
	configs, err := readPEFTConfigs(f)
	if err != nil {
		return nil, err
	}
	parts := loraParts{}
	first := firstTextPrefix(f)
	for _, key := range f.Names() {
		if strings.HasPrefix(key, bundlePrefix) {
			continue
		}
		k, ok := parseLoRAKey(key, first)
		if !ok {
			return nil, engine.Errorf(opLoRA, f.Path(), engine.Unsupported, "%s", notLoRA(f, key))
		}
		t, err := f.Tensor(key)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(key, doraSuffix) && len(t.Shape) > 1 && t.Shape[0] == 1 && t.Len() > 1 {
			return nil, engine.Errorf(opLoRA, f.Path(), engine.Unsupported, "this is a DoRA of an old kind, which scales the inputs of layers (%s has shape %v); Easel reads those that scale outputs", key, t.Shape)
		}
		if err := parts.add(k, t, configs[k.network]); err != nil {
			return nil, engine.Errorf(opLoRA, f.Path(), engine.BadFile, "%s: %w", key, err)
		}
	}
	return parts.modules(f.Path())
}

// loraParts gathers the parts of modules, which lie in a file in any order, by the modules' names.
type loraParts map[string]*loraPart

type loraPart struct {
	LoRAModule
	path  string
	alpha *float64   // a tensor's
	peft  peftConfig // says alpha where there is none
}

func (ps loraParts) add(k loraKey, t *kernel.Tensor, c peftConfig) error {
	m := ps[k.module]
	if m == nil {
		m = &loraPart{LoRAModule: LoRAModule{Name: k.module}, peft: c, path: k.path}
		ps[k.module] = m
	}
	switch {
	case k.part == loraDown && m.Down == nil:
		m.Down = t
	case k.part == loraUp && m.Up == nil:
		m.Up = t
	case k.part == loraMagnitude && m.Magnitude == nil:
		m.Magnitude = &kernel.Tensor{Shape: []int{t.Len()}, DType: t.DType, Data: t.Data}
		m.Magnitude = m.Magnitude.Convert(kernel.F32)
	case k.part == loraAlpha && m.alpha == nil:
		if t.Len() != 1 {
			return fmt.Errorf("it has shape %v, one number was expected", t.Shape)
		}
		a := float64(t.Floats()[0])
		m.alpha = &a
	default:
		return fmt.Errorf("another tensor of the file is the same part of %s", k.module)
	}
	return nil
}

// modules checks what was gathered.
func (ps loraParts) modules(path string) ([]LoRAModule, error) {
	bad := func(format string, args ...any) ([]LoRAModule, error) {
		return nil, engine.Errorf(opLoRA, path, engine.BadFile, format, args...)
	}
	modules := make([]LoRAModule, 0, len(ps))
	for _, name := range slices.Sorted(maps.Keys(ps)) {
		m := ps[name]
		if err := m.check(); err != nil {
			return bad("%w", err)
		}
		alpha := m.peft.alpha(m.path, m.Rank())
		if m.alpha != nil {
			alpha = *m.alpha
		}
		if m.Alpha = float32(alpha); math.IsNaN(alpha) || math.IsInf(float64(m.Alpha), 0) {
			return bad("%s: alpha is %g", name, alpha)
		}
		for _, t := range []*kernel.Tensor{m.Down, m.Up, m.Magnitude} {
			if t != nil && !finite(t) {
				return bad("%s holds values that are not finite", name)
			}
		}
		modules = append(modules, m.LoRAModule)
	}
	if len(modules) == 0 {
		return bad("the file holds no LoRA")
	}
	return modules, nil
}

// foreign maps a piece of a tensor's name to the kind of adapter that it betrays.
var foreign = []struct{ piece, kind string }{
	{"lora_mid", "a LoRA with CP-decomposed convolutions"},
	{"hada_", "a LoHa (LyCORIS)"},
	{"lokr_", "a LoKr (LyCORIS)"},
	{"oft_", "an OFT adapter"},
	{"glora", "a GLoRA (LyCORIS)"},
	{".a1.", "a GLoRA (LyCORIS)"},
	{".w_norm", "a LyCORIS norm adapter"},
	{".diff", "a full weight difference"},
	{".on_input", "an IA3 adapter"},
}

// refusal is a sentence on why a file with such a tensor cannot be read.
func refusal(key string) string {
	for _, f := range foreign {
		if strings.Contains(key, f.piece) {
			return fmt.Sprintf("this is %s (it holds %q), which Easel cannot read; only plain LoRA can be", f.kind, key)
		}
	}
	return fmt.Sprintf("the tensor %q does not belong in a plain LoRA for Stable Diffusion", key)
}

// notLoRA says why f, which holds a tensor of that name, is not read: it is something else, or another kind of adapter.
func notLoRA(f *File, key string) string {
	var info Info
	if classify(&info, f); slices.Contains([]FileKind{KindLoRA, KindBundle, KindTensors}, info.Kind) {
		return refusal(key)
	}
	return "this is " + info.What() + ", no LoRA"
}
