package compare

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"easel/engine"
)

// figures are how they are read from a row, made such that less is better; NaN is not measured.
var figures = map[engine.Figure]func(engine.Compared) float64{
	engine.FigureLikeness:   func(r engine.Compared) float64 { return -measured(r.Summary.LikenessAfter, r.Summary.LikenessOwn != 0) },
	engine.FigureObeyed:     func(r engine.Compared) float64 { return -measured(r.Obeyed, r.Obeyed >= 0) },
	engine.FigureDrift:      func(r engine.Compared) float64 { return r.Summary.Drift },
	engine.FigureParameters: func(r engine.Compared) float64 { return float64(r.Summary.Parameters) },
	engine.FigureFile:       func(r engine.Compared) float64 { return float64(r.Summary.FileBytes) },
	engine.FigureSeconds:    func(r engine.Compared) float64 { return r.SecondsPerStep },
	engine.FigureMemory: func(r engine.Compared) float64 {
		return measured(float64(r.Summary.PeakMemory), r.Summary.PeakMemory > 0) // not where all steps were made before an interruption
	},
}

func measured(v float64, is bool) float64 {
	if !is {
		return math.NaN()
	}
	return v
}

// Best names the methods that are best by each figure, of those that were trained: none where there is nothing to
// compare with.
func Best(rows []engine.Compared) map[engine.Figure][]string {
	winners := map[engine.Figure][]string{}
	for figure, of := range figures {
		least, others := math.Inf(1), 0
		var names []string
		for _, r := range rows {
			v := of(r)
			if r.Problem != "" || math.IsNaN(v) {
				continue
			}
			others++
			switch {
			case v < least:
				least, names = v, []string{r.Method}
			case v == least:
				names = append(names, r.Method)
			}
		}
		if others > len(names) {
			winners[figure] = names
		}
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
