// SPDX-License-Identifier: Apache-2.0

package publish_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/blob"
	"github.com/bindery/bindery/controller/blob/blobtest"
	"github.com/bindery/bindery/controller/blob/dir"
	"github.com/bindery/bindery/controller/keys"
	"github.com/bindery/bindery/controller/publish"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// clock moves on by more than a second each time it is asked, so that no test waits
// for the distance that the publisher keeps between writes.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(1500 * time.Millisecond)
	return c.at
}

func (c *clock) skip(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// site is a store, the keys of its controller and one enrolled host.
type site struct {
	store *dir.Dir
	keys  *keys.Online
	clock *clock
	id    *release.Identity
	host  publish.Host
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{clock: newClock()}
	folder := t.TempDir()
	_, err := keys.Init(keys.Ceremony{Offline: folder, Online: folder, Expires: s.clock.at.AddDate(1, 0, 0)})
	require.NoError(t, err)
	s.keys, err = keys.Load(folder)
	require.NoError(t, err)
	s.store, err = dir.New(dir.Config{Path: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.store.Close()) })
	s.id, s.host = enrolled(t, "web1.example.org")
	return s
}

func enrolled(t testing.TB, name string) (*release.Identity, publish.Host) {
	t.Helper()
	id, err := release.NewIdentity()
	require.NoError(t, err)
	hostID, err := release.NewHostID()
	require.NoError(t, err)
	return id, publish.Host{Name: name, ID: hostID, Recipient: id.Public().Recipient}
}

func (s *site) publisher(t testing.TB, store blob.Blob) *publish.Publisher {
	t.Helper()
	p, err := publish.New(publish.Config{Store: store, Keys: s.keys, Engine: "test", Now: s.clock.now})
	require.NoError(t, err)
	require.NoError(t, p.Roots(t.Context()))
	return p
}

func (s *site) wants(text string) publish.Release {
	return publish.Release{
		Host: s.host, Config: configuration(s.host.Name, text), Commit: "commit-" + text, Tree: "tree",
		Policy: release.Policy{Mode: release.ModeApply},
	}
}

func configuration(host, text string) *config.Config {
	e := config.NewEntry(config.Entry{Tag: "Path", Text: text, Attrs: []config.Attr{
		{Name: "name", Value: "/etc/motd"}, {Name: "type", Value: "file"}, {Name: "mode", Value: "0644"},
	}})
	return &config.Config{Host: host, Bundles: []*config.Bundle{
		config.NewBundle("Bundle", []config.Attr{{Name: "name", Value: "motd"}}, []*config.Entry{e}),
	}}
}

// fetch does what an agent does: it verifies what is published, from the first root
// and what it kept, and returns what it would keep.
func (s *site) fetch(t testing.TB, kept release.State) (*release.Bundle, release.State, error) {
	t.Helper()
	ctx := t.Context()
	if kept.Root == nil {
		kept.Root = s.keys.Roots[0].Data
	}
	v, err := release.NewVerifier(s.host.ID, kept, s.clock.now())
	require.NoError(t, err)
	get := func(name string) []byte {
		data, _, err := s.store.Get(ctx, release.HostPath(s.host.ID, name))
		require.NoError(t, err, name)
		return data
	}
	timestamp, _, err := s.store.Get(ctx, release.HostPath(s.host.ID, release.TimestampName))
	if errors.Is(err, blob.ErrNotFound) {
		return nil, kept, err
	}
	require.NoError(t, err)
	if _, err := v.UpdateTimestamp(timestamp); err != nil {
		return nil, kept, err
	}
	for want := v.Next(); want.Name != ""; want = v.Next() {
		if err := v.Accept(get(want.Name)); err != nil {
			return nil, kept, err
		}
	}
	target, err := v.Target()
	require.NoError(t, err)
	b, err := v.Open(get(target.Name), s.id)
	return b, v.State(), err
}

func text(b *release.Bundle) string { return b.Config.Bundles[0].Entries[0].Text }

func TestPublishAndFetch(t *testing.T) {
	s := newSite(t)
	p := s.publisher(t, s.store)
	first, err := p.Publish(t.Context(), s.wants("one"))
	require.NoError(t, err)
	require.False(t, first.Unchanged)

	b, kept, err := s.fetch(t, release.State{})
	require.NoError(t, err)
	require.Equal(t, "one", text(b))
	require.Equal(t, first.Sequence, b.Manifest.Sequence)
	require.Equal(t, "commit-one", b.Manifest.Commit)
	require.Equal(t, s.wants("one").Config.Digest(), b.Config.Digest())

	second, err := p.Publish(t.Context(), s.wants("two"))
	require.NoError(t, err)
	require.Greater(t, second.Sequence, first.Sequence)
	b, _, err = s.fetch(t, kept)
	require.NoError(t, err)
	require.Equal(t, "two", text(b))
}

// Another commit that gives the host the same is no reason to publish, also not for
// a publisher that knows nothing but the store.
func TestUnchanged(t *testing.T) {
	s := newSite(t)
	first, err := s.publisher(t, s.store).Publish(t.Context(), s.wants("one"))
	require.NoError(t, err)
	before, err := s.store.List(t.Context(), "")
	require.NoError(t, err)

	again := s.wants("one")
	again.Commit, again.Tree = "later", "tree2"
	got, err := s.publisher(t, s.store).Publish(t.Context(), again)
	require.NoError(t, err)
	require.True(t, got.Unchanged)
	require.Equal(t, first.Sequence, got.Sequence)
	require.Equal(t, "commit-one", got.Commit)
	after, err := s.store.List(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, before, after)

	changes := map[string]func(*publish.Release){
		"configuration": func(r *publish.Release) { r.Config = configuration(s.host.Name, "other") },
		"probes":        func(r *publish.Release) { r.Probes = []config.Probe{{Name: "p", Script: "x"}} },
		"policy":        func(r *publish.Release) { r.Policy.Mode = release.ModeReport },
		"recipient": func(r *publish.Release) {
			_, other := enrolled(t, s.host.Name)
			r.Host.Recipient = other.Recipient
		},
		"waiting": func(r *publish.Release) { r.Config, r.Probes = nil, []config.Probe{{Name: "p", Script: "x"}} },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			r := s.wants("one")
			change(&r)
			got, err := s.publisher(t, s.store).Publish(t.Context(), r)
			require.NoError(t, err)
			require.False(t, got.Unchanged)
		})
	}
}

// What a mirror can read tells nothing that it could guess content with.
func TestNothingInTheOpen(t *testing.T) {
	s := newSite(t)
	r := s.wants("canary-7f3a")
	r.Commit = "0123"
	_, err := s.publisher(t, s.store).Publish(t.Context(), r)
	require.NoError(t, err)
	names, err := s.store.List(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, names, 5)
	for _, name := range names {
		data, _, err := s.store.Get(t.Context(), name)
		require.NoError(t, err)
		for _, secret := range []string{"canary-7f3a", s.host.Name, r.Config.Digest().String(), "motd"} {
			require.NotContains(t, name, secret)
			require.NotContains(t, string(data), secret, name)
		}
	}
}

// A host that waits for facts gets its probes and no configuration.
func TestWaiting(t *testing.T) {
	s := newSite(t)
	p := s.publisher(t, s.store)
	r := s.wants("one")
	r.Config, r.Probes = nil, []config.Probe{{Name: "kernel", Source: "Probes", Interpreter: "/bin/sh", Script: "uname -r"}}
	_, err := p.Publish(t.Context(), r)
	require.NoError(t, err)
	b, kept, err := s.fetch(t, release.State{})
	require.NoError(t, err)
	require.Nil(t, b.Config)
	require.True(t, b.Manifest.Waiting)
	require.Equal(t, r.Probes, b.Probes)

	r.Config = configuration(s.host.Name, "bound")
	_, err = p.Publish(t.Context(), r)
	require.NoError(t, err)
	b, _, err = s.fetch(t, kept)
	require.NoError(t, err)
	require.False(t, b.Manifest.Waiting)
	require.Equal(t, "bound", text(b))

	r.Config, r.Probes = nil, nil
	_, err = p.Publish(t.Context(), r)
	require.ErrorContains(t, err, "neither a configuration nor probes")
}

// Wherever the writing stops, an agent sees exactly the old or the new release, and
// a publisher that starts anew brings it to the new one.
func TestCrashAtEveryPut(t *testing.T) {
	for _, fresh := range []bool{true, false} {
		for at := 1; at <= 4; at++ {
			for _, applied := range []bool{false, true} {
				t.Run(fmt.Sprintf("fresh=%t/put=%d/applied=%t", fresh, at, applied), func(t *testing.T) {
					crash(t, fresh, at, applied)
				})
			}
		}
	}
}

func crash(t *testing.T, fresh bool, at int, applied bool) {
	s := newSite(t)
	p := s.publisher(t, s.store)
	var kept release.State
	if !fresh {
		_, err := p.Publish(t.Context(), s.wants("old"))
		require.NoError(t, err)
		_, kept, err = s.fetch(t, kept)
		require.NoError(t, err)
	}
	faulty := &blobtest.Faulty{Store: s.store, FailAt: at + 1, Applied: applied} // the first write is the root
	_, err := s.publisher(t, faulty).Publish(t.Context(), s.wants("new"))
	require.ErrorIs(t, err, blobtest.ErrFault)

	b, kept, err := s.fetch(t, kept)
	switch visible := at == 4 && applied; {
	case visible:
		require.NoError(t, err)
		require.Equal(t, "new", text(b))
	case fresh:
		require.ErrorIs(t, err, blob.ErrNotFound)
	default:
		require.NoError(t, err)
		require.Equal(t, "old", text(b))
	}
	got, err := s.publisher(t, s.store).Publish(t.Context(), s.wants("new"))
	require.NoError(t, err)
	require.Equal(t, at == 4 && applied, got.Unchanged)
	b, _, err = s.fetch(t, kept)
	require.NoError(t, err)
	require.Equal(t, "new", text(b))
}

// A crash leaves files of a version that nothing names. The next publisher gets past
// them even in the same second.
func TestVersionTaken(t *testing.T) {
	s := newSite(t)
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Unix()
		for _, store := range []blob.Blob{&blobtest.Faulty{Store: s.store, FailAt: 3, Applied: true}, s.store} {
			p, err := publish.New(publish.Config{Store: store, Keys: s.keys, Engine: "test", Now: time.Now})
			require.NoError(t, err)
			require.NoError(t, p.Roots(t.Context()))
			got, err := p.Publish(t.Context(), s.wants("one"))
			if store != blob.Blob(s.store) {
				require.ErrorIs(t, err, blobtest.ErrFault)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, at+1, got.Sequence)
		}
	})
}

// Two writes to one host are a second apart, and waiting ends with the context.
func TestSpacing(t *testing.T) {
	s := newSite(t)
	synctest.Test(t, func(t *testing.T) {
		p, err := publish.New(publish.Config{Store: s.store, Keys: s.keys, Engine: "test", Now: time.Now})
		require.NoError(t, err)
		began := time.Now()
		for i := range 4 {
			_, err := p.Publish(t.Context(), s.wants(fmt.Sprint(i)))
			require.NoError(t, err)
		}
		require.Equal(t, 3*time.Second, time.Since(began))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = p.Publish(ctx, s.wants("late"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// Many publishers want the same thing: one does it, the others see that it is done.
// When they want different things, the store ends with one of them, whole.
func TestConcurrentPublishers(t *testing.T) {
	for _, same := range []bool{true, false} {
		t.Run(fmt.Sprintf("same=%t", same), func(t *testing.T) {
			s := newSite(t)
			var group sync.WaitGroup
			const n = 4
			outcomes, errs := make([]publish.Outcome, n), make([]error, n)
			for i := range n {
				p := s.publisher(t, s.store)
				group.Go(func() {
					want := "same"
					if !same {
						want = fmt.Sprint(i)
					}
					outcomes[i], errs[i] = p.Publish(t.Context(), s.wants(want))
				})
			}
			group.Wait()
			done := 0
			for i := range n {
				require.NoError(t, errs[i])
				if !outcomes[i].Unchanged {
					done++
				}
			}
			if same {
				require.Equal(t, 1, done)
			} else {
				require.Equal(t, n, done)
			}
			b, _, err := s.fetch(t, release.State{})
			require.NoError(t, err)
			for _, o := range outcomes {
				require.LessOrEqual(t, o.Sequence, b.Manifest.Sequence)
			}
		})
	}
}

// A store that always says that somebody else was faster is not asked for ever.
func TestEndlessConflict(t *testing.T) {
	s := newSite(t)
	p := s.publisher(t, refusing{s.store})
	_, err := p.Publish(t.Context(), s.wants("one"))
	require.ErrorIs(t, err, blob.ErrPrecondition)
	require.ErrorContains(t, err, "gave up")
}

type refusing struct{ blob.Blob }

func (r refusing) Put(ctx context.Context, key string, data []byte, cond blob.Condition) (string, error) {
	if strings.HasSuffix(key, release.TimestampName) {
		return "", blob.ErrPrecondition
	}
	return r.Blob.Put(ctx, key, data, cond)
}

// Damaged files in the store are published over.
func TestDamagedStore(t *testing.T) {
	for _, suffix := range []string{"timestamp.json", "snapshot.json", "targets.json"} {
		t.Run(suffix, func(t *testing.T) {
			s := newSite(t)
			p := s.publisher(t, s.store)
			_, err := p.Publish(t.Context(), s.wants("one"))
			require.NoError(t, err)
			names, err := s.store.List(t.Context(), "h/")
			require.NoError(t, err)
			for _, name := range names {
				if strings.HasSuffix(name, suffix) {
					data, _, err := s.store.Get(t.Context(), name)
					require.NoError(t, err)
					_, err = s.store.Put(t.Context(), name, data[:len(data)/2], blob.Condition{})
					require.NoError(t, err)
				}
			}
			got, err := p.Publish(t.Context(), s.wants("one"))
			require.NoError(t, err)
			require.False(t, got.Unchanged)
			b, _, err := s.fetch(t, release.State{})
			require.NoError(t, err)
			require.Equal(t, "one", text(b))
		})
	}
}

func TestForeignRoot(t *testing.T) {
	s, other := newSite(t), newSite(t)
	s.publisher(t, s.store)
	p, err := publish.New(publish.Config{Store: s.store, Keys: other.keys, Engine: "test", Now: s.clock.now})
	require.NoError(t, err)
	require.ErrorContains(t, p.Roots(t.Context()), "another root is published")
}

func TestAll(t *testing.T) {
	s := newSite(t)
	p := s.publisher(t, s.store)
	var releases []publish.Release
	for i := range 20 {
		_, host := enrolled(t, fmt.Sprintf("host%d", i))
		releases = append(releases, publish.Release{
			Host: host, Config: configuration(host.Name, "same"), Commit: "c", Policy: release.Policy{Mode: release.ModeApply},
		})
	}
	releases[7].Host.Recipient = "age1broken"
	releases[8].Host.ID = "../escape"
	releases[9].Config = configuration("somebody-else", "x")
	var mu sync.Mutex
	seen := 0
	out := p.All(t.Context(), releases, func(publish.Outcome) { mu.Lock(); seen++; mu.Unlock() })
	require.Equal(t, 20, seen)
	for i, o := range out {
		require.Equal(t, releases[i].Host, o.Host)
		if i >= 7 && i <= 9 {
			require.Error(t, o.Err)
		} else {
			require.NoError(t, o.Err)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, o := range p.All(cancelled, releases[:3], nil) {
		require.ErrorIs(t, o.Err, context.Canceled)
	}
}

// From a configuration of 20 kB in memory to the timestamp on the disk.
func BenchmarkPublishOne(b *testing.B) {
	s := newSite(b)
	p := s.publisher(b, s.store)
	var script bytes.Buffer
	for i := range 600 {
		fmt.Fprintf(&script, "line %d of a configuration file\n", i)
	}
	i := 0
	for b.Loop() {
		b.StopTimer()
		i++
		r := s.wants(fmt.Sprint(i, script.String()))
		r.Commit = "4cbd040533a2f43fc6691d773d510cda70f4126a"
		b.StartTimer()
		_, err := p.Publish(b.Context(), r)
		require.NoError(b, err)
	}
}
