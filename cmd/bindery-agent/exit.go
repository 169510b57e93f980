// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/engine/release"
)

// Exit codes are a contract: scripts branch on them.
const (
	exitOK          = 0
	exitFindings    = 1   // entries are not as they should be
	exitUsage       = 2   // the command line or the settings are wrong
	exitUnavailable = 3   // network, storage, or another run under way
	exitUntrusted   = 4   // refused for trust
	exitInterrupted = 130 // stopped by a signal
)

const exitHelp = `
Exit codes:
  0  done
  1  entries are not as they should be, also where that is only reported, as while
     the host is paused or outside its window
  2  wrong use, or the host is not enrolled
  3  cannot do it (network, storage, another run under way)
  4  refused for trust; the last verified release stays in force
  130  interrupted`

// codeError carries an exit code that does not follow from the error.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *codeError) Unwrap() error { return e.err }

// quietly ends with a code when everything was already said.
func quietly(code int) error { return &codeError{code: code} }

// exitCode is the one place where errors become codes. What nobody knows is
// misuse, because that is what cobra's own errors are.
func exitCode(err error) int {
	var coded *codeError
	var path *os.PathError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &coded):
		return coded.code
	case errors.Is(err, agent.ErrNotEnrolled), errors.Is(err, agent.ErrEnrolled):
		return exitUsage
	case errors.Is(err, release.ErrUntrusted):
		return exitUntrusted
	case errors.Is(err, agent.ErrUnavailable), errors.Is(err, agent.ErrNothingYet), errors.Is(err, state.ErrBusy),
		errors.Is(err, context.DeadlineExceeded), errors.As(err, &path), errors.Is(err, errStorage):
		return exitUnavailable
	}
	return exitUsage
}

// errStorage marks what went wrong while the agent worked, as opposed to how it
// was called.
var errStorage = errors.New("the run could not be done")

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	root := newRootCommand(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	code := exitCode(err)
	if ctx.Err() != nil && err != nil {
		code = exitInterrupted
		if errors.Is(err, context.Canceled) {
			err = errors.New("interrupted")
		}
	}
	if errors.Is(err, agent.ErrNotEnrolled) {
		err = fmt.Errorf("%w: get a token by bindery hosts add NAME where the controller runs, then bindery-agent enroll --url URL --token-file FILE", err)
	}
	if err != nil && err.Error() != "" {
		fmt.Fprintln(s.Err, "bindery-agent: "+err.Error())
	}
	return code
}
