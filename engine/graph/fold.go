package graph

// fold lets matmuls and convolutions add the other side of a sum themselves (residual connections, meeting
// gradients, LoRA's second product): one pass over memory less, and often one value less.
func (s *schedule) fold() {
	uses := make([]int, len(s.values))
	producer := make([]*instr, len(s.values))
	for _, i := range s.code {
		for _, v := range i.in {
			uses[v]++
		}
		for _, v := range i.out {
			producer[v] = i
		}
	}
	position := map[*instr]int{}
	for k, i := range s.code {
		position[i] = k
	}
	gone := map[*instr]bool{}
	for _, i := range s.code {
		if _, ok := i.op.(add); !ok || i.in[0] == i.in[1] {
			continue
		}
		best, other := -1, -1
		for side, v := range i.in {
			p := producer[v]
			if p == nil || gone[p] || uses[v] != 1 || s.values[v].keep || !s.foldable(p, i) || p.backward != i.backward {
				continue
			}
			if best < 0 || position[p] > position[producer[i.in[best]]] {
				best, other = side, i.in[1-side]
			}
		}
		if best < 0 {
			continue
		}
		p := producer[i.in[best]]
		gone[p] = true
		i.op, i.in, i.inputs, i.add, i.work = p.op, p.in, p.inputs, other, i.work+p.work
	}
	s.code = without(s.code, gone)
}

// foldable: the operator can add, has nothing to add yet, and writes what the sum would be stored as.
func (s *schedule) foldable(p, sum *instr) bool {
	_, ok := p.op.(adder)
	return ok && p.add < 0 && len(p.out) == 1 && s.values[p.out[0]].dtype == s.values[sum.out[0]].dtype
}

func without(code []*instr, gone map[*instr]bool) []*instr {
	kept := code[:0]
	for _, i := range code {
		if !gone[i] {
			kept = append(kept, i)
		}
	}
	return kept
}
