package pictures

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"easel/gui/widgets"
)

// edit is a change of many captions: find and replace, then text before and after.
type edit struct{ find, replace, before, after string }

// apply changes a caption. An empty one has nothing to find.
func (e edit) apply(caption string) string {
	if e.find != "" {
		caption = strings.ReplaceAll(caption, e.find, e.replace)
	}
	return strings.TrimSpace(e.before + caption + e.after)
}

// editCaptions changes the captions of names, as one step that can be undone, and returns how many changed.
func (p *Page) editCaptions(names []string, e edit) int {
	before := map[string]string{}
	for _, name := range names {
		info, ok := p.album.get(name)
		if after := e.apply(info.Caption); ok && info.Usable && after != info.Caption {
			before[name] = info.Caption
			p.setCaption(name, after)
		}
	}
	if len(before) == 0 {
		return 0
	}
	folder := p.eng.Folder(p.project.Dir())
	p.undo.push(lang.L("Changed captions"), func() error {
		for name, caption := range before {
			if err := folder.SaveCaption(name, caption); err != nil {
				return err
			}
		}
		return nil
	})
	if p.editor.name != "" {
		p.editor.showCaption()
	}
	p.bar.update()
	return len(before)
}

// targets lists the pictures that a change of captions is for: those selected where they are several, else all; or only
// those without a caption.
func (p *Page) targets(onlyEmpty bool) []string {
	names := p.album.chosen()
	if len(names) < 2 {
		names = nil
		for _, info := range p.album.pictures {
			names = append(names, info.Name)
		}
	}
	if !onlyEmpty {
		return names
	}
	var empty []string
	for _, name := range names {
		if info, _ := p.album.get(name); info.Caption == "" {
			empty = append(empty, name)
		}
	}
	return empty
}

// showBulk asks for a change of many captions.
func (p *Page) showBulk() {
	find, replace, before, after := widgets.NewEntry(false), widgets.NewEntry(false), widgets.NewEntry(false), widgets.NewEntry(false)
	empty := widget.NewCheck(lang.L("Only pictures without a caption"), nil)
	effect := widget.NewLabel("")
	current := func() edit { return edit{find.Text, replace.Text, before.Text, after.Text} }
	preview := func() {
		n := 0
		for _, name := range p.targets(empty.Checked) {
			if info, _ := p.album.get(name); info.Usable && current().apply(info.Caption) != info.Caption {
				n++
			}
		}
		effect.SetText(lang.N("{{.Count}} captions change", n, map[string]any{"Count": n}))
	}
	for _, entry := range []*widgets.Entry{find, replace, before, after} {
		entry.OnChanged = func(string) { preview() }
	}
	empty.OnChanged = func(bool) { preview() }
	preview()
	form := widget.NewForm(widget.NewFormItem(lang.L("Find"), find), widget.NewFormItem(lang.L("Replace by"), replace),
		widget.NewFormItem(lang.L("Put before"), before), widget.NewFormItem(lang.L("Put after"), after))
	d := dialog.NewCustomConfirm(lang.L("Change captions"), lang.L("Change"), lang.L("Cancel"), container.NewVBox(form, empty, effect), func(yes bool) {
		if yes {
			p.editCaptions(p.targets(empty.Checked), current())
		}
	}, p.window)
	d.Resize(fyne.NewSize(460, 340))
	d.Show()
}
