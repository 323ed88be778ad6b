package graph

// recompute drops the inner values of every segment after the forward pass: before the backward pass first needs
// one, the segment's operators run once more (Chen et al., arXiv 1604.06174, with one checkpoint a segment).
func (s *schedule) recompute() {
	producer := map[int]*instr{}
	inner := s.innerValues(producer)
	var code []*instr
	fresh := map[int]int{} // inner value to the one computed again
	done := map[int]bool{} // segments
	for _, i := range s.code {
		if i.backward {
			for _, v := range i.in {
				if inner[v] && !done[producer[v].segment] {
					done[producer[v].segment] = true
					code = append(code, s.again(producer[v].segment, inner, fresh)...)
				}
			}
			for k, v := range i.in {
				if f, ok := fresh[v]; ok {
					i.in[k] = f
				}
			}
		}
		code = append(code, i)
	}
	s.code = code
}

// innerValues are made in a segment, read in the forward pass by that segment only, and read in the backward pass.
func (s *schedule) innerValues(producer map[int]*instr) map[int]bool {
	inner := map[int]bool{}
	for _, i := range s.code {
		for _, v := range i.out {
			producer[v] = i
			inner[v] = i.segment != 0 && !i.backward && !s.values[v].keep
		}
	}
	for _, i := range s.code {
		for _, v := range i.in {
			if p := producer[v]; p != nil && !i.backward && p.segment != i.segment {
				inner[v] = false
			}
		}
	}
	return inner
}

// again copies the operators of a segment that lead to inner values which the backward pass reads.
func (s *schedule) again(segment int, inner map[int]bool, fresh map[int]int) []*instr {
	wanted := map[int]bool{}
	for _, i := range s.code {
		if i.backward {
			for _, v := range i.in {
				wanted[v] = wanted[v] || inner[v]
			}
		}
	}
	var keep []*instr
	for k := len(s.code) - 1; k >= 0; k-- {
		i := s.code[k]
		if i.backward || i.segment != segment || !anyOf(i.out, wanted) {
			continue
		}
		for _, v := range i.in {
			wanted[v] = wanted[v] || inner[v]
		}
		keep = append(keep, i)
	}
	var copies []*instr
	for k := len(keep) - 1; k >= 0; k-- {
		copies = append(copies, s.copyOf(keep[k], inner, fresh))
	}
	return copies
}

func anyOf(values []int, set map[int]bool) bool {
	for _, v := range values {
		if set[v] {
			return true
		}
	}
	return false
}

func (s *schedule) copyOf(i *instr, inner map[int]bool, fresh map[int]int) *instr {
	c := *i
	c.backward = true
	c.in, c.out = nil, nil
	for _, v := range i.in {
		if f, ok := fresh[v]; ok && inner[v] {
			v = f
		}
		c.in = append(c.in, v)
	}
	for _, v := range i.out {
		n := s.newValue(s.values[v].shape, s.values[v].dtype)
		if inner[v] {
			fresh[v] = n
		}
		c.out = append(c.out, n)
	}
	return &c
}
