package graph

import (
	"context"

	"easel/engine/kernel"
)

// Function is a compiled graph of one output, called with the values of its inputs.
type Function struct {
	vm  *VM
	in  []*Node
	out *Node
}

// NewFunction compiles out as a function of in.
func NewFunction(g *Graph, b kernel.Backend, in []*Node, out *Node, o Options) (*Function, error) {
	vm, err := Compile(g, b, []*Node{out}, o)
	if err != nil {
		return nil, err
	}
	return &Function{vm, in, out}, nil
}

// Call returns the output for the inputs' values, as float32 in memory of its own.
func (f *Function) Call(ctx context.Context, in ...*kernel.Tensor) (*kernel.Tensor, error) {
	for i, t := range in {
		if err := f.vm.Let(f.in[i], t); err != nil {
			return nil, err
		}
	}
	if err := f.vm.Run(ctx); err != nil {
		return nil, err
	}
	return f.vm.Value(f.out).Convert(kernel.F32), nil
}

// FLOPs is the number of floating-point operations of one call, in matmuls, convolutions and attention.
func (f *Function) FLOPs() float64 { return f.vm.FLOPs() }

// Close frees the function's own memory.
func (f *Function) Close() error { return f.vm.Close() }
