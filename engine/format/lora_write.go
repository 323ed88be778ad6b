package format

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"maps"
	"math"
	"strings"

	"easel/engine"
	"easel/engine/kernel"
)

const opExport = "export LoRA"

// WriteLoRA writes the modules in kohya's names with kohya's metadata, so that A1111, ComfyUI and diffusers load
// the file, with weights and alphas in dtype (F32, F16 or BF16). The file appears whole or not at all. Errors:
// BadInput for modules that do not fit, NaN for values that are not finite in dtype.
func WriteLoRA(path string, modules []LoRAModule, meta LoRAMeta, dtype kernel.DType) error {
	if architectures[meta.Base] == "" {
		return engine.Errorf(opExport, path, engine.BadInput, "unknown family %q of the base model", meta.Base)
	}
	tensors, err := loraTensors(path, modules, dtype)
	if err != nil {
		return err
	}
	metadata := meta.kohya(modules)
	hash := ModelHash(tensors)
	// kohya hashes the file as it is with the ss_ entries alone, then adds the rest.
	legacy, err := legacyHash(tensors, metadata)
	if err != nil {
		return err
	}
	metadata["sshs_model_hash"], metadata["sshs_legacy_hash"] = hash, legacy
	maps.Copy(metadata, meta.modelSpec())
	metadata["modelspec.hash_sha256"] = "0x" + hash
	metadata["format"] = "pt"
	return Write(path, tensors, metadata)
}

func loraTensors(path string, modules []LoRAModule, dtype kernel.DType) ([]Named, error) {
	if len(modules) == 0 || dtype == kernel.I32 {
		return nil, engine.Errorf(opExport, path, engine.BadInput, "%d modules cannot be written as %v", len(modules), dtype)
	}
	tensors := make([]Named, 0, 3*len(modules))
	for _, m := range modules {
		if err := m.check(); err != nil {
			return nil, engine.Errorf(opExport, path, engine.BadInput, "%w", err)
		}
		all := []Named{
			{m.Name + ".lora_down.weight", m.Down},
			{m.Name + ".lora_up.weight", m.Up},
			{m.Name + ".alpha", kernel.FromF32([]float32{m.Alpha})},
		}
		if m.Magnitude != nil { // LyCORIS' shape, which also says that it is of outputs
			column := append([]int{m.Up.Shape[0], 1}, m.Up.Shape[2:]...)
			all = append(all, Named{m.Name + doraSuffix, kernel.FromF32(m.Magnitude.F32(), column...)})
		}
		for _, n := range all {
			t, err := exported(path, n, dtype)
			if err != nil {
				return nil, err
			}
			tensors = append(tensors, t)
		}
	}
	return tensors, nil
}

// exported is a tensor in the type of the file, which must be able to hold its values.
func exported(path string, n Named, dtype kernel.DType) (Named, error) {
	if n.Tensor.DType != dtype {
		n.Tensor = n.Tensor.Convert(dtype)
	}
	if !finite(n.Tensor) {
		return n, engine.Errorf(opExport, path, engine.NaN, "%s holds values that are not finite in %v; the file was not written", n.Name, dtype)
	}
	return n, nil
}

func finite(t *kernel.Tensor) bool {
	for _, v := range t.Floats() {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}

// legacyHash is A1111's old model hash, sshs_legacy_hash: the first 8 hex digits of the SHA-256 of the 64 KiB at
// 1 MiB, of the file with only the ss_ metadata (sd-scripts, library/train_util.py).
func legacyHash(tensors []Named, metadata map[string]string) (string, error) {
	only := maps.Clone(metadata)
	maps.DeleteFunc(only, func(key, _ string) bool { return !strings.HasPrefix(key, "ss_") })
	w := &window{hash: sha256.New(), skip: 0x100000, left: 0x10000}
	if err := Encode(w, tensors, only); err != nil {
		return "", fmt.Errorf("hash: %w", err)
	}
	return hex.EncodeToString(w.hash.Sum(nil))[:8], nil
}

// window hashes left bytes after the first skip ones, and drops the others.
type window struct {
	hash       hash.Hash
	skip, left int
}

var _ io.Writer = (*window)(nil)

func (w *window) Write(p []byte) (int, error) {
	n := len(p)
	drop := min(w.skip, n)
	w.skip -= drop
	keep := p[drop:min(n, drop+w.left)]
	w.left -= len(keep)
	w.hash.Write(keep)
	return n, nil
}
