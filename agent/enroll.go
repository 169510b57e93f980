// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/engine/release"
)

// Names of the enrolment's files. The identity is secret.
const (
	fileIdentity  = "identity"
	fileEnrolment = "enrolment.json"
)

// Enrolment is who the host is, and where its releases come from.
type Enrolment struct {
	Host   string `json:"host"`
	HostID string `json:"host_id"`
	URL    string `json:"url"`
	// Time is the controller's at enrolment: no clock can be right before it.
	Time time.Time `json:"time"`
}

// EnrolConfig says how to enrol.
type EnrolConfig struct {
	State  *state.Dir
	Client *http.Client
	URL    string
	Host   string
	Token  release.Token
	// Again replaces an earlier enrolment of this host.
	Again bool
}

// ErrEnrolled is a host that has an identity already.
var ErrEnrolled = errors.New("this host is enrolled already")

// Enrol makes an identity, proves it with a one-time token and pins the root that
// the token names. An enrolment that was cut off is taken up with the same
// identity, so that its token still works.
func Enrol(ctx context.Context, c EnrolConfig) (*Enrolment, error) {
	base, err := checkURL(c.URL)
	if err != nil {
		return nil, err
	}
	unlock, err := c.State.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	var before Enrolment
	enrolled, err := c.State.Load(fileEnrolment, &before)
	if err != nil {
		return nil, err
	}
	if enrolled && !c.Again {
		return nil, fmt.Errorf("%w as %s", ErrEnrolled, before.Host)
	}
	if enrolled {
		if err := forget(c.State); err != nil {
			return nil, err
		}
	}
	id, err := identity(c.State)
	if err != nil {
		return nil, err
	}
	welcome, err := c.talk(ctx, base, release.NewEnrolment(id, c.Token, c.Host))
	if err != nil {
		return nil, err
	}
	e := &Enrolment{Host: welcome.Host, HostID: welcome.HostID, URL: base, Time: welcome.Time}
	if err := c.State.Write(fileRoot, welcome.Root); err != nil {
		return nil, err
	}
	return e, c.State.Save(fileEnrolment, e)
}

// forget drops everything of an earlier enrolment, the record of it first.
func forget(d *state.Dir) error {
	for _, name := range []string{
		fileEnrolment, fileIdentity, fileRoot, fileTimestamp, fileSnapshot, fileTargets, fileFreshness, spoolDir, fileApplied,
		fileFacts, fileLast, fileSaid, fileSettled, outboxDir,
	} {
		if err := d.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// identity loads the host's keys, or makes and keeps them.
func identity(d *state.Dir) (*release.Identity, error) {
	data, err := d.Read(fileIdentity, maxIdentity)
	if err != nil {
		return nil, err
	}
	if data != nil {
		if id, err := release.ParseIdentity(data); err == nil {
			return id, nil
		}
	}
	id, err := release.NewIdentity()
	if err != nil {
		return nil, err
	}
	if data, err = id.Marshal(); err != nil {
		return nil, err
	}
	return id, d.Write(fileIdentity, data)
}

const maxIdentity = 64 << 10

// talk goes through both steps of the protocol.
func (c EnrolConfig) talk(ctx context.Context, base string, e *release.Enrolment) (*release.Welcome, error) {
	first, err := e.Request()
	if err != nil {
		return nil, err
	}
	answer, err := post(ctx, c.Client, base+"/api/v1/enroll", first)
	if err != nil {
		return nil, fmt.Errorf("enrol: %w", err)
	}
	second, err := e.Respond(answer)
	if err != nil {
		return nil, err
	}
	if answer, err = post(ctx, c.Client, base+"/api/v1/enroll", second); err != nil {
		return nil, fmt.Errorf("enrol: %w", err)
	}
	return e.Finish(answer)
}

func loadEnrolment(d *state.Dir) (Enrolment, *release.Identity, error) {
	var e Enrolment
	found, err := d.Load(fileEnrolment, &e)
	if err != nil {
		return e, nil, err
	}
	if !found || !release.ValidHostID(e.HostID) {
		return e, nil, fmt.Errorf("%w: no enrolment in %s", ErrNotEnrolled, d.Path())
	}
	data, err := d.Read(fileIdentity, maxIdentity)
	if err != nil {
		return e, nil, err
	}
	id, err := release.ParseIdentity(data)
	if err != nil {
		return e, nil, fmt.Errorf("%w: %w", ErrNotEnrolled, err)
	}
	return e, id, nil
}

// checkURL accepts http and https without credentials.
func checkURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("the controller's address must be http[s]://host[:port][/path]")
	}
	return strings.TrimSuffix(text, "/"), nil
}

// RefusedError is an answer of the controller that says no.
type RefusedError struct {
	Status int
	// Reason is the controller's word, or the first line of whatever answered.
	Reason string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the controller refused with %d: %q", e.Status, e.Reason)
}

// Final tells whether the same message would be refused again. What may be the
// fault of a wrong address or of a busy server is not final.
func (e *RefusedError) Final() bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict, http.StatusGone,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// maxRefusal bounds what is read of an answer that says no.
const maxRefusal = 2000

// reason is the detail of a problem document (RFC 9457), else the first line.
func reason(body []byte) string {
	var doc struct {
		Detail string `json:"detail"`
	}
	text := string(body)
	if json.Unmarshal(body, &doc) == nil && doc.Detail != "" {
		text = doc.Detail
	}
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line[:min(len(line), 300)]
}

// Unwrap tells a refusal for trust from a message that does not suit the
// controller now.
func (e *RefusedError) Unwrap() error {
	if e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden {
		return release.ErrUntrusted
	}
	return ErrUnavailable
}

// post sends a signed message and returns the answer.
func post(ctx context.Context, client *http.Client, to string, message []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(message))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "bindery-agent")
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
		return nil, &RefusedError{Status: resp.StatusCode, Reason: reason(body)}
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, release.MaxEnrolment+1))
	if err != nil {
		return nil, fmt.Errorf("%w: read answer: %w", ErrUnavailable, err)
	}
	return data, nil
}
