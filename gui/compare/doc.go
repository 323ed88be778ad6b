// Package compare is the page on which several methods learn from the same pictures, side by side.
package compare
