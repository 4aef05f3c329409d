// Package marked knows the parts of a guide that a program writes or a compiler checks.
package marked

import (
	"fmt"
	"os"
	"strings"
)

// Replace puts text between the two lines of the file that say that command has written what stands between them. A
// file without these lines is an error, and stays as it is.
func Replace(file, command, text string) error {
	before, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	begin := "<!-- what follows is written by `" + command + "` -->\n"
	end := "<!-- what stands above is written by `" + command + "` -->"
	head, rest, ok := strings.Cut(string(before), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s: add the lines %q and %q where the measurements belong", file, strings.TrimSpace(begin), end)
	}
	after := head + begin + strings.TrimRight(text, "\n") + "\n" + end + tail
	return os.WriteFile(file, []byte(after), 0o644)
}
