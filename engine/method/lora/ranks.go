package lora

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"easel/engine"
	"easel/engine/method"
	"easel/engine/model"
)

// size is how large the layers of one kind are.
type size struct {
	rank  int // 0 for none
	alpha float32
}

// The largest that layers may have.
const (
	maxRank  = 512
	maxAlpha = 1e6
)

// ranks are the sizes that the settings give to layers.
type ranks struct {
	plain, spatial size
	fixedAlpha     bool // alpha was given, not taken from the rank
	blocks         []block
	rootScaled     bool // layers count alpha/√rank
}

// block is the rank of a part of a network.
type block struct {
	path string // of diffusers: "down_blocks.0"
	rank int
}

func readRanks(s *method.Settings) ranks {
	r := ranks{fixedAlpha: s.Text("alpha") != "", rootScaled: s.Text("rs-lora") == "on"}
	rank := s.Int("rank", 16, 1, maxRank)
	r.plain = size{rank, float32(s.Float("alpha", float64(rank), maxAlpha))}
	convRank := s.Int("conv-rank", rank, 1, maxRank)
	r.spatial = size{convRank, float32(s.Float("conv-alpha", float64(convRank), maxAlpha))}
	for entry := range strings.SplitSeq(s.Text("block-ranks"), ",") {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		name, value, _ := strings.Cut(entry, "=")
		rank, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || rank < 0 || rank > maxRank {
			s.Fail("block-ranks must be a list as down.0=4, mid=32, with ranks from 0 to %d; %q is no part of one", maxRank, strings.TrimSpace(entry))
			break
		}
		r.blocks = append(r.blocks, block{blockPath(strings.TrimSpace(name)), rank})
	}
	slices.SortStableFunc(r.blocks, func(a, b block) int { return len(b.path) - len(a.path) }) // the narrowest counts
	return r
}

// blockPath is diffusers' path of a block that may be named in short.
func blockPath(name string) string {
	first, rest, more := strings.Cut(name, ".")
	if long := map[string]string{"down": "down_blocks", "mid": "mid_block", "up": "up_blocks", "text": "text_model"}[first]; long != "" {
		first = long
	}
	if !more {
		return first
	}
	return first + "." + rest
}

func (b block) holds(l model.Layer) bool {
	return l.Module == b.path || strings.HasPrefix(l.Module, b.path+".")
}

// of is the size of the layer beside l. With rsLoRA (Kalajdzievski, arXiv 2312.03732) alpha is multiplied by √rank: the
// file then means the same to programs that divide by the rank.
func (r ranks) of(l model.Layer) size {
	s := r.plain
	if spatial(l.Shape) {
		s = r.spatial
	}
	if i := slices.IndexFunc(r.blocks, func(b block) bool { return b.holds(l) }); i >= 0 {
		s.rank = r.blocks[i].rank
		if !r.fixedAlpha {
			s.alpha = float32(s.rank)
		}
	}
	if r.rootScaled {
		s.alpha *= float32(math.Sqrt(float64(s.rank)))
	}
	return s
}

// checkBlocks refuses a block that no layer lies in.
func (t *tuning) checkBlocks() error {
	if len(t.ranks.blocks) == 0 {
		return nil
	}
	layers, err := t.model.Layers()
	if err != nil {
		return err
	}
	for _, b := range t.ranks.blocks {
		if !slices.ContainsFunc(layers, b.holds) {
			return engine.Errorf("read settings", "", engine.BadInput, "block-ranks names %s, which this model does not have", b.path)
		}
	}
	return nil
}
