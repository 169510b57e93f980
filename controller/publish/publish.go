// SPDX-License-Identifier: Apache-2.0

// Package publish turns configurations into what agents fetch: it seals and signs
// one release per host and writes it in the order that leaves an agent with either
// the old or the new release, wherever the writing stops. Compare-and-swap makes
// several publishers safe. All that it has to remember is in the store.
//
// It must not know how a configuration came to be, or whether it may be published.
package publish

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bindery/bindery/controller/blob"
	"github.com/bindery/bindery/controller/keys"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

const (
	// attempts bounds how often a publisher starts again because another one was
	// faster.
	attempts = 8
	// defaultParallel is how many hosts are published at a time: signing is cheap,
	// waiting for the disk is not.
	defaultParallel = 8
	// minimumLife is what snapshot and targets metadata must have left for a release
	// to count as unchanged. Timestamps are renewed daily, these only here.
	minimumLife = 90 * 24 * time.Hour
)

// Config is what a Publisher needs.
type Config struct {
	Store blob.Blob
	Keys  *keys.Online
	// Engine is the version of this program.
	Engine string
	// Now is the clock.
	Now func() time.Time
	// Parallel is how many hosts are worked on at a time; 0 is 8.
	Parallel int
}

// Publisher publishes. It is safe for concurrent use.
type Publisher struct {
	cfg     Config
	markKey []byte
}

// Host is who a release is for.
type Host struct {
	Name string
	// ID is the host's path, Recipient the key that its bundles are sealed to; both
	// come from its enrolment.
	ID, Recipient string
}

// Release is what one host should get.
type Release struct {
	Host Host
	// Config is nil where the host's probes have no accepted answers yet: it gets its
	// probes alone and waits.
	Config       *config.Config
	Probes       []config.Probe
	Policy       release.Policy
	Commit, Tree string
	// Last is the sequence that the host is known to have been given, 0 for none. An
	// older one in the store was put back there by somebody: it counts as no release.
	Last int64
}

// Outcome is what came of one release.
type Outcome struct {
	Host Host
	// Sequence and Commit are those of the release that is in force now. Where
	// nothing changed, they are older than what was asked for.
	Sequence int64
	Commit   string
	// Unchanged tells that the published release already says the same.
	Unchanged bool
	// Err is why the host kept its last release.
	Err error
}

// New makes a publisher.
func New(cfg Config) (*Publisher, error) {
	if cfg.Store == nil || cfg.Keys == nil || cfg.Now == nil {
		return nil, errors.New("publish: store, keys and clock are needed")
	}
	if cfg.Parallel == 0 {
		cfg.Parallel = defaultParallel
	}
	key, err := cfg.Keys.Secret("release mark v1")
	if err != nil {
		return nil, err
	}
	return &Publisher{cfg: cfg, markKey: key}, nil
}

// Roots makes sure that every root is published. They never change.
func (p *Publisher) Roots(ctx context.Context) error {
	for _, r := range p.cfg.Keys.Roots {
		path := release.RootPath(r.Version)
		_, err := p.cfg.Store.Put(ctx, path, r.Data, blob.Absent())
		if errors.Is(err, blob.ErrPrecondition) {
			var stored []byte
			if stored, _, err = p.cfg.Store.Get(ctx, path); err == nil && string(stored) != string(r.Data) {
				err = errors.New("another root is published under this version: agents that pin it will not trust this controller")
			}
		}
		if err != nil {
			return fmt.Errorf("publish root %d: %w", r.Version, err)
		}
	}
	return nil
}

// All publishes many hosts, some at a time. One host's trouble is in its outcome and
// stops no other. Done, where not nil, is called after each host, from several
// goroutines.
func (p *Publisher) All(ctx context.Context, releases []Release, done func(Outcome)) []Outcome {
	out := make([]Outcome, len(releases))
	p.each(len(releases), func(i int) {
		o, err := p.Publish(ctx, releases[i])
		o.Host, o.Err = releases[i].Host, err
		out[i] = o
		if done != nil {
			done(o)
		}
	})
	return out
}

func (p *Publisher) each(n int, f func(i int)) {
	var group errgroup.Group
	group.SetLimit(p.cfg.Parallel)
	for i := range n {
		group.Go(func() error { f(i); return nil })
	}
	_ = group.Wait() // f keeps its own errors
}

// Publish publishes one host's release, unless the published one says the same. An
// error leaves the host with its last release; calling again puts things right.
func (p *Publisher) Publish(ctx context.Context, r Release) (Outcome, error) {
	if !release.ValidHostID(r.Host.ID) {
		return Outcome{}, fmt.Errorf("publish %s: host id %q is malformed", r.Host.Name, r.Host.ID)
	}
	mark := p.mark(r)
	var taken int64
	for range attempts {
		now, err := p.load(ctx, r.Host.ID)
		if err != nil {
			return Outcome{}, fmt.Errorf("publish %s: %w", r.Host.Name, err)
		}
		if now.says(mark, r.Last, p.cfg.Now()) {
			t := now.current.Target
			return Outcome{Host: r.Host, Sequence: t.Version, Commit: t.Custom.Commit, Unchanged: true}, nil
		}
		docs, err := p.make(ctx, r, mark, max(now.version(), taken, r.Last))
		if err != nil {
			return Outcome{}, fmt.Errorf("publish %s: %w", r.Host.Name, err)
		}
		err = p.write(ctx, r.Host.ID, docs, now.etag)
		if err == nil {
			return Outcome{Host: r.Host, Sequence: docs.Version, Commit: r.Commit}, nil
		}
		if !errors.Is(err, blob.ErrPrecondition) {
			return Outcome{}, fmt.Errorf("publish %s: %w", r.Host.Name, err)
		}
		// Another publisher was faster, or one stopped half-way with this version.
		taken = docs.Version
	}
	return Outcome{}, fmt.Errorf("publish %s: gave up after %d attempts: %w", r.Host.Name, attempts, blob.ErrPrecondition)
}

// make packs, seals and signs.
func (p *Publisher) make(ctx context.Context, r Release, mark string, previous int64) (*release.Documents, error) {
	if err := p.space(ctx, previous); err != nil {
		return nil, err
	}
	now := p.cfg.Now()
	version, err := release.NextVersion(previous, now)
	if err != nil {
		return nil, err
	}
	b, err := release.NewBundle(release.Identified{
		Host: r.Host.Name, HostID: r.Host.ID, Commit: r.Commit, Tree: r.Tree, Engine: p.cfg.Engine, Sequence: version,
		ConfigMark: p.ConfigMark(r.Config),
	}, r.Config, r.Probes, r.Policy)
	if err != nil {
		return nil, err
	}
	plain, err := release.Pack(b)
	if err != nil {
		return nil, err
	}
	sealed, err := release.Seal(plain, r.Host.Recipient)
	if err != nil {
		return nil, err
	}
	return p.cfg.Keys.Signers.Sign(release.Draft{
		HostID: r.Host.ID, Version: version, Sealed: sealed, Now: now,
		Custom: release.Custom{
			Format: release.Format, Commit: r.Commit, Engine: p.cfg.Engine, Mark: mark,
			Recipient: release.RecipientFingerprint(r.Host.Recipient), Created: now.UTC().Truncate(time.Second),
		},
	})
}

// space keeps two writes to one host a second apart: web servers make tags from the
// time and the size of a file, and all timestamps have one size.
func (p *Publisher) space(ctx context.Context, previous int64) error {
	now := p.cfg.Now()
	if previous < now.Unix() {
		return nil
	}
	t := time.NewTimer(time.Second - time.Duration(now.Nanosecond()))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// write puts a release in place. Nobody sees it before the last write, and the last
// write happens only if nobody else was faster.
func (p *Publisher) write(ctx context.Context, hostID string, d *release.Documents, etag string) error {
	for _, f := range []struct {
		name string
		data []byte
	}{
		{d.BundleName, d.Sealed},
		{release.TargetsName(d.Version), d.Targets},
		{release.SnapshotName(d.Version), d.Snapshot},
	} {
		if _, err := p.cfg.Store.Put(ctx, release.HostPath(hostID, f.name), f.data, blob.Absent()); err != nil {
			return err
		}
	}
	_, err := p.cfg.Store.Put(ctx, release.HostPath(hostID, release.TimestampName), d.Timestamp, swap(etag))
	return err
}

func swap(etag string) blob.Condition {
	if etag == "" {
		return blob.Absent()
	}
	return blob.Match(etag)
}

// ConfigMark is a keyed digest of a configuration, "" for none. It is what may leave
// the seal: a plain digest would let whoever reads a row or a report guess a short
// secret in it.
func (p *Publisher) ConfigMark(cfg *config.Config) string {
	if cfg == nil {
		return ""
	}
	digest := cfg.Digest()
	mac := hmac.New(sha256.New, p.markKey)
	mac.Write([]byte("configuration\x00"))
	mac.Write(digest[:])
	return hex.EncodeToString(mac.Sum(nil))
}

// mark is a keyed digest over all that makes one release differ from another. The
// commit and the sequence are not part of it: else every commit would publish every
// host.
func (p *Publisher) mark(r Release) string {
	cfg := ""
	if r.Config != nil {
		cfg = r.Config.Digest().String()
	}
	mac := hmac.New(sha256.New, p.markKey)
	for _, s := range []string{
		strconv.Itoa(release.Format), r.Host.Name, r.Host.ID, r.Host.Recipient, cfg,
		config.ProbeDigest(r.Probes).String(), r.Policy.Digest().String(),
	} {
		sum := sha256.Sum256([]byte(s))
		mac.Write(sum[:])
	}
	return hex.EncodeToString(mac.Sum(nil))
}
