package model

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/onednn"
	"easel/engine/kernel/ref"
)

func open(t *testing.T, folder string) *Model {
	t.Helper()
	m, err := Load(os.DirFS(golden.Path(t, folder)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// channelsLast turns [b, c, h, w] into [b, h, w, c]; other ranks stay.
func channelsLast(t *kernel.Tensor) *kernel.Tensor {
	if len(t.Shape) != 4 {
		return t
	}
	s := t.Shape
	out := kernel.New(kernel.F32, s[0], s[2], s[3], s[1])
	move(out.F32(), t.F32(), s[0], s[1], s[2]*s[3])
	return out
}

// channelsFirst is the inverse, for values of any rank: the shape decides.
func channelsFirst(t *kernel.Tensor) []float32 {
	if len(t.Shape) != 4 {
		return t.Floats()
	}
	s := t.Shape
	out := make([]float32, t.Len())
	move(out, t.Floats(), s[0], s[1]*s[2], s[3])
	return out
}

// move transposes the last two of three dimensions.
func move(dst, src []float32, n, rows, cols int) {
	for b := range n {
		for r := range rows {
			for c := range cols {
				dst[(b*cols+c)*rows+r] = src[(b*rows+r)*cols+c]
			}
		}
	}
}

// tracer collects the nodes that golden has values for.
type tracer struct {
	file  *golden.File
	scope string
	nodes map[string]*graph.Node
}

func (tr *tracer) see(name string, n *graph.Node) {
	if full := tr.scope + name; tr.file.Has(full) {
		tr.nodes[full] = n
	}
}

// check runs the collected nodes on each backend, in float32, and compares each with golden; then in bfloat16.
func (tr *tracer) check(t *testing.T, g *graph.Graph, values map[*graph.Node]*kernel.Tensor) {
	t.Helper()
	if len(tr.nodes) == 0 {
		t.Fatal("nothing to compare")
	}
	var outputs []*graph.Node
	var names []string
	for _, name := range slices.Sorted(maps.Keys(tr.nodes)) {
		names, outputs = append(names, name), append(outputs, tr.nodes[name])
	}
	for _, b := range backends(t) {
		vm := run(t, g, b, outputs, values, graph.Options{})
		for i, n := range outputs {
			tr.file.Check(t, "", names[i], tr.layout(names[i], vm.Value(n)))
		}
	}
	tr.checkBF16(t, g, names, outputs, values)
}

// layout gives a node's values in the order of golden: pictures channels-first; tokens are channels-last there too.
func (tr *tracer) layout(name string, v *kernel.Tensor) []float32 {
	if len(tr.file.Tensor(name).Shape) != 4 {
		return v.Floats()
	}
	return channelsFirst(v)
}

// checkBF16 bounds the error of activations stored in bfloat16 by that of ref, which rounds each value once and
// computes exactly otherwise: another backend may be off by three times as much, as it also rounds the operands of
// products.
func (tr *tracer) checkBF16(t *testing.T, g *graph.Graph, names []string, outputs []*graph.Node, values map[*graph.Node]*kernel.Tensor) {
	t.Helper()
	errs := map[string][]float64{}
	for _, b := range backends(t) {
		vm := run(t, g, b, outputs, values, graph.Options{DType: kernel.BF16})
		for i, n := range outputs {
			e := distance(tr.layout(names[i], vm.Value(n)), tr.file.Tensor(names[i]).F32())
			errs[names[i]] = append(errs[names[i]], e)
			if size := distance(make([]float32, kernel.Len(n.Shape())), tr.file.Tensor(names[i]).F32()); e > size/4 {
				t.Errorf("%s: %s in bfloat16 is off by %.2g where the values are %.2g", b.Name(), names[i], e, size)
			}
		}
	}
	for name, e := range errs {
		for _, other := range e[1:] {
			if other > 3*e[0]+1e-6 {
				t.Errorf("%s in bfloat16: off by %.3g, ref by %.3g", name, other, e[0])
			}
		}
	}
}

// distance is the Euclidean one.
func distance(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return math.Sqrt(sum)
}

// backends are ref and, where this build has it, the fast one with each algorithm for its convolutions, all of which meet
// golden's own tolerances.
func backends(t *testing.T) []kernel.Backend {
	t.Helper()
	all := []kernel.Backend{ref.New()}
	for _, algorithm := range []string{"", "direct", "winograd"} {
		if !onednn.Available() {
			break
		}
		b, err := onednn.New(onednn.Options{Convolution: algorithm})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		all = append(all, b)
	}
	return all
}

func run(t *testing.T, g *graph.Graph, b kernel.Backend, outputs []*graph.Node, values map[*graph.Node]*kernel.Tensor, o graph.Options) *graph.VM {
	t.Helper()
	vm, err := graph.Compile(g, b, outputs, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { vm.Close() })
	for n, v := range values {
		if err := vm.Let(n, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return vm
}

func ids(f *golden.File, name string, shape []int) *kernel.Tensor {
	t := kernel.New(kernel.I32, shape...)
	for i, v := range f.Ints(name) {
		t.I32()[i] = int32(v)
	}
	return t
}

func TestTextEncoderAgainstGolden(t *testing.T) {
	f := golden.Open(t, "text.safetensors")
	m := open(t, "tiny-sd1")
	g := graph.New()
	shape := f.Tensor("in/input_ids").Shape
	tr := &tracer{f, "out/", map[string]*graph.Node{}}
	in := g.Indices("ids", shape...)
	b := m.net(g, Text, nil)
	b.trace = tr.see
	tr.see("last_hidden_state", m.Text.build(b, in, 1))
	tr.see("clip_skip_2", m.Text.build(m.net(g, Text, nil), in, 2))
	tr.check(t, g, map[*graph.Node]*kernel.Tensor{in: ids(f, "in/input_ids", shape)})
	if want := m.Text.Layers + 3; len(tr.nodes) != want {
		t.Errorf("compared %d outputs, want %d", len(tr.nodes), want)
	}
}

func TestUNetAgainstGolden(t *testing.T) {
	f := golden.Open(t, "unet.safetensors")
	m := open(t, "tiny-sd1")
	for _, scope := range f.Cases() {
		if !f.Has(scope + "/eps") {
			continue
		}
		t.Run(scope, func(t *testing.T) {
			g := graph.New()
			x, ctx := channelsLast(f.Tensor(scope+"/in/x")), f.Tensor(scope+"/in/context")
			step := f.Tensor(scope + "/in/t")
			tr := &tracer{f, scope + "/", map[string]*graph.Node{}}
			b := m.net(g, UNet, nil)
			b.trace = tr.see
			nx, nt, nc := g.Input("x", x.Shape...), g.Input("t", step.Shape...), g.Input("context", ctx.Shape...)
			tr.see("eps", m.UNet.build(b, nx, nt, nc))
			tr.check(t, g, map[*graph.Node]*kernel.Tensor{nx: x, nt: step, nc: ctx})
		})
	}
}

func TestUNetLowVarianceAgainstGolden(t *testing.T) {
	f := golden.Open(t, "unet.safetensors")
	if !f.Has("low_variance/in/h") {
		t.Skip("this golden set has no low_variance case")
	}
	m := open(t, "tiny-sd1")
	g := graph.New()
	h, temb, ctx := channelsLast(f.Tensor("low_variance/in/h")), f.Tensor("low_variance/in/temb"), f.Tensor("low_variance/in/context")
	tr := &tracer{f, "low_variance/", map[string]*graph.Node{}}
	b := m.net(g, UNet, nil)
	b.trace = tr.see
	nh, nt, nc := g.Input("h", h.Shape...), g.Input("temb", temb.Shape...), g.Input("context", ctx.Shape...)
	c := &m.UNet
	u := unet{net: b, c: c, context: nc, temb: b.Activate(nt, kernel.SiLU)}
	w := c.BlockOutChannels[0]
	u.resnet("down_blocks.0.resnets.0", nh, w, w)
	u.transformer("down_blocks.0.attentions.0", nh, w, 0)
	tr.see("conv_out", u.conv("conv_out", u.groupNorm("conv_norm_out", nh, w, c.NormNumGroups, c.NormEps, true), w, c.OutChannels, 3, graph.Same(3, 1)))
	tr.check(t, g, map[*graph.Node]*kernel.Tensor{nh: h, nt: temb, nc: ctx})
	if len(tr.nodes) != 3 {
		t.Errorf("compared %d outputs, want 3", len(tr.nodes))
	}
}

func TestVAEAgainstGolden(t *testing.T) {
	f := golden.Open(t, "vae.safetensors")
	m := open(t, "tiny-sd1")
	for _, scope := range f.Cases() {
		if !f.Has(scope + "/in/image") {
			continue
		}
		t.Run(scope, func(t *testing.T) {
			g := graph.New()
			image, z := channelsLast(f.Tensor(scope+"/in/image")), channelsLast(f.Tensor(scope+"/in/z"))
			tr := &tracer{f, scope + "/", map[string]*graph.Node{}}
			b := m.net(g, VAE, nil)
			b.trace = tr.see
			ni, nz := g.Input("image", image.Shape...), g.Input("z", z.Shape...)
			moments := m.VAE.encode(b, ni)
			tr.see("decoded", m.VAE.decode(b, nz))
			values := map[*graph.Node]*kernel.Tensor{ni: image, nz: z}
			tr.check(t, g, values)

			got := channelsFirst(run(t, g, ref.New(), []*graph.Node{moments}, values, graph.Options{}).Value(moments))
			mean, logvar := splitMoments(got, image.Shape[0])
			f.Check(t, "", scope+"/mean", mean)
			f.Check(t, "", scope+"/logvar", logvar)
			latent := make([]float32, len(mean))
			for i, n := range f.Tensor(scope + "/in/noise").F32() {
				latent[i] = float32(m.VAE.ScalingFactor * (float64(mean[i]) + math.Exp(0.5*float64(logvar[i]))*float64(n)))
			}
			f.Check(t, "", scope+"/latent", latent)
		})
	}
}

// splitMoments takes [b, 2c, h, w] apart.
func splitMoments(v []float32, batch int) (mean, logvar []float32) {
	n := len(v) / batch / 2
	for b := range batch {
		mean = append(mean, v[2*b*n:(2*b+1)*n]...)
		logvar = append(logvar, v[(2*b+1)*n:(2*b+2)*n]...)
	}
	return mean, logvar
}

func TestVAELowVarianceAgainstGolden(t *testing.T) {
	f := golden.Open(t, "vae.safetensors")
	if !f.Has("low_variance/in/h") {
		t.Skip("this golden set has no low_variance case")
	}
	m := open(t, "tiny-sd1")
	g := graph.New()
	h, mid := channelsLast(f.Tensor("low_variance/in/h")), channelsLast(f.Tensor("low_variance/in/h_mid"))
	tr := &tracer{f, "low_variance/", map[string]*graph.Node{}}
	b := m.net(g, VAE, nil)
	b.trace = tr.see
	v := vae{b, &m.VAE}
	nh, nm := g.Input("h", h.Shape...), g.Input("mid", mid.Shape...)
	w := m.VAE.BlockOutChannels
	v.resnet("encoder.down_blocks.0.resnets.0", nh, w[0], w[0])
	v.attention("encoder.mid_block.attentions.0", nm, w[len(w)-1])
	tr.see("encoder.conv_out", v.head("encoder", nm, w[len(w)-1], 2*m.VAE.LatentChannels))
	tr.see("decoder.conv_out", v.head("decoder", nh, w[0], m.VAE.OutChannels))
	tr.check(t, g, map[*graph.Node]*kernel.Tensor{nh: h, nm: mid})
}

// TestSD2AgainstGolden: linear projections, a list of head counts, exact GELU, velocity.
func TestSD2AgainstGolden(t *testing.T) {
	f := golden.Open(t, "tiny-sd2/expected.safetensors")
	m := open(t, "tiny-sd2")
	g := graph.New()
	x, step := channelsLast(f.Tensor("in/x")), f.Tensor("in/t")
	shape := f.Tensor("in/input_ids").Shape
	tr := &tracer{f, "", map[string]*graph.Node{}}
	nx, nt, ni := g.Input("x", x.Shape...), g.Input("t", step.Shape...), g.Indices("ids", shape...)
	b := m.net(g, Text, nil)
	b.trace = tr.see
	context := m.Text.build(b, ni, 1)
	tr.see("context", context)
	tr.see("pred", m.BuildUNet(g, nil, nx, nt, context))
	tr.check(t, g, map[*graph.Node]*kernel.Tensor{nx: x, nt: step, ni: ids(f, "in/input_ids", shape)})
	for _, want := range []string{"context", "pred", "hidden_states.0"} {
		if tr.nodes[want] == nil {
			t.Errorf("%s was not compared", want)
		}
	}
}

func TestConfigErrorsAreNamed(t *testing.T) {
	for _, c := range []struct{ json, says string }{
		{`{`, "unexpected end"},
		{`{"block_out_channels":[320,640],"down_block_types":["DownBlock2D"],"up_block_types":[]}`, "differ in length"},
		{`{"block_out_channels":[30],"down_block_types":["DownBlock2D"],"up_block_types":["UpBlock2D"]}`, "32 groups"},
		{`{"block_out_channels":[32],"down_block_types":["Strange"],"up_block_types":["UpBlock2D"]}`, "Strange"},
		{`{"addition_embed_type":"text_time"}`, "SDXL"},
	} {
		if _, err := ParseUNetConfig([]byte(c.json)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", c.json, err, c.says)
		}
	}
}

func FuzzConfigs(f *testing.F) {
	f.Add([]byte(`{"block_out_channels":[320,640],"attention_head_dim":[5,10]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ParseUNetConfig(b); err == nil && len(c.BlockOutChannels) == 0 {
			t.Error(fmt.Sprint("accepted a UNet without levels: ", string(b)))
		}
		if c, err := ParseTextConfig(b); err == nil && c.HiddenSize%c.Heads != 0 {
			t.Error(fmt.Sprint("accepted a text encoder whose heads do not fit: ", string(b)))
		}
		if c, err := ParseVAEConfig(b); err == nil && c.Factor() < 1 {
			t.Error(fmt.Sprint("accepted a VAE without levels: ", string(b)))
		}
	})
}
