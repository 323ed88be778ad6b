package dataset_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine/dataset"
)

// setOf has this many items in each bucket, mixed.
func setOf(perBucket ...int) *dataset.Set {
	s := &dataset.Set{}
	for round := 0; ; round++ {
		before := len(s.Items)
		for b, n := range perBucket {
			if round < n {
				s.Items = append(s.Items, dataset.Item{Width: 64 + 16*b, Height: 64})
			}
		}
		if len(s.Items) == before {
			return s
		}
	}
}

func TestBatchGoesThroughAllItemsOnceAnEpoch(t *testing.T) {
	for _, c := range []struct {
		buckets []int
		size    int
		steps   int
	}{{[]int{1}, 1, 1}, {[]int{5}, 1, 5}, {[]int{5, 3}, 1, 8}, {[]int{5, 3, 1}, 2, 6}, {[]int{1, 2}, 4, 2}, {[]int{7, 6}, 3, 5}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			s := setOf(c.buckets...)
			if got := s.Steps(c.size); got != c.steps {
				t.Fatalf("%d steps, want %d", got, c.steps)
			}
			for epoch := range 3 {
				seen := map[int]int{}
				for k := range c.steps {
					batch := s.Batch(3, epoch*c.steps+k, c.size)
					if len(batch) != c.size {
						t.Fatalf("batch of %d", len(batch))
					}
					for i, index := range batch {
						if s.Items[index].Width != s.Items[batch[0]].Width {
							t.Fatalf("batch %v mixes buckets", batch)
						}
						if slices.Contains(batch[:i], index) && c.size <= c.buckets[(s.Items[index].Width-64)/16] {
							t.Fatalf("batch %v repeats an item though its bucket has more", batch)
						}
						seen[index]++
					}
				}
				repeats := 0
				for i := range s.Items {
					if seen[i] == 0 {
						t.Fatalf("epoch %d leaves out item %d", epoch, i)
					}
					repeats += seen[i] - 1
				}
				if repeats != c.steps*c.size-len(s.Items) {
					t.Fatalf("%d repeats", repeats)
				}
			}
		})
	}
}

func TestBatchIsAFunctionOfSeedAndStep(t *testing.T) {
	s := setOf(20, 9)
	order := func(seed uint64, from int) (all [][]int) {
		for k := range s.Steps(2) {
			all = append(all, s.Batch(seed, from+k, 2))
		}
		return all
	}
	first := order(1, 0)
	if diff := cmp.Diff(first, order(1, 0)); diff != "" {
		t.Errorf("the second time differs:\n%s", diff)
	}
	if cmp.Equal(first, order(2, 0)) {
		t.Error("another seed gives the same order")
	}
	if cmp.Equal(first, order(1, s.Steps(2))) {
		t.Error("the next epoch has the same order")
	}
	// Buckets are mixed within an epoch, not one after the other.
	changes := 0
	for k := 1; k < len(first); k++ {
		if s.Items[first[k][0]].Width != s.Items[first[k-1][0]].Width {
			changes++
		}
	}
	if changes < 2 {
		t.Errorf("the bucket changes %d times in an epoch", changes)
	}
}

func TestBatchOutOfRange(t *testing.T) {
	s := setOf(3)
	for _, got := range [][]int{s.Batch(1, -1, 2), s.Batch(1, 0, 0), s.Batch(1, 0, -1), (&dataset.Set{}).Batch(1, 0, 2)} {
		if got != nil {
			t.Errorf("got %v", got)
		}
	}
}
