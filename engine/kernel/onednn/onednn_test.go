//go:build cgo && linux && amd64

package onednn_test

import (
	"os"
	"os/exec"
	"slices"
	"testing"

	"easel/engine"
	"easel/engine/kernel"
	"easel/engine/kernel/kerneltest"
	"easel/engine/kernel/onednn"
)

// capVariable tells a child of TestEveryInstructionSet which cap to run under.
const capVariable = "EASEL_TEST_ISA"

// open starts the backend that a test runs on.
func open(t testing.TB) kernel.Backend {
	b, err := onednn.New(onednn.Options{ISA: os.Getenv(capVariable)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestConformance(t *testing.T) {
	b := open(t)
	t.Logf("%s, bf16 products %v", b.Name(), onednn.HasBF16())
	kerneltest.Run(t, b, kerneltest.Options{})
}

func TestPrimitivesAreThoseOfTorch(t *testing.T) { kerneltest.Golden(t, open(t)) }

// sets are the caps that New knows, each one part of the next.
var sets = []string{"sse41", "avx2", "avx512_core", "avx512_core_vnni", "avx512_core_bf16", "avx512_core_amx"}

// rank is the place of an instruction set among sets.
func rank(t *testing.T, name string) int {
	t.Helper()
	i := slices.Index(sets, name)
	if i < 0 {
		t.Fatalf("unknown instruction set %q", name)
	}
	return i
}

// TestEveryInstructionSet runs the conformance suite under each cap that the machine reaches. oneDNN's cap holds for a
// whole process, so each runs in a child.
func TestEveryInstructionSet(t *testing.T) {
	if os.Getenv(capVariable) != "" || testing.Short() {
		t.Skip("a child, or short")
	}
	best := rank(t, onednn.ISA())
	for i, isa := range sets {
		t.Run(isa, func(t *testing.T) {
			if i > best {
				t.Skipf("this machine has only %s", sets[best])
			}
			cmd := exec.Command(os.Args[0], "-test.run=^(TestConformance|TestWinograd|TestChoice|TestPrimitives|TestCap|TestSameBits)", "-test.v")
			cmd.Env = append(os.Environ(), capVariable+"="+isa)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestCapHolds: under a cap neither ISA nor HasBF16 tells of more.
func TestCapHolds(t *testing.T) {
	limit := os.Getenv(capVariable)
	if limit == "" {
		t.Skip("no cap in this process")
	}
	open(t)
	if rank(t, onednn.ISA()) > rank(t, limit) {
		t.Errorf("ISA %s under the cap %s", onednn.ISA(), limit)
	}
	if want := rank(t, limit) >= rank(t, "avx512_core_bf16"); onednn.HasBF16() != want {
		t.Errorf("bf16 products %v under the cap %s, which this machine reaches", onednn.HasBF16(), limit)
	}
}

func TestUnknownInstructionSet(t *testing.T) {
	if _, err := onednn.New(onednn.Options{ISA: "mmx"}); engine.KindOf(err) != engine.BadInput {
		t.Errorf("got %v, want bad input", err)
	}
}
