// SPDX-License-Identifier: Apache-2.0

// Package action runs Action entries, and PostInstall as Bcfg2 had them before 1.3: its
// name is the command of an Action that runs after what modified its bundle, however it
// ends. When one is due is decided by whoever applies a bundle; the package must not
// know about bundles.
package action

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// Config says what the driver works on.
type Config struct {
	Machine *system.Machine
	// Timeout bounds one command. Zero: 10 minutes.
	Timeout time.Duration
	// Build tells that an image is being built: actions with build="false" do
	// not run.
	Build bool
}

// Driver runs actions.
type Driver struct{ c Config }

// New makes the driver.
func New(c Config) (*Driver, error) {
	if c.Machine == nil || c.Timeout < 0 {
		return nil, errors.New("action driver: no machine, or a negative time limit")
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Minute
	}
	return &Driver{c: c}, nil
}

// Tags are the tags of the entries that the driver handles.
func Tags() []string { return []string{"Action", postInstall} }

const postInstall = "PostInstall"

// Timing is when an action runs relative to its bundle.
type Timing struct{ Pre, Post, Always bool }

// When reads an action's timing. What is not written is post and modified.
func When(e *config.Entry) (Timing, error) {
	var t Timing
	if e.Tag == postInstall {
		return Timing{Post: true}, nil
	}
	switch timing := e.Get("timing"); timing {
	case "pre":
		t.Pre = true
	case "", "post":
		t.Post = true
	case "both":
		t.Pre, t.Post = true, true
	default:
		return t, fmt.Errorf("timing %q is none of pre, post, both", timing)
	}
	switch when := e.Get("when"); when {
	case "always":
		t.Always = true
	case "", "modified":
	default:
		return t, fmt.Errorf("when %q is neither modified nor always", when)
	}
	return t, nil
}

// Apply implements driver.Driver. An action has no state of its own: it is
// correct until it was run and failed. With apply it runs.
func (d *Driver) Apply(ctx context.Context, item driver.Item, apply bool) (driver.Outcome, error) {
	e := item.Entry
	args, err := d.arguments(e)
	if err != nil {
		return driver.Outcome{State: driver.Incorrect}, err
	}
	if err := ctx.Err(); err != nil {
		return driver.Outcome{State: driver.NotVerified}, err
	}
	switch {
	case d.c.Machine.Contained():
		return driver.Outcome{State: driver.NotVerified, Reasons: []string{"actions do not run under another root"}}, nil
	case d.c.Build && e.Get("build") == "false":
		return driver.Outcome{State: driver.NotVerified, Reasons: []string{"does not run while an image is built"}}, nil
	case !apply:
		return driver.Outcome{State: driver.Correct}, nil
	}
	r, err := d.c.Machine.Processes.Run(ctx, system.Command{Args: args, Env: environment(), Dir: "/", Timeout: d.c.Timeout})
	if (e.Tag == postInstall || e.Get("status") == "ignore") && ctx.Err() == nil {
		return driver.Outcome{State: driver.Correct, Changed: true}, nil
	}
	if err != nil {
		// The command's own words may hold a secret: only what happened is told.
		return driver.Outcome{State: driver.Incorrect}, reason(err)
	}
	if r.Exit != 0 {
		return driver.Outcome{State: driver.Incorrect}, fmt.Errorf("the command ended with status %d", r.Exit)
	}
	return driver.Outcome{State: driver.Correct, Changed: true}, nil
}

func reason(err error) error {
	if errors.Is(err, system.ErrTimeout) {
		return fmt.Errorf("the command %w", system.ErrTimeout)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the command was interrupted: %w", err)
	}
	return errors.New("the command could not be started")
}

func environment() []string {
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive",
	}
}

// arguments takes the command apart. A shell sees it only with shell="true".
func (d *Driver) arguments(e *config.Entry) ([]string, error) {
	if e.Name() == "" {
		return nil, errors.New("missing required attribute: name")
	}
	if e.Tag == postInstall {
		return wordsOf(e.Name())
	}
	if _, err := When(e); err != nil {
		return nil, err
	}
	if s := e.Get("status"); s != "" && s != "check" && s != "ignore" {
		return nil, fmt.Errorf("status %q is neither check nor ignore", s)
	}
	command := e.Get("command")
	if e.Get("shell") == "true" && command != "" {
		return []string{"/bin/sh", "-c", command}, nil
	}
	return wordsOf(command)
}

func wordsOf(command string) ([]string, error) {
	args, err := Words(command)
	if err == nil && len(args) == 0 {
		err = errors.New("missing required attribute: command")
	}
	return args, err
}

var _ driver.Driver = (*Driver)(nil)
