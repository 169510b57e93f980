// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/release"
)

const (
	defaultGrace = 30 * time.Second
	checkTimeout = 10 * time.Second
	checkAgain   = time.Second
)

// fileUnchecked is there from the first change of a run until its health checks have
// ended. One that is found was left by a run that was killed.
const fileUnchecked = "unchecked.json"

// unchecked names the oldest run of which nobody knows whether it left the host well.
type unchecked struct {
	Run int64 `json:"run"`
}

// owe notes before the first change of a run that checks are due after it, or after an
// older one.
func (a *Agent) owe(policy []release.Health, older, id int64) error {
	if len(policy) == 0 || older > 0 {
		return nil
	}
	return a.c.State.Save(fileUnchecked, unchecked{Run: id})
}

// overdue is the run whose checks were not made to the end, 0 for none. Where that cannot
// be read it is the last one.
func (a *Agent) overdue() (int64, error) {
	var u unchecked
	found, err := a.c.State.Demand(fileUnchecked, &u)
	if errors.Is(err, state.ErrTorn) {
		u.Run, err = a.journal.Last()
		found = true
	}
	if errors.Is(err, journal.ErrNoRun) || err == nil && !found {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	runs, err := a.journal.Runs()
	if err != nil {
		return 0, err
	}
	for _, past := range runs {
		if past.ID == u.Run && past.UndoneBy == 0 {
			return u.Run, nil
		}
	}
	return 0, nil // it was taken back, or is too old to be
}

// clearDoubts notes that a run was taken back: nothing is left to be confirmed or checked.
func (a *Agent) clearDoubts() error {
	return errors.Join(a.c.State.Remove(fileUnconfirmed), a.c.State.Remove(fileUnchecked))
}

// ill finds the first bundle that is not well after its change, nil if all are. Each
// has its time of grace. After a run that was killed nobody knows any more what it
// changed: then all are asked.
func (r *run) ill(ctx context.Context, policy []release.Health, all bool) (reason string, err error) {
	for _, h := range policy {
		for _, b := range r.bundles {
			if b.Name() != h.Bundle || !all && !r.stirred(b) {
				continue
			}
			if why := r.unwell(ctx, h); why != nil && ctx.Err() == nil {
				return fmt.Sprintf("health check of bundle %s: %s", h.Bundle, why), nil
			}
		}
		if err := ctx.Err(); err != nil {
			return "", err
		}
	}
	return "", nil
}

// unwell asks the checks of one bundle until all are good at once, and still are a moment
// later, or the grace is over: a service that dies and is started again and again is well
// whenever it was just started.
func (a *Agent) unwell(ctx context.Context, h release.Health) error {
	if h.Grace == 0 {
		h.Grace = defaultGrace
	}
	limited, cancel := context.WithTimeout(ctx, h.Grace)
	defer cancel()
	over, _ := limited.Deadline()
	pause := min(checkAgain, h.Grace/10)
	var good []string // what the last round found, nil where something was bad
	var last error
	for {
		found, err := a.round(limited, h.Checks, good)
		switch {
		case err == nil && good != nil:
			return nil
		case err == nil, time.Now().Before(over):
			good, last = found, err
		case good == nil && last == nil:
			last = err
		}
		// An answer that the end of the grace cut off says less than the one before;
		// connections end by the same clock, and may do so before the context.
		select {
		case <-limited.Done():
			if last == nil {
				return a.steady(ctx, h.Checks, good, pause)
			}
			return last
		case <-time.After(pause):
		}
	}
}

// steady asks once more, after the grace, what was good only at its end.
func (a *Agent) steady(ctx context.Context, checks []release.Check, good []string, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
	}
	_, err := a.round(ctx, checks, good)
	return err
}

// round asks all checks once. What it gives tells one start of a unit from another: one
// that was started since the round before is not steady, but may be from now on.
func (a *Agent) round(ctx context.Context, checks []release.Check, before []string) (found []string, bad error) {
	found = make([]string, len(checks))
	for i, c := range checks {
		start, err := a.check(ctx, c)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", c, err)
		case before != nil && start != before[i]:
			bad = fmt.Errorf("%s: it was started again a moment later", c)
		}
		found[i] = start
	}
	return found, bad
}

// check asks one thing. Of a unit it tells which start of it is up.
func (a *Agent) check(ctx context.Context, c release.Check) (start string, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	switch {
	case c.Unit != "":
		if _, err := a.checkProgram(ctx, []string{"systemctl", "is-active", "--quiet", "--", c.Unit}, 0); err != nil {
			return "", err
		}
		return a.checkProgram(ctx, []string{"systemctl", "show", "--property=InvocationID", "--value", "--", c.Unit}, maxAnswer)
	case len(c.Command) > 0:
		_, err := a.checkProgram(ctx, c.Command, 0)
		return "", err
	case c.TCP != "":
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.TCP)
		if err != nil {
			return "", err
		}
		return "", conn.Close()
	case c.HTTP != "":
		return "", checkHTTP(ctx, c)
	}
	return "", errors.New("it asks nothing")
}

// checkProgram asks a program. What it says may be secret: only how it ended is told, and
// up to some bytes of its answer are for whoever asked.
func (a *Agent) checkProgram(ctx context.Context, args []string, answer int) (string, error) {
	if a.c.Machine.Contained() {
		return "", errors.New("no program is run under another root")
	}
	r, err := a.c.Machine.Processes.Run(ctx, system.Command{
		Args: args, Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, Dir: "/", Timeout: checkTimeout, Asks: true, MaxOutput: answer,
	})
	if err != nil {
		return "", err
	}
	if r.Exit != 0 {
		return "", fmt.Errorf("ended with status %d", r.Exit)
	}
	return string(r.Stdout), nil
}

const maxAnswer = 1 << 20

// checkHTTP asks a service of the host itself, past any proxy.
func checkHTTP(ctx context.Context, c release.Check) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.HTTP, nil)
	if err != nil {
		return err
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	good := resp.StatusCode == c.Status
	if c.Status == 0 {
		good = resp.StatusCode >= 200 && resp.StatusCode < 300
	}
	if !good {
		return fmt.Errorf("answered %d", resp.StatusCode)
	}
	return nil
}
