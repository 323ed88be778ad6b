package model

import (
	"fmt"

	"easel/engine/graph"
	"easel/engine/kernel"
)

// vaeEps is the epsilon of all the VAE's norms, which no config file holds.
const vaeEps = 1e-6

// encode adds the VAE's encoder: image [batch, height, width, 3] in [-1, 1] to the moments [batch, h, w, 2·latents]:
// mean, then log variance (to be clamped to [-30, 20]).
func (c *VAEConfig) encode(b *net, image *graph.Node) *graph.Node {
	v := vae{b, c}
	w := c.BlockOutChannels
	h := v.conv("encoder.conv_in", image, c.InChannels, w[0], 3, graph.Same(3, 1))
	in := w[0]
	for i, out := range w {
		name := fmt.Sprintf("encoder.down_blocks.%d", i)
		for j := range c.LayersPerBlock {
			h = v.resnet(fmt.Sprintf("%s.resnets.%d", name, j), h, in, out)
			in = out
		}
		if i < len(w)-1 { // padded at the right and bottom only
			h = v.conv(name+".downsamplers.0.conv", h, out, out, 3, kernel.Conv{Stride: 2, Right: 1, Bottom: 1})
		}
		v.seen(name, h)
	}
	h = v.mid("encoder", h, in)
	h = v.head("encoder", h, in, 2*c.LatentChannels)
	return v.Exact(func() *graph.Node {
		return v.conv("quant_conv", h, 2*c.LatentChannels, 2*c.LatentChannels, 1, kernel.Conv{Stride: 1})
	})
}

// decode adds the VAE's decoder: z [batch, h, w, latents], already divided by the scaling factor, to an image
// [batch, height, width, 3], about -1 to 1.
func (c *VAEConfig) decode(b *net, z *graph.Node) *graph.Node {
	v := vae{b, c}
	w := c.BlockOutChannels
	in := w[len(w)-1]
	h := v.conv("post_quant_conv", z, c.LatentChannels, c.LatentChannels, 1, kernel.Conv{Stride: 1})
	h = v.conv("decoder.conv_in", h, c.LatentChannels, in, 3, graph.Same(3, 1))
	h = v.mid("decoder", h, in)
	for i := range w {
		out := w[len(w)-1-i]
		name := fmt.Sprintf("decoder.up_blocks.%d", i)
		for j := range c.LayersPerBlock + 1 {
			h = v.resnet(fmt.Sprintf("%s.resnets.%d", name, j), h, in, out)
			in = out
		}
		if i < len(w)-1 && v.Err() == nil {
			h = v.UpsampleNearest(h, 2*h.Shape()[1], 2*h.Shape()[2])
			h = v.conv(name+".upsamplers.0.conv", h, out, out, 3, graph.Same(3, 1))
		}
		v.seen(name, h)
	}
	return v.head("decoder", h, in, c.OutChannels)
}

// vae is a VAE under construction.
type vae struct {
	*net
	c *VAEConfig
}

func (v vae) norm(name string, x *graph.Node, width int, silu bool) *graph.Node {
	return v.groupNorm(name, x, width, v.c.NormNumGroups, vaeEps, silu)
}

func (v vae) resnet(name string, x *graph.Node, in, out int) *graph.Node {
	return v.seen(name, v.Segment(func() *graph.Node {
		short := x // first, so that x is free for what follows
		if in != out {
			short = v.conv(name+".conv_shortcut", x, in, out, 1, kernel.Conv{Stride: 1})
		}
		h := v.norm(name+".norm1", x, in, true)
		h = v.conv(name+".conv1", h, in, out, 3, graph.Same(3, 1))
		h = v.norm(name+".norm2", h, out, true)
		return v.Add(short, v.conv(name+".conv2", h, out, out, 3, graph.Same(3, 1)))
	}))
}

// mid is resnet, self-attention over the pixels with one head, resnet.
func (v vae) mid(side string, h *graph.Node, width int) *graph.Node {
	name := side + ".mid_block"
	h = v.resnet(name+".resnets.0", h, width, width)
	h = v.attention(name+".attentions.0", h, width)
	return v.seen(name, v.resnet(name+".resnets.1", h, width, width))
}

func (v vae) attention(name string, h *graph.Node, width int) *graph.Node {
	n := v.norm(name+".group_norm", h, width, false)
	q := v.linear(name+".to_q", n, width, width, true)
	k := v.linear(name+".to_k", n, width, width, true)
	o := v.Attention(q, k, v.linear(name+".to_v", n, width, width, true), 1, false)
	return v.seen(name, v.Add(h, v.linear(name+".to_out.0", o, width, width, true)))
}

func (v vae) head(side string, h *graph.Node, width, out int) *graph.Node {
	h = v.norm(side+".conv_norm_out", h, width, true)
	return v.Exact(func() *graph.Node {
		return v.conv(side+".conv_out", h, width, out, 3, graph.Same(3, 1))
	})
}
