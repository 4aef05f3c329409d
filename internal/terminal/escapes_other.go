//go:build !windows

package terminal

import "os"

// Escapes has a terminal understand the escape sequences of colours, and reports
// whether it does.
func Escapes(*os.File) bool { return true }
