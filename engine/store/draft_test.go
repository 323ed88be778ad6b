package store_test

import (
	"path/filepath"
	"testing"

	"easel/engine"
	"easel/engine/store"
)

func TestDraft(t *testing.T) {
	dir := t.TempDir()
	if _, err := store.Draft(dir); engine.KindOf(err) != engine.NotFound {
		t.Errorf("a folder that is no project: error %v", err)
	}
	job := engine.Job{Method: "lora", Word: "zorbit", Images: filepath.Join(dir, "images"), Out: dir, Resume: true, Plan: engine.Plan{Together: 3},
		Settings: map[string]string{"rank": "16"}}
	if err := store.SaveDraft(dir, job); err != nil {
		t.Fatal(err)
	}
	got, err := store.Draft(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got.Word != "zorbit" || got.Settings["rank"] != "16" {
		t.Errorf("got %+v", got)
	}
	// What would not hold when the folder is moved, and what belongs to one run, is not kept.
	if got.Images != "" || got.Out != "" || got.Resume || got.Plan != (engine.Plan{}) {
		t.Errorf("got %+v", got)
	}
}

func TestDraftKeepsPicturesElsewhere(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	if err := store.SaveDraft(dir, engine.Job{Images: elsewhere}); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Draft(dir); err != nil || got.Images != elsewhere {
		t.Errorf("got %+v, error %v", got, err)
	}
}
