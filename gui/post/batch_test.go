package post_test

import (
	"sync"
	"testing"
	"time"

	"easel/gui/post"
)

func TestBatchDeliversAllInFewCalls(t *testing.T) {
	const producers, each = 4, 5000
	queue := make(chan func(), 1000)
	calls, values := 0, map[int]bool{}
	b := post.NewBatch(func(f func()) { queue <- f }, 20*time.Millisecond, func(all []int) {
		calls++
		for _, v := range all {
			values[v] = true
		}
	})
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range each {
				b.Put(p*each + i)
			}
		})
	}
	wg.Wait()
	deadline := time.After(10 * time.Second)
	for len(values) < producers*each {
		select {
		case f := <-queue:
			f()
		case <-deadline:
			t.Fatalf("%d of %d values came", len(values), producers*each)
		}
	}
	if calls > 500 {
		t.Errorf("%d calls for %d values", calls, producers*each)
	}
}

func TestBatchKeepsTheOrder(t *testing.T) {
	queue := make(chan func(), 10)
	var got []int
	b := post.NewBatch(func(f func()) { queue <- f }, time.Millisecond, func(all []int) { got = append(got, all...) })
	for i := range 100 {
		b.Put(i)
	}
	for len(got) < 100 {
		(<-queue)()
	}
	for i, v := range got {
		if v != i {
			t.Fatalf("value %d came in place %d", v, i)
		}
	}
}
