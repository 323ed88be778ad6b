package pictures

import (
	"container/list"
	"image"
	_ "image/jpeg" // the format of thumbnails
	"os"
	"sync"

	"golang.org/x/image/draw"

	"easel/gui/post"
)

// The pictures in memory: those of tiles are kept, so they are as small as the screen shows them.
const (
	keptTiles = 400 // at most 70 kB each on a common screen, four times that on a finer one
	readers   = 2
)

// thumbs reads thumbnails off Fyne's goroutine and keeps the newest. What was asked for last is read first: that is what
// the user looks at.
type thumbs struct {
	post post.Func

	mu      sync.Mutex
	kept    map[source]*list.Element // its place in order
	order   *list.List               // of *thumb, the newest in front
	wanted  []request
	working int
}

// source is a thumbnail's file and to how many pixels of its longest side it is scaled.
type source struct {
	path string
	side int
}

type thumb struct {
	source
	pixels *image.RGBA
}

type request struct {
	source
	done func(*image.RGBA)
}

func newThumbs(post post.Func) *thumbs {
	return &thumbs{post: post, kept: map[source]*list.Element{}, order: list.New()}
}

// get returns a thumbnail, or nil and calls done with it later, on Fyne's goroutine; not at all where it cannot be read.
func (t *thumbs) get(from source, done func(*image.RGBA)) *image.RGBA {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.kept[from]; ok {
		t.order.MoveToFront(e)
		return e.Value.(*thumb).pixels
	}
	t.wanted = append(t.wanted, request{from, done})
	if len(t.wanted) > keptTiles { // the oldest have been scrolled past
		t.wanted = t.wanted[1:]
	}
	if t.working < readers {
		t.working++
		go t.work()
	}
	return nil
}

func (t *thumbs) work() {
	for {
		t.mu.Lock()
		if len(t.wanted) == 0 {
			t.working--
			t.mu.Unlock()
			return
		}
		next := t.wanted[len(t.wanted)-1]
		t.wanted = t.wanted[:len(t.wanted)-1]
		t.mu.Unlock()
		pixels, err := readPicture(next.path, next.side)
		if err != nil {
			continue
		}
		t.keep(next.source, pixels)
		t.post(func() { next.done(pixels) })
	}
}

func (t *thumbs) keep(from source, pixels *image.RGBA) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.kept[from]; ok {
		return
	}
	t.kept[from] = t.order.PushFront(&thumb{from, pixels})
	for t.order.Len() > keptTiles {
		oldest := t.order.Remove(t.order.Back()).(*thumb)
		delete(t.kept, oldest.source)
	}
}

// readPicture decodes a thumbnail's file and scales it down to side. Any goroutine but Fyne's may call it.
func readPicture(path string, side int) (*image.RGBA, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	decoded, _, err := image.Decode(f)
	if err != nil {
		return nil, err
	}
	size := decoded.Bounds().Size()
	if longest := max(size.X, size.Y); longest > side {
		size = image.Pt(max(1, size.X*side/longest), max(1, size.Y*side/longest))
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	draw.BiLinear.Scale(out, out.Rect, decoded, decoded.Bounds(), draw.Src, nil)
	return out, nil
}
