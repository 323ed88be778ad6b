// Package method is the page on which one says what is taught and how: the method, the subject, and, for who wants them,
// all settings.
package method
