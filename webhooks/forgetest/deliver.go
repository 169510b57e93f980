// SPDX-License-Identifier: Apache-2.0

package forgetest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// keptDeliveries is how many deliveries can be sent again.
const keptDeliveries = 100

// Delivery is one that was sent.
type Delivery struct {
	ID, Event string
	Payload   []byte
	// Code is what the receiver answered, 0 if nothing.
	Code int
}

// HMAC is the HMAC-SHA256 of a payload in hexadecimal.
func HMAC(secret, payload []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write(payload)
	return hex.EncodeToString(mac.Sum(nil))
}

// Deliveries lists what was sent, oldest first.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// deliver sends an event once, as forges do, and remembers it.
func (s *Server) deliver(ctx context.Context, event string, payload Object) {
	data, err := json.Marshal(payload)
	if err != nil {
		s.c.Logger.Error("delivery cannot be encoded", "event", event, "err", err)
		return
	}
	d := Delivery{ID: rand.Text(), Event: event, Payload: data}
	if d.Code, err = s.send(ctx, d); err != nil {
		s.c.Logger.Warn("delivery failed", "event", event, "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, d)
	s.sent = s.sent[max(0, len(s.sent)-keptDeliveries):]
}

// Redeliver sends one again under its old id and gives the receiver's answer.
func (s *Server) Redeliver(ctx context.Context, id string) (int, error) {
	for _, d := range s.Deliveries() {
		if d.ID == id {
			return s.send(ctx, d)
		}
	}
	return 0, fmt.Errorf("no delivery %s", id)
}

func (s *Server) send(ctx context.Context, d Delivery) (int, error) {
	s.mu.Lock()
	url, secret := s.hookURL, s.secret
	s.mu.Unlock()
	if url == "" {
		return 0, nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(d.Payload))
	if err != nil {
		return 0, err
	}
	r.Header = s.skin.Headers(d, secret)
	r.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(r)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	_ = resp.Body.Close()
	return resp.StatusCode, err
}
