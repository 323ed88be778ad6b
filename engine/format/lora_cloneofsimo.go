package format

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"easel/engine"
)

// readCloneofsimo reads the files of cloneofsimo/lora (lora_diffusion/lora.py): safetensors with unet:N:up and unet:N:down,
// where N counts the modules as the program met them, or a pickled list of up, down, up, down, ... of one network. It
// scaled nothing, so alpha is the rank.
func readCloneofsimo(f *File) ([]LoRAModule, error) {
	list := cloneofsimoList(f.Names())
	counts := map[string]int{}
	for _, key := range f.Names() {
		if network, _, part, ok := splitCloneofsimo(key, list); ok && part == loraUp {
			counts[network]++
		} else if !ok && f.Metadata()[key] != "<embed>" { // a word's vector, which is no part of the LoRA
			return nil, engine.Errorf(opLoRA, f.Path(), engine.Unsupported, "%s", refusal(key))
		}
	}
	order := map[string][]string{}
	for network, n := range counts {
		names, err := cloneofsimoOrder(network, n, f.Metadata()[network])
		if err != nil {
			return nil, engine.Errorf(opLoRA, f.Path(), engine.Unsupported, "%w", err)
		}
		order[network] = names
	}
	parts := loraParts{}
	for _, key := range f.Names() {
		network, n, part, ok := splitCloneofsimo(key, list)
		if !ok {
			continue
		}
		if n >= len(order[network]) {
			return nil, engine.Errorf(opLoRA, f.Path(), engine.BadFile, "%s has no counterpart, or a module before it is missing", key)
		}
		t, err := f.Tensor(key)
		if err != nil {
			return nil, err
		}
		if err := parts.add(loraKey{module: order[network][n], part: part}, t, peftConfig{}); err != nil {
			return nil, engine.Errorf(opLoRA, f.Path(), engine.BadFile, "%s: %w", key, err)
		}
	}
	return parts.modules(f.Path())
}

// cloneofsimoList is the network of a bare list of tensors, which the number of its modules tells.
func cloneofsimoList(names []string) string {
	switch len(names) / 2 {
	case cloneofsimoAttention, cloneofsimoUsual:
		return "unet"
	}
	return "text_encoder"
}

// splitCloneofsimo takes "unet:12:up" apart, or a position in a list for the network list.
func splitCloneofsimo(key, list string) (network string, n int, part string, ok bool) {
	if n, err := strconv.Atoi(key); err == nil && n >= 0 {
		return list, n / 2, [...]string{loraUp, loraDown}[n%2], true
	}
	fields := strings.Split(key, ":")
	if len(fields) != 3 {
		return "", 0, "", false
	}
	network, part = fields[0], fields[2]
	n, err := strconv.Atoi(fields[1])
	ok = err == nil && n >= 0 && (network == "unet" || network == "text_encoder") && (part == loraUp || part == loraDown)
	return network, n, part, ok
}

// The numbers of modules of a UNet in its 16 transformer blocks: its attention's, or those and GEGLU's.
const (
	cloneofsimoAttention = 16 * 8
	cloneofsimoUsual     = 16 * 9
)

// cloneofsimoOrder names the n modules of a network in the order in which PyTorch lists them: in diffusers of 2022 a
// transformer block was attn1, ff, attn2, and the middle block came last. classes is the JSON list of the classes whose
// linear layers were trained; it may be empty.
func cloneofsimoOrder(network string, n int, classes string) ([]string, error) {
	var trained []string
	if classes != "" && json.Unmarshal([]byte(classes), &trained) != nil {
		return nil, fmt.Errorf("its metadata for %s is no list of classes", network)
	}
	for _, class := range trained {
		switch class {
		case "CLIPAttention", "CrossAttention", "Attention", "GEGLU":
		default:
			return nil, fmt.Errorf("it changes layers of the class %s, whose order Easel does not know", class)
		}
	}
	if network == "text_encoder" {
		return cloneofsimoText(n)
	}
	return cloneofsimoUNet(n)
}

func cloneofsimoText(n int) (names []string, err error) {
	if n%4 != 0 {
		return nil, fmt.Errorf("%d modules of the text encoder are no whole number of attention layers", n)
	}
	for layer := range n / 4 {
		for _, p := range []string{"k", "v", "q", "out"} {
			names = append(names, fmt.Sprintf("lora_te_text_model_encoder_layers_%d_self_attn_%s_proj", layer, p))
		}
	}
	return names, nil
}

// cloneofsimoUNet lists the modules of SD 1's and SD 2's UNet, which has 16 transformer blocks.
func cloneofsimoUNet(n int) (names []string, err error) {
	attention := []string{"to_q", "to_k", "to_v", "to_out_0"}
	var modules []string
	for _, a := range attention {
		modules = append(modules, "attn1_"+a)
	}
	switch n {
	case cloneofsimoUsual:
		modules = append(modules, "ff_net_0_proj")
	case cloneofsimoAttention:
	default:
		return nil, fmt.Errorf("it changes %d layers of a UNet; Easel knows the order of %d and %d", n, cloneofsimoAttention, cloneofsimoUsual)
	}
	for _, a := range attention {
		modules = append(modules, "attn2_"+a)
	}
	add := func(block string, attentions int) {
		for i := range attentions {
			for _, m := range modules {
				names = append(names, fmt.Sprintf("lora_unet_%s_attentions_%d_transformer_blocks_0_%s", block, i, m))
			}
		}
	}
	for level := range 3 {
		add(fmt.Sprintf("down_blocks_%d", level), 2)
	}
	for level := range 3 {
		add(fmt.Sprintf("up_blocks_%d", level+1), 3)
	}
	add("mid_block", 1)
	return names, nil
}
