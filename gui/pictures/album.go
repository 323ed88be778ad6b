package pictures

import (
	"slices"

	"easel/engine"
)

// album is the list of pictures with a selection, by name. It knows nothing of widgets.
type album struct {
	pictures []engine.PictureInfo // in the order of the folder
	at       map[string]int       // name -> place in pictures
	selected map[string]bool
	cursor   string // the picture that keys move from
	anchor   string // where a range begins
}

func newAlbum() *album { return &album{at: map[string]int{}, selected: map[string]bool{}} }

// put adds pictures or replaces those of the same name.
func (a *album) put(infos []engine.PictureInfo) {
	for _, info := range infos {
		if i, ok := a.at[info.Name]; ok {
			if info.Pending {
				info = a.pictures[i] // known already; it will be looked at again
			}
			a.pictures[i] = info
			continue
		}
		a.at[info.Name] = len(a.pictures)
		a.pictures = append(a.pictures, info)
	}
}

// arrange puts the pictures into the order of the folder, and leaves out those that survive does not hold.
func (a *album) arrange(survive map[string]int) {
	a.pictures = slices.DeleteFunc(a.pictures, func(p engine.PictureInfo) bool { _, ok := survive[p.Name]; return !ok })
	for i := range a.pictures {
		a.pictures[i].Index = survive[a.pictures[i].Name]
	}
	slices.SortStableFunc(a.pictures, func(p, q engine.PictureInfo) int { return p.Index - q.Index })
	a.reindex()
}

// drop leaves pictures out. The cursor goes to the one after them.
func (a *album) drop(names []string) {
	next := a.place(a.cursor)
	gone := map[string]bool{}
	for _, n := range names {
		gone[n] = true
	}
	a.pictures = slices.DeleteFunc(a.pictures, func(p engine.PictureInfo) bool { return gone[p.Name] })
	a.reindex()
	if len(a.pictures) > 0 && gone[a.cursor] {
		a.only(a.pictures[min(max(next, 0), len(a.pictures)-1)].Name)
	}
}

func (a *album) reindex() {
	a.at = map[string]int{}
	for i, p := range a.pictures {
		a.at[p.Name] = i
	}
	for name := range a.selected {
		if _, ok := a.at[name]; !ok {
			delete(a.selected, name)
		}
	}
}

// get is the picture of a name.
func (a *album) get(name string) (engine.PictureInfo, bool) {
	i, ok := a.at[name]
	if !ok {
		return engine.PictureInfo{}, false
	}
	return a.pictures[i], true
}

// change changes the picture of a name, where there is one.
func (a *album) change(name string, f func(*engine.PictureInfo)) {
	if i, ok := a.at[name]; ok {
		f(&a.pictures[i])
	}
}

// place is where a name stands, -1 where it does not.
func (a *album) place(name string) int {
	if i, ok := a.at[name]; ok {
		return i
	}
	return -1
}

// chosen lists the selected names in order.
func (a *album) chosen() []string {
	var names []string
	for _, p := range a.pictures {
		if a.selected[p.Name] {
			names = append(names, p.Name)
		}
	}
	return names
}

// only selects one picture.
func (a *album) only(name string) {
	a.selected = map[string]bool{name: true}
	a.cursor, a.anchor = name, name
}

// toggle adds a picture to the selection, or takes it out.
func (a *album) toggle(name string) {
	if a.selected[name] {
		delete(a.selected, name)
	} else {
		a.selected[name] = true
	}
	a.cursor, a.anchor = name, name
}

// reach selects from the anchor to a picture.
func (a *album) reach(name string) {
	from, to := a.place(a.anchor), a.place(name)
	if from < 0 {
		a.only(name)
		return
	}
	a.selected = map[string]bool{}
	for i := min(from, to); i <= max(from, to); i++ {
		a.selected[a.pictures[i].Name] = true
	}
	a.cursor = name
}

// all selects everything.
func (a *album) all() {
	for _, p := range a.pictures {
		a.selected[p.Name] = true
	}
	if a.cursor == "" && len(a.pictures) > 0 {
		a.cursor, a.anchor = a.pictures[0].Name, a.pictures[0].Name
	}
}

// none selects nothing.
func (a *album) none() { a.selected = map[string]bool{} }

// count says how many can be used, how many want attention, and how many have not been looked at.
func (a *album) count() (usable, attention, pending int) {
	for _, p := range a.pictures {
		switch {
		case p.Pending:
			pending++
		case p.Usable:
			usable++
		}
		if wantsAttention(p) {
			attention++
		}
	}
	return usable, attention, pending
}

// nextAttention is the picture after the cursor's that wants a look, or the first of all; "" where none does.
func (a *album) nextAttention() string {
	for i := range a.pictures {
		if p := a.pictures[(a.place(a.cursor)+1+i)%len(a.pictures)]; wantsAttention(p) {
			return p.Name
		}
	}
	return ""
}

// wantsAttention leaves out what is merely worth knowing.
func wantsAttention(p engine.PictureInfo) bool {
	return slices.ContainsFunc(p.Issues, func(i engine.Issue) bool { return i.Kind != engine.IssueTurned })
}
