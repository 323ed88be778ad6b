package widgets

import (
	"container/list"
	"fmt"
	"image"
	_ "image/jpeg" // training pictures
	_ "image/png"  // rendered pictures
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // training pictures

	"easel/gui/post"
)

// Loader reads pictures off Fyne's goroutine, scaled to fit a square, and keeps the ones used last. Its methods belong to
// Fyne's goroutine.
type Loader struct {
	side int
	most int
	post post.Func
	turn chan struct{} // a place for each picture that is being read

	known   map[string]*list.Element // of loaded
	order   list.List                // most recently used first
	waiting map[string][]func(image.Image, error)
}

// loaded is a picture, or why there is none.
type loaded struct {
	path    string
	picture image.Image
	err     error
}

// NewLoader makes a Loader of pictures of at most side pixels, of which it keeps most.
func NewLoader(run post.Func, side, most int) *Loader {
	return &Loader{side: side, most: most, post: run, turn: make(chan struct{}, max(1, runtime.NumCPU()/2)),
		known: map[string]*list.Element{}, waiting: map[string][]func(image.Image, error){}}
}

// Load calls done with the picture of a file, on Fyne's goroutine: at once where it is known.
func (l *Loader) Load(path string, done func(image.Image, error)) {
	if e := l.known[path]; e != nil {
		l.order.MoveToFront(e)
		p := e.Value.(loaded)
		done(p.picture, p.err)
		return
	}
	l.waiting[path] = append(l.waiting[path], done)
	if len(l.waiting[path]) > 1 {
		return // it is being read
	}
	go func() { // off Fyne's goroutine until post
		l.turn <- struct{}{}
		picture, err := ReadPicture(path, l.side)
		<-l.turn
		l.post(func() { l.arrived(loaded{path, picture, err}) })
	}()
}

func (l *Loader) arrived(p loaded) {
	l.known[p.path] = l.order.PushFront(p)
	for l.order.Len() > l.most {
		oldest := l.order.Remove(l.order.Back()).(loaded)
		delete(l.known, oldest.path)
	}
	done := l.waiting[p.path]
	delete(l.waiting, p.path)
	for _, f := range done {
		f(p.picture, p.err)
	}
}

// mostPixels bounds the memory that a picture's header can ask for.
const mostPixels = 64 << 20

// ReadPicture decodes a picture and scales it to fit a square of side pixels. Small pictures grow by whole factors, so that
// their pixels stay what the model painted; large ones are averaged down. It may run on any goroutine.
func ReadPicture(path string, side int) (image.Image, error) {
	name := filepath.Base(path)
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s is missing", name)
	}
	defer f.Close()
	config, _, err := image.DecodeConfig(f)
	if err != nil {
		return nil, fmt.Errorf("%s is no picture", name)
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > mostPixels/config.Height {
		return nil, fmt.Errorf("%s is too large to show", name)
	}
	if _, err := f.Seek(0, 0); err != nil {
		return nil, err
	}
	decoded, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged", name)
	}
	return Fit(decoded, side), nil
}

// Fit scales a picture to fit a square of side pixels, as ReadPicture does.
func Fit(from image.Image, side int) *image.RGBA {
	size := from.Bounds().Size()
	longest := max(size.X, size.Y)
	var scaler draw.Scaler = draw.NearestNeighbor
	if longest <= side {
		size = size.Mul(side / longest)
	} else {
		size = image.Pt(max(1, size.X*side/longest), max(1, size.Y*side/longest))
		scaler = draw.CatmullRom
	}
	to := image.NewRGBA(image.Rectangle{Max: size})
	scaler.Scale(to, to.Bounds(), from, from.Bounds(), draw.Src, nil)
	return to
}
