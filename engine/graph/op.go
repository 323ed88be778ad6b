package graph

import (
	"fmt"
	"hash"

	"easel/engine/kernel"
	"easel/engine/kernel/ref"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// operator is what one kind of node computes. Each family of operators is a file of small types.
type operator interface {
	// name is the kernel's name, as the profile shows it.
	name() string
	// shape is the output's shape for inputs of the given shapes, or what is wrong with them.
	shape(in []tensor.Shape) (tensor.Shape, error)
	// run computes the outputs (one, except for bundles).
	run(b kernel.Backend, out, in []*kernel.Tensor) error
	// grad builds the gradients of the inputs for which want is set; the others may be nil.
	grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node
}

// bundle is an operator with further results beside its node's own. Gorgonia knows single results only: Graph.side
// makes nodes of the others, which cost nothing on our VM.
type bundle interface {
	operator
	// sides are the shapes of the further results; run gets them as out[1:]. They are stored as float32 where
	// exactSides says so.
	sides(in []tensor.Shape) []tensor.Shape
	exactSides() bool
}

// inPlace is an operator whose output may lie in the memory of one of the inputs it lists, if nobody needs that any more.
type inPlace interface{ reuses() []int }

// adder is an operator that can add another tensor of the output's shape to its result for nothing.
type adder interface {
	runAdd(b kernel.Backend, out *kernel.Tensor, in []*kernel.Tensor, add *kernel.Tensor) error
}

// exactResult is an operator whose output is stored as float32 always: statistics, losses, gradients of parameters.
type exactResult interface{ exactResult() }

// detached is an operator through which no gradient flows, though its inputs depend on parameters.
type detached interface{ detached() }

// worker is an operator whose arithmetic is worth counting, in floating-point operations.
type worker interface {
	flops(in []tensor.Shape, out tensor.Shape) float64
}

// op makes an operator a gorgonia.SDOp.
type op struct {
	operator
	g      *Graph
	serial uint32
	types  hm.Type
	out    tensor.Shape
	diff   []bool
}

func newOp(g *Graph, o operator, out tensor.Shape, in []*Node, diff []bool) *op {
	types := make([]hm.Type, 0, len(in)+1)
	for _, n := range in {
		types = append(types, typeOf(n.Shape(), n.Dtype()))
	}
	types = append(types, typeOf(out, tensor.Float32))
	return &op{operator: o, g: g, serial: g.serial, types: hm.NewFnType(types...), out: out, diff: diff}
}

func typeOf(s tensor.Shape, dt tensor.Dtype) hm.Type {
	if len(s) == 0 {
		return dt
	}
	return gorgonia.TensorType{Dims: len(s), Of: dt}
}

// Arity implements gorgonia.Op.
func (o *op) Arity() int { return len(o.diff) }

// Type implements gorgonia.Op.
func (o *op) Type() hm.Type { return o.types }

// InferShape implements gorgonia.Op; the shape was found when the node was made.
func (o *op) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return o.out.Clone(), nil }

// ReturnsPtr implements gorgonia.Op.
func (o *op) ReturnsPtr() bool { return false }

// CallsExtern implements gorgonia.Op.
func (o *op) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op; reuse of memory is the VM's affair.
func (o *op) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op.
func (o *op) WriteHash(h hash.Hash) { fmt.Fprintf(h, "%s#%d", o.name(), o.serial) }

// Hashcode implements gorgonia.Op. It is the operator's serial number: Gorgonia takes nodes of equal hash, op and
// shape for one and does not compare their inputs, so a collision would silently join two layers.
// (The sums that Backpropagate makes are Gorgonia's own and keep that risk: two of one shape would need equal hashes.)
func (o *op) Hashcode() uint32 { return o.serial }

// String implements gorgonia.Op.
func (o *op) String() string { return o.name() }

// DiffWRT implements gorgonia.SDOp: only inputs that depend on a parameter are differentiated.
func (o *op) DiffWRT(int) []bool { return o.diff }

// SymDiff implements gorgonia.SDOp.
func (o *op) SymDiff(in gorgonia.Nodes, out, dy *Node) (gorgonia.Nodes, error) {
	grads := o.grad(o.g, in, out, dy, o.diff)
	if err := o.g.Err(); err != nil {
		return nil, err
	}
	return grads, nil
}

// Do implements gorgonia.Op on Gorgonia's own tensors through the reference backend, so that Gorgonia's machines
// can run the same graph.
func (o *op) Do(values ...gorgonia.Value) (gorgonia.Value, error) {
	in := make([]*kernel.Tensor, len(values))
	shapes := make([]tensor.Shape, len(values))
	for i, v := range values {
		t, err := fromValue(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name(), err)
		}
		in[i], shapes[i] = t, t.Shape
	}
	outs := []*kernel.Tensor{kernel.New(kernel.F32, o.out...)}
	if b, ok := o.operator.(bundle); ok {
		outs = append(outs, newTensors(b.sides(shapes))...)
	}
	if err := o.run(ref.New(), outs, in); err != nil {
		return nil, err
	}
	return toDense(outs[0].F32(), o.out), nil
}

func newTensors(shapes []tensor.Shape) []*kernel.Tensor {
	ts := make([]*kernel.Tensor, len(shapes))
	for i, s := range shapes {
		ts[i] = kernel.New(kernel.F32, s...)
	}
	return ts
}

// side is the node of a bundle's further result. Its inputs are the bundle's node and the bundle's own inputs:
// Gorgonia's machines, which call run, compute the bundle again; our VM takes the value that the bundle left.
type side struct {
	of    bundle
	index int
}

// side returns the node of a further result of n, counted from 0.
func (g *Graph) side(n *Node, index int) *Node {
	if g.err != nil {
		return nil
	}
	b := n.Op().(*op).operator.(bundle)
	return g.add(side{b, index}, append([]*Node{n}, inputs(n)...)...)
}

func (s side) name() string { return s.of.name() + " side" }

func (s side) shape(in []tensor.Shape) (tensor.Shape, error) { return s.of.sides(in[1:])[s.index], nil }

func (s side) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	shapes := make([]tensor.Shape, len(in)-1)
	for i, t := range in[1:] {
		shapes[i] = t.Shape
	}
	outs := append([]*kernel.Tensor{kernel.New(kernel.F32, in[0].Shape...)}, newTensors(s.of.sides(shapes))...)
	if err := s.of.run(b, outs, in[1:]); err != nil {
		return err
	}
	copy(out[0].F32(), outs[s.index+1].F32())
	return nil
}

func (s side) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node {
	g.Fail("%s has no gradient", s.name())
	return nil
}

// inputs returns the nodes that n is computed from, in order.
func inputs(n *Node) []*Node {
	it := n.Graph().From(n.ID())
	if it == nil {
		return nil
	}
	var in []*Node
	for it.Next() {
		in = append(in, it.Node().(*Node))
	}
	return in
}
