package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
)

func stepEvent(step, steps int) engine.Event {
	return engine.Event{Kind: engine.KindStep, Step: &engine.StepEvent{
		Step: step, Steps: steps, Loss: 0.5, Smooth: 0.25, SecondsPerStep: 0.354, SecondsLeft: float64(steps - step),
	}}
}

var trainEvents = []engine.Event{
	{Kind: engine.KindSetup, Setup: &engine.SetupEvent{What: "model", Detail: "builtin, 35.7 M parameters", Seconds: 0.42}},
	{Kind: engine.KindWarning, Warning: &engine.WarningEvent{Path: "bad.png", Text: "skipped: it is damaged"}},
	{Kind: engine.KindSampling, Sampling: &engine.SamplingEvent{Picture: 2, Pictures: 4, Step: 10, Steps: 20}},
	{Kind: engine.KindGrid, Grid: &engine.GridEvent{Row: engine.GridRow{Step: 0, Pictures: []string{"a", "b"}}}},
	stepEvent(1, 20),
	stepEvent(2, 20),
	stepEvent(3, 20),
	{Kind: engine.KindCheckpoint, Checkpoint: &engine.CheckpointEvent{Step: 3, Path: "c.safetensors"}},
	stepEvent(4, 20),
	{Kind: engine.KindResult, Result: &engine.Result{}},
}

var trainResult = engine.Result{Grid: "out dir/runs/1/grid.png", Export: "out dir/zorbit.safetensors", Summary: engine.Summary{
	Steps: 300, Parameters: 1234567, FileBytes: 2469134, WeightChange: 0.0123, LikenessBefore: 0.41, LikenessAfter: 0.83, LikenessOwn: 0.66,
	Drift: 0.0124, FirstLoss: 0.2134, LastLoss: 0.12, Seconds: 106.4, PeakMemory: 812e6,
}}

const summary = `
grid                out dir/runs/1/grid.png
file                out dir/zorbit.safetensors
project             out dir

trained parameters  1,234,567
file size           2.47 MB
weight change       1.23 %
likeness            0.41 before, 0.83 after (your own pictures among each other: 0.66)
drift               0.012, how far the pictures without the word moved (0 is unmoved, 1 black to white)
loss                0.2134 at first, 0.1200 at last
training time       1:46 for 300 steps
peak memory         812 MB
`

func TestTrainOutputInAFile(t *testing.T) {
	_, stdout, stderr := easel(t, &fakeEngine{events: trainEvents, result: trainResult}, false, zorbit...)
	wantText(t, stdout, `model       builtin, 35.7 M parameters (0.4 s)
grid        2 pictures at step 0
[#.......................]  1/20  loss 0.2500  0.354 s/step  0:19 left
[##......................]  2/20  loss 0.2500  0.354 s/step  0:18 left
checkpoint  c.safetensors
[####....................]  4/20  loss 0.2500  0.354 s/step  0:16 left
`+summary)
	wantText(t, stderr, "warning: bad.png: skipped: it is damaged\n")
}

func TestTrainOutputOnATerminal(t *testing.T) {
	_, stdout, _ := easel(t, &fakeEngine{events: trainEvents, result: trainResult}, true, zorbit...)
	wantText(t, stdout, `model       builtin, 35.7 M parameters (0.4 s)
<CR>[#########...............] picture 2/4, step 10/20<CLEAR><CR><CLEAR>grid        2 pictures at step 0
<CR>[#.......................]  1/20  loss 0.2500  0.354 s/step  0:19 left<CLEAR>`+
		`<CR>[##......................]  2/20  loss 0.2500  0.354 s/step  0:18 left<CLEAR>`+
		`<CR>[###.....................]  3/20  loss 0.2500  0.354 s/step  0:17 left<CLEAR><CR><CLEAR>checkpoint  c.safetensors
<CR>[####....................]  4/20  loss 0.2500  0.354 s/step  0:16 left<CLEAR>
`+summary)
}

func TestJSONIsTheEventsAndNothingElse(t *testing.T) {
	args := append(zorbit, "--json")
	_, stdout, _ := easel(t, &fakeEngine{events: trainEvents, result: trainResult}, true, args...)
	var got []engine.Event
	for decoder := json.NewDecoder(strings.NewReader(stdout)); decoder.More(); {
		var e engine.Event
		if err := decoder.Decode(&e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if diff := cmp.Diff(trainEvents, got); diff != "" {
		t.Error(diff)
	}
	if lines := strings.Count(stdout, "\n"); lines != len(trainEvents) {
		t.Errorf("%d lines for %d events", lines, len(trainEvents))
	}
}

func TestJSONWarnsOfWhatItCannotPrint(t *testing.T) {
	event := stepEvent(1, 2)
	event.Step.Loss = math.NaN()
	_, stdout, stderr := easel(t, &fakeEngine{events: []engine.Event{event}}, false, append(zorbit, "--json")...)
	if stdout != "" || !strings.Contains(stderr, "step left out") {
		t.Errorf("%q, %q", stdout, stderr)
	}
}

func TestInspectOutput(t *testing.T) {
	info := engine.FileInfo{
		Path: "z.safetensors", Kind: "LoRA", Base: "SD 1.x", Ranks: []int{4, 8}, Tensors: 3, Parameters: 12000, Size: 24500,
		DTypes: []string{"f16"}, Shapes: []string{"down [8 320]", "up [320 8]"},
		Metadata: map[string]string{"ss_tag": "a\x1b[2Jb\nc", "long": strings.Repeat("x", 300)},
	}
	_, stdout, _ := easel(t, &fakeEngine{info: info}, false, "inspect", "z.safetensors")
	wantText(t, stdout, `file        z.safetensors
kind        LoRA
base        SD 1.x
rank        4 8
size        24.5 kB
tensors     3
parameters  12,000
types       f16
shapes      down [8 320]
            up [320 8]
            ... and 1 more
metadata
  long = `+strings.Repeat("x", 200)+` ...
  ss_tag = a [2Jb c
`)
	_, stdout, _ = easel(t, &fakeEngine{info: info}, false, "inspect", "z.safetensors", "--json")
	var got engine.FileInfo
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(info, got); diff != "" {
		t.Error(diff)
	}
}

func TestMergeOutput(t *testing.T) {
	eng := &fakeEngine{merged: engine.MergeResult{Path: "m.safetensors", Tensors: 1130, Changed: 264, Size: 2.1e9}}
	args := strings.Fields("merge --model sd15.safetensors --lora a.safetensors:0.8 --lora b.safetensors --out m.safetensors --dtype f16")
	_, stdout, _ := easel(t, eng, false, args...)
	want := engine.MergeRequest{Model: "sd15.safetensors", Out: "m.safetensors", DType: "f16",
		LoRAs: []engine.TunedFile{{Path: "a.safetensors", Weight: 0.8}, {Path: "b.safetensors", Weight: 1}}}
	if diff := cmp.Diff(want, eng.merge); diff != "" {
		t.Error(diff)
	}
	wantText(t, stdout, "model       m.safetensors\nchanged     264 of 1,130 tensors\nsize        2.1 GB\n")
	_, stdout, _ = easel(t, eng, false, append(args, "--json")...)
	var got engine.MergeResult
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(eng.merged, got); diff != "" {
		t.Error(diff)
	}
}

func TestBenchOutput(t *testing.T) {
	eng := &fakeEngine{rows: []engine.BenchRow{
		{Part: "roofline matmul", DType: "f32", Seconds: 0.01, GFLOPS: 210.04, RooflinePercent: 100, PeakBytes: 5e8},
		{Part: "step", Shape: "builtin", Method: "lora", DType: "f32", Res: 128, Batch: 4, Seconds: 0.35, GFLOPS: 126, RooflinePercent: 60,
			PeakBytes: 1.25e9, Predicted: 1.3e9, Plan: &engine.Plan{Why: "everything is kept in memory"}, Profile: []engine.ProfileRow{{Op: "convolution", Calls: 120, Seconds: 0.2, Share: 0.571}}},
	}}
	args := strings.Fields("bench --shape sd15 --part step --method lora --dtype f32 --file f16 --res 512 --batch 1 --rank 4 --runs 3 --profile --memory 1.5GiB")
	_, stdout, _ := easel(t, eng, false, args...)
	want := engine.BenchRequest{Shape: "sd15", Part: "step", Method: "lora", DType: "f32", File: "f16", Res: 512, Batch: 1, Rank: 4, Runs: 3, Profile: true, Memory: 3 << 29}
	if diff := cmp.Diff(want, eng.bench); diff != "" {
		t.Error(diff)
	}
	wantText(t, stdout, `Abacus 9, ref, 2 threads, 8.0 GB of memory
part             shape    type    res batch    seconds   GFLOP/s  roofline    memory predicted
roofline matmul           f32       -     -     0.0100     210.0   100.0 %    500 MB         -
step             builtin  f32     128     4     0.3500     126.0    60.0 %    1.2 GB    1.3 GB
    everything is kept in memory
    convolution                     120 calls     0.2000 s  57.1 %
`)
	_, stdout, _ = easel(t, eng, false, "bench", "--json")
	var rows []engine.BenchRow
	for decoder := json.NewDecoder(strings.NewReader(stdout)); decoder.More(); {
		var row engine.BenchRow
		if err := decoder.Decode(&row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if diff := cmp.Diff(eng.rows, rows); diff != "" {
		t.Error(diff)
	}
}

func TestMemoryFlag(t *testing.T) {
	for text, want := range map[string]int64{"2GB": 2e9, "1.5GiB": 3 << 29, "800MB": 8e8, "800 mib": 800 << 20, "2g": 2e9,
		"": 0, "2": 0, "-1GB": 0, "xGB": 0, "NaNGB": 0, "1e30GB": 0} {
		var b byteCount
		err := b.Set(text)
		if int64(b) != want || (err != nil) != (want == 0) {
			t.Errorf("%q is %d bytes, %v; want %d", text, b, err, want)
		}
	}
}

func TestAmounts(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{byteSize(0), "0 B"}, {byteSize(999), "999 B"}, {byteSize(1000), "1 kB"}, {byteSize(999600), "1 MB"}, {byteSize(71e6), "71 MB"}, {byteSize(3.44e9), "3.4 GB"},
		{duration(0), "0:00"}, {duration(59.6), "1:00"}, {duration(3599), "59:59"}, {duration(3661), "1:01:01"}, {duration(math.NaN()), "-:--"},
		{duration(math.Inf(1)), "-:--"}, {grouped(0), "0"}, {grouped(123), "123"}, {grouped(1234), "1,234"}, {grouped(-123456), "-123,456"},
		{shellQuote("a/b-c_1.x"), "a/b-c_1.x"}, {shellQuote("it's"), `'it'\''s'`}, {shellQuote(""), "''"},
		{bar(0, 0), "[" + strings.Repeat(".", 24) + "]"}, {bar(30, 20), "[" + strings.Repeat("#", 24) + "]"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
