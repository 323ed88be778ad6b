// Package train is the page on which one watches the model learn: the before/after grid, and beside it how far it is.
package train
