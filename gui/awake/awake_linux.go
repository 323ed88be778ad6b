package awake

import (
	"fmt"
	"os"

	"github.com/godbus/dbus/v5"
)

// Possible reports whether this system can be kept awake: here by systemd's logind, where that runs.
const Possible = true

// inhibit takes a lock of logind's that lasts until its file is closed, at the latest with this process
// (org.freedesktop.login1, https://systemd.io/INHIBITOR_LOCKS). It holds back sleep on idle and sleep as such: desktops
// that count idle time themselves ask for the latter.
func inhibit(why string) (let func(), err error) {
	bus, err := dbus.ConnectSystemBus()
	if err != nil {
		return nil, fmt.Errorf("no system bus: %w", err)
	}
	defer bus.Close()
	var lock dbus.UnixFD
	call := bus.Object("org.freedesktop.login1", "/org/freedesktop/login1").Call("org.freedesktop.login1.Manager.Inhibit", 0,
		"sleep:idle", "Easel", why, "block")
	if err := call.Store(&lock); err != nil {
		return nil, fmt.Errorf("logind refused: %w", err)
	}
	f := os.NewFile(uintptr(lock), "logind")
	return func() { f.Close() }, nil
}
