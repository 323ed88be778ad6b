package train

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// gallery lays pictures out in columns, each above its text. The texts of a row have one height, so that its pictures have
// one size.
type gallery struct{}

const galleryColumns = 3

// Layout implements fyne.Layout.
func (g gallery) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	gap := theme.Padding()
	width := (size.Width - gap*(galleryColumns-1)) / galleryColumns
	for i := 1; i < len(objects); i += 2 { // texts wrap at this width
		objects[i].Resize(fyne.NewSize(width, objects[i].Size().Height))
	}
	texts := rowsOf(objects)
	height := size.Height - gap*float32(len(texts)-1)
	for _, h := range texts {
		height -= h
	}
	height = max(height/float32(max(len(texts), 1)), 1)
	y := float32(0)
	for row, text := range texts {
		for column := range galleryColumns {
			i := 2 * (row*galleryColumns + column)
			if i+1 >= len(objects) {
				break
			}
			x := float32(column) * (width + gap)
			objects[i].Move(fyne.NewPos(x, y))
			objects[i].Resize(fyne.NewSize(width, height))
			objects[i+1].Move(fyne.NewPos(x, y+height))
			objects[i+1].Resize(fyne.NewSize(width, text))
		}
		y += height + text + gap
	}
}

// MinSize implements fyne.Layout.
func (gallery) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	if len(objects) > 0 {
		size = objects[0].MinSize()
	}
	texts := rowsOf(objects)
	height := float32(len(texts)) * (size.Height + theme.Padding())
	for _, h := range texts {
		height += h
	}
	return fyne.NewSize(galleryColumns*(size.Width+theme.Padding()), height)
}

// rowsOf are the heights of the texts of each row.
func rowsOf(objects []fyne.CanvasObject) (heights []float32) {
	for i := 1; i < len(objects); i += 2 {
		row := i / 2 / galleryColumns
		if row == len(heights) {
			heights = append(heights, 0)
		}
		heights[row] = max(heights[row], objects[i].MinSize().Height)
	}
	return heights
}
