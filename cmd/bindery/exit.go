// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
)

// Exit codes are a contract: scripts branch on them.
const (
	exitOK          = 0
	exitFindings    = 1   // findings, failed entries, or changes where asked for
	exitUsage       = 2   // the command line or a settings file is wrong
	exitUnavailable = 3   // network, storage or repository could not be used
	exitUntrusted   = 4   // refused for trust
	exitInterrupted = 130 // stopped by a signal
)

const exitHelp = `
Exit codes:
  0  done
  1  findings or failed entries
  2  wrong use
  3  cannot do it (network, storage, repository)
  4  refused for trust
  130  interrupted`

// exitError carries the exit code of an error. An error without one is misuse,
// because that is what cobra's own errors are.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// withCode gives an error its exit code. A nil error stays nil.
func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code: code, err: err}
}

// quietly ends with a code when everything was already said.
func quietly(code int) error { return &exitError{code: code} }

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	root := newRootCommand(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitUsage
	if coded, ok := errors.AsType[*exitError](err); ok {
		code = coded.code
	}
	if ctx.Err() != nil {
		code = exitInterrupted
	}
	if msg := err.Error(); msg != "" {
		fmt.Fprintln(s.Err, "bindery: "+msg)
	}
	return code
}
