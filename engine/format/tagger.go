package format

// TagsFile is the list of a tagger's tags, beside its weights.
const TagsFile = "selected_tags.csv"

// isTagger says whether the tensors of s are those of a classifier by timm's vision transformer over the mean of all
// patches, without a token for the whole: the WD tagger v3, ViT (spec/captioner.md 1.4).
func isTagger(s Source) bool {
	for _, name := range []string{"pos_embed", "patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "norm.weight", "head.weight", "head.bias"} {
		if !s.Has(name) {
			return false
		}
	}
	return !s.Has("cls_token")
}

// taggerName translates a name of timm's.
func taggerName(own string) string {
	if name, ok := vitName(own); ok {
		return name
	}
	return own
}
