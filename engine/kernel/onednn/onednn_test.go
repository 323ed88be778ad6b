//go:build cgo && linux && amd64

package onednn_test

import (
	"os"
	"os/exec"
	"strings"
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

// TestEveryInstructionSet runs the conformance suite under each cap that the machine reaches. oneDNN's cap holds for a
// whole process, so each runs in a child.
func TestEveryInstructionSet(t *testing.T) {
	if os.Getenv(capVariable) != "" || testing.Short() {
		t.Skip("a child, or short")
	}
	for _, isa := range []string{"sse41", "avx2", "avx512_core", "avx512_core_bf16"} {
		t.Run(isa, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^(TestConformance|TestPrimitives|TestCap|TestSameBits)", "-test.v")
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
	want := os.Getenv(capVariable)
	if want == "" {
		t.Skip("no cap in this process")
	}
	open(t)
	order := "sse41 avx2 avx512_core avx512_core_vnni avx512_core_bf16 avx512_core_amx"
	if strings.Index(order, onednn.ISA()+" ") > strings.Index(order, want+" ") {
		t.Errorf("ISA %s under the cap %s", onednn.ISA(), want)
	}
	if onednn.HasBF16() && !strings.Contains(want, "bf16") {
		t.Errorf("bf16 products under the cap %s", want)
	}
}

func TestUnknownInstructionSet(t *testing.T) {
	if _, err := onednn.New(onednn.Options{ISA: "mmx"}); engine.KindOf(err) != engine.BadInput {
		t.Errorf("got %v, want bad input", err)
	}
}
