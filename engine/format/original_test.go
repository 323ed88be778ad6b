package format_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine/format"
)

// TestOriginalNamesAreThoseOfTheTables: each tensor of a diffusers component comes to lie where diffusers' own table has it.
func TestOriginalNamesAreThoseOfTheTables(t *testing.T) {
	for _, table := range []struct{ file, component string }{{"sd1_unet", "unet"}, {"sd2_unet", "unet"}, {"vae", "vae"}} {
		var names []string
		want := map[string][]format.Ref{}
		for _, row := range keys(t, table.file) {
			names = append(names, row[1])
			if len(row) == 4 { // the shapes of both
				if shape := format.OriginalShape(row[0], shapeOf(t, row[3])); fmt.Sprint(shape) != fmt.Sprint(shapeOf(t, row[2])) {
					t.Errorf("%s has shape %v in an original file, the table says %s", row[0], shape, row[2])
				}
			}
			want[row[0]] = []format.Ref{{Part: table.component, Name: row[1], Of: 1}}
		}
		if diff := cmp.Diff(want, format.Original(table.component, names, false)); diff != "" {
			t.Errorf("%s: %s", table.file, diff)
		}
	}
}

// shapeOf reads "[512,512]".
func shapeOf(t *testing.T, text string) (shape []int) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &shape); err != nil {
		t.Fatal(err)
	}
	return shape
}

// TestOriginalIsTheInverseOfRefs, for text encoders too, whose query, key and value lie in one tensor in SD2.
func TestOriginalIsTheInverseOfRefs(t *testing.T) {
	for _, c := range []struct {
		file, component string
		openCLIP        bool
	}{{"clip_l_text", "text_encoder", false}, {"sd2_text_hf23", "text_encoder", true}} {
		var names []string
		for _, row := range keys(t, c.file) {
			names = append(names, row[0])
		}
		count := 0
		for own, refs := range format.Original(c.component, names, c.openCLIP) {
			count += len(refs)
			got := map[int]format.Ref{}
			for _, r := range refs {
				got[r.Index] = r
			}
			back := format.Refs(own)
			if len(back) == 0 && strings.HasSuffix(own, "position_ids") {
				continue
			}
			if len(back) != len(refs) {
				t.Errorf("%s holds %v, Refs says %v", own, refs, back)
				continue
			}
			for _, r := range back {
				if diff := cmp.Diff(r, got[r.Index]); diff != "" {
					t.Errorf("%s: %s", own, diff)
				}
			}
		}
		if count != len(names) {
			t.Errorf("%s: %d of %d tensors have a place", c.file, count, len(names))
		}
	}
}
