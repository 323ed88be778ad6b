//go:build race

package local_test

// raceDetector says that memory is not what it would be: the detector keeps shadows of it.
const raceDetector = true
