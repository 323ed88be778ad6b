package local

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
	"easel/engine/optim"
	"easel/engine/sample"
	"easel/engine/train"
)

// workload is a part of the work, ready to be timed.
type workload struct {
	method     string
	res, batch int
	warm       func(ctx context.Context) error // makes what the first run would; nil where run itself does that
	run        func(ctx context.Context) error
	flops      func() float64
	profile    func() []engine.ProfileRow // nil where there is none
	reset      func()                     // of the profile
	plan       *engine.Plan               // of a training step
	predicted  int64                      // bytes of the process at its peak; 0 where it is not
	close      func() error
}

func newWorkload(p *pipeline, req engine.BenchRequest, part string) (*workload, error) {
	w := &workload{res: req.Res, batch: max(req.Batch, 1)}
	if w.res == 0 || p.name == "builtin" {
		w.res = p.model.Resolution()
	}
	if req.Batch == 0 && p.name == "builtin" && part == "step" {
		w.batch = 4
	}
	side := w.res / p.model.VAE.Factor()
	if side < 1 || w.res > 2048 || w.batch > 64 {
		return nil, engine.Errorf("bench", "", engine.BadInput, "res %d and batch %d cannot be measured", req.Res, req.Batch)
	}
	switch part {
	case "step":
		return w, w.trainingStep(p, req)
	case "picture":
		return w, w.pictures(p)
	}
	for _, network := range []model.Part{model.UNet, model.Text, model.VAE} { // as in a run
		p.model.Store(network, model.Storage{DType: p.exact, Lean: true})
	}
	f := &footprint{p: p, outline: p.model.Outline(), base: resident()}
	n, err := f.network(func(g *graph.Graph) *graph.Node {
		_, out := networkOf(g, f.outline, part, w, side)
		return out
	}, p.options.DType, p.exact)
	if err != nil {
		return nil, err
	}
	w.predicted = f.base + overhead() + n.values + held(n, engine.Plan{})
	g := graph.New()
	in, out := networkOf(g, p.model, part, w, side)
	vm, err := graph.Compile(g, p.backend, []*graph.Node{out}, p.options)
	if err != nil {
		return nil, err
	}
	for _, n := range in {
		if err := vm.Let(n, zeros(n)); err != nil {
			return nil, err
		}
	}
	w.run, w.flops, w.profile, w.reset, w.close = vm.Run, vm.FLOPs, vm.Profile, vm.ResetProfile, vm.Close
	return w, nil
}

// networkOf builds one network. A UNet call has two rows a picture, as guidance needs.
func networkOf(g *graph.Graph, m *model.Model, part string, w *workload, side int) ([]*graph.Node, *graph.Node) {
	b := w.batch
	switch part {
	case "unet":
		in := []*graph.Node{g.Input("x", 2*b, side, side, m.UNet.InChannels), g.Input("t", 2*b), g.Input("context", 2*b, model.Tokens, m.UNet.CrossAttentionDim)}
		return in, m.BuildUNet(g, nil, in[0], in[1], in[2])
	case "vae encode":
		in := g.Input("image", b, w.res, w.res, 3)
		return []*graph.Node{in}, m.BuildEncoder(g, in)
	case "vae decode":
		in := g.Input("z", b, side, side, m.VAE.LatentChannels)
		return []*graph.Node{in}, m.BuildDecoder(g, in)
	}
	w.res = 0
	in := g.Indices("ids", b, model.Tokens)
	return []*graph.Node{in}, m.BuildText(g, nil, in, 1)
}

func zeros(n *graph.Node) *kernel.Tensor {
	dt := kernel.F32
	if n.Name() == "ids" {
		dt = kernel.I32
	}
	return kernel.New(dt, n.Shape()...)
}

// trainingStep is a whole step of a method on prepared latents: noise, forward, backward, clipping, optimizer.
func (w *workload) trainingStep(p *pipeline, req engine.BenchRequest) error {
	w.method = req.Method
	if w.method == "" {
		w.method = "lora"
	}
	me, err := method.ByName(w.method)
	if err != nil {
		return err
	}
	job := engine.Job{Settings: benchSettings(p, req, me.Info()), Optimizer: "adamw"}
	if me.Info().Element == engine.Weights && !p.small() {
		job.Optimizer = "adamw8bit"
	}
	if err := w.makePlan(p, me, job, req); err != nil {
		return err
	}
	tuning, err := me.Start(p.model, job)
	if err != nil {
		return err
	}
	optimizer, err := newOptimizer(job)
	if err != nil {
		return err
	}
	rate, err := optim.NewRateSchedule("constant", 1e-4, 0)
	if err != nil {
		return err
	}
	t := train.New(train.Config{Model: p.model, Tuning: tuning, Backend: p.backend, Schedule: p.schedule,
		Weighting: diffusion.Uniform{}, Optimizer: optimizer, Rate: rate, Steps: 1, ClipNorm: 1,
		InPass: w.plan.InPass, Options: p.options})
	side := w.res / p.model.VAE.Factor()
	if err := t.Prepare(w.batch, side, side); err != nil {
		return err
	}
	b := benchBatch(p, w.batch, side, side)
	step := 0
	w.run = func(ctx context.Context) error {
		_, err := t.Step(ctx, step, b)
		step++
		return err
	}
	vm := t.VM()
	w.flops, w.profile, w.reset, w.close = vm.FLOPs, vm.Profile, vm.ResetProfile, t.Close
	return nil
}

// makePlan decides how the step uses memory.
func (w *workload) makePlan(p *pipeline, me method.Method, job engine.Job, req engine.BenchRequest) error {
	f := &footprint{p: p, method: me, job: job, rows: w.batch, base: resident()}
	if err := f.restart(kernel.F32); err != nil {
		return err
	}
	plan, err := f.choose(req.Memory, w.res)
	if err != nil {
		return err
	}
	w.plan, w.predicted, w.res = &plan, plan.Peak, plan.Resolution
	release()
	return p.follow(plan, false)
}

// benchSettings are, of those that the method has, those that the peers were timed with: attention, feed-forward and projections, rank 16 for the
// full size and 8 for the built-in model.
func benchSettings(p *pipeline, req engine.BenchRequest, info engine.MethodInfo) map[string]string {
	rank := req.Rank
	set(&rank, 16, 8, p.small())
	settings := map[string]string{"rank": strconv.Itoa(rank), "targets": "attention+ff", "text-encoder": "off"}
	maps.DeleteFunc(settings, func(name, _ string) bool {
		return !slices.ContainsFunc(info.Settings, func(s engine.Setting) bool { return s.Name == name })
	})
	return settings
}

// benchBatch has noise for pictures, of height x width latents, and empty prompts.
func benchBatch(p *pipeline, size, height, width int) train.Batch {
	shape := []int{size, height, width, p.model.UNet.InChannels}
	b := train.Batch{Latents: kernel.New(kernel.F32, shape...), Noise: kernel.New(kernel.F32, shape...),
		Context: kernel.New(kernel.F32, size, model.Tokens, p.model.UNet.CrossAttentionDim), IDs: p.model.IDs(make([]string, size)...)}
	for i := range b.Noise.F32() {
		b.Noise.F32()[i] = float32(i%7)/3 - 1
	}
	for range size {
		b.Timesteps = append(b.Timesteps, p.schedule.Len()/2)
	}
	return b
}

// pictures are whole ones: prompt, 20 steps of the grid's sampler with guidance, decoder. One step is enough to warm up.
func (w *workload) pictures(p *pipeline) error {
	q := sample.Request{Sampler: gridSampler, Steps: 20, Guidance: 7.5, Width: w.res, Height: w.res}
	for i := range w.batch {
		q.Prompts, q.Seeds = append(q.Prompts, "a photo of a cat"), append(q.Seeds, uint64(i))
	}
	r := p.renderer(nil)
	flops, err := r.FLOPs(q)
	if err != nil {
		return err
	}
	render := func(ctx context.Context, q sample.Request) error {
		_, err := r.Render(ctx, q, func(int) {})
		return err
	}
	w.run = func(ctx context.Context) error { return render(ctx, q) }
	w.warm = func(ctx context.Context) error {
		short := q
		short.Steps = 1
		return render(ctx, short)
	}
	w.flops, w.reset, w.close = func() float64 { return flops }, func() {}, r.Close
	return nil
}

// measure times the workload; the profile covers the timed runs only.
func (w *workload) measure(ctx context.Context, runs int) (float64, error) {
	warm := w.warm
	if warm == nil {
		warm = w.run
	}
	if err := warm(ctx); err != nil {
		return 0, err
	}
	w.reset()
	return median(runs, func() error { return w.run(ctx) })
}
