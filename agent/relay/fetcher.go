// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/engine/release"
)

// FetcherConfig says how the half that talks to the network works.
type FetcherConfig struct {
	// Fetched is its own folder.
	Fetched string
	// Requests is the agent's, and Owner is whose it is.
	Requests string
	Owner    int
	// Client sends all requests; it brings time-outs and limits.
	Client *http.Client
	// Now is the clock.
	Now func() time.Time
}

// Fetcher talks to the network.
type Fetcher struct{ c FetcherConfig }

// NewFetcher checks a configuration.
func NewFetcher(c FetcherConfig) (*Fetcher, error) {
	if c.Fetched == "" || c.Requests == "" || c.Client == nil || c.Now == nil {
		return nil, errors.New("relay: folders, client and clock are needed")
	}
	return &Fetcher{c: c}, nil
}

// ErrNoRequest is an agent that wants nothing.
var ErrNoRequest = errors.New("the agent has left no request")

// Fetch works on the request that is there, and leaves what came of it. The error is
// the same as in the outcome, for the log.
func (f *Fetcher) Fetch(ctx context.Context) error {
	var req request
	found, err := lookJSON(f.c.Requests, fileRequest, f.c.Owner, &req)
	if err != nil {
		return err
	}
	if !found || req.ID == "" {
		return ErrNoRequest
	}
	out := outcome{ID: req.ID}
	if req.Post != "" {
		err = f.send(ctx, req, &out)
	} else {
		err = f.poll(ctx, req)
	}
	if err != nil {
		out.Error, out.Untrusted = words(err), errors.Is(err, release.ErrUntrusted)
	}
	return errors.Join(err, putJSON(f.c.Fetched, fileOutcome, out, 0o600))
}

// words are those of an error without the address, which the agent names itself.
func words(err error) string {
	text := err.Error()
	if u := (*url.Error)(nil); errors.As(err, &u) {
		text = strings.Replace(text, u.Error(), u.Err.Error(), 1)
	}
	return text
}

func (f *Fetcher) send(ctx context.Context, req request, out *outcome) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, req.Base+"/"+req.Post, bytes.NewReader(req.Body))
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", userAgent)
	resp, err := f.c.Client.Do(r)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	defer resp.Body.Close()
	if out.Body, err = read(resp.Body, "answer", release.MaxEnrolment); err != nil {
		return err
	}
	out.Status = resp.StatusCode
	return nil
}

const userAgent = "bindery-agent"

// memory is what the fetcher knows besides documents.
type memory struct {
	// Root is when a next root was looked for.
	Root time.Time `json:"root"`
	// Base and ETag are of the kept timestamp.
	Base string `json:"base"`
	ETag string `json:"etag"`
}

// poll brings what is published up to date. After a refusal it looks for a next root
// and tries once more without what it kept: keys that were rotated heal it.
func (f *Fetcher) poll(ctx context.Context, req request) error {
	var m memory
	if _, err := lookJSON(f.c.Fetched, fileMemory, os.Geteuid(), &m); err != nil {
		return err
	}
	since := f.c.Now().Sub(m.Root)
	p := &polling{Fetcher: f, req: req, memory: m, roots: since >= rootEvery || since < 0}
	if m.Base != req.Base {
		p.memory.ETag = ""
	}
	err := p.run(ctx)
	if errors.Is(err, release.ErrUntrusted) && ctx.Err() == nil {
		p.roots, p.memory.ETag = true, ""
		if again := p.run(ctx); again == nil {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	p.memory.Base = req.Base
	return putJSON(f.c.Fetched, fileMemory, p.memory, 0o600)
}

// polling is one look for news.
type polling struct {
	*Fetcher
	req    request
	memory memory
	roots  bool
	v      *release.Verifier
}

func (p *polling) path(name string) string { return release.HostPath(p.req.HostID, name) }

func (p *polling) kept(name string, limit int64) []byte {
	data, err := look(p.c.Fetched, publicDir+"/"+name, os.Geteuid(), limit)
	if err != nil {
		return nil // absent or damaged: it is fetched again
	}
	return data
}

func (p *polling) run(ctx context.Context) (err error) {
	if !release.ValidHostID(p.req.HostID) {
		return fmt.Errorf("host id %.64q is malformed", p.req.HostID)
	}
	state := release.State{Root: p.req.Root, Timestamp: p.kept(p.path(release.TimestampName), release.MaxTimestamp)}
	if p.v, err = release.NewVerifier(p.req.HostID, state, p.c.Now()); err != nil {
		return err
	}
	if err := p.followRoots(ctx); err != nil {
		return err
	}
	stamp, etag, err := p.get(ctx, p.path(release.TimestampName), release.MaxTimestamp, p.memory.ETag)
	if err != nil {
		return err
	}
	if stamp == nil {
		stamp = state.Timestamp
		err = p.v.Unchanged()
	} else {
		_, err = p.v.UpdateTimestamp(stamp)
	}
	if err != nil {
		return err
	}
	names, err := p.documents(ctx)
	if err != nil {
		return err
	}
	// The timestamp comes last, so that whoever reads it finds the rest.
	if err := put(p.c.Fetched, publicDir+"/"+p.path(release.TimestampName), stamp, 0o600); err != nil {
		return err
	}
	if etag != "" {
		p.memory.ETag = etag
	}
	return p.forget(names)
}

// followRoots takes over the roots that were fetched before, then those that are new.
func (p *polling) followRoots(ctx context.Context) error {
	for {
		name := release.RootPath(p.v.RootVersion() + 1)
		data := p.kept(name, release.MaxRoot)
		if data == nil && !p.roots {
			return nil
		}
		if data == nil {
			var err error
			data, _, err = p.get(ctx, name, release.MaxRoot, "")
			var status *StatusError
			if errors.As(err, &status) && (status.Status == http.StatusNotFound || status.Status == http.StatusForbidden) {
				p.memory.Root = p.c.Now()
				return nil // a store that may not be listed says 403 for what is missing
			}
			if err != nil {
				return err
			}
		}
		if err := p.v.UpdateRoot(data); err != nil {
			return err
		}
		if err := put(p.c.Fetched, publicDir+"/"+name, data, 0o600); err != nil {
			return err
		}
	}
}

// documents fetches what the timestamp names and is not there, and tells all names.
func (p *polling) documents(ctx context.Context) ([]string, error) {
	names := []string{release.TimestampName}
	for want := p.v.Next(); want.Name != ""; want = p.v.Next() {
		names = append(names, want.Name)
		data := p.kept(p.path(want.Name), int64(want.Limit))
		fresh := data == nil
		if fresh {
			var err error
			if data, _, err = p.get(ctx, p.path(want.Name), int64(want.Limit), ""); err != nil {
				return nil, err
			}
		}
		if err := p.v.Accept(data); err != nil {
			// What was kept and is damaged must not be in the way for ever.
			return nil, errors.Join(err, os.Remove(filepath.Join(p.c.Fetched, publicDir, p.path(want.Name))))
		}
		if fresh {
			if err := put(p.c.Fetched, publicDir+"/"+p.path(want.Name), data, 0o600); err != nil {
				return nil, err
			}
		}
	}
	t, err := p.v.Target()
	if err != nil {
		return nil, err
	}
	names = append(names, t.Name)
	if data := p.kept(p.path(t.Name), t.Length); data != nil && t.Check(data) == nil {
		return names, nil
	}
	sealed, _, err := p.get(ctx, p.path(t.Name), t.Length, "")
	if err != nil {
		return nil, err
	}
	if err := t.Check(sealed); err != nil {
		return nil, err
	}
	return names, put(p.c.Fetched, publicDir+"/"+p.path(t.Name), sealed, 0o600)
}

// forget drops what the timestamp no longer names.
func (p *polling) forget(names []string) error {
	dir := filepath.Join(p.c.Fetched, publicDir, filepath.Dir(p.path("x")))
	list, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("tidy up: %w", err)
	}
	for _, e := range list {
		if slices.Contains(names, e.Name()) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("tidy up: %w", err)
		}
	}
	return nil
}

// NoRelease says what it means that a host has no timestamp, and where to look.
const NoRelease = "the server answered 404: there is no release for this host (yet); where the controller runs, `bindery hosts show NAME` and the log say why"

// StatusError is an answer that is no document.
type StatusError struct {
	Path   string
	Status int
}

func (e *StatusError) Error() string {
	if e.Status == http.StatusNotFound && path.Base(e.Path) == release.TimestampName {
		return fmt.Sprintf("fetch %s: %s", e.Path, NoRelease)
	}
	return fmt.Sprintf("fetch %s: the server answered %d", e.Path, e.Status)
}

// get fetches a document. With an etag nil data mean that it is unchanged.
func (p *polling) get(ctx context.Context, name string, limit int64, etag string) (data []byte, newTag string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.req.Base+"/"+name, nil)
	if err != nil {
		return nil, "", fmt.Errorf("fetch %s: %w", name, err)
	}
	r.Header.Set("User-Agent", userAgent)
	r.Header.Set("Accept-Encoding", "identity")
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	resp, err := p.c.Client.Do(r)
	if err != nil {
		return nil, "", fmt.Errorf("fetch %s: %w", name, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified && etag != "" {
		return nil, etag, nil
	}
	if resp.StatusCode != http.StatusOK {
		return nil, "", &StatusError{Path: name, Status: resp.StatusCode}
	}
	data, err = read(resp.Body, name, limit)
	return data, resp.Header.Get("ETag"), err
}
