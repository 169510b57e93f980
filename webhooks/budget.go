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
)

// Budget counts what is asked of a forge, and refuses what would be too much before the
// forge has to. It implements http.RoundTripper. It is for the packages of forges.
type Budget struct {
	base http.RoundTripper
	now  func() time.Time

	mu    sync.Mutex
	made  []time.Time // of the last hour, oldest first
	limit int         // requests of a period, 0 while unknown
	left  int
	reset time.Time
}

// NewBudget makes one in front of base. now may be nil: time.Now.
func NewBudget(base http.RoundTripper, now func() time.Time) *Budget {
	if now == nil {
		now = time.Now
	}
	return &Budget{base: base, now: now}
}

// RoundTrip implements http.RoundTripper.
func (b *Budget) RoundTrip(r *http.Request) (*http.Response, error) {
	if makes(r) {
		if wait := b.take(); wait > 0 {
			return nil, &Error{Op: "write", Reason: RateLimited, After: wait, Err: errors.New("so much in a short time is more than a forge takes")}
		}
	}
	resp, err := b.base.RoundTrip(r)
	if err == nil {
		b.note(resp.Header)
	}
	return resp, err
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
func (b *Budget) note(h http.Header) {
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
