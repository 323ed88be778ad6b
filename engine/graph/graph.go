// Package graph builds models as Gorgonia expression graphs made of Easel's operators, differentiates them with
// gorgonia.Backpropagate, and runs them on a VM of its own.
//
// The graph is the mathematics: every node is a float32 tensor to Gorgonia. How values are stored (float32 or
// bfloat16, kept or recomputed, where in memory) is decided when a VM compiles the graph.
//
//	g := graph.New()
//	x := g.Input("x", 1, 8, 8, 4)
//	w := g.Parameter("w", weights)
//	loss := g.Loss(g.Linear(x, w, nil, 1), target, nil, nil, kernel.MSE)
//	grads := g.Gradients(loss, w)
//	vm, err := graph.Compile(g, backend, append(grads, loss), graph.Options{})
package graph

import (
	"fmt"

	"easel/engine"
	"easel/engine/kernel"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Node is a Gorgonia node.
type Node = gorgonia.Node

// Graph is an expression graph under construction. Its methods add nodes; the first mistake is kept and every
// later call does nothing, so that a model reads as a formula and Err is asked once at the end.
type Graph struct {
	expr     *gorgonia.ExprGraph
	leaves   map[string]*Node
	bound    map[*Node]*kernel.Tensor // leaves that have their value already
	active   map[*Node]bool           // nodes that depend on a parameter
	segment  map[*Node]int            // recompute segment of forward nodes; 0 is none
	exact    map[*Node]bool           // stored as float32 whatever the plan says
	seed     *Node                    // the gradient of the loss with respect to itself: 1
	current  int                      // segment that new nodes join
	segments int
	precise  bool  // new nodes are exact
	backward bool  // new nodes belong to the backward pass
	border   int64 // ID of the first backward node; 0 before Gradients
	serial   uint32
	err      error
}

// New returns an empty graph.
func New() *Graph {
	return &Graph{
		expr:    gorgonia.NewGraph(),
		leaves:  map[string]*Node{},
		bound:   map[*Node]*kernel.Tensor{},
		active:  map[*Node]bool{},
		segment: map[*Node]int{},
		exact:   map[*Node]bool{},
	}
}

// Err is the first mistake made while building.
func (g *Graph) Err() error { return g.err }

// Expr is the underlying Gorgonia graph.
func (g *Graph) Expr() *gorgonia.ExprGraph { return g.expr }

// Fail records a mistake found by a builder, unless one was recorded before. An error wrapped by %w keeps its kind.
func (g *Graph) Fail(format string, args ...any) {
	if g.err == nil {
		err := fmt.Errorf(format, args...)
		g.err = engine.Errorf("build graph", "", engine.KindOf(err), "%w", err)
	}
}

// Input is a float32 leaf whose value is given before each run.
func (g *Graph) Input(name string, shape ...int) *Node {
	return g.leaf(name, tensor.Float32, shape)
}

// Indices is an int32 leaf, such as token ids, whose value is given before each run.
func (g *Graph) Indices(name string, shape ...int) *Node {
	return g.leaf(name, tensor.Int32, shape)
}

// Constant is a leaf with a value that never changes, such as a frozen weight.
func (g *Graph) Constant(name string, t *kernel.Tensor) *Node {
	return g.bind(name, t)
}

// Parameter is a leaf that training updates. Gradients flow only to parameters and to what depends on them.
func (g *Graph) Parameter(name string, t *kernel.Tensor) *Node {
	n := g.bind(name, t)
	if n != nil {
		g.active[n] = true
	}
	return n
}

func (g *Graph) bind(name string, t *kernel.Tensor) *Node {
	if t == nil {
		g.Fail("%s has no value", name)
		return nil
	}
	dt := tensor.Float32
	if t.DType == kernel.I32 {
		dt = tensor.Int32
	}
	n := g.leaf(name, dt, t.Shape)
	if n != nil {
		g.bound[n] = t
	}
	return n
}

func (g *Graph) leaf(name string, dt tensor.Dtype, shape []int) *Node {
	if g.err != nil {
		return nil
	}
	if g.leaves[name] != nil {
		g.Fail("two leaves are called %q", name)
		return nil
	}
	var n *Node
	if len(shape) == 0 {
		n = gorgonia.NewScalar(g.expr, dt, gorgonia.WithName(name))
	} else {
		n = gorgonia.NewTensor(g.expr, dt, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
	}
	g.leaves[name] = n
	return n
}

// Leaf returns the leaf of a name, nil where there is none.
func (g *Graph) Leaf(name string) *Node { return g.leaves[name] }

// Segment runs build; the nodes it adds form one recompute segment: the higher levels of Recompute drop its values,
// except what other nodes need, and compute them again in the backward pass. Segments do not nest; an inner call joins
// the outer segment.
func (g *Graph) Segment(build func() *Node) *Node {
	if g.current != 0 {
		return build()
	}
	g.segments++
	g.current = g.segments
	defer func() { g.current = 0 }()
	return build()
}

// Exact runs build; the nodes it adds are stored as float32 even where the plan stores activations as bfloat16.
func (g *Graph) Exact(build func() *Node) *Node {
	before := g.precise
	g.precise = true
	defer func() { g.precise = before }()
	return build()
}

// IsExact says that nodes are built inside Exact.
func (g *Graph) IsExact() bool { return g.precise }

// Active says whether a gradient flows through n.
func (g *Graph) Active(n *Node) bool { return g.active[n] }

// add puts an operator into the graph.
func (g *Graph) add(o operator, in ...*Node) *Node {
	if g.err != nil {
		return nil
	}
	shapes := make([]tensor.Shape, len(in))
	diff := make([]bool, len(in))
	_, stops := o.(detached)
	active := false
	for i, n := range in {
		if n == nil {
			g.Fail("%s: input %d is missing", o.name(), i)
			return nil
		}
		shapes[i] = n.Shape()
		diff[i] = !g.backward && !stops && g.active[n]
		active = active || diff[i]
	}
	shape, err := o.shape(shapes)
	if err != nil {
		g.Fail("%s: %v", o.name(), err)
		return nil
	}
	g.serial++
	n, err := gorgonia.ApplyOp(newOp(g, o, shape, in, diff), in...)
	if err != nil {
		g.Fail("%s: %v", o.name(), err)
		return nil
	}
	g.active[n] = active
	g.exact[n] = g.precise
	if !g.backward {
		g.segment[n] = g.current
	}
	return n
}

// Gradients returns the nodes of d loss / d parameter, in order. loss must come from Graph.Loss.
func (g *Graph) Gradients(loss *Node, parameters ...*Node) []*Node {
	if g.err != nil {
		return nil
	}
	if len(parameters) == 0 {
		g.Fail("nothing to train: no parameter was given")
		return nil
	}
	for _, p := range parameters {
		if !g.active[p] {
			g.Fail("%s is no parameter", p.Name())
			return nil
		}
	}
	g.seed = gorgonia.NewScalar(g.expr, tensor.Float32, gorgonia.WithName("d loss"))
	g.bound[g.seed] = kernel.FromF32([]float32{1})
	g.border = g.seed.ID()
	g.backward = true
	defer func() { g.backward = false }()
	grads, err := gorgonia.Backpropagate(gorgonia.Nodes{loss}, gorgonia.Nodes{g.seed}, gorgonia.Nodes(parameters))
	if err != nil {
		if g.err == nil {
			g.err = fmt.Errorf("differentiate: %w", err)
		}
		return nil
	}
	return grads
}

// Bound is the value of a constant or parameter, nil for an input.
func (g *Graph) Bound(n *Node) *kernel.Tensor { return g.bound[n] }
