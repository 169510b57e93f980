// SPDX-License-Identifier: Apache-2.0

// Package events tells other programs what came of a host's run, as Bcfg2's Trigger
// and Reporting did: a signed HTTP request for each accepted report. It must not know
// how reports come in, and never runs code of a specification.
package events

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

const (
	// SignatureHeader carries "sha256=" and the HMAC-SHA256 of the body, in hex.
	SignatureHeader = "X-Bindery-Signature-256"
	// queued is how many events wait for a receiver that is slow. More are dropped: a
	// report is in the database whether anybody was told or not.
	queued = 1000
	// timeout bounds one request.
	timeout = 10 * time.Second
)

// Event is what came of one run.
type Event struct {
	Event       string    `json:"event"` // "report"
	Host        string    `json:"host"`
	Environment string    `json:"environment"`
	Profile     string    `json:"profile,omitempty"`
	Groups      []string  `json:"groups,omitempty"`
	State       string    `json:"state"`
	Commit      string    `json:"commit,omitempty"`
	DryRun      bool      `json:"dry_run,omitempty"`
	Total       int       `json:"total"`
	Good        int       `json:"good"`
	Bad         int       `json:"bad"`
	Changed     int       `json:"changed"`
	Extra       int       `json:"extra"`
	At          time.Time `json:"at"`
}

// Hook is a receiver.
type Hook struct {
	URL string
	// Secret signs what is sent.
	Secret []byte
}

// Config is a Sender's.
type Config struct {
	Hooks []Hook
	// Client sends. It must not follow redirects to elsewhere.
	Client *http.Client
	Logger *slog.Logger
}

// Sender tells receivers. It is safe for concurrent use.
type Sender struct {
	c      Config
	queues []chan Event
}

// New makes a Sender.
func New(c Config) (*Sender, error) {
	if c.Client == nil || c.Logger == nil {
		return nil, errors.New("events: incomplete")
	}
	s := &Sender{c: c}
	for range c.Hooks {
		s.queues = append(s.queues, make(chan Event, queued))
	}
	return s, nil
}

// Send leaves an event for every receiver and does not wait.
func (s *Sender) Send(e Event) {
	for i, q := range s.queues {
		select {
		case q <- e:
		default:
			s.c.Logger.Warn("event dropped: its receiver is too slow", "receiver", i, "host", e.Host)
		}
	}
}

// Run tells one receiver after the other what is left for it, until the context ends.
func (s *Sender) Run(ctx context.Context) error {
	done := make(chan struct{})
	for i := range s.queues {
		go func() {
			defer func() { done <- struct{}{} }()
			s.work(ctx, i)
		}()
	}
	for range s.queues {
		<-done
	}
	<-ctx.Done()
	return ctx.Err()
}

func (s *Sender) work(ctx context.Context, i int) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-s.queues[i]:
			if err := s.tell(ctx, s.c.Hooks[i], e); err != nil && ctx.Err() == nil {
				// The address may hold a secret, so that only its place is named.
				s.c.Logger.Warn("event not delivered", "receiver", i, "host", e.Host, "reason", reason(err))
			}
		}
	}
}

// statusError is an answer that is no success.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("it answered %d", int(e)) }

// reason says why without the address, which errors of the HTTP client quote.
func reason(err error) string {
	var status statusError
	switch {
	case errors.As(err, &status):
		return status.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "it did not answer in time"
	}
	return "it cannot be reached"
}

func (s *Sender) tell(ctx context.Context, h Hook, e Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, h.Secret)
	mac.Write(body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(SignatureHeader, "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := s.c.Client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return statusError(resp.StatusCode)
	}
	return nil
}
