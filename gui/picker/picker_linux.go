package picker

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"
	"github.com/godbus/dbus/v5"
)

// The desktop's chooser is asked for through a portal (org.freedesktop.portal.FileChooser,
// https://flatpak.github.io/xdg-desktop-portal/docs). github.com/rymdport/portal/filechooser does so too, but v0.4.2 turns
// + in a name into a space, and panics where the chooser is ended by anything but its user.
const (
	portal      = "org.freedesktop.portal.Desktop"
	portalPath  = "/org/freedesktop/portal/desktop"
	fileChooser = "org.freedesktop.portal.FileChooser"
	request     = "org.freedesktop.portal.Request"
)

// patience is how long a portal may take to answer, which the desktop perhaps starts for us.
const patience = 2 * time.Second

// choose asks with the desktop's chooser, until ctx ends. The portal ends it when our bus is closed.
func choose(ctx context.Context, window string, q Question) ([]string, error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	late := time.AfterFunc(patience, end)
	bus, err := connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNone, err)
	}
	defer bus.Close()
	desktop := bus.Object(portal, portalPath)
	version, err := desktop.GetProperty(fileChooser + ".version")
	if !late.Stop() && err == nil {
		err = context.DeadlineExceeded
	}
	if err != nil {
		return nil, fmt.Errorf("%w: no portal: %w", errNone, err)
	}
	if v, ok := version.Value().(uint32); !ok || q.Folder && v < foldersSince {
		return nil, fmt.Errorf("%w: the portal is of version %v", errNone, version)
	}
	answers := make(chan *dbus.Signal, 10)
	bus.Signal(answers)
	err = bus.AddMatchSignal(dbus.WithMatchSender(portal), dbus.WithMatchInterface(request), dbus.WithMatchMember("Response"))
	if err == nil {
		err = desktop.CallWithContext(ctx, fileChooser+".OpenFile", 0, window, q.Title, options(q)).Err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the portal refused: %w", errNone, err)
	}
	for a := range answers { // until the bus is closed
		if a.Name == request+".Response" { // this connection has made no other request
			return picked(a)
		}
	}
	return nil, errors.New("the desktop's file chooser has gone")
}

// foldersSince is the first version of the interface that asks for folders.
const foldersSince = 3

// connect joins the session's bus, and starts none.
func connect(ctx context.Context) (*dbus.Conn, error) {
	bus, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if err = bus.Auth(nil); err == nil {
		err = bus.Hello()
	}
	if err != nil {
		bus.Close()
		return nil, err
	}
	return bus, nil
}

// filter is a choice of files by their names, as the portal takes it.
type filter struct {
	Name  string
	Rules []rule
}

type rule struct {
	Kind    uint32 // 0: a glob
	Pattern string
}

// options say what OpenFile is to ask. Patterns tell capitals from small letters, and cameras write .JPG.
func options(q Question) map[string]dbus.Variant {
	o := map[string]dbus.Variant{"modal": dbus.MakeVariant(true), "multiple": dbus.MakeVariant(q.Many), "directory": dbus.MakeVariant(q.Folder)}
	if q.Begin != "" {
		o["current_folder"] = dbus.MakeVariant([]byte(q.Begin + "\x00"))
	}
	if len(q.Extensions) > 0 {
		kind := filter{Name: q.Kind}
		for _, ext := range q.Extensions {
			kind.Rules = append(kind.Rules, rule{Pattern: "*" + ext}, rule{Pattern: "*" + strings.ToUpper(ext)})
		}
		o["filters"] = dbus.MakeVariant([]filter{kind, {lang.L("All files"), []rule{{Pattern: "*"}}}})
	}
	return o
}

// picked reads a portal's answer: 0 with addresses, 1 where the user cancelled, 2 where something else ended it.
func picked(answer *dbus.Signal) (paths []string, err error) {
	var status uint32
	var results map[string]dbus.Variant
	if err := dbus.Store(answer.Body, &status, &results); err != nil {
		return nil, fmt.Errorf("the desktop's file chooser: %w", err)
	}
	if status != 0 {
		return nil, nil
	}
	addresses, _ := results["uris"].Value().([]string)
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "file" {
			return nil, fmt.Errorf("the desktop's file chooser names %q, which is no file of this computer", address)
		}
		paths = append(paths, u.Path)
	}
	return paths, nil
}
