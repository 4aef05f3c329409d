// Package terminal is what devserver does with the terminal it runs in: it
// listens to single keys, and draws QR codes. Start with [Listen] and [QR].
//
// While [Keys] listen, the terminal neither waits for Enter nor echoes; Ctrl-C
// and Ctrl-Z do what they always do. [Keys.Restore] puts it back, and has to be
// called however the program ends.
package terminal
