package graph

import (
	"context"
	"fmt"
	"time"

	"easel/engine"
	"easel/engine/kernel"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Options say how a VM runs a graph. The zero value is float32, everything kept, memory of its own.
type Options struct {
	// DType is how activations are stored: F32 or BF16. Statistics, losses and parameters' gradients are F32.
	DType kernel.DType
	// Recompute is how much of the forward pass is dropped and computed again in the backward pass.
	Recompute Recompute
	// Stream lets mapped leaves go after each use: they take memory only while an operator reads them.
	Stream bool
	// Updates are parameters that are changed while the run goes on, each as soon as its gradient is there and nothing reads
	// the parameter any more. A gradient's memory is then free: they never all live at once.
	Updates []Update
	// Memory is shared with VMs that never run at the same time; nil takes memory of its own.
	Memory *Memory
}

// VM runs a compiled graph. It implements gorgonia.VM. It is not safe for concurrent use, and all VMs of a process
// must run on one OS thread, because the backend's threads form a team around it.
type VM struct {
	s       *schedule
	backend kernel.Backend
	stream  bool
	memory  *Memory
	owned   bool // memory
	size    int
	change  int // of memory, when values were laid into it; -1 at first
	leaves  []*value
	inputs  map[*Node]*value
	update  func(k int, gradient *kernel.Tensor) error
}

var _ gorgonia.VM = (*VM)(nil)

// Compile makes a VM that computes outputs. Bound leaves (constants, parameters) are read where they lie at each run.
func Compile(g *Graph, b kernel.Backend, outputs []*Node, o Options) (*VM, error) {
	if g.err != nil {
		return nil, g.err
	}
	for _, n := range outputs {
		if n == nil {
			return nil, engine.Errorf("compile graph", "", engine.Internal, "an output is missing")
		}
	}
	s, err := translate(g, append(gradients(o.Updates), outputs...), o.DType)
	if err != nil {
		return nil, err
	}
	s.fold()
	s.recompute(o.Recompute)
	s.insert(o.Updates)
	vm := &VM{s: s, backend: b, stream: o.Stream, memory: o.Memory, size: s.layout(), change: -1, inputs: map[*Node]*value{}}
	if vm.memory == nil {
		vm.memory, vm.owned = &Memory{}, true
	}
	for _, v := range s.values {
		if v.leaf != nil {
			v.t = g.bound[v.leaf]
			vm.leaves = append(vm.leaves, v)
			vm.inputs[v.leaf] = v
		}
	}
	return vm, nil
}

// Let sets the value of an input for the runs that follow. t is not copied. A leaf that the outputs do not depend
// on is ignored.
func (vm *VM) Let(n *Node, t *kernel.Tensor) error {
	v, ok := vm.inputs[n]
	if !ok {
		return nil
	}
	if !tensor.Shape(t.Shape).Eq(v.shape) && kernel.Len(v.shape) > 0 && !(len(v.shape) == 0 && t.Len() == 1) {
		return engine.Errorf("run graph", "", engine.Internal, "%s has shape %v, got %v", n.Name(), v.shape, t.Shape)
	}
	v.t = t
	return nil
}

// OnUpdate sets what changes parameter number k of Options.Updates; its gradient is good during the call only. An error ends
// the run, some parameters being changed by then. Once the first is, a cancelled context no longer ends it.
func (vm *VM) OnUpdate(change func(k int, gradient *kernel.Tensor) error) { vm.update = change }

// RunAll implements gorgonia.VM.
func (vm *VM) RunAll() error { return vm.Run(context.Background()) }

// Run computes all outputs. It stops between two operators when ctx is cancelled.
func (vm *VM) Run(ctx context.Context) error {
	if err := vm.bind(); err != nil {
		return err
	}
	for _, i := range vm.s.code {
		if err := ctx.Err(); err != nil {
			return engine.Errorf("run graph", "", engine.Cancelled, "stopped: %w", err)
		}
		start := time.Now()
		if _, ok := i.op.(update); ok {
			ctx = context.WithoutCancel(ctx) // parameters must not stay halfway between two steps
		}
		if err := vm.step(i); err != nil {
			return fmt.Errorf("%s: %w", i.op.name(), err)
		}
		i.seconds += time.Since(start).Seconds()
		i.calls++
	}
	return nil
}

func (vm *VM) step(i *instr) error {
	in, out := vm.tensors(i.in), vm.tensors(i.out)
	if vm.stream {
		for _, t := range in {
			if _, few := i.op.(embedding); !few { // which reads few rows
				t.Fetch()
			}
			defer t.LetGo()
		}
	}
	if u, ok := i.op.(update); ok {
		return vm.update(u.k, in[0])
	}
	if i.add >= 0 {
		return i.op.(adder).runAdd(vm.backend, out[0], in, vm.s.values[i.add].t)
	}
	return i.op.run(vm.backend, out, in)
}

func (vm *VM) tensors(values []int) []*kernel.Tensor {
	ts := make([]*kernel.Tensor, len(values))
	for k, v := range values {
		ts[k] = vm.s.values[v].t
	}
	return ts
}

// bind lays the values into memory, unless they lie there already.
func (vm *VM) bind() error {
	for _, v := range vm.leaves {
		if v.t == nil {
			return engine.Errorf("run graph", "", engine.Internal, "input %s has no value", v.leaf.Name())
		}
	}
	if err := vm.memory.grow(vm.size); err != nil {
		return err
	}
	if vm.change == vm.memory.change {
		return nil
	}
	for _, v := range vm.s.values {
		if v.leaf == nil && v.first >= 0 {
			at := vm.s.values[v.root].offset
			v.t = &kernel.Tensor{Shape: v.shape, DType: v.dtype, Data: vm.memory.bytes[at : at+v.bytes() : at+v.bytes()]}
		}
	}
	vm.change = vm.memory.change
	return nil
}

// Value is the tensor of an output after a run; it is overwritten by the next run on the same memory.
func (vm *VM) Value(n *Node) *kernel.Tensor {
	k, ok := vm.s.of[n]
	if !ok || !vm.s.values[k].keep {
		return nil
	}
	return vm.s.values[k].t
}

// Reset implements gorgonia.VM. There is nothing to reset: a run starts from the leaves.
func (vm *VM) Reset() {}

// Close implements gorgonia.VM: it frees memory of the VM's own.
func (vm *VM) Close() error {
	if vm.owned {
		vm.memory.Close()
	}
	return nil
}

// Bytes is the memory that one run's values take, without leaves.
func (vm *VM) Bytes() int { return vm.size }

// Weights are the frozen tensors that a run reads as a whole: all but the tables of embeddings.
func (vm *VM) Weights() []*kernel.Tensor {
	table := map[int]bool{}
	for _, i := range vm.s.code {
		if _, ok := i.op.(embedding); ok {
			table[i.in[1]] = true
		}
	}
	var frozen []*kernel.Tensor
	for k, v := range vm.s.values {
		if v.leaf != nil && v.t != nil && v.t.Frozen && !table[k] {
			frozen = append(frozen, v.t)
		}
	}
	return frozen
}

// FLOPs is the number of floating-point operations of one run, in matmuls, convolutions and attention.
func (vm *VM) FLOPs() float64 {
	sum := 0.0
	for _, i := range vm.s.code {
		sum += i.work
	}
	return sum
}

// Operators counts the operators of one run by name: "conv dw" is a convolution's weight gradient.
func (vm *VM) Operators() map[string]int {
	n := map[string]int{}
	for _, i := range vm.s.code {
		n[i.op.name()]++
	}
	return n
}
