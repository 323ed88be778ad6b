package graph

import (
	"fmt"
	"slices"

	"easel/engine"
	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// value is one tensor of a schedule.
type value struct {
	shape tensor.Shape
	dtype kernel.DType
	leaf  *Node // its value comes from outside; nil for what the schedule computes
	keep  bool  // an output: lives to the end

	first, last int // instructions that write it and use it last
	root        int // the value in whose memory it lies: itself, or an input of the operator that made it
	offset      int // of a root, in the memory, bytes
	t           *kernel.Tensor
}

func (v *value) bytes() int { return kernel.Len(v.shape) * v.dtype.Size() }

// instr is one operator of a schedule, with the indices of the values it reads and writes.
type instr struct {
	op       operator
	in, out  []int
	add      int // a value added to the result, or -1
	segment  int
	backward bool
	work     float64 // floating-point operations
	inputs   int     // of each number of a product's result
	seconds  float64 // spent in all runs
	calls    int
}

// schedule is what a graph is compiled to: operators in order, and their values.
type schedule struct {
	values []*value
	code   []*instr
	of     map[*Node]int // value of each node
}

// translate lists what the outputs need, in the order in which the nodes were made: builders make a layer after
// what it reads, and Backpropagate makes gradients from the loss backwards, so this order keeps few values alive.
func translate(g *Graph, outputs []*Node, dtype kernel.DType) (*schedule, error) {
	s := &schedule{of: map[*Node]int{}}
	for _, n := range needed(outputs) {
		if err := s.translate(g, n, dtype); err != nil {
			return nil, err
		}
	}
	for _, n := range outputs {
		s.values[s.of[n]].keep = true
	}
	return s, nil
}

// needed returns the nodes that outputs depend on, sources first.
func needed(outputs []*Node) []*Node {
	seen := map[*Node]bool{}
	stack := slices.Clone(outputs)
	var nodes []*Node
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		nodes = append(nodes, n)
		stack = append(stack, sources(n)...)
	}
	slices.SortFunc(nodes, func(a, b *Node) int { return int(a.ID() - b.ID()) })
	return nodes
}

// sources are the nodes whose values n reads on our VM.
func sources(n *Node) []*Node {
	in := inputs(n)
	if o, ok := n.Op().(*op); ok {
		if _, ok := o.operator.(side); ok {
			return in[:1]
		}
	}
	return in
}

func (s *schedule) translate(g *Graph, n *Node, dtype kernel.DType) error {
	if n.Op() == nil {
		s.of[n] = s.newValue(n.Shape(), leafType(g, n))
		s.values[s.of[n]].leaf = n
		return nil
	}
	o, err := operatorOf(n)
	if err != nil {
		return err
	}
	in := sources(n)
	if sd, ok := o.(side); ok {
		s.of[n] = s.of[in[0]] + 1 + sd.index // the bundle's values follow one another
		return nil
	}
	i := &instr{op: o, add: -1, segment: g.segment[n], backward: g.border > 0 && n.ID() > g.border}
	shapes := make([]tensor.Shape, len(in))
	for k, m := range in {
		i.in = append(i.in, s.of[m])
		shapes[k] = m.Shape()
	}
	if w, ok := o.(worker); ok {
		i.work = w.flops(shapes, n.Shape())
	}
	if _, ok := o.(linear); ok {
		i.inputs = shapes[1][1]
	}
	s.of[n] = s.newValue(n.Shape(), s.resultType(g, n, o, i, dtype))
	i.out = []int{s.of[n]}
	if b, ok := o.(bundle); ok {
		for _, shape := range b.sides(shapes) {
			dt := dtype
			if b.exactSides() {
				dt = kernel.F32
			}
			i.out = append(i.out, s.newValue(shape, dt))
		}
	}
	s.code = append(s.code, i)
	return nil
}

func (s *schedule) newValue(shape tensor.Shape, dt kernel.DType) int {
	s.values = append(s.values, &value{shape: shape, dtype: dt, root: len(s.values)})
	return len(s.values) - 1
}

func leafType(g *Graph, n *Node) kernel.DType {
	if t := g.bound[n]; t != nil {
		return t.DType
	}
	if n.Dtype() == tensor.Int32 {
		return kernel.I32
	}
	return kernel.F32
}

// resultType decides how a value is stored. A sum of float32 values, such as a parameter's gradients, stays so.
func (s *schedule) resultType(g *Graph, n *Node, o operator, i *instr, dtype kernel.DType) kernel.DType {
	if _, ok := o.(exactResult); ok || g.exact[n] {
		return kernel.F32
	}
	if _, ok := o.(add); ok && s.values[i.in[0]].dtype == kernel.F32 && s.values[i.in[1]].dtype == kernel.F32 {
		return kernel.F32
	}
	return dtype
}

// operatorOf returns what a node computes. The only operator of Gorgonia's own that our graphs hold is the sum
// that Backpropagate makes where gradients meet.
func operatorOf(n *Node) (operator, error) {
	if o, ok := n.Op().(*op); ok {
		return o.operator, nil
	}
	if name := fmt.Sprint(n.Op()); len(name) > 0 && name[0] == '+' {
		return add{}, nil
	}
	return nil, engine.Errorf("compile graph", "", engine.Internal, "operator %v is not one of Easel's", n.Op())
}
