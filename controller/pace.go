// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bindery/bindery/internal/schedule"
	"github.com/bindery/bindery/webhooks"
)

const (
	// debounce is how long a preview is put off where another commit of the same pull
	// request was shown just before: people push twice within a moment.
	debounce = 3 * time.Second
	// glance is how often work in progress is held against the forge where no webhook
	// says that something changed.
	glance = time.Minute
	// maxCut is how often in a row a preview gives way to the publication of the branch.
	maxCut = 2
	// leastRest is how long a forge is left alone that does not say for how long.
	leastRest = time.Minute
	// mostRest bounds how long a forge is left alone that does not answer.
	mostRest = 5 * time.Minute
)

// errSuperseded is work that nobody needs any more.
var errSuperseded = errors.New("superseded")

// errResting is a forge that is left alone for a while.
var errResting = errors.New("the forge is left alone")

// pace says when what is done: what is newer comes first, what is of no use any more
// is dropped, and a forge that wants its rest has it. All of it may be forgotten.
type pace struct {
	clock schedule.Clock
	// wake makes the loop look again.
	wake func()
	// changed tells whoever works that something may have changed.
	changed chan struct{}
	// stopped is closed when the controller is.
	stopped chan struct{}

	mu      sync.Mutex
	stirred bool      // something came since this look began
	rests   time.Time // until when the forge is left alone
	limited bool      // it asked for that
	silent  int       // how often in a row it did not answer
	minded  bool      // soon makes the loop look

	// Below: only the loop uses it.

	// turn is the pull request that was built last: the next look begins after it.
	turn int
	// passes counts the looks in a row that ended early.
	passes int
	// cut counts how often in a row a preview gave way.
	cut map[int]int
	// told are the heads that were shown last, and when.
	told map[int]telling
}

type telling struct {
	head string
	at   time.Time
}

func newPace(clock schedule.Clock, wake func()) *pace {
	return &pace{clock: clock.OrMachine(), wake: wake, changed: make(chan struct{}, 1), stopped: make(chan struct{}), cut: map[int]int{}, told: map[int]telling{}}
}

// stir says that something may have changed. A forge that says so is there again.
func (c *pace) stir(byForge bool) {
	c.mu.Lock()
	c.stirred = true
	if byForge && !c.limited {
		c.rests = time.Time{}
	}
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
	c.wake()
}

// begin begins a look at everything.
func (c *pace) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stirred = false
	select {
	case <-c.changed:
	default:
	}
}

func (c *pace) wasStirred() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stirred
}

// close ends what waits.
func (c *pace) close() error {
	close(c.stopped)
	return nil
}

// later makes the loop look again after a while.
func (c *pace) later(d time.Duration) { c.after(d, c.wake) }

// soon is later for what comes often: of those that wait at one time the first counts.
func (c *pace) soon(d time.Duration) {
	c.mu.Lock()
	minded := c.minded
	c.minded = true
	c.mu.Unlock()
	if minded {
		return
	}
	c.after(d, func() {
		c.mu.Lock()
		c.minded = false
		c.mu.Unlock()
		c.wake()
	})
}

// after does something once some time is over.
func (c *pace) after(d time.Duration, do func()) {
	due, stop := c.clock.After(d)
	go func() {
		defer stop()
		select {
		case <-due:
			do()
		case <-c.stopped:
		}
	}()
}

// resting tells whether the forge is left alone now.
func (c *pace) resting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clock.Now().Before(c.rests)
}

// answered notes that the forge is there.
func (c *pace) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silent, c.limited, c.rests = 0, false, time.Time{}
}

// rest leaves the forge alone after an error, and gives for how long; 0: not at all.
func (c *pace) rest(err *webhooks.Error) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var d time.Duration
	switch err.Reason {
	case webhooks.RateLimited:
		c.limited, d = true, max(err.After, leastRest)
	case webhooks.Unreachable, webhooks.Unavailable:
		d = min(time.Second<<min(c.silent, 10), mostRest)
		c.silent++
	default:
		return 0
	}
	c.rests = c.clock.Now().Add(d)
	return d
}

// limitedBy tells whether an error is the forge's wish to be left alone.
func limitedBy(err error) bool {
	fe, ok := errors.AsType[*webhooks.Error](err)
	return ok && fe.Reason == webhooks.RateLimited
}

// inTurn puts those first that come after the one that was built last.
func (c *pace) inTurn(pulls []webhooks.Pull) []webhooks.Pull {
	i := slices.IndexFunc(pulls, func(p webhooks.Pull) bool { return p.Number > c.turn })
	if i <= 0 {
		return pulls
	}
	return slices.Concat(pulls[i:], pulls[:i])
}

// yields tells whether the look ends early, because something came while a preview was
// built: the branch goes first, and what is open may be out of date. Each look builds
// one at least, in turn, and now and then one goes to its end.
func (c *pace) yields(open int) bool {
	if !c.wasStirred() || c.passes > open {
		c.passes = 0
		return false
	}
	c.passes++
	return true
}

// tooSoon says how long a head is to wait because another was shown just before.
func (c *pace) tooSoon(pull webhooks.Pull) time.Duration {
	last, ok := c.told[pull.Number]
	if !ok || last.head == pull.Head {
		return 0
	}
	return max(debounce-c.clock.Now().Sub(last.at), 0)
}

// showed notes that a head was shown.
func (c *pace) showed(pull webhooks.Pull) {
	c.told[pull.Number] = telling{pull.Head, c.clock.Now()}
	delete(c.cut, pull.Number)
}

// keep forgets the pull requests that are not open any more.
func (c *pace) keep(open []webhooks.Pull) {
	numbers := map[int]bool{}
	for _, pull := range open {
		numbers[pull.Number] = true
	}
	for number := range c.told {
		if !numbers[number] {
			delete(c.told, number)
			delete(c.cut, number)
		}
	}
}

// useful runs a step for a pull request and cancels it once it is of no use: the pull
// request was pushed to or closed meanwhile, or the branch moved and goes first.
func (p *pipeline) useful(ctx context.Context, tip string, pull webhooks.Pull, step func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for p.pace.waits(ctx) {
			if why := p.outdated(ctx, tip, pull); why != nil {
				cancel(why)
				return
			}
			p.pace.pause(ctx, debounce)
		}
	}()
	err := step(ctx)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errSuperseded) {
		err = cause
	}
	cancel(nil)
	<-ended
	return err
}

// pause waits, or until the context ends.
func (c *pace) pause(ctx context.Context, d time.Duration) {
	due, stop := c.clock.After(d)
	defer stop()
	select {
	case <-ctx.Done():
	case <-due:
	}
}

// waits waits until something may have changed; false: the context ended.
func (c *pace) waits(ctx context.Context) bool {
	due, stop := c.clock.After(glance)
	defer stop()
	select {
	case <-ctx.Done():
		return false
	case <-c.changed:
	case <-due:
	}
	return ctx.Err() == nil
}

// outdated says why a preview is of no use any more, nil if it is. What cannot be
// found out stops nothing.
func (p *pipeline) outdated(ctx context.Context, tip string, pull webhooks.Pull) error {
	if now, err := p.forge.Pull(ctx, pull.Number); err == nil && (!now.Open || now.Head != pull.Head || now.BaseRef != pull.BaseRef) {
		p.pace.stir(false)
		return fmt.Errorf("%w: pull request %d is at %.12s now", errSuperseded, pull.Number, now.Head)
	}
	if p.pace.cut[pull.Number] >= maxCut || p.mirror.Fetch(ctx, "refs/heads/"+p.branch) != nil {
		return nil
	}
	if now, err := p.mirror.Resolve(ctx, "refs/heads/"+p.branch); err == nil && now != tip {
		p.pace.stir(false)
		return fmt.Errorf("%w: the branch is at %.12s now", errSuperseded, now)
	}
	return nil
}
