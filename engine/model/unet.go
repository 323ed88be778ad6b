package model

import (
	"fmt"
	"strings"

	"easel/engine/graph"
	"easel/engine/kernel"
)

// UNet predicts noise or velocity: x [batch, h, w, in], t [batch], context [batch, tokens, cross_attention_dim] to
// [batch, h, w, out]. The layers are those of diffusers UNet2DConditionModel.
func (c *UNetConfig) build(b *net, x, t, context *graph.Node) *graph.Node {
	u := unet{net: b, c: c, context: context}
	u.temb = u.timeEmbedding(t)
	w := c.BlockOutChannels
	h := u.seen("conv_in", u.conv("conv_in", x, c.InChannels, w[0], 3, graph.Same(3, 1)))
	u.push(h, w[0])
	for i := range w {
		h = u.down(i, h)
	}
	h = u.mid(h)
	for i := range w {
		h = u.up(i, h)
	}
	h = u.groupNorm("conv_norm_out", h, w[0], c.NormNumGroups, c.NormEps, true)
	return u.Exact(func() *graph.Node {
		return u.seen("conv_out", u.conv("conv_out", h, w[0], c.OutChannels, 3, graph.Same(3, 1)))
	})
}

// unet is a UNet under construction.
type unet struct {
	*net
	c       *UNetConfig
	context *graph.Node
	temb    *graph.Node // SiLU of the time embedding
	skips   []skip
}

// skip is an output of the way down that the way up concatenates.
type skip struct {
	node     *graph.Node
	channels int
}

func (u *unet) push(n *graph.Node, channels int) { u.skips = append(u.skips, skip{n, channels}) }

func (u *unet) pop() skip {
	last := u.skips[len(u.skips)-1]
	u.skips = u.skips[:len(u.skips)-1]
	return last
}

func (u *unet) embedDim() int { return 4 * u.c.BlockOutChannels[0] }

// timeEmbedding is kept in float32: it is small, and every resnet leans on it.
func (u *unet) timeEmbedding(t *graph.Node) *graph.Node {
	return u.Exact(func() *graph.Node {
		w := u.c.BlockOutChannels[0]
		e := u.seen("time_proj", u.TimestepEmbedding(t, w))
		e = u.linear("time_embedding.linear_1", e, w, u.embedDim(), true)
		e = u.Activate(e, kernel.SiLU)
		e = u.seen("time_embedding", u.linear("time_embedding.linear_2", e, u.embedDim(), u.embedDim(), true))
		return u.Activate(e, kernel.SiLU)
	})
}

func (u *unet) down(level int, h *graph.Node) *graph.Node {
	w := u.c.BlockOutChannels
	in, out := w[max(level-1, 0)], w[level]
	name := fmt.Sprintf("down_blocks.%d", level)
	cross := strings.HasPrefix(u.c.DownBlockTypes[level], "CrossAttn")
	for j := range u.c.LayersPerBlock {
		h = u.resnet(fmt.Sprintf("%s.resnets.%d", name, j), h, in, out)
		if cross {
			h = u.transformer(fmt.Sprintf("%s.attentions.%d", name, j), h, out, level)
		}
		u.push(u.seen(fmt.Sprintf("%s.skip.%d", name, j), h), out)
		in = out
	}
	if level < len(w)-1 {
		h = u.conv(name+".downsamplers.0.conv", h, out, out, 3, graph.Same(3, 2))
		u.push(u.seen(fmt.Sprintf("%s.skip.%d", name, u.c.LayersPerBlock), h), out)
	}
	return u.seen(name, h)
}

func (u *unet) mid(h *graph.Node) *graph.Node {
	level := len(u.c.BlockOutChannels) - 1
	w := u.c.BlockOutChannels[level]
	h = u.resnet("mid_block.resnets.0", h, w, w)
	h = u.transformer("mid_block.attentions.0", h, w, level)
	return u.seen("mid_block", u.resnet("mid_block.resnets.1", h, w, w))
}

func (u *unet) up(i int, h *graph.Node) *graph.Node {
	w := u.c.BlockOutChannels
	level := len(w) - 1 - i
	in, out := w[min(level+1, len(w)-1)], w[level]
	name := fmt.Sprintf("up_blocks.%d", i)
	cross := strings.HasPrefix(u.c.UpBlockTypes[i], "CrossAttn")
	for j := range u.c.LayersPerBlock + 1 {
		s := u.pop()
		h = u.resnet(fmt.Sprintf("%s.resnets.%d", name, j), u.Concat(h, s.node), in+s.channels, out)
		if cross {
			h = u.transformer(fmt.Sprintf("%s.attentions.%d", name, j), h, out, level)
		}
		in = out
	}
	if level > 0 && u.Err() == nil {
		// To the size of the skip that comes next: twice, less a row or column where the way down rounded up.
		size := u.skips[len(u.skips)-1].node.Shape()
		h = u.UpsampleNearest(h, size[1], size[2])
		h = u.conv(name+".upsamplers.0.conv", h, out, out, 3, graph.Same(3, 1))
	}
	return u.seen(name, h)
}

// resnet is diffusers' ResnetBlock2D: norm, SiLU, convolution, time embedding, norm, SiLU, convolution, and the input
// added (through a 1x1 convolution where the width changes).
func (u *unet) resnet(name string, x *graph.Node, in, out int) *graph.Node {
	return u.seen(name, u.Segment(func() *graph.Node {
		groups, eps := u.c.NormNumGroups, u.c.NormEps
		short := x // first, so that x is free for what follows
		if in != out {
			short = u.conv(name+".conv_shortcut", x, in, out, 1, kernel.Conv{Stride: 1})
		}
		h := u.groupNorm(name+".norm1", x, in, groups, eps, true)
		h = u.conv(name+".conv1", h, in, out, 3, graph.Same(3, 1))
		t := u.Exact(func() *graph.Node { return u.linear(name+".time_emb_proj", u.temb, u.embedDim(), out, true) })
		h = u.AddChannels(h, t)
		h = u.groupNorm(name+".norm2", h, out, groups, eps, true)
		return u.Add(short, u.conv(name+".conv2", h, out, out, 3, graph.Same(3, 1)))
	}))
}
