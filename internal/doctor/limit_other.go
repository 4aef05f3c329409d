//go:build !unix

package doctor

func openFiles() Finding {
	return Finding{"open files", Good, "this system has no such limit", ""}
}
