package model

import (
	"fmt"

	"easel/engine/graph"
	"easel/engine/kernel"
)

// transformerNormEps is the epsilon of Transformer2DModel's group norm, which no config file holds.
const transformerNormEps = 1e-6

// layerNormEps is torch's default, which no config file holds either.
const layerNormEps = 1e-5

// transformer is diffusers' Transformer2DModel: norm, projection, blocks, projection, and the input added. Pixels
// are the tokens; channels-last needs no reshape.
//
// With one block the whole is one recompute segment. More blocks are a segment each: the backward pass computes a segment
// anew as a whole, and must have room for it.
func (u *unet) transformer(name string, x *graph.Node, width, level int) *graph.Node {
	blocks := u.c.TransformerLayers.at(level, 1)
	build := func() *graph.Node {
		h := u.Segment(func() *graph.Node {
			h := u.groupNorm(name+".norm", x, width, u.c.NormNumGroups, transformerNormEps, false)
			return u.seen(name+".proj_in", u.projection(name+".proj_in", h, width))
		})
		for j := range blocks {
			h = u.block(fmt.Sprintf("%s.transformer_blocks.%d", name, j), h, width, u.c.heads(level))
		}
		return u.seen(name, u.Add(x, u.projection(name+".proj_out", h, width)))
	}
	if blocks == 1 {
		return u.Segment(build)
	}
	return build()
}

// projection is a 1x1 convolution in SD 1.x and a linear layer in SD 2.x; only the weight's shape differs.
func (u *unet) projection(name string, x *graph.Node, width int) *graph.Node {
	if u.c.UseLinearProjection {
		return u.linear(name, x, width, width, true)
	}
	return u.conv(name, x, width, width, 1, kernel.Conv{Stride: 1})
}

// block is BasicTransformerBlock: self-attention, cross-attention to the context, and a GEGLU feed-forward, each
// after a layer norm and added to its input.
func (u *unet) block(name string, h *graph.Node, width, heads int) *graph.Node {
	return u.seen(name, u.Segment(func() *graph.Node {
		n := u.layerNorm(name+".norm1", h, width, layerNormEps)
		h = u.Add(h, u.attention(name+".attn1", n, n, width, width, heads))
		n = u.layerNorm(name+".norm2", h, width, layerNormEps)
		h = u.Add(h, u.attention(name+".attn2", n, u.context, width, u.c.CrossAttentionDim, heads))
		n = u.layerNorm(name+".norm3", h, width, layerNormEps)
		f := u.GEGLU(u.linear(name+".ff.net.0.proj", n, width, 8*width, true))
		f = u.seen(name+".ff", u.linear(name+".ff.net.2", f, 4*width, width, true))
		return u.Add(h, f)
	}))
}

func (u *unet) attention(name string, x, context *graph.Node, width, contextWidth, heads int) *graph.Node {
	q := u.linear(name+".to_q", x, width, width, false)
	k := u.linear(name+".to_k", context, contextWidth, width, false)
	v := u.linear(name+".to_v", context, contextWidth, width, false)
	o := u.Attention(q, k, v, heads, false)
	return u.seen(name, u.linear(name+".to_out.0", o, width, width, true))
}
