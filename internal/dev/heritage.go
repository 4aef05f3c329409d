package dev

import (
	"fmt"
	"os"
	"os/exec"
)

// A heritage is what connects a process with the ones before and after it: two
// pipes, in which passes what the app's clients need to go on. A pipe needs no
// name that others could guess, and ends when the process does.
type heritage struct {
	from *os.File // of the last process that answered; nil for the first
	to   *os.File
}

// give hands the pipes to a process, as the file descriptors behind those that it
// gets already.
func (h *heritage) give(cmd *exec.Cmd) {
	if h == nil || !inherits {
		return
	}
	add := func(variable string, f *os.File) {
		if f != nil {
			cmd.ExtraFiles = append(cmd.ExtraFiles, f)
			cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", variable, 2+len(cmd.ExtraFiles)))
		}
	}
	add("ZOCALO_SUCCESSOR", h.to)
	add("ZOCALO_PREDECESSOR", h.from)
}

// succeed makes what the process has to say that which the next one is told: it
// has answered, and so has heard all that there was for it.
func (n *node) succeed(p *process) {
	n.heir, p.will = p.will, n.heir
	p.renounce()
}

// renounce forgets what the process has to say.
func (p *process) renounce() {
	if p.will != nil {
		p.will.Close()
		p.will = nil
	}
}
