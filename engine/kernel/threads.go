package kernel

// Threads is the number of threads that b computes with; 1 where b does not tell.
func Threads(b Backend) int {
	if team, ok := b.(interface{ Threads() int }); ok {
		return team.Threads()
	}
	return 1
}
