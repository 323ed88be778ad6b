package guitest

import (
	"bufio"
	"os/exec"
	"strings"
	"testing"
)

// StartBus runs a bus of the test's own in place of the one whose address a variable of the environment holds.
func StartBus(t testing.TB, variable string) {
	t.Helper()
	bus := exec.Command("dbus-daemon", "--session", "--nofork", "--print-address")
	out, err := bus.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Start(); err != nil {
		t.Skipf("there is no dbus-daemon to test with: %v", err)
	}
	t.Cleanup(func() {
		_ = bus.Process.Kill()
		_ = bus.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(variable, strings.TrimSpace(address))
}
