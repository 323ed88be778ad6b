// Package format reads and writes the files that Stable Diffusion programs exchange: safetensors, PyTorch's pickles
// (without executing them), checkpoints in one file, diffusers folders, LoRA, embedding and hypernetwork files, and PNG
// pictures with A1111's "parameters" text. It knows names, layouts and metadata; what the tensors mean to a model is the business of
// other packages.
//
// Every size that a file states is checked against the file before memory is taken for it.
package format
