package pictures

import (
	"slices"
	"testing"

	"easel/engine"
)

func albumOf(names ...string) *album {
	a := newAlbum()
	for i, name := range names {
		a.put([]engine.PictureInfo{{Index: i, Name: name, Usable: true}})
	}
	return a
}

func wantChosen(t *testing.T, a *album, want ...string) {
	t.Helper()
	if got := a.chosen(); !slices.Equal(got, want) {
		t.Errorf("selected %q, want %q", got, want)
	}
}

func TestSelection(t *testing.T) {
	a := albumOf("a", "b", "c", "d")
	a.only("b")
	a.reach("d")
	wantChosen(t, a, "b", "c", "d")
	a.reach("a") // the range turns around its anchor
	wantChosen(t, a, "a", "b")
	a.toggle("d")
	wantChosen(t, a, "a", "b", "d")
	a.toggle("a")
	wantChosen(t, a, "b", "d")
	a.all()
	wantChosen(t, a, "a", "b", "c", "d")
	a.none()
	wantChosen(t, a)
}

func TestDroppingMovesTheCursorOn(t *testing.T) {
	a := albumOf("a", "b", "c")
	a.only("b")
	a.drop([]string{"b"})
	wantChosen(t, a, "c")
	a.drop([]string{"c"})
	wantChosen(t, a, "a")
	a.drop([]string{"a"})
	wantChosen(t, a)
}

func TestArrangeFollowsTheFolder(t *testing.T) {
	a := albumOf("b", "gone", "a")
	a.only("gone")
	a.arrange(map[string]int{"a": 0, "b": 1})
	if a.pictures[0].Name != "a" || len(a.pictures) != 2 || a.place("b") != 1 {
		t.Errorf("pictures %v", a.pictures)
	}
	wantChosen(t, a)
}

func TestAPendingPictureDoesNotHideWhatIsKnown(t *testing.T) {
	a := albumOf("a")
	a.put([]engine.PictureInfo{{Name: "a", Pending: true}, {Name: "b", Pending: true}})
	usable, _, pending := a.count()
	if usable != 1 || pending != 1 {
		t.Errorf("%d usable, %d pending", usable, pending)
	}
}

func TestEdit(t *testing.T) {
	for _, c := range []struct {
		edit             edit
		caption, changed string
	}{
		{edit{find: "cat", replace: "dog"}, "a cat and a cat", "a dog and a dog"},
		{edit{before: "a photo of "}, "zorbit", "a photo of zorbit"},
		{edit{after: ", on grass"}, "zorbit", "zorbit, on grass"},
		{edit{before: "zorbit "}, "", "zorbit"},
		{edit{}, "as it was", "as it was"},
	} {
		if got := c.edit.apply(c.caption); got != c.changed {
			t.Errorf("%+v makes %q of %q, want %q", c.edit, got, c.caption, c.changed)
		}
	}
}
