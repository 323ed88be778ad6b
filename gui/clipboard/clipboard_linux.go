package clipboard

import (
	"context"
	"errors"
	"io"
	"log"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// reader is a client of the X server, of Wayland's too, that asks the clipboard's owner for a picture: selections of the
// Inter-Client Communication Conventions Manual, section 2 (https://x.org/releases/X11R7.6/doc/xorg-docs/specs/ICCCM/icccm.html).
// The owner puts it in a property of the reader's window, in parts where it is large.
type reader struct {
	conn     *xgb.Conn
	window   xproto.Window
	property xproto.Atom
	late     *time.Timer // closes conn, by which waiting ends
}

var (
	errTooLarge = errors.New("the picture in the clipboard is too large")
	errNoAnswer = errors.New("the program that holds the copied picture does not answer")
)

func init() { xgb.Logger = log.New(io.Discard, "", 0) } // what goes wrong comes back as an error

func picture(ctx context.Context) ([]byte, error) {
	conn, err := xgb.NewConn()
	if err != nil {
		return nil, nil // no X server, and so no clipboard that we know
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	r := &reader{conn: conn, late: time.AfterFunc(wait, conn.Close)}
	defer r.late.Stop()
	if err := r.open(); err != nil {
		return nil, err
	}
	return r.read()
}

// open makes the window, which is never shown.
func (r *reader) open() (err error) {
	if r.window, err = xproto.NewWindowId(r.conn); err != nil {
		return err
	}
	if r.property, err = r.atom("EASEL_PICTURE"); err != nil {
		return err
	}
	screen := xproto.Setup(r.conn).DefaultScreen(r.conn)
	return xproto.CreateWindowChecked(r.conn, 0, r.window, screen.Root, 0, 0, 1, 1, 0, xproto.WindowClassInputOnly, screen.RootVisual,
		xproto.CwEventMask, []uint32{xproto.EventMaskPropertyChange}).Check()
}

func (r *reader) atom(name string) (xproto.Atom, error) {
	a, err := xproto.InternAtom(r.conn, false, uint16(len(name)), name).Reply()
	if err != nil {
		return 0, err
	}
	return a.Atom, nil
}

// read asks for the picture and takes it.
func (r *reader) read() ([]byte, error) {
	var atoms [3]xproto.Atom
	for i, name := range []string{"CLIPBOARD", "image/png", "INCR"} {
		var err error
		if atoms[i], err = r.atom(name); err != nil {
			return nil, err
		}
	}
	xproto.ConvertSelection(r.conn, r.window, atoms[0], atoms[1], r.property, xproto.TimeCurrentTime)
	answer, err := event(r, func(e xproto.SelectionNotifyEvent) bool { return e.Requestor == r.window })
	if err != nil || answer.Property == xproto.AtomNone { // the owner has no picture, or there is no owner
		return nil, err
	}
	kind, data, err := r.take()
	if err != nil || kind != atoms[2] {
		return data, err
	}
	return r.parts()
}

// parts takes a large picture: each time the property is deleted the owner sets it anew, at last to nothing.
func (r *reader) parts() (all []byte, err error) {
	for {
		_, err := event(r, func(e xproto.PropertyNotifyEvent) bool {
			return e.Atom == r.property && e.State == xproto.PropertyNewValue
		})
		if err != nil {
			return nil, err
		}
		_, part, err := r.take()
		if err != nil || len(part) == 0 {
			return all, err
		}
		if all = append(all, part...); len(all) > most {
			return nil, errTooLarge
		}
	}
}

// take returns the property's type and value, and deletes it.
func (r *reader) take() (xproto.Atom, []byte, error) {
	p, err := xproto.GetProperty(r.conn, true, r.window, r.property, xproto.GetPropertyTypeAny, 0, most/4).Reply()
	if err != nil {
		return 0, nil, err
	}
	if p.BytesAfter > 0 {
		return 0, nil, errTooLarge
	}
	return p.Type, p.Value, nil
}

// event waits for an event of a type.
func event[E xgb.Event](r *reader, is func(E) bool) (E, error) {
	r.late.Reset(wait)
	for {
		e, err := r.conn.WaitForEvent()
		switch wanted, ok := e.(E); {
		case e == nil && err == nil:
			return wanted, errNoAnswer
		case ok && is(wanted):
			return wanted, nil
		}
	}
}
