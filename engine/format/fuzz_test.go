package format_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/fstest"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
)

// within fails where f takes more memory than a fixed amount and a multiple of size, the length of its input.
func within(t *testing.T, size int, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if took, most := after.TotalAlloc-before.TotalAlloc, uint64(8<<20+1000*size); took > most {
		t.Errorf("%d bytes of memory for a file of %d", took, size)
	}
}

// FuzzParse reads files of tensors of all forms: safetensors, and PyTorch's zip and stream.
func FuzzParse(f *testing.F) {
	f.Add(raw(`{}`, ""))
	f.Add(raw(`{"__metadata__":{"format":"pt"},"a":`+fmt.Sprintf(f32, "1", 0, 4)+`}  `, "1234"))
	f.Add(raw(`{"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"b":{"dtype":"F8_E4M3","shape":[2,1],"data_offsets":[8,10]}}`, "1234567890"))
	f.Add(raw(`{"a":{"dtype":"F4","shape":[0,281474976710656],"data_offsets":[0,0]}}`, ""))
	transposed := object(six(0, []int{3, 2}, []int{1, 3}))
	for _, o := range []torchObject{transposed, stateDict(whole()...)} {
		f.Add(torchZip(o))
		f.Add(torchStream(o, 4))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var file, inMemory *format.File
		var err, errFS error
		within(t, len(data), func() { file, err = format.Parse(data) })
		within(t, len(data), func() { inMemory, errFS = format.OpenFS(fstest.MapFS{"x": {Data: data}}, "x") })
		if (err == nil) != (errFS == nil) {
			t.Fatalf("Parse: %v, OpenFS: %v", err, errFS)
		}
		if err != nil {
			if kind := engine.KindOf(err); kind != engine.BadFile && kind != engine.Unsupported {
				t.Fatal(err)
			}
			return
		}
		for i, name := range file.Names() {
			if i == 20 { // each may be as large as the file
				break
			}
			within(t, len(data), func() {
				a, errA := file.Tensor(name)
				b, errB := inMemory.Tensor(name)
				if (errA == nil) != (errB == nil) || errA == nil && string(a.Data[:a.Len()*a.DType.Size()]) != string(b.Data[:b.Len()*b.DType.Size()]) {
					t.Fatalf("%q differs: %v, %v", name, errA, errB)
				}
			})
		}
	})
}

// FuzzPickle puts any pickle into a zip that is sound, and into a stream.
func FuzzPickle(f *testing.F) {
	f.Add(object(six(0, []int{3, 2}, []int{1, 3})).pickle)
	f.Add(object(six(0, []int{1 << 20}, []int{0})).pickle)
	f.Add(stateDict(whole()...).pickle)
	f.Fuzz(func(t *testing.T, text string) {
		o := object()
		o.pickle = text
		for _, data := range [][]byte{torchZip(o), torchStream(o, 4)} {
			within(t, len(data), func() {
				file, err := format.Parse(data)
				if err != nil {
					return
				}
				for _, name := range file.Names()[:min(20, len(file.Names()))] {
					_, shape, ok := file.Info(name)
					v, err := file.Tensor(name)
					if !ok || err == nil && len(v.Shape) != len(shape) {
						t.Errorf("%q: %v, %v", name, shape, err)
					}
				}
			})
		}
	})
}

// FuzzFolder reads a model's index and the index of its shards.
func FuzzFolder(f *testing.F) {
	f.Add([]byte(`{"_class_name":"StableDiffusionPipeline","unet":["diffusers","U"]}`), []byte(`{"metadata":{},"weight_map":{"a":"x.safetensors"}}`))
	f.Add([]byte(`{"unet":["diffusers","U"],"n":true,"vae":[null,null]}`), []byte(`{"weight_map":{"a":"../x.safetensors"}}`))
	f.Add([]byte(`{"unet":["a","b"]}`), []byte(`{"weight_map":3}`))
	weights := raw(`{"a":`+fmt.Sprintf(f32, "1", 0, 4)+`}`, "1234")
	f.Fuzz(func(t *testing.T, index, shards []byte) {
		fsys := fstest.MapFS{"model_index.json": {Data: index}, "unet/config.json": {Data: []byte("{}")}, "unet/x.safetensors": {Data: weights},
			"unet/diffusion_pytorch_model.safetensors.index.json": {Data: shards}}
		within(t, len(index)+len(shards), func() {
			d, err := format.OpenFolder(fsys)
			if err != nil {
				return
			}
			defer d.Close()
			c, err := d.Component("unet")
			if err != nil {
				return
			}
			for _, name := range c.Weights.Names() {
				if _, err := c.Weights.Tensor(name); err != nil {
					t.Error(err)
				}
			}
		})
	})
}

// FuzzRefs translates names, which come from files.
func FuzzRefs(f *testing.F) {
	for _, name := range []string{"model.diffusion_model.input_blocks.4.1.norm.weight", "model_ema.diffusion_modelinput_blocks110in_layers0weight",
		"first_stage_model.decoder.up.3.block.0.norm1.weight", "cond_stage_model.model.transformer.resblocks.3.attn.in_proj_weight"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, ref := range format.Refs(name) {
			if ref.Part == "" || ref.Name == "" || ref.Of < 1 || ref.Index < 0 || ref.Index >= ref.Of {
				t.Errorf("%q is %v", name, ref)
			}
		}
	})
}

// FuzzInspect looks at any file.
func FuzzInspect(f *testing.F) {
	for _, name := range []string{"files/ti-a1111.pt", "files/ti-diffusers.bin", "files/hyper_a_linear.pt", "files/ti-a1111.safetensors"} {
		if data, err := os.ReadFile(golden.Path(f, filepath.FromSlash(name))); err == nil && len(data) < 1<<16 {
			f.Add(data)
		}
	}
	path := filepath.Join(f.TempDir(), "x")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		within(t, len(data), func() {
			if _, err := format.Inspect(path); err != nil && engine.KindOf(err) != engine.BadFile {
				t.Error(err)
			}
			if c, err := format.OpenCheckpoint(path); err == nil {
				c.Close()
			}
		})
	})
}
