package model

import (
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
)

// fileWeights finds tensors in files, under any name that diffusers has used for them. A tensor is read once: the
// graphs of one model share it, and with it what a backend packed.
type fileWeights struct {
	source format.Source
	have   map[string]*kernel.Tensor
}

// Tensor implements Weights.
func (w fileWeights) Tensor(name string, shape ...int) (*kernel.Tensor, error) {
	if t := w.have[name]; t != nil {
		return t, nil
	}
	for _, n := range alternatives(name) {
		if !w.source.Has(n) {
			continue
		}
		t, err := w.source.Tensor(n)
		if err != nil {
			return nil, err
		}
		w.have[name], err = fit(t, n, shape)
		return w.have[name], err
	}
	return nil, engine.Errorf("load model", "", engine.BadFile, "tensor %s is missing", name)
}

// fit checks a tensor's shape. A 1x1 convolution and a linear layer are the same numbers.
func fit(t *kernel.Tensor, name string, shape []int) (*kernel.Tensor, error) {
	if slices.Equal(t.Shape, shape) {
		return t, nil
	}
	if slices.Equal(trimOnes(t.Shape), trimOnes(shape)) {
		t.Shape = shape
		return t, nil
	}
	return nil, engine.Errorf("load model", "", engine.BadFile, "tensor %s has shape %v where the configuration asks for %v", name, t.Shape, shape)
}

func trimOnes(s []int) []int {
	if len(s) == 4 && s[2] == 1 && s[3] == 1 {
		return s[:2]
	}
	return s
}

// vaeAttention are the names that diffusers gave the VAE's attention before 0.17; published SD 1.5 folders have them.
var vaeAttention = strings.NewReplacer(".to_q.", ".query.", ".to_k.", ".key.", ".to_v.", ".value.", ".to_out.0.", ".proj_attn.")

func alternatives(name string) []string {
	names := []string{name}
	if short, ok := strings.CutPrefix(name, "text_model."); ok {
		names = append(names, short)
	}
	if strings.Contains(name, "mid_block.attentions.0.") {
		names = append(names, vaeAttention.Replace(name))
	}
	return names
}
