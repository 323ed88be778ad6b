package train_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	_ "easel/engine/method/textualinversion"
	"easel/engine/model"
	"easel/engine/train"
)

// invert makes a trainer of a new word as golden's file was made: two vectors that begin as "cat".
func invert(t *testing.T, f *golden.File, m *model.Model, b kernel.Backend, o graph.Options, settings map[string]string) *train.Trainer {
	t.Helper()
	all := map[string]string{"vectors": f.Meta()["vectors"], "init": "cat"}
	for k, v := range settings {
		all[k] = v
	}
	return goldenTrainer(t, f, m, "textual-inversion", engine.Job{Word: "easel-pet", Settings: all}, b, o)
}

// TestTextualInversionAgainstGolden makes the reference's three steps and compares loss, gradient, the trained vectors
// and what the text encoder then makes of a prompt with them. The text encoder's own table is as it was, to the bit.
func TestTextualInversionAgainstGolden(t *testing.T) {
	for _, v := range []struct {
		name string
		b    kernel.Backend
		o    graph.Options
	}{{"ref", ref.New(), graph.Options{}}, {"fast", fast(t), graph.Options{}}, {"recompute most", fast(t), graph.Options{Recompute: graph.MostRecompute}}} {
		t.Run(v.name, func(t *testing.T) {
			skipTwin(t, v.name)
			f, m := golden.Open(t, "train/textual_inversion.safetensors"), loadTiny(t)
			tr := invert(t, f, m, v.b, v.o, nil)
			s := f.Tensor("in/latents").Shape
			if err := tr.Prepare(s[1], s[3], s[4]); err != nil {
				t.Fatal(err)
			}
			table := tableOf(t, m)
			before := bytes.Clone(table.Data)
			vectors := tr.Params()[0].Value
			if diff := cmp.Diff(f.Tensor("init/embedding").F32(), vectors.F32()); diff != "" {
				t.Errorf("the vectors do not begin as the word: %s", diff)
			}
			var losses, norms []float32
			for step := range s[0] {
				r, err := tr.Step(context.Background(), step, goldenBatch(t, f, tr, step))
				if err != nil {
					t.Fatal(err)
				}
				losses, norms = append(losses, float32(r.Loss)), append(norms, float32(r.GradNorm))
				if step == 0 {
					f.Check(t, "grad", "grad/embedding", tr.Params()[0].Grad.F32())
				}
			}
			f.Check(t, "loss", "loss", losses)
			f.Check(t, "grad_norm", "grad_norm", norms)
			f.CheckAfter(t, "after", "after/embedding", vectors.F32(), f.Tensor("init/embedding").F32())
			f.Check(t, "last_hidden_state", "last_hidden_state", encodeWith(t, m, tr.Tuning, goldenBatch(t, f, tr, 0).IDs))
			if !bytes.Equal(before, table.Data) {
				t.Error("the text encoder's own table has changed")
			}
		})
	}
}

// TestOnlyTheWordIsDifferentiated: the graph of a step makes no gradient of any weight, nor of the large table.
func TestOnlyTheWordIsDifferentiated(t *testing.T) {
	f := golden.Open(t, "train/textual_inversion.safetensors")
	tr := invert(t, f, loadTiny(t), ref.New(), graph.Options{}, nil)
	if err := tr.Prepare(2, 16, 16); err != nil {
		t.Fatal(err)
	}
	if n := len(tr.Params()); n != 1 {
		t.Fatalf("%d parameters, want 1", n)
	}
	if _, err := tr.Step(context.Background(), 0, goldenBatch(t, f, tr, 0)); err != nil {
		t.Fatal(err)
	}
	lookedUp := 0
	for _, op := range tr.VM().Profile() {
		switch op.Op {
		case "linear dw", "conv dw", "group norm dw", "layer norm dw":
			t.Errorf("%d times %s", op.Calls, op.Op)
		case "embedding grad":
			lookedUp = op.Calls
		}
	}
	if lookedUp != 1 {
		t.Errorf("%d gradients of tables, want the new word's alone", lookedUp)
	}
}

// tableOf is the text encoder's table of word vectors.
func tableOf(t *testing.T, m *model.Model) *kernel.Tensor {
	t.Helper()
	g := graph.New()
	m.BuildText(g, nil, g.Indices("ids", 1, 77), 1)
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	return g.Bound(g.Leaf("text_encoder.text_model.embeddings.token_embedding.weight"))
}

func encodeWith(t *testing.T, m *model.Model, a model.Adapter, ids *kernel.Tensor) []float32 {
	t.Helper()
	g := graph.New()
	in := g.Indices("ids", ids.Shape...)
	encode, err := graph.NewFunction(g, ref.New(), []*graph.Node{in}, m.BuildText(g, a, in, 1), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer encode.Close()
	out, err := encode.Call(context.Background(), ids)
	if err != nil {
		t.Fatal(err)
	}
	return out.F32()
}
