package graph

import (
	"slices"

	"easel/engine"
)

// Profile adds up the time of all runs by kind of operator, the slowest first.
func (vm *VM) Profile() []engine.ProfileRow {
	rows := map[string]*engine.ProfileRow{}
	total := 0.0
	for _, i := range vm.s.code {
		r := rows[i.op.name()]
		if r == nil {
			r = &engine.ProfileRow{Op: i.op.name()}
			rows[r.Op] = r
		}
		r.Calls += i.calls
		r.Seconds += i.seconds
		total += i.seconds
	}
	var list []engine.ProfileRow
	for _, r := range rows {
		if total > 0 {
			r.Share = r.Seconds / total
		}
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b engine.ProfileRow) int {
		if a.Seconds != b.Seconds {
			return int(1e9 * (b.Seconds - a.Seconds))
		}
		return 0
	})
	return list
}

// ResetProfile forgets the times measured so far.
func (vm *VM) ResetProfile() {
	for _, i := range vm.s.code {
		i.seconds, i.calls = 0, 0
	}
}
