package awake

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"easel/gui/guitest"
)

// logind stands for systemd's: it hands out a pipe, and so sees when it is closed.
type logind struct {
	asked chan []string
	held  chan *os.File
}

func (l logind) Inhibit(what, who, why, mode string) (dbus.UnixFD, *dbus.Error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, dbus.MakeFailedError(err)
	}
	l.asked <- []string{what, who, why, mode}
	l.held <- r
	lock := dbus.UnixFD(w.Fd())
	go func() { // the message is sent by then, and with it a copy
		time.Sleep(200 * time.Millisecond)
		w.Close()
	}()
	return lock, nil
}

func TestKeeperHoldsALockAndLetsGo(t *testing.T) {
	guitest.StartBus(t, "DBUS_SYSTEM_BUS_ADDRESS")
	server, err := dbus.ConnectSystemBus()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	l := logind{make(chan []string, 4), make(chan *os.File, 4)}
	if err := server.Export(l, "/org/freedesktop/login1", "org.freedesktop.login1.Manager"); err != nil {
		t.Fatal(err)
	}
	if _, err := server.RequestName("org.freedesktop.login1", 0); err != nil {
		t.Fatal(err)
	}
	k := New("a model is trained", func(err error) { t.Error(err) })
	for range 2 { // it can be taken again
		k.Set(true)
		k.Set(true) // is no second lock
		asked := <-l.asked
		if strings.Join(asked, " ") != "sleep:idle Easel a model is trained block" {
			t.Errorf("asked for %q", asked)
		}
		held := <-l.held
		closed := make(chan struct{})
		go func() {
			_, _ = held.Read(make([]byte, 1)) // until it is closed everywhere
			close(closed)
		}()
		select {
		case <-closed:
			t.Fatal("the lock is not held")
		case <-time.After(600 * time.Millisecond):
		}
		k.Set(false)
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			t.Fatal("the lock is not given back")
		}
	}
	if len(l.asked) != 0 {
		t.Errorf("%d locks more were taken", len(l.asked))
	}
}

func TestKeeperTellsWhereItCannot(t *testing.T) {
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/at/all")
	told := make(chan error, 1)
	New("a model is trained", func(err error) { told <- err }).Set(true)
	select {
	case err := <-told:
		if !strings.Contains(err.Error(), "system bus") {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was told")
	}
}
