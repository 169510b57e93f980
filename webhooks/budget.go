// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// perMinute and perHour are how many requests that make content GitHub takes. The
	// others say no numbers; who keeps to these disturbs none of them.
	perMinute = 80
	perHour   = 500
	// reserve is the part of the requests of an hour that is kept to end what was
	// begun: one in so many.
	reserve = 10
	// leastRest is how long a forge is left alone that asks for it and does not say for
	// how long.
	leastRest = time.Minute
)

// Budget counts what is asked of a forge, and refuses what would be too much before the
// forge has to, and everything while the forge wants to be left alone. Forges count
// by account: all that speaks with one address by one credential shares one Budget.
type Budget struct {
	now func() time.Time

	mu    sync.Mutex
	made  []time.Time // of the last hour, oldest first
	limit int         // requests of a period, 0 while unknown
	left  int
	reset time.Time
	rests time.Time // until when the forge asked to be left alone
}

// NewBudget makes one. now may be nil: time.Now.
func NewBudget(now func() time.Time) *Budget {
	if now == nil {
		now = time.Now
	}
	return &Budget{now: now}
}

// Over puts the budget in front of a transport. It is for the packages of forges.
func (b *Budget) Over(base http.RoundTripper) http.RoundTripper { return budgeted{b, base} }

type budgeted struct {
	*Budget
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b budgeted) RoundTrip(r *http.Request) (*http.Response, error) {
	if wait := b.resting(); wait > 0 {
		return nil, &Error{Op: "ask", Reason: RateLimited, After: wait, Err: errors.New("the forge asked to be left alone")}
	}
	if makes(r) {
		if wait := b.take(); wait > 0 {
			return nil, &Error{Op: "write", Reason: RateLimited, After: wait, Err: errors.New("so much in a short time is more than a forge takes")}
		}
	}
	resp, err := b.base.RoundTrip(r)
	if err == nil {
		b.note(resp)
	}
	return resp, err
}

// resting says how long the forge is to be left alone.
func (b *Budget) resting() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rests.Sub(b.now())
}

// Rest leaves the forge alone for a while, a minute at least. Answers with a code and a
// header for that are seen without being told.
func (b *Budget) Rest(after time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until := b.now().Add(max(after, leastRest)); until.After(b.rests) {
		b.rests = until
	}
}

// makes tells whether a request makes or changes what people see. A token is not that.
func makes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && !strings.HasSuffix(r.URL.Path, "/access_tokens")
}

// take counts one more, or says how long to wait for that.
func (b *Budget) take() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.made = slices.DeleteFunc(b.made, func(t time.Time) bool { return now.Sub(t) >= time.Hour })
	for _, most := range []struct {
		count int
		span  time.Duration
	}{{perHour, time.Hour}, {perMinute, time.Minute}} {
		if n := len(b.made) - most.count; n >= 0 {
			if wait := most.span - now.Sub(b.made[n]); wait > 0 {
				return wait
			}
		}
	}
	b.made = append(b.made, now)
	return 0
}

// note reads what an answer says of the limit.
func (b *Budget) note(resp *http.Response) {
	if reason, after := classifyAnswer(resp); resp.StatusCode >= http.StatusBadRequest && reason == RateLimited {
		b.Rest(after)
	}
	h := resp.Header
	number := func(name string) (int64, bool) {
		for _, prefix := range []string{"X-RateLimit-", "RateLimit-"} {
			if n, err := strconv.ParseInt(h.Get(prefix+name), 10, 64); err == nil {
				return n, true
			}
		}
		return 0, false
	}
	limit, ok := number("Limit")
	left, ok2 := number("Remaining")
	reset, ok3 := number("Reset")
	if !ok || !ok2 || !ok3 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit, b.left, b.reset = int(limit), int(left), time.Unix(reset, 0)
}

// Spare says whether there is enough left to begin something: an *Error of reason
// RateLimited where only the reserve is.
func (b *Budget) Spare(op string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	wait := b.reset.Sub(b.now())
	if b.limit == 0 || wait <= 0 || b.left > b.limit/reserve {
		return nil
	}
	return &Error{Op: op, Reason: RateLimited, After: wait, Err: errors.New("what is left of the forge's limit is kept to end what was begun")}
}
