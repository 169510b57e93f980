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

	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/release"
)

const (
	defaultGrace = 30 * time.Second
	checkTimeout = 10 * time.Second
	checkAgain   = time.Second
)

// ill finds the first bundle that is not well after its change, nil if all are. Each
// has its time of grace.
func (r *run) ill(ctx context.Context, policy []release.Health) (reason string, err error) {
	for _, h := range policy {
		for _, b := range r.bundles {
			if b.Name() != h.Bundle || !r.stirred(b) {
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

// unwell asks the checks of one bundle until all are good or the grace is over.
func (a *Agent) unwell(ctx context.Context, h release.Health) error {
	if h.Grace == 0 {
		h.Grace = defaultGrace
	}
	limited, cancel := context.WithTimeout(ctx, h.Grace)
	defer cancel()
	todo := h.Checks
	var last error
	for {
		var bad []release.Check
		for _, c := range todo {
			if err := a.check(limited, c); err != nil {
				if limited.Err() == nil || last == nil {
					last = fmt.Errorf("%s: %w", c, err)
				}
				bad = append(bad, c)
			}
		}
		if len(bad) == 0 {
			return nil
		}
		todo = bad
		select {
		case <-limited.Done():
			return last
		case <-time.After(min(checkAgain, h.Grace/10)):
		}
	}
}

func (a *Agent) check(ctx context.Context, c release.Check) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	switch {
	case c.Unit != "":
		return a.checkProgram(ctx, []string{"systemctl", "is-active", "--quiet", "--", c.Unit})
	case len(c.Command) > 0:
		return a.checkProgram(ctx, c.Command)
	case c.TCP != "":
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.TCP)
		if err != nil {
			return err
		}
		return conn.Close()
	case c.HTTP != "":
		return checkHTTP(ctx, c)
	}
	return errors.New("it asks nothing")
}

// checkProgram asks a program. What it says may be secret: only how it ended is
// told.
func (a *Agent) checkProgram(ctx context.Context, args []string) error {
	if a.c.Machine.Contained() {
		return errors.New("no program is run under another root")
	}
	r, err := a.c.Machine.Processes.Run(ctx, system.Command{
		Args: args, Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, Dir: "/", Timeout: checkTimeout, Asks: true,
	})
	if err != nil {
		return err
	}
	if r.Exit != 0 {
		return fmt.Errorf("ended with status %d", r.Exit)
	}
	return nil
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
