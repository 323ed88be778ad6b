package graph

import (
	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// Update names a parameter that is changed within a run, and its gradient, from Gradients.
type Update struct{ Parameter, Gradient *Node }

func gradients(updates []Update) []*Node {
	var nodes []*Node
	for _, u := range updates {
		nodes = append(nodes, u.Gradient)
	}
	return nodes
}

// update is the place in a schedule where parameter number k is changed. It reads the gradient and writes nothing that the
// schedule knows of.
type update struct{ k int }

func (update) name() string                                                 { return "update" }
func (update) shape(in []tensor.Shape) (tensor.Shape, error)                { return in[0], nil }
func (update) run(kernel.Backend, []*kernel.Tensor, []*kernel.Tensor) error { return nil } // the VM does it
func (update) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node       { return once(g) }

// insert puts each update behind what last touches its gradient or reads its parameter. Recomputed parts of the forward
// pass are readers like others.
func (s *schedule) insert(updates []Update) {
	if len(updates) == 0 {
		return
	}
	last := map[int]int{} // of each value, the last instruction that touches it
	for k, i := range s.code {
		for _, v := range append(i.reads(), i.out...) {
			last[v] = k
		}
	}
	after := map[int][]*instr{}
	for k, u := range updates {
		gradient, parameter := s.of[u.Gradient], s.of[u.Parameter]
		at := max(last[gradient], last[parameter])
		after[at] = append(after[at], &instr{op: update{k}, in: []int{gradient}, add: -1, backward: true})
		s.values[gradient].keep = false
	}
	var code []*instr
	for k, i := range s.code {
		code = append(append(code, i), after[k]...)
	}
	s.code = code
}
