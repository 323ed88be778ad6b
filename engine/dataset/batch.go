package dataset

import (
	"image"

	"easel/engine/internal/rng"
)

// Steps is the number of batches of that size in an epoch: each bucket's items divided by size, rounded up.
func (s *Set) Steps(size int) int {
	if size < 1 {
		return 0
	}
	steps := 0
	for _, n := range s.perBucket() {
		steps += (n + size - 1) / size
	}
	return steps
}

// Batch returns the indices into Items of the batch of a step, counted from 0. It is a function of its arguments
// alone. All items of a batch are of one bucket. An epoch of Steps(size) batches goes through all items once, in a new
// order each time; a bucket's last batch is filled from the bucket's start, so every batch has size items. Without
// items, or for a step or size out of range, it is nil.
func (s *Set) Batch(seed uint64, step, size int) []int {
	steps := s.Steps(size)
	if steps == 0 || step < 0 {
		return nil
	}
	epoch := step / steps
	// The order of the batches needs a stream of its own, as one of items and one of batches may be of equal length.
	wanted := rng.Perm(steps, rng.Mix(seed), epoch, rng.Shuffle)[step%steps]

	buckets := s.shuffled(seed, epoch)
	for _, items := range buckets {
		batches := (len(items) + size - 1) / size
		if wanted >= batches {
			wanted -= batches
			continue
		}
		batch := make([]int, size)
		for i := range batch {
			batch[i] = items[(wanted*size+i)%len(items)]
		}
		return batch
	}
	return nil
}

// perBucket counts the items of each bucket.
func (s *Set) perBucket() map[image.Point]int {
	counts := map[image.Point]int{}
	for _, it := range s.Items {
		counts[image.Pt(it.Width, it.Height)]++
	}
	return counts
}

// shuffled lists the items of each bucket in the order of an epoch.
func (s *Set) shuffled(seed uint64, epoch int) [][]int {
	place := map[image.Point]int{}
	var buckets [][]int
	for _, i := range rng.Perm(len(s.Items), seed, epoch, rng.Shuffle) {
		size := image.Pt(s.Items[i].Width, s.Items[i].Height)
		b, ok := place[size]
		if !ok {
			b = len(buckets)
			place[size] = b
			buckets = append(buckets, nil)
		}
		buckets[b] = append(buckets[b], i)
	}
	return buckets
}
