// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// previewTime is how long one preview may take. Anybody may open a pull request, and
// while it is built the branch is not published.
const previewTime = 10 * time.Minute

// errSlow is a pull request that took too long. It is not tried again before
// something changes: it would take as long.
var errSlow = errors.New("it took too long")

// within bounds the time of a step. What it waits for others does not count.
func within(ctx context.Context, most time.Duration, step func(context.Context) error) error {
	timed, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a := &stint{left: most, end: func() { cancel(errSlow) }}
	a.run()
	defer a.pause()
	err := step(context.WithValue(timed, stintKey{}, a))
	if err != nil && errors.Is(context.Cause(timed), errSlow) {
		return fmt.Errorf("%w (more than %s): %w", errSlow, most, err)
	}
	return err
}

// stint is the time that a step has left.
type stint struct {
	end func()

	mu    sync.Mutex
	left  time.Duration
	since time.Time
	timer *time.Timer
}

type stintKey struct{}

func (a *stint) run() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.since, a.timer = time.Now(), time.AfterFunc(a.left, a.end)
}

func (a *stint) pause() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.timer.Stop()
	a.left -= time.Since(a.since)
}

// waiting stops the clock of the step that a context is of until resume is called.
func waiting(ctx context.Context) (resume func()) {
	a, timed := ctx.Value(stintKey{}).(*stint)
	if !timed {
		return func() {}
	}
	a.pause()
	return a.run
}
