package format

import (
	"strings"

	"easel/engine"
)

// OpenVAE opens a VAE for use in place of a model's own: a file in original or diffusers' names, with or without a
// prefix, or the VAE within a checkpoint. Its only component is "vae". Errors: NotFound, BadFile, and Unsupported for a
// file without one.
func OpenVAE(path string) (*Checkpoint, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	c := mapNames(f, vaeRefs)
	if !c.has(partVAE, "encoder.conv_in.weight") || !c.has(partVAE, "decoder.conv_in.weight") {
		var info Info
		classify(&info, f)
		f.Close()
		return nil, engine.Errorf("open VAE", path, engine.Unsupported, "this is %s; a VAE with encoder and decoder is needed", info.What())
	}
	return c, nil
}

// vaeRefs is Refs for files that hold a VAE under any of its prefixes.
func vaeRefs(own string) []Ref {
	for _, prefix := range []string{"first_stage_model.", "vae."} {
		own = strings.TrimPrefix(own, prefix)
	}
	refs := whole(vaeName)(own)
	for i := range refs {
		refs[i].Part = partVAE
	}
	return refs
}
