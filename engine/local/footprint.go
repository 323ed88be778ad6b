package local

import (
	"image"
	"runtime"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
	"easel/engine/optim"
	"easel/engine/train"
)

// footprint predicts the memory of a run before it begins, from graphs of the model's outline: they are compiled, which
// tells what their values take, and never run.
type footprint struct {
	p       *pipeline
	outline *model.Model
	tuning  method.Tuning // on the outline; restart makes it
	job     engine.Job
	rows    int // of a step
	side    int // of a picture, pixels
	columns int // pictures of a row of the grid; 0 where nothing is rendered
	encodes bool
	sources []image.Point // sizes of the pictures in their files; none stands for square ones
	prompts int           // that are encoded before the run; 0 where each step encodes its own
	base    int64         // what the process holds already
	method  method.Method
	trained kernel.DType // the type of weights of the model's own for which tuning was started
	numbers int64        // that are trained; known after the first step
}

// need is what one network takes in bytes: the values of a run, its frozen weights as stored, the largest of them.
type need struct{ values, weights, largest int64 }

// network compiles a network of the outline.
func (f *footprint) network(build func(g *graph.Graph) *graph.Node, values, weights kernel.DType) (need, error) {
	g := graph.New()
	vm, err := graph.Compile(g, f.p.backend, []*graph.Node{build(g)}, graph.Options{DType: values})
	if err != nil {
		return need{}, err
	}
	defer vm.Close()
	return needOf(vm, weights), nil
}

func needOf(vm *graph.VM, stored kernel.DType) need {
	n := need{values: int64(vm.Bytes())}
	for _, w := range vm.Weights() {
		size := int64(w.Len()) * 4
		if len(w.Shape) > 1 {
			size = int64(w.Len() * stored.Size())
		}
		n.weights += size
		n.largest = max(n.largest, size)
	}
	return n
}

// step is a training step with a plan, and the bytes of parameters and optimizer.
func (f *footprint) step(plan engine.Plan) (need, int64, error) {
	optimizer, err := newOptimizer(f.job)
	if err != nil {
		return need{}, 0, err
	}
	loss, err := newLoss(f.job.Loss)
	if err != nil {
		return need{}, 0, err
	}
	if err := f.restart(typeNamed(plan.Trained)); err != nil {
		return need{}, 0, err
	}
	t := train.New(train.Config{Model: f.outline, Tuning: f.tuning, Backend: f.p.backend, Loss: loss, Optimizer: optimizer, InPass: plan.InPass,
		Options: graph.Options{DType: f.p.options.DType, Recompute: graph.Recompute(plan.Recompute)}})
	defer t.Close()
	rows, size := f.largest()
	factor := f.outline.VAE.Factor()
	if err := t.Prepare(rows, size.Y/factor, size.X/factor); err != nil {
		return need{}, 0, err
	}
	return needOf(t.VM(), typeNamed(plan.Weights)), f.parameters(t.Params(), plan), nil
}

// restart starts the tuning anew where weights of the model's own were to be trained in another type.
func (f *footprint) restart(trained kernel.DType) (err error) {
	if f.tuning != nil && f.trained == trained {
		return nil
	}
	f.outline = f.p.model.Outline()
	for _, part := range []model.Part{model.UNet, model.Text} {
		f.outline.Store(part, model.Storage{Trained: trained})
	}
	f.trained = trained
	f.tuning, err = f.method.Start(f.outline, f.job)
	return err
}

// parameters are the bytes of what is trained, of what the optimizer remembers, and of averages and sums.
func (f *footprint) parameters(params []optim.Param, plan engine.Plan) (bytes int64) {
	each := optimizerBytes[f.job.Optimizer]
	if f.job.Accumulate > 1 {
		each += 4
	}
	if f.job.EMA > 0 {
		each += 4
	}
	numbers, largest := int64(0), int64(0)
	for _, p := range params {
		n := int64(p.Value.Len())
		numbers += n
		largest = max(largest, n)
		bytes += n * (int64(p.Value.DType.Size()) + each)
	}
	f.numbers = numbers
	garbage := int64(gcPercent) // that may lie beside the optimizer's memory, which is in Go's heap
	if plan.InPass {
		garbage = gcPercentHeavy
	}
	if f.heavy() {
		bytes += numbers*each*garbage/100 + 4*largest // and a form of one weight for the time of a call
	}
	return bytes
}

// optimizerBytes is what an optimizer remembers of each trained number.
var optimizerBytes = map[string]int64{"adamw": 8, "adamw8bit": 2, "prodigy": 16, "lion": 4, "adafactor": 1}

// peak predicts the most memory that the process takes.
func (f *footprint) peak(plan engine.Plan) (int64, error) {
	f.side = plan.Resolution
	step, trained, err := f.step(plan)
	if err != nil {
		return 0, err
	}
	if f.p.name == builtinName { // its tensors are so small that the system reads them all in again with their neighbours
		step.weights = max(step.weights, f.p.model.Numbers()*int64(f.p.exact.Size()))
	}
	most := step.values + held(step, plan)
	if f.columns > 0 {
		render, err := f.render(plan)
		if err != nil {
			return 0, err
		}
		most = max(most, render.values+held(step, plan)+held(render, plan))
	}
	most += trained
	further, err := f.further(plan)
	if err != nil {
		return 0, err
	}
	most += further
	if f.encodes {
		before, err := f.encode(plan)
		if err != nil {
			return 0, err
		}
		most = max(most, before)
	}
	return f.base + overhead() + most, nil
}

// code is what a run takes beside values and weights: what oneDNN compiles for each shape, and its scratch memory.
const code = 24 << 20

// overhead is code and the garbage of Go's that a run lets lie.
func overhead() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return code + int64(m.HeapAlloc)*gcPercent/100
}

// held is what of a network's weights is in memory at once, with the form that a kernel makes of one for the time of a
// call.
func held(n need, plan engine.Plan) int64 {
	if plan.Stream {
		return min(n.weights, 2*n.largest)
	}
	return n.weights + n.largest
}

// render is what a row of the grid takes beside the UNet's weights: text encoder and decoder are read for it and released.
func (f *footprint) render(plan engine.Plan) (need, error) {
	dt := f.p.options.DType
	m, pictures := f.outline, min(f.columns, plan.Together)
	side := f.side / m.VAE.Factor()
	text, err := f.text(2*pictures, dt, dt)
	if err != nil {
		return need{}, err
	}
	unet, err := f.network(func(g *graph.Graph) *graph.Node {
		return m.BuildUNet(g, f.tuning, g.Input("x", 2*pictures, side, side, m.UNet.InChannels), g.Input("t", 2*pictures),
			g.Input("context", 2*pictures, model.Tokens, m.UNet.CrossAttentionDim))
	}, dt, dt)
	if err != nil {
		return need{}, err
	}
	decoder, err := f.network(func(g *graph.Graph) *graph.Node {
		return m.BuildDecoder(g, g.Input("z", 1, side, side, m.VAE.LatentChannels))
	}, dt, dt)
	return need{max(text.values, unet.values, decoder.values), max(text.weights, decoder.weights), max(text.largest, decoder.largest)}, err
}

func (f *footprint) text(rows int, values, weights kernel.DType) (need, error) {
	return f.network(func(g *graph.Graph) *graph.Node {
		return f.outline.BuildText(g, f.tuning, g.Indices("ids", rows, model.Tokens), 1)
	}, values, weights)
}

// encode is what preparing the pictures and captions takes, before the UNet is read.
func (f *footprint) encode(plan engine.Plan) (int64, error) {
	_, size := f.largest()
	encoder, err := f.network(func(g *graph.Graph) *graph.Node {
		return f.outline.BuildEncoder(g, g.Input("image", 1, size.Y, size.X, 3))
	}, kernel.F32, kernel.F32)
	if err != nil {
		return 0, err
	}
	text, err := f.text(1, kernel.F32, kernel.F32)
	return max(encoder.values, text.values) + held(encoder, plan) + held(text, plan), err
}

func typeNamed(name string) kernel.DType {
	for _, dt := range []kernel.DType{kernel.BF16, kernel.F16} {
		if dt.String() == name {
			return dt
		}
	}
	return kernel.F32
}
