package golden

import (
	"math"
	"strings"
	"testing"
)

// Tolerance bounds a difference: Rel times the size of the expected values, plus Abs0.
type Tolerance struct {
	Rel  float64 `json:"rel"`
	Abs0 float64 `json:"abs0"`
}

// Tolerance finds the bound of a group. An empty group stands for the one of the tensor's name: the full name
// where tolerances.json has it, else its part before the first "/".
func (f *File) Tolerance(group, name string) Tolerance {
	f.t.Helper()
	keys := []string{group}
	if group == "" {
		first, _, _ := strings.Cut(name, "/")
		keys = []string{name, first}
	}
	for _, key := range keys {
		if tol, ok := f.tolerances[key]; ok {
			return tol
		}
	}
	f.t.Fatalf("golden: tolerances.json has no %q for %s", keys, f.name)
	return Tolerance{}
}

// Check compares got with the tensor of that name: max|got-want| <= rel*max|want| + abs0, with the tolerance of
// the group (see Tolerance for the empty group). It reports a failure to t and goes on.
func (f *File) Check(t testing.TB, group, name string, got []float32) {
	t.Helper()
	f.CheckWithin(t, f.Tolerance(group, name), name, got)
}

// CheckWithin is Check with a tolerance of the caller's, for code whose arithmetic is known to lose more than that of
// the reference.
func (f *File) CheckWithin(t testing.TB, tol Tolerance, name string, got []float32) {
	t.Helper()
	want := f.Tensor(name).F32()
	if len(got) != len(want) {
		t.Errorf("%s: %s: got %d values, want %d", f.name, name, len(got), len(want))
		return
	}
	var largest, worst float64
	at := 0
	for i := range want {
		largest = max(largest, math.Abs(float64(want[i])))
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if math.IsNaN(d) {
			d = math.Inf(1)
		}
		if d > worst {
			worst, at = d, i
		}
	}
	if bound := tol.Rel*largest + tol.Abs0; worst > bound {
		t.Errorf("%s: %s: |got-want| = %.3g at %d (got %g, want %g), allowed %.3g = %.3g * %.3g + %.3g",
			f.name, name, worst, at, got[at], want[at], bound, tol.Rel, largest, tol.Abs0)
	}
}

// CheckAfter compares trained values with the tensor of that name relative to how far training moved them:
// |got-want|2 <= rel*|want-init|2 + abs0. got and init hold as many values as the tensor.
func (f *File) CheckAfter(t testing.TB, group, name string, got, init []float32) {
	t.Helper()
	tol, want := f.Tolerance(group, name), f.Tensor(name).F32()
	if len(got) != len(want) || len(init) != len(want) {
		t.Errorf("%s: %s: got %d values from %d, want %d", f.name, name, len(got), len(init), len(want))
		return
	}
	diff, moved := distance(got, want), distance(want, init)
	if bound := tol.Rel*moved + tol.Abs0; !(diff <= bound) {
		t.Errorf("%s: %s: |got-want| = %.3g, allowed %.3g = %.3g * %.3g + %.3g (norms)",
			f.name, name, diff, bound, tol.Rel, moved, tol.Abs0)
	}
}

// distance is the Euclidean one.
func distance(a, b []float32) float64 {
	var sum float64
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return math.Sqrt(sum)
}
