package compare

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"easel/engine"
)

// figure is a column of the page's table in which one method is best.
type figure struct {
	name string
	of   func(engine.Compared) float64
	more bool // is better
}

var figures = []figure{
	{"likeness", func(r engine.Compared) float64 { return r.Summary.LikenessAfter }, true},
	{"obeyed", func(r engine.Compared) float64 { return r.Obeyed }, true},
	{"drift", func(r engine.Compared) float64 { return r.Summary.Drift }, false},
	{"parameters", func(r engine.Compared) float64 { return float64(r.Summary.Parameters) }, false},
	{"file", func(r engine.Compared) float64 { return float64(r.Summary.FileBytes) }, false},
	{"seconds", func(r engine.Compared) float64 { return r.SecondsPerStep }, false},
	{"memory", func(r engine.Compared) float64 { return float64(r.Summary.PeakMemory) }, false},
}

// best names the method that is best by each figure, of those that were trained.
func best(rows []engine.Compared) map[string]string {
	winners := map[string]string{}
	for _, f := range figures {
		var leader engine.Compared
		for _, r := range rows {
			if r.Problem != "" {
				continue
			}
			if leader.Method == "" || f.more && f.of(r) > f.of(leader) || !f.more && f.of(r) < f.of(leader) {
				leader = r
			}
		}
		winners[f.name] = leader.Method
	}
	return winners
}

// share is a figure from 0 to 1, negative where it was not measured.
func share(v float64) string {
	if v < 0 {
		return "not measured"
	}
	return fmt.Sprintf("%.2f", v)
}

func number(v float64) string { return fmt.Sprintf("%.3f", v) }

// size is a number of bytes in decimal units.
func size(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB"}
	v, i := float64(n), 0
	for v >= 1000 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.3g %s", v, units[i])
}

// grouped writes a number in groups of three digits.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, groups...), ",")
}

func duration(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}
