package graph

// Recompute says which values of the forward pass are dropped once it is over and computed again in the backward pass
// (Chen et al., arXiv 1604.06174). A level drops what the one below drops, and more. Results are equal bit for bit.
//
// Attention's results are kept at every level: they are small, and the most expensive to compute again; without them the
// backward pass of a transformer block would also need its queries, keys and values at once.
type Recompute int

// The levels. From Narrow on, what leaves a segment is kept.
const (
	KeepAll      Recompute = iota // nothing is dropped
	Cheap                         // norms, activations, sums, concatenations: costs next to no time
	Narrow                        // and matrix products of few inputs: a few per cent of a step's time
	Products                      // and all matrix products
	Convolutions                  // and convolutions
)

// MostRecompute is the level that takes the least memory.
const MostRecompute = Convolutions

// narrow is the most inputs that a product of level Narrow has. What a product's result costs to compute again, for each
// of its bytes, is proportional to its inputs, and large pictures' many tokens have few of them.
const narrow = 512

// levelOf is the first level that drops an operator's results.
func levelOf(i *instr) Recompute {
	switch i.op.(type) {
	case groupNorm, layerNorm, activate, geglu, add, addChannels, rescale, dropout, concat, slice, upsample:
		return Cheap
	case linear:
		if i.inputs <= narrow {
			return Narrow
		}
		return Products
	case conv:
		return Convolutions
	}
	return MostRecompute + 1
}

// recompute rewrites the backward pass: just before it reads a dropped value, that value is computed again.
func (s *schedule) recompute(level Recompute) {
	if level == KeepAll {
		return
	}
	r := newRewrite(s, level)
	for v := range s.values[:len(r.needed)] {
		r.decide(v)
	}
	for _, i := range s.code {
		if i.backward {
			r.readFresh(i)
		}
		r.code = append(r.code, i)
	}
	s.code = r.code
}

// rewrite is the state of one rewriting.
type rewrite struct {
	*schedule
	producer  []*instr    // of each value, nil for leaves
	needed    []bool      // read in the backward pass, or by what is computed again there
	droppable []bool      // the level allows to drop it
	dropped   []bool      // it is worth it
	fresh     map[int]int // a dropped value to the one computed again
	code      []*instr    // so far
}

func newRewrite(s *schedule, level Recompute) *rewrite {
	n := len(s.values)
	r := &rewrite{schedule: s, producer: make([]*instr, n), needed: make([]bool, n), droppable: make([]bool, n), dropped: make([]bool, n), fresh: map[int]int{}}
	for _, i := range s.code {
		l := levelOf(i)
		for _, v := range i.out {
			r.producer[v] = i
			r.droppable[v] = !i.backward && !s.values[v].keep && l <= level && (l == Cheap || i.segment != 0)
		}
		for _, v := range i.reads() {
			p := r.producer[v]
			if i.backward {
				r.needed[v] = true
			} else if p != nil && p.segment != i.segment && levelOf(p) > Cheap {
				r.droppable[v] = false // it leaves its segment
			}
		}
	}
	return r
}

// decide drops v where that frees more than must be kept in its stead.
func (r *rewrite) decide(v int) {
	if !r.droppable[v] || !r.needed[v] {
		return
	}
	instead := map[int]bool{}
	r.sources(r.producer[v], instead)
	bytes := 0
	for k := range instead {
		bytes += r.values[k].bytes()
	}
	if bytes >= r.values[v].bytes() {
		return
	}
	r.dropped[v] = true
	for k := range instead {
		r.needed[k] = true
	}
}

// sources collects the values from which i can be computed again and that would otherwise not be kept.
func (r *rewrite) sources(i *instr, instead map[int]bool) {
	for _, v := range i.reads() {
		switch {
		case r.producer[v] == nil || r.needed[v]:
		case r.droppable[v]:
			r.sources(r.producer[v], instead)
		default:
			instead[v] = true
		}
	}
}

// readFresh makes i read what was computed again in place of what was dropped.
func (r *rewrite) readFresh(i *instr) {
	for k, v := range i.in {
		i.in[k] = r.again(v)
	}
	if i.add >= 0 {
		i.add = r.again(i.add)
	}
}

// again returns the value to read for v, after computing it again where it was dropped.
func (r *rewrite) again(v int) int {
	if v >= len(r.producer) || r.producer[v] == nil || r.producer[v].backward {
		return v
	}
	if !r.dropped[v] && (r.needed[v] || !r.droppable[v]) {
		return v
	}
	if f, ok := r.fresh[v]; ok {
		return f
	}
	p := r.producer[v]
	c := *p
	c.backward = true
	c.in = append([]int(nil), p.in...)
	c.out = nil
	r.readFresh(&c)
	for _, out := range p.out {
		n := r.newValue(r.values[out].shape, r.values[out].dtype)
		r.fresh[out] = n
		c.out = append(c.out, n)
	}
	r.code = append(r.code, &c)
	return r.fresh[v]
}
