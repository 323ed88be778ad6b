package pickle_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"easel/engine/format/pickle"
)

// TestWrite reads back what it writes.
func TestWrite(t *testing.T) {
	dict := &pickle.Dict{}
	dict.Set(int64(768), pickle.Tuple{int64(1)})
	dict.Set("name", "é")
	torch := pickle.Global{Module: "torch", Name: "FloatStorage"}
	for _, v := range []any{nil, true, false, int64(0), int64(-1), int64(1<<31 - 1), int64(-1 << 31), int64(1 << 31), int64(-1 << 63), 1.5, -0.1, "", "a\x00\n",
		pickle.Tuple(nil), pickle.Tuple{int64(1)}, pickle.Tuple{int64(1), pickle.Tuple{"b"}, nil, false}, &pickle.List{}, &pickle.List{Items: []any{int64(1), 0.3, &pickle.List{Items: []any{"x"}}}},
		&pickle.Dict{}, dict, torch, &pickle.Object{Class: pickle.Global{Module: "torch", Name: "Size"}, Args: pickle.Tuple{pickle.Tuple{int64(2)}}},
		&pickle.Object{Class: pickle.Global{Module: "omegaconf.x", Name: "Y"}, State: "s"}} {
		data, err := pickle.Write(v, nil)
		if err != nil {
			t.Errorf("%v: %v", v, err)
			continue
		}
		got, n, err := pickle.Read(append(data, "rest"...), id)
		if err != nil || n != len(data) {
			t.Errorf("%v: %d of %d bytes read, %v", v, n, len(data), err)
		} else if d := cmp.Diff(v, got, cmpopts.EquateEmpty(), cmp.AllowUnexported(pickle.Dict{})); d != "" {
			t.Errorf("%v: %s", v, d)
		}
	}
}

func TestWriteOfOtherTypes(t *testing.T) {
	other := func(v any) (any, error) {
		if n, ok := v.(float32); ok {
			return pickle.Reference{ID: pickle.Tuple{"half", int(n)}}, nil
		}
		return v, nil
	}
	data, err := pickle.Write(&pickle.List{Items: []any{float32(2), float32(3)}}, other)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := pickle.Read(data, func(v any) (any, error) { return v.(pickle.Tuple)[1], nil })
	if d := cmp.Diff(&pickle.List{Items: []any{int64(2), int64(3)}}, got); d != "" || err != nil {
		t.Error(d, err)
	}
	for _, other := range []func(any) (any, error){nil, other, func(any) (any, error) { return nil, errors.New("no") }} {
		if data, err := pickle.Write(pickle.Tuple{struct{}{}}, other); err == nil {
			t.Errorf("a struct gave %q", data)
		}
	}
}
