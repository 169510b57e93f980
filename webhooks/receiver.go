// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/time/rate"
)

const (
	defaultMaxBody = 25 << 20 // GitHub's own limit
	defaultRate    = 10
	defaultBurst   = 60
	minSecret      = 16
	maxSecrets     = 2
	maxDeliveryID  = 128
)

// Deliveries remembers which deliveries came.
type Deliveries interface {
	// Seen records an id and says whether it was there before.
	Seen(ctx context.Context, id string) (bool, error)
}

// ReceiverConfig says what a Receiver accepts.
type ReceiverConfig struct {
	// Routes say whose deliveries these are, and who is told.
	Routes []Route
	// Dialect is the forge's way to send deliveries.
	Dialect Dialect
	// Deliveries remembers ids.
	Deliveries Deliveries
	// MaxBody bounds a delivery. Zero: 25 MiB.
	MaxBody int64
	// Rate and Burst bound the deliveries per second. Zero: 10 and 60.
	Rate  float64
	Burst int
	// Logger gets refusals. Nil: none.
	Logger *slog.Logger
}

// Route is where deliveries of one repository go.
type Route struct {
	// Repo is the repository, as payloads name it. "": payloads of this dialect name
	// none, and the secret alone tells.
	Repo string
	// Secrets are the one or two active secrets, 16 bytes or more each: while
	// one is replaced by another, both are good. A delivery that another route's
	// secret proves is not this one's.
	Secrets [][]byte
	// Wake gets each Event. It must not block.
	Wake func(Event)
}

// takes tells whether a proven delivery is about the route's repository. Forges do not
// mind the case of names, and a ping may name none.
func (r Route) takes(e Event) bool {
	return r.Repo == "" || strings.EqualFold(r.Repo, e.Repo) || e.Kind == Ping && e.Repo == ""
}

// ErrIgnored is a delivery that is genuine and concerns nobody.
var ErrIgnored = errors.New("delivery of no interest")

// Receiver is the handler of POST /webhooks/FORGE: it verifies a
// delivery, wakes the controller and answers at once. It works on nothing.
type Receiver struct {
	c     ReceiverConfig
	limit *rate.Limiter
}

// NewReceiver makes a Receiver. Without a secret it refuses: whoever accepts
// unsigned deliveries should not find out by reading code.
func NewReceiver(c ReceiverConfig) (*Receiver, error) {
	if len(c.Routes) == 0 {
		return nil, errors.New("webhook: no route")
	}
	for _, r := range c.Routes {
		if err := r.check(); err != nil {
			return nil, err
		}
	}
	if c.Dialect.Decode == nil || c.Dialect.Token == "" && len(c.Dialect.Signature) == 0 {
		return nil, errors.New("webhook: the dialect decodes nothing, or proves nothing")
	}
	if c.Deliveries == nil {
		return nil, errors.New("webhook: Deliveries are needed")
	}
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.Rate == 0 {
		c.Rate = defaultRate
	}
	if c.Burst == 0 {
		c.Burst = defaultBurst
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Receiver{c: c, limit: rate.NewLimiter(rate.Limit(c.Rate), c.Burst)}, nil
}

func (r Route) check() error {
	if len(r.Secrets) == 0 || len(r.Secrets) > maxSecrets {
		return fmt.Errorf("webhook: %d secrets, want 1 or %d", len(r.Secrets), maxSecrets)
	}
	for i, s := range r.Secrets {
		if len(s) < minSecret {
			return fmt.Errorf("webhook: secret %d has less than %d bytes", i+1, minSecret)
		}
	}
	if r.Wake == nil {
		return errors.New("webhook: Wake is needed")
	}
	return nil
}

// ServeHTTP implements http.Handler. Answers: 202 taken, 200 taken before, 204
// of no interest or of a repository without a route, 400 malformed, 401 not signed by an active secret, 405, 413,
// 415, 429. What is lost to a limit is found by the next poll.
func (rc *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	code, msg := rc.receive(w, r)
	if code == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	if code >= http.StatusBadRequest {
		rc.c.Logger.Warn("webhook refused", "code", code, "reason", msg, "remote", r.RemoteAddr)
		http.Error(w, msg, code)
		return
	}
	w.WriteHeader(code)
}

func (rc *Receiver) receive(w http.ResponseWriter, r *http.Request) (int, string) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed, "only POST"
	}
	if !rc.limit.Allow() {
		return http.StatusTooManyRequests, "too many deliveries"
	}
	d := rc.c.Dialect
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); !d.AnyBody && (err != nil || media != "application/json") {
		return http.StatusUnsupportedMediaType, "content type is not application/json"
	}
	proof, ok := d.proof(r.Header)
	if !ok {
		return http.StatusUnauthorized, "no signature"
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, rc.c.MaxBody))
	if err != nil {
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			return http.StatusRequestEntityTooLarge, "body too large"
		}
		return http.StatusBadRequest, "body cut off"
	}
	var proven []Route
	for _, route := range rc.c.Routes {
		if d.proves(proof, body, route.Secrets) {
			proven = append(proven, route)
		}
	}
	if len(proven) == 0 {
		return http.StatusUnauthorized, "wrong signature"
	}
	id, kind, ok := d.identify(r.Header, body)
	if !ok {
		return http.StatusBadRequest, "no delivery id or event name"
	}
	return rc.accept(r.Context(), id, kind, body, proven)
}

func (rc *Receiver) accept(ctx context.Context, id, kind string, body []byte, proven []Route) (int, string) {
	event, err := rc.c.Dialect.Decode(kind, body)
	if errors.Is(err, ErrIgnored) {
		return http.StatusNoContent, ""
	}
	if err != nil {
		return http.StatusBadRequest, "payload cannot be read"
	}
	told := slices.DeleteFunc(proven, func(r Route) bool { return !r.takes(event) })
	if len(told) == 0 {
		rc.c.Logger.Info("webhook of a repository that is not in the settings", "kind", event.Kind)
		return http.StatusNoContent, ""
	}
	event.Delivery = id
	// A store that cannot be written costs the memory of this id, not the event.
	if event.Repeated, err = rc.c.Deliveries.Seen(ctx, id); err != nil {
		rc.c.Logger.Error("delivery id not recorded", "err", err)
	}
	for _, r := range told {
		r.Wake(event)
	}
	if event.Repeated {
		return http.StatusOK, ""
	}
	return http.StatusAccepted, ""
}

func validID(s string) bool {
	if s == "" || len(s) > maxDeliveryID {
		return false
	}
	for _, r := range s {
		if r <= ' ' || r > '~' {
			return false
		}
	}
	return true
}
