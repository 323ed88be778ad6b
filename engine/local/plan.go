package local

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model"
	"easel/engine/optim"
)

// ladder lists the plans for a run from the fastest to the leanest.
func (f *footprint) ladder(resolution int) []engine.Plan {
	plan := engine.Plan{Together: max(f.columns, 1), Weights: f.p.exact.String(), Resolution: resolution}
	var rungs []engine.Plan
	add := func() { rungs = append(rungs, plan) }
	first := graph.KeepAll
	if !f.p.small() {
		first = graph.Narrow // half the memory of the values, and no difference of speed that could be measured
	}
	for level := first; level <= graph.Products; level++ {
		plan.Recompute = int(level)
		add()
	}
	if f.inPass() {
		plan.InPass = true
		for level := first; level <= graph.Products; level++ {
			plan.Recompute = int(level)
			add()
		}
	}
	for plan.Together > 1 {
		plan.Together = (plan.Together + 1) / 2
		add()
	}
	if plan.Weights == "f32" && !f.p.small() {
		plan.Weights = "bf16"
		add()
	}
	if f.heavy() && f.job.EMA == 0 { // an average in the weights' place must not be rounded
		plan.Trained = "bf16"
		add()
	}
	if runtime.GOOS == "linux" && !f.p.small() {
		plan.Stream = true
		plan.Recompute = int(first) // much is saved here: less may be enough there
		add()
	}
	for level := graph.Products; level <= graph.MostRecompute; level++ {
		plan.Recompute = int(level)
		add()
	}
	for step := f.p.step(); plan.Resolution-step >= resolution/2 && plan.Resolution > step; {
		plan.Resolution -= step
		add()
	}
	return rungs
}

// manyNumbers is from how many trained numbers on their gradients are worth not keeping together: 256 MB of them.
const manyNumbers = 64 << 20

// heavy says that so many numbers are trained: the model's own weights.
func (f *footprint) heavy() bool { return f.numbers >= manyNumbers }

// inPass says that parameters can change within the backward pass, and that it is worth it. It is not exact: gradients
// cannot be clipped by the norm of all.
func (f *footprint) inPass() bool {
	optimizer, err := newOptimizer(f.job)
	if err != nil {
		return false
	}
	_, partial := optimizer.(optim.Partial)
	return f.heavy() && partial && f.job.Accumulate <= 1
}

// choose picks the first rung that fits the budget; 0 is what the machine has free.
func (f *footprint) choose(budget int64, resolution int) (engine.Plan, error) {
	asked := budget > 0
	if !asked {
		budget = f.base + available()
	}
	f.side = resolution
	if _, _, err := f.step(engine.Plan{Weights: f.p.options.DType.String()}); err != nil { // counts what is trained
		return engine.Plan{}, err
	}
	least := int64(0)
	for _, plan := range f.ladder(resolution) {
		peak, err := f.peak(plan)
		if err != nil {
			return engine.Plan{}, err
		}
		if asked || available() > 0 {
			plan.Budget = budget
		}
		plan.Peak = peak
		if plan.Budget == 0 || peak <= budget {
			plan.Why = f.why(plan, resolution)
			return plan, nil
		}
		if least == 0 || peak < least {
			least = peak
		}
	}
	return engine.Plan{}, engine.Errorf("plan memory", "", engine.OutOfMemory,
		"this run needs at least %s of memory, and %s is what it may take: choose a smaller batch or rank, close other programs, or allow more with --memory", gigabytes(least), gigabytes(budget))
}

// why says what a plan does to fit.
func (f *footprint) why(p engine.Plan, resolution int) string {
	var does []string
	say := func(format string, args ...any) { does = append(does, fmt.Sprintf(format, args...)) }
	if p.Recompute > 0 {
		say("computes %s again in the backward pass", again[p.Recompute])
	}
	if p.Together < f.columns {
		say("renders %d at a time", p.Together)
	}
	if p.Weights != f.p.exact.String() {
		say("stores frozen weights as %s", p.Weights)
	}
	if p.InPass {
		say("changes each weight as soon as its gradient is there")
	}
	if p.Trained != "" {
		say("trains weights as %s", p.Trained)
	}
	if p.Stream {
		say("reads frozen weights from their file at each use")
	}
	if p.Resolution != resolution {
		say("trains at %d px", p.Resolution)
	}
	if len(does) == 0 {
		say("keeps everything in memory")
	}
	text := strings.Join(does, ", ") + "; takes about " + gigabytes(p.Peak)
	if p.Budget > 0 {
		text += " of at most " + gigabytes(p.Budget)
	}
	return text
}

// again names what a level of recompute computes twice.
var again = []string{"nothing", "norms and activations", "norms, activations and narrow products", "norms, activations and products", "nearly everything"}

func gigabytes(n int64) string { return fmt.Sprintf("%.2f GB", float64(n)/1e9) }

// available is the memory that the machine has free, less a margin for everybody else: 5 %, at least 256 MB. It is 0
// where the system does not tell.
func available() int64 {
	free := kilobytes("/proc/meminfo", "MemAvailable")
	return max(free-max(free/20, 256<<20), 0)
}

// follow makes the pipeline work as planned.
func (p *pipeline) follow(plan engine.Plan, trainsText bool) error {
	p.options.Recompute, p.options.Stream = graph.Recompute(plan.Recompute), plan.Stream
	stored := typeNamed(plan.Weights)
	// Copies of the weights in the kernels' own forms would save at most 5 % of a step and double its memory.
	storage := model.Storage{DType: stored, Trained: typeNamed(plan.Trained), Lean: true}
	if plan.Stream {
		var err error
		if storage.Spill, err = spillFolder(); err != nil {
			return err
		}
	}
	p.model.Store(model.UNet, storage)
	exact := storage // for pictures and captions, which are encoded once
	exact.DType = kernel.F32
	p.model.Store(model.VAE, exact)
	p.model.Store(model.Text, exact)
	if trainsText {
		p.model.Store(model.Text, storage)
	}
	p.plan, p.storage, p.trainsText = plan, storage, trainsText
	if plan.InPass { // the optimizer's memory is as large as a model
		debug.SetGCPercent(gcPercentHeavy)
	}
	return nil
}

// spillFolder is where weights lie that are converted and then let go between uses: on a disk, which a folder for
// temporary files often is not.
func spillFolder() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "easel")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", engine.Errorf("plan memory", dir, engine.BadInput, "%w", err)
	}
	return dir, nil
}

// rest gives back what training does not need between two grids: the weights of VAE and text encoder, and the memory of
// the values. Both come back when they are used. From here on they are stored in the type that the plan computes in; when
// pictures and captions are encoded, before the first rest, they are as exact as their file.
func (p *pipeline) rest() {
	p.options.Memory.Close()
	storage := p.storage
	storage.DType = p.options.DType
	p.model.Store(model.VAE, storage)
	if !p.trainsText {
		p.model.Store(model.Text, storage)
	}
	release()
}
