package settings

import (
	"io"
	"log"
	"slices"
	"strings"
	"sync"
)

// logLines is how much of the log a report holds.
const logLines = 100

// lastLines keeps what was logged last, for a report. Any goroutine may write.
type lastLines struct {
	mu    sync.Mutex
	lines []string
}

var logged lastLines

// KeepLog has what the program and Fyne log kept for reports, and written as before.
var KeepLog = sync.OnceFunc(func() { log.SetOutput(io.MultiWriter(&logged, log.Writer())) })

// Write implements io.Writer. The log writes an entry at a time.
func (l *lastLines) Write(entry []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, strings.TrimRight(string(entry), "\n"))
	if extra := len(l.lines) - logLines; extra > 0 {
		l.lines = slices.Delete(l.lines, 0, extra)
	}
	return len(entry), nil
}

func (l *lastLines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}
