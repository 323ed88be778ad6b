// Package gui is Easel's window. It shows what an engine.Engine tells it and computes nothing itself.
//
// Everything here runs on Fyne's goroutine, except functions that say otherwise; those hand their result over by one
// call of Window's post.
package gui
