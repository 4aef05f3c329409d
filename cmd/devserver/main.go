// Command devserver makes, builds, runs and follows apps.
//
//	devserver new hello    write a new app
//	devserver              build and run the app in this directory, follow its source
//	devserver run          build and run it the way production does
//	devserver build        build one static binary for other machines
//	devserver generate     add a page, an event or a resource
//	devserver routes       list what the app answers
//	devserver doctor       find what keeps an app from working that is not in its code
//
// Exit codes: 0 when all went well (Ctrl-C included), 1 when something failed,
// 2 when the command line makes no sense, and from run the app's own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/zocalo-go/zocalo/internal/dev"
)

func main() { os.Exit(interruptible(run)) }

// interruptible runs the command under a context that ends with Ctrl-C; the
// second Ctrl-C does not wait.
func interruptible(run func(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// run is the command: args are those after its name, the result is its exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var exit *exec.ExitError
	var build *dev.BuildError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		fmt.Fprintln(stderr, "devserver:", err)
		return exit.ExitCode()
	case errors.As(err, &build):
		fmt.Fprint(stderr, build.Problem.Text())
		return 1
	}
	fmt.Fprintln(stderr, "devserver:", strings.TrimSpace(err.Error()))
	if errors.Is(err, exec.ErrNotFound) && strings.Contains(err.Error(), `"go"`) {
		fmt.Fprintln(stderr, "install Go from https://go.dev/dl, and have its directory bin in your PATH")
	}
	var usage usageError
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}

// A usageError is a command line that makes no sense.
type usageError struct{ error }
