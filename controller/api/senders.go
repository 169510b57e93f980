// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/bindery/bindery/controller/store"
)

// kind is a kind of message of an enrolled host.
type kind int

const (
	kindFacts kind = iota
	kindReport
	kinds
)

// How many messages a host may send: an agent that was cut off tells 32 reports at
// once, and facts bind the host anew.
var limits = [kinds]struct {
	every time.Duration
	burst int
}{
	kindFacts:  {5 * time.Second, 12},
	kindReport: {time.Second, 64},
}

// senders limits each host. Only hosts whose signature was verified are in it, so
// the fleet bounds it. A message seen before costs its host nothing: else whoever
// records one could keep the host from being heard.
type senders struct {
	mu    *sync.Mutex
	hosts map[string]*sender
}

type sender struct {
	limit [kinds]*rate.Limiter
	// last are the counters that are known to be in the database.
	last [kinds]int64
}

func newSenders() senders { return senders{mu: &sync.Mutex{}, hosts: map[string]*sender{}} }

func (s senders) get(hostID string) *sender {
	h := s.hosts[hostID]
	if h == nil {
		h = &sender{}
		for k, l := range limits {
			h.limit[k] = rate.NewLimiter(rate.Every(l.every), l.burst)
		}
		s.hosts[hostID] = h
	}
	return h
}

func (s senders) admit(k kind, hostID string, counter int64, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.get(hostID)
	if h.last[k] != 0 && counter <= h.last[k] {
		return store.ErrReplayed
	}
	if !h.limit[k].AllowN(now, 1) {
		return errLimited
	}
	return nil
}

// accepted remembers a counter that the database has.
func (s senders) accepted(k kind, hostID string, counter int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.get(hostID)
	h.last[k] = max(h.last[k], counter)
}

// learn remembers, of a message that the database refused as a replay, that its
// counter is taken.
func (s senders) learn(k kind, hostID string, counter int64, err error) error {
	if errors.Is(err, store.ErrReplayed) {
		s.accepted(k, hostID, counter)
	}
	return err
}
