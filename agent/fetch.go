// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/relay"
	"github.com/bindery/bindery/engine/release"
)

// rootEvery is how often a next root is looked for. It is shorter than any
// timestamp lives, so it weakens no bound.
const rootEvery = time.Hour

// maxRoots bounds how many roots one poll follows.
const maxRoots = 256

// Names of the fetching half's files.
const (
	fileRoot      = "root.json"
	fileTimestamp = "timestamp.json"
	fileSnapshot  = "snapshot.json"
	fileTargets   = "targets.json"
	fileFreshness = "freshness.json"
)

// freshness is what the fetching half remembers besides signed documents.
type freshness struct {
	// ETag is that of the kept timestamp.
	ETag string `json:"etag,omitempty"`
	// Accepted is when the kept timestamp came, Expires when it ends.
	Accepted time.Time `json:"accepted"`
	Expires  time.Time `json:"expires"`
	// Root is when a next root was looked for.
	Root time.Time `json:"root"`
	// Floor is the latest time that something signed has named. The host's clock
	// cannot be right before it. FloorRoot is the version of the root that it was
	// signed under.
	Floor     time.Time `json:"floor"`
	FloorRoot int64     `json:"floor_root"`
}

// pollKind says how eager a poll is.
type pollKind int

const (
	// pollNow asks for what changed.
	pollNow pollKind = iota
	// pollAgain comes soon after another one.
	pollAgain
)

// polled is what a poll brought, before anything is kept.
type polled struct {
	bundle  *release.Bundle
	spooled spooled
	state   release.State
	fresh   freshness
	// changed tells that state or fresh differ from what is kept.
	changed bool
}

// fetch polls and keeps what it brings: first the release, then the documents
// that name it, then the freshness, so that a crash in between only makes the
// next poll ask again.
func (a *Agent) fetch(ctx context.Context, kind pollKind) error {
	p, err := a.poll(ctx, kind)
	a.contact(err)
	if err != nil {
		return err
	}
	if p.bundle != nil {
		if err := a.hand(p); err != nil {
			return err
		}
	}
	if !p.changed {
		return nil
	}
	for _, doc := range []struct {
		name string
		data []byte
	}{
		{fileRoot, p.state.Root}, {fileTargets, p.state.Targets}, {fileSnapshot, p.state.Snapshot}, {fileTimestamp, p.state.Timestamp},
	} {
		if err := a.keep(doc.name, doc.data); err != nil {
			return err
		}
	}
	return a.c.State.Save(fileFreshness, p.fresh)
}

// keep writes a document unless it is kept already.
func (a *Agent) keep(name string, data []byte) error {
	if data == nil {
		return nil
	}
	have, err := a.c.State.Read(name, int64(len(data)))
	if err == nil && bytes.Equal(have, data) {
		return nil
	}
	return a.c.State.Write(name, data)
}

// poll asks for a newer release and verifies it. After a refusal it looks for a
// next root and tries once more from what is kept, without condition: rotated keys
// heal a host. It keeps nothing.
func (a *Agent) poll(ctx context.Context, kind pollKind) (*polled, error) {
	kept, err := a.kept()
	if err != nil {
		return nil, err
	}
	var fresh freshness
	if _, err := a.c.State.Load(fileFreshness, &fresh); err != nil {
		return nil, err
	}
	now := a.now(fresh)
	have, err := a.spool()
	if err != nil {
		return nil, err
	}
	f := &fetcher{a: a, kept: kept, fresh: fresh, now: now, have: have}
	// A clock that was set back must not put off the look for a root.
	since := now.Sub(fresh.Root)
	f.lookForRoot = kind == pollNow && (since >= rootEvery || since < 0)
	f.conditional = fresh.ETag != "" && kept.Timestamp != nil && fresh.Expires.Sub(now) > fresh.Expires.Sub(fresh.Accepted)/2
	p, err := f.poll(ctx)
	if err == nil || !errors.Is(err, release.ErrUntrusted) || ctx.Err() != nil {
		return p, err
	}
	if f.lookForRoot && !f.conditional {
		return nil, err
	}
	f.lookForRoot, f.conditional = true, false
	if p, again := f.poll(ctx); again == nil {
		return p, nil
	}
	return nil, err
}

// kept reads the signed documents. The root must be there; go-tuf trusts it as
// it is.
func (a *Agent) kept() (release.State, error) {
	var s release.State
	for _, doc := range []struct {
		name  string
		into  *[]byte
		limit int64
	}{
		{fileRoot, &s.Root, release.MaxRoot},
		{fileTimestamp, &s.Timestamp, release.MaxTimestamp},
		{fileSnapshot, &s.Snapshot, release.MaxMetadata},
		{fileTargets, &s.Targets, release.MaxMetadata},
	} {
		data, err := a.c.State.Read(doc.name, doc.limit)
		if err != nil {
			return s, err
		}
		*doc.into = data
	}
	if s.Root == nil {
		return s, ErrNotEnrolled
	}
	return s, nil
}

// now is the host's clock, or the floor where the clock is behind it.
func (a *Agent) now(f freshness) time.Time {
	now := a.c.Machine.Now()
	for _, floor := range []time.Time{f.Floor, a.enrolment.Time} {
		if now.Before(floor) {
			now = floor
		}
	}
	return now
}

// fetcher is one poll under way.
type fetcher struct {
	a           *Agent
	kept        release.State
	fresh       freshness
	now         time.Time
	have        *spooled
	lookForRoot bool
	conditional bool
}

func (f *fetcher) poll(ctx context.Context) (*polled, error) {
	v, err := release.NewVerifier(f.a.enrolment.HostID, f.kept, f.now)
	if err != nil {
		return nil, damagedRoot(err)
	}
	p := &polled{}
	if f.lookForRoot {
		if err := f.roots(ctx, v); err != nil {
			return nil, err
		}
		if v, err = f.refloor(v); err != nil {
			return nil, err
		}
		f.fresh.Root, p.changed = f.now, true
	}
	p.fresh = f.fresh
	if err := f.timestamp(ctx, v, p); err != nil {
		return nil, err
	}
	for want := v.Next(); want.Name != ""; want = v.Next() {
		data, err := f.a.get(ctx, f.path(want.Name), want.Limit)
		if err != nil {
			return nil, err
		}
		if err := v.Accept(data); err != nil {
			return nil, err
		}
		p.changed = true
	}
	if dropped := v.Dropped(); len(dropped) > 0 {
		f.a.c.Logger.Warn("damaged documents were fetched again", "documents", strings.Join(dropped, " "))
		p.changed = true
	}
	p.state = v.State()
	return p, f.bundle(ctx, v, p)
}

// refloor forgets times that were signed by keys which a newer root no longer names:
// a stolen key can name a time far ahead, and nothing would ever be fresh again. What
// still verifies goes on to count. The verifier that it gives has the time of now.
func (f *fetcher) refloor(v *release.Verifier) (*release.Verifier, error) {
	if v.RootVersion() == f.fresh.FloorRoot {
		return v, nil
	}
	kept := f.kept
	kept.Root = v.State().Root
	f.fresh.Floor, f.fresh.FloorRoot = time.Time{}, v.RootVersion()
	if cur, err := release.ReadCurrent(f.a.enrolment.HostID, kept.Root, kept.Timestamp, nil); err == nil {
		f.fresh.raise(cur.TimestampExpires.Add(-release.TimestampLife))
	}
	f.now = f.a.now(f.fresh)
	return release.NewVerifier(f.a.enrolment.HostID, kept, f.now)
}

func (f *fetcher) path(name string) string { return release.HostPath(f.a.enrolment.HostID, name) }

// roots follows the chain of roots to its end.
func (f *fetcher) roots(ctx context.Context, v *release.Verifier) error {
	for range maxRoots {
		resp, err := f.a.ask(ctx, release.RootPath(v.RootVersion()+1), "")
		if err != nil {
			return err
		}
		if resp.status == http.StatusNotFound || resp.status == http.StatusForbidden {
			resp.body.Close()
			return nil // a store that may not be listed says 403 for what is missing
		}
		data, err := resp.read(release.MaxRoot)
		if err != nil {
			return err
		}
		if err := v.UpdateRoot(data); err != nil {
			return err
		}
	}
	return fmt.Errorf("more than %d new roots: %w", maxRoots, release.ErrUntrusted)
}

func (f *fetcher) timestamp(ctx context.Context, v *release.Verifier, p *polled) error {
	etag := ""
	if f.conditional {
		etag = f.fresh.ETag
	}
	resp, err := f.a.ask(ctx, f.path(release.TimestampName), etag)
	if err != nil {
		return err
	}
	if resp.status == http.StatusNotModified && etag != "" {
		resp.body.Close()
		return v.Unchanged()
	}
	if resp.status == http.StatusNotFound {
		resp.body.Close()
		return fmt.Errorf("fetch %s: %w: %s", resp.path, ErrUnavailable, relay.NoRelease)
	}
	data, err := resp.read(release.MaxTimestamp)
	if err != nil {
		return err
	}
	if _, err := v.UpdateTimestamp(data); err != nil {
		return err
	}
	cur, err := release.ReadCurrent(f.a.enrolment.HostID, v.State().Root, data, nil)
	if err != nil {
		return err
	}
	p.changed = true
	p.fresh.ETag, p.fresh.Accepted, p.fresh.Expires = resp.etag, f.now, cur.TimestampExpires
	p.fresh.raise(cur.TimestampExpires.Add(-release.TimestampLife))
	return nil
}

// raise lifts the floor to a time that was signed; it never comes down.
func (f *freshness) raise(t time.Time) {
	if t.After(f.Floor) {
		f.Floor = t
	}
}

// bundle fetches the release itself, unless it is in the spool already.
func (f *fetcher) bundle(ctx context.Context, v *release.Verifier, p *polled) error {
	t, err := v.Target()
	if err != nil {
		return err
	}
	p.fresh.raise(t.Custom.Created)
	if f.have != nil && f.have.Sealed == t.SHA256 && f.have.Sequence == t.Version {
		return nil
	}
	sealed, err := f.a.get(ctx, f.path(t.Name), int(t.Length))
	if err != nil {
		return err
	}
	b, err := v.Open(sealed, f.a.identity)
	if err != nil {
		return err
	}
	p.bundle, p.changed = b, true
	p.spooled = spooled{HostID: b.Manifest.HostID, Host: b.Manifest.Host, Sequence: t.Version, Sealed: t.SHA256, Root: v.RootVersion()}
	// What the applying half would refuse must not take the place of what it has.
	return f.a.acceptable(b, p.spooled, func() (int64, error) { return v.RootVersion(), nil })
}

// response is an answer whose body was not read yet.
type response struct {
	path   string
	status int
	etag   string
	body   io.ReadCloser
}

// ErrUnavailable is a source that does not give what it should.
var ErrUnavailable = errors.New("not available")

// ask sends a GET; a non-empty etag makes it conditional.
func (a *Agent) ask(ctx context.Context, path, etag string) (*response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.enrolment.URL+"/"+path, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", path, err)
	}
	a.dress(req)
	// Sealed and signed bytes do not compress, and 304 should be short.
	req.Header.Set("Accept-Encoding", "identity")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := a.c.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w: %w", path, ErrUnavailable, err)
	}
	return &response{path: path, status: resp.StatusCode, etag: resp.Header.Get("ETag"), body: resp.Body}, nil
}

// dress makes a request recognisable without making it long.
func (a *Agent) dress(req *http.Request) { req.Header.Set("User-Agent", "bindery-agent") }

// read takes the whole body of a good answer.
func (r *response) read(limit int) ([]byte, error) {
	defer r.body.Close()
	if r.status != http.StatusOK {
		return nil, fmt.Errorf("fetch %s: %w: the server answered %d", r.path, ErrUnavailable, r.status)
	}
	data, err := io.ReadAll(io.LimitReader(r.body, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w: %w", r.path, ErrUnavailable, err)
	}
	if len(data) > limit {
		return nil, fmt.Errorf("fetch %s: more than the %d bytes that were signed or allowed: %w", r.path, limit, release.ErrMismatch)
	}
	return data, nil
}

func (a *Agent) get(ctx context.Context, path string, limit int) ([]byte, error) {
	resp, err := a.ask(ctx, path, "")
	if err != nil {
		return nil, err
	}
	return resp.read(limit)
}
