package ref_test

import (
	"testing"

	"easel/engine/kernel/kerneltest"
	"easel/engine/kernel/ref"
)

// TestRefMeetsTheBoundsOfItsOwnComparison runs the suite on ref: results stored in bfloat16 against float32 ones.
func TestRefMeetsTheBoundsOfItsOwnComparison(t *testing.T) {
	kerneltest.Run(t, ref.New(), kerneltest.Options{})
}

func TestPrimitivesAreThoseOfTorch(t *testing.T) { kerneltest.Golden(t, ref.New()) }
