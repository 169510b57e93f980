// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/bindery/bindery/engine/release"
)

// Config says how the half that runs as root reaches the other.
type Config struct {
	// Fetched is the fetcher's folder, and Owner is whose it is.
	Fetched string
	Owner   int
	// Requests is a folder that root alone writes and the fetcher reads.
	Requests string
	// Root gives the root of trust that the agent keeps, nil before enrolment.
	Root func() ([]byte, error)
	// Start lets the fetcher work, and returns when it has ended.
	Start func(context.Context) error
}

// Transport gives the agent's requests to the fetcher. It opens no connection.
type Transport struct{ c Config }

// New checks a configuration.
func New(c Config) (*Transport, error) {
	if c.Fetched == "" || c.Requests == "" || c.Root == nil || c.Start == nil {
		return nil, errors.New("relay: folders, root and start are needed")
	}
	return &Transport{c: c}, nil
}

// RoundTrip implements http.RoundTripper. A timestamp is asked for by every poll and
// before everything else, so it is what lets the fetcher look for news.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	base, name := split(r.URL.Path)
	if name == "" {
		return nil, fmt.Errorf("%s is nothing that a fetcher is asked for", r.URL.Path)
	}
	req := request{Base: r.URL.Scheme + "://" + r.URL.Host + base}
	if r.Method == http.MethodPost {
		return t.post(r, req, name)
	}
	if path.Base(name) == release.TimestampName {
		req.HostID = path.Base(path.Dir(name))
		if _, err := t.ask(r.Context(), req); err != nil {
			return nil, err
		}
	}
	data, err := look(t.c.Fetched, publicDir+"/"+name, t.c.Owner, release.MaxSealed)
	if errors.Is(err, fs.ErrNotExist) {
		return answer(r, http.StatusNotFound, nil), nil
	}
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	tag := `"` + hex.EncodeToString(sum[:]) + `"`
	status := http.StatusOK
	if r.Header.Get("If-None-Match") == tag {
		status, data = http.StatusNotModified, nil
	}
	resp := answer(r, status, data)
	resp.Header.Set("ETag", tag)
	return resp, nil
}

func (t *Transport) post(r *http.Request, req request, name string) (*http.Response, error) {
	var err error
	if req.Body, err = read(r.Body, "message", release.MaxReport); err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	req.Post = name
	out, err := t.ask(r.Context(), req)
	if err != nil {
		return nil, err
	}
	if out.Status < 200 || out.Status > 599 {
		return nil, fmt.Errorf("%w: an answer of status %d", ErrSuspect, out.Status)
	}
	return answer(r, out.Status, out.Body), nil
}

func answer(r *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// tries is how often the fetcher is started for one request: it may have been at work
// for somebody else.
const tries = 3

// ask leaves a request and lets the fetcher work on it.
func (t *Transport) ask(ctx context.Context, req request) (*outcome, error) {
	req.ID = rand.Text()
	if req.HostID != "" {
		var err error
		if req.Root, err = t.c.Root(); err != nil {
			return nil, err
		}
	}
	// Facts and reports are nobody's business once they were sent.
	defer func() { _ = os.Remove(filepath.Join(t.c.Requests, fileRequest)) }()
	var started error
	for range tries {
		if err := putJSON(t.c.Requests, fileRequest, req, 0o640); err != nil {
			return nil, err
		}
		started = t.c.Start(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var out outcome
		found, err := lookJSON(t.c.Fetched, fileOutcome, t.c.Owner, &out)
		if err != nil {
			return nil, err
		}
		if found && out.ID == req.ID {
			return &out, out.err()
		}
	}
	if started != nil {
		return nil, fmt.Errorf("start the fetcher: %w", started)
	}
	return nil, errors.New("the fetcher left no answer")
}

const maxWords = 400

// err is what the fetcher says went wrong. Its words are shown to people, and decide
// nothing but the colour of a report.
func (o *outcome) err() error {
	if o.Error == "" {
		return nil
	}
	words := strings.ToValidUTF8(o.Error[:min(len(o.Error), maxWords)], "")
	if o.Untrusted {
		return fmt.Errorf("%w: %q", release.ErrUntrusted, words)
	}
	return fmt.Errorf("the fetcher: %q", words)
}
