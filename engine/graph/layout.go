package graph

import "slices"

// align is the border on which values start, in bytes.
const align = 64

// layout decides where in memory each value lies, and returns the bytes needed. Values that are alive at the same
// time never overlap; large ones are placed first, each as low as it fits.
func (s *schedule) layout() int {
	s.lifetimes()
	s.reuse()
	var roots []*value
	for k, v := range s.values {
		if v.leaf == nil && v.root == k && v.first >= 0 {
			roots = append(roots, v)
		}
	}
	slices.SortStableFunc(roots, func(a, b *value) int { return b.bytes() - a.bytes() })
	return place(roots)
}

// lifetimes notes where each value is written first and used last.
func (s *schedule) lifetimes() {
	for _, v := range s.values {
		v.first, v.last = -1, -1
	}
	for k, i := range s.code {
		for _, v := range i.reads() {
			s.values[v].last = k
		}
		for _, v := range i.out {
			s.values[v].first, s.values[v].last = k, k
		}
	}
	for _, v := range s.values {
		if v.keep {
			v.last = len(s.code)
		}
	}
}

func (i *instr) reads() []int {
	if i.add >= 0 {
		return append(slices.Clone(i.in), i.add)
	}
	return i.in
}

// reuse gives an operator's output the memory of an input that dies there, where the operator allows it.
func (s *schedule) reuse() {
	for k, i := range s.code {
		if len(i.out) == 0 { // an update
			continue
		}
		var candidates []int
		if i.add >= 0 {
			candidates = []int{i.add}
		} else if o, ok := i.op.(inPlace); ok {
			for _, n := range o.reuses() {
				candidates = append(candidates, i.in[n])
			}
		}
		out := s.values[i.out[0]]
		for _, c := range candidates {
			in := s.values[c]
			root := s.values[in.root]
			if in.leaf == nil && in.last == k && root.last == k && in.bytes() == out.bytes() && in.dtype == out.dtype && !s.readTwice(i, c) {
				out.root = in.root
				root.last = out.last
				break
			}
		}
	}
}

// readTwice: another input of i lies in the same memory.
func (s *schedule) readTwice(i *instr, c int) bool {
	n := 0
	for _, v := range i.reads() {
		if s.values[v].leaf == nil && s.values[v].root == s.values[c].root {
			n++
		}
	}
	return n > 1
}

// place assigns offsets and returns the end of the highest.
func place(roots []*value) int {
	var placed []*value // by offset
	top := 0
	for _, v := range roots {
		size := (v.bytes() + align - 1) / align * align
		at := 0
		for _, p := range placed {
			if p.last < v.first || v.last < p.first {
				continue
			}
			if at+size <= p.offset {
				break
			}
			at = max(at, p.offset+(p.bytes()+align-1)/align*align)
		}
		v.offset = at
		k, _ := slices.BinarySearchFunc(placed, at, func(p *value, at int) int { return p.offset - at })
		placed = slices.Insert(placed, k, v)
		top = max(top, at+size)
	}
	return top
}
