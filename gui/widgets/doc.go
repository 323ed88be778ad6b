// Package widgets holds what Easel's pages are made of and Fyne does not have. A widget shows what it is given and tells
// what the user did; it knows no project and asks no engine.
package widgets
