package model

import (
	"easel/engine/kernel"
	"easel/engine/tokenizer"
)

// Tokens is the length of a prompt that the text encoder reads: 77 for CLIP.
const Tokens = tokenizer.Length

// IDs are the token ids of prompts: I32 [prompts, Tokens], with start, end and padding. What is too long is cut off.
func (m *Model) IDs(prompts ...string) *kernel.Tensor {
	t := kernel.New(kernel.I32, len(prompts), Tokens)
	for i, p := range prompts {
		copy(t.I32()[i*Tokens:], m.tokenizer().Padded(p, m.padding()))
	}
	return t
}

// SD2 says that the model is of the SD 2.x family, whose text encoder is 1024 wide.
func (m *Model) SD2() bool { return m.Text.HiddenSize == 1024 }

// Family is how people call models of this form: "SD1", or "SD2", whose UNet projects with linear layers.
func (m *Model) Family() string {
	if m.UNet.UseLinearProjection {
		return "SD2"
	}
	return "SD1"
}

// padding is the id that fills a prompt up: the end of text in SD 1.x, "!" in SD 2.x (spec/formats.md §2.9).
func (m *Model) padding() int32 {
	if m.SD2() {
		return 0
	}
	return tokenizer.End
}
