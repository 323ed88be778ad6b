package format

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// The parts of a module.
const (
	loraDown      = "down"
	loraUp        = "up"
	loraAlpha     = "alpha"
	loraMagnitude = "magnitude"
)

// doraSuffix ends LyCORIS' name of a magnitude.
const doraSuffix = ".dora_scale"

// loraSuffixes are the ends of tensors' names, by the part they are of: kohya's, peft's with and without the adapter's
// name, and those of diffusers before it used peft (diffusers/utils/state_dict_utils.py; ComfyUI's comfy/lora.py).
var loraSuffixes = []struct{ suffix, part string }{
	{".lora_down.weight", loraDown}, {".lora_up.weight", loraUp}, {".alpha", loraAlpha},
	{".lora_A.weight", loraDown}, {".lora_B.weight", loraUp},
	{".lora_A.default.weight", loraDown}, {".lora_B.default.weight", loraUp},
	{".lora.down.weight", loraDown}, {".lora.up.weight", loraUp},
	{".lora_linear_layer.down.weight", loraDown}, {".lora_linear_layer.up.weight", loraUp},
	{doraSuffix, loraMagnitude}, {".lora_magnitude_vector", loraMagnitude}, {".lora_magnitude_vector.weight", loraMagnitude},
	{".lora_magnitude_vector.default.weight", loraMagnitude},
	{"_lora.down.weight", loraDown}, {"_lora.up.weight", loraUp}, // attn1.processor.to_q_lora
}

// loraKey is what the name of a LoRA's tensor says.
type loraKey struct {
	network string // "unet", "text_encoder", "text_encoder_2"
	path    string // of the module within the network, as the file has it
	module  string // kohya's name of it
	part    string
}

// splitLoRAKey separates the part from the module's path.
func splitLoRAKey(key string) (path, part string, ok bool) {
	for _, s := range loraSuffixes {
		if path, ok := strings.CutSuffix(key, s.suffix); ok && path != "" {
			return path, s.part, true
		}
	}
	return "", "", false
}

// parseLoRAKey reads a tensor's name in kohya's, diffusers' or peft's form. first is kohya's prefix of the first text
// encoder.
func parseLoRAKey(key, first string) (k loraKey, ok bool) {
	path, part, ok := splitLoRAKey(key)
	if !ok {
		return k, false
	}
	k = loraKey{part: part}
	k.network, k.path = loraNetwork(path)
	switch {
	case k.network == "kohya":
		k.module = diffusersBlocks(path)
		return k, !strings.Contains(path, ".")
	case k.network == "unet":
		k.module = diffusersBlocks(KohyaName("lora_unet_", unetModule(k.path)))
	case k.network == "text_encoder":
		k.module = KohyaName(first, textModule(k.path))
	case k.network == "text_encoder_2":
		k.module = KohyaName("lora_te2_", textModule(k.path))
	}
	return k, k.module != ""
}

// loraNetwork finds the network that a path begins with. peft's adapters of a single network do not say which: the
// module's own path does.
func loraNetwork(path string) (network, rest string) {
	path = strings.TrimPrefix(path, "base_model.model.")
	for _, p := range loraPrefixes {
		if strings.HasPrefix(path, p) {
			return "kohya", path
		}
	}
	for _, n := range []struct{ prefix, network string }{
		{"unet.", "unet"}, {"diffusion_model.", "unet"}, {"text_encoder.", "text_encoder"}, {"text_encoder_2.", "text_encoder_2"},
	} {
		if rest, ok := strings.CutPrefix(path, n.prefix); ok {
			return n.network, rest
		}
	}
	first, _, _ := strings.Cut(path, ".")
	switch first {
	case "text_model":
		return "text_encoder", path
	case "down_blocks", "mid_block", "up_blocks", "conv_in", "conv_out", "time_embedding", "add_embedding":
		return "unet", path
	}
	return "", path
}

// unetModule is diffusers' path of today for that of a file.
func unetModule(path string) string {
	path = strings.ReplaceAll(path, ".processor.", ".")
	if strings.HasSuffix(path, ".to_out") {
		path += ".0"
	}
	return path
}

// textAttention are names that diffusers once had for the text encoder's projections too.
var textAttention = map[string]string{"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}

// textModule is the path with the names of transformers 4.
func textModule(path string) string {
	if strings.HasPrefix(path, "encoder.") {
		path = "text_model." + path
	}
	if i := strings.LastIndexByte(path, '.'); textAttention[path[i+1:]] != "" {
		path = path[:i+1] + textAttention[path[i+1:]]
	}
	return path
}

// ldmBlock takes apart names such as lora_unet_input_blocks_4_1_proj_in and lora_unet_middle_block_1_proj_in.
var ldmBlock = regexp.MustCompile(`^lora_unet_(input_blocks|middle_block|output_blocks)_(\d\d?)_(?:([012])_)?([a-z].*)$`)

// ldmModules are the original's names outside the blocks, and those inside a residual block.
var ldmModules = map[string]string{
	"lora_unet_input_blocks_0_0": "lora_unet_conv_in", "lora_unet_out_2": "lora_unet_conv_out",
	"lora_unet_time_embed_0": "lora_unet_time_embedding_linear_1", "lora_unet_time_embed_2": "lora_unet_time_embedding_linear_2",
	"lora_unet_label_emb_0_0": "lora_unet_add_embedding_linear_1", "lora_unet_label_emb_0_2": "lora_unet_add_embedding_linear_2",
	"in_layers_2": "conv1", "out_layers_3": "conv2", "emb_layers_1": "time_emb_proj", "skip_connection": "conv_shortcut",
}

// diffusersBlocks turns the original's names of the UNet's modules, which kohya keeps for SDXL, into diffusers'. All of
// Stable Diffusion's UNets have two residual blocks a level on the way down and three on the way up, so that the number
// of a block says where it is (spec/formats.md §2, §4.1). Other names stay as they are.
func diffusersBlocks(name string) string {
	if n := ldmModules[name]; n != "" {
		return n
	}
	match := ldmBlock.FindStringSubmatch(name)
	if match == nil {
		return name
	}
	block, place, module := match[1], match[3], match[4]
	number, _ := strconv.Atoi(match[2])
	switch {
	case block == "middle_block" && number == 1:
		return "lora_unet_mid_block_attentions_0_" + module
	case block == "middle_block" && ldmModules[module] != "":
		return fmt.Sprintf("lora_unet_mid_block_resnets_%d_%s", number/2, ldmModules[module])
	case block == "input_blocks" && number > 0:
		return ldmLevel(name, "down_blocks", number-1, place, module)
	case block == "output_blocks":
		return ldmLevel(name, "up_blocks", number, place, module)
	}
	return name
}

// ldmLevel names a module of the way down or up, whose blocks are counted from 0, three a level.
func ldmLevel(name, blocks string, number int, place, module string) string {
	level := fmt.Sprintf("lora_unet_%s_%d_", blocks, number/3)
	switch {
	case module == "op":
		return level + "downsamplers_0_conv"
	case module == "conv":
		return level + "upsamplers_0_conv"
	case place == "0" && ldmModules[module] != "":
		return level + fmt.Sprintf("resnets_%d_%s", number%3, ldmModules[module])
	case place == "1":
		return level + fmt.Sprintf("attentions_%d_%s", number%3, module)
	}
	return name
}
