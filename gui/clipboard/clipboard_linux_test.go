package clipboard

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// owner owns the clipboard, as a browser does in which a picture was copied.
type owner struct {
	t       *testing.T
	conn    *xgb.Conn
	picture []byte
	part    int // bytes at a time; 0 gives all at once
}

func own(t *testing.T, picture []byte, part int) {
	conn, err := xgb.NewConn()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	o := &owner{t, conn, picture, part}
	window, err := xproto.NewWindowId(conn)
	if err != nil {
		t.Fatal(err)
	}
	screen := xproto.Setup(conn).DefaultScreen(conn)
	xproto.CreateWindow(conn, 0, window, screen.Root, 0, 0, 1, 1, 0, xproto.WindowClassInputOnly, screen.RootVisual, 0, nil)
	if err := xproto.SetSelectionOwnerChecked(conn, window, o.atom("CLIPBOARD"), xproto.TimeCurrentTime).Check(); err != nil {
		t.Fatal(err)
	}
	go o.serve()
}

func (o *owner) atom(name string) xproto.Atom {
	a, err := xproto.InternAtom(o.conn, false, uint16(len(name)), name).Reply()
	if err != nil {
		o.t.Error(err)
		return 0
	}
	return a.Atom
}

// serve answers one request.
func (o *owner) serve() {
	r, ok := o.next().(xproto.SelectionRequestEvent)
	if !ok {
		return
	}
	answer := xproto.SelectionNotifyEvent{Time: r.Time, Requestor: r.Requestor, Selection: r.Selection, Target: r.Target, Property: r.Property}
	switch {
	case o.picture == nil || r.Target != o.atom("image/png"):
		answer.Property = xproto.AtomNone
	case o.part == 0:
		o.put(r, r.Target, o.picture)
	default:
		xproto.ChangeWindowAttributes(o.conn, r.Requestor, xproto.CwEventMask, []uint32{xproto.EventMaskPropertyChange})
		xproto.ChangeProperty(o.conn, xproto.PropModeReplace, r.Requestor, r.Property, o.atom("INCR"), 32, 1, []byte{1, 0, 0, 0})
	}
	xproto.SendEvent(o.conn, false, r.Requestor, 0, string(answer.Bytes()))
	if answer.Property == xproto.AtomNone || o.part == 0 {
		return
	}
	for rest := o.picture; ; {
		e, ok := o.next().(xproto.PropertyNotifyEvent)
		if !ok {
			return
		}
		if e.Atom != r.Property || e.State != xproto.PropertyDelete {
			continue
		}
		n := min(o.part, len(rest))
		o.put(r, r.Target, rest[:n])
		if n == 0 {
			return
		}
		rest = rest[n:]
	}
}

func (o *owner) next() xgb.Event {
	e, _ := o.conn.WaitForEvent()
	return e
}

func (o *owner) put(r xproto.SelectionRequestEvent, kind xproto.Atom, data []byte) {
	xproto.ChangeProperty(o.conn, xproto.PropModeReplace, r.Requestor, r.Property, kind, 8, uint32(len(data)), data)
}

// screen starts an X server and makes it this test's.
func screen(t *testing.T) {
	path, err := exec.LookPath("Xvfb")
	if err != nil {
		t.Skip("needs Xvfb, which make test installs")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() }) // not before the server ends, which writes a line's end too
	server := exec.Command(path, "-displayfd", "3", "-noreset", "-nolisten", "tcp")
	server.ExtraFiles = []*os.File{w}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	number := make([]byte, 16)
	n, err := r.Read(number)
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	t.Setenv("DISPLAY", ":"+strings.TrimSpace(string(number[:n])))
}

func TestPicture(t *testing.T) {
	screen(t)
	t.Run("nobody owns the clipboard", func(t *testing.T) {
		if got, err := Picture(t.Context()); len(got) > 0 || err != nil {
			t.Errorf("got %d bytes and %v, want nothing", len(got), err)
		}
	})
	png := bytes.Repeat([]byte("a picture of a cat. "), 20_000)
	for _, c := range []struct {
		name    string
		picture []byte
		part    int
	}{
		{"at once", png[:1000], 0},
		{"in parts", png, 65_000},
		{"text only", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			own(t, c.picture, c.part)
			got, err := Picture(t.Context())
			if err != nil || !bytes.Equal(got, c.picture) {
				t.Errorf("got %d bytes and %v, want %d bytes", len(got), err, len(c.picture))
			}
		})
	}
	t.Run("its owner does not answer", func(t *testing.T) {
		own(t, nil, 0)
		if _, err := Picture(t.Context()); err != nil { // the only request that is answered
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if got, err := Picture(ctx); len(got) > 0 || err == nil {
			t.Errorf("got %d bytes and %v, want an error", len(got), err)
		}
	})
}

func TestPictureWithoutAScreen(t *testing.T) {
	t.Setenv("DISPLAY", "")
	if got, err := Picture(t.Context()); len(got) > 0 || err != nil {
		t.Errorf("got %d bytes and %v, want nothing", len(got), err)
	}
}
