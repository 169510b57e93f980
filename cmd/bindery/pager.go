// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// pagerCommand is what long text goes through on a terminal: $PAGER, else less where
// there is one; "" for nothing.
func pagerCommand() string {
	pager, set := os.LookupEnv("PAGER")
	if set && (pager == "" || pager == "cat") {
		return ""
	}
	if set {
		return pager
	}
	if _, err := exec.LookPath("less"); err != nil {
		return ""
	}
	return "less"
}

// paged writes through a pager, or to the output itself where there is none. Who closes
// the pager has seen enough: that is no error.
func paged(ctx context.Context, s streams, pager string, write func(io.Writer) error) error {
	if pager == "" {
		return write(s.Out)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", pager)
	cmd.Stdout, cmd.Stderr = s.Out, s.Err
	cmd.Env = os.Environ()
	if os.Getenv("LESS") == "" {
		cmd.Env = append(cmd.Env, "LESS=FRX") // short text stays, colours count
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start the pager: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the pager: %w", err)
	}
	err = write(in)
	if errors.Is(err, syscall.EPIPE) {
		err = nil
	}
	err = errors.Join(err, in.Close())
	if ended := cmd.Wait(); ended != nil {
		err = errors.Join(err, fmt.Errorf("pager %q: %w", pager, ended))
	}
	return err
}
