// Package export is the page that says where the trained file is and how to use it, and lets one paint with it.
package export
