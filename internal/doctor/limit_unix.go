//go:build unix

package doctor

import "syscall"

// openFiles judges the hard limit: a Go program raises its own to that.
func openFiles() Finding {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return Finding{"open files", Good, "the limit is not known: " + err.Error(), ""}
	}
	return files(uint64(limit.Max))
}
