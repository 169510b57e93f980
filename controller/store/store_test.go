// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/store"
)

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newStore(t *testing.T) (*store.Store, *clock, string) {
	t.Helper()
	c := &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := store.New(t.Context(), store.Config{Path: path, Now: c.now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, c, path
}

func enrol(ctx context.Context, t *testing.T, s *store.Store, c *clock, name, id string) {
	t.Helper()
	token := store.Token{ID: "t-" + id, Host: name, Verifier: []byte("v"), Rebind: true, Expires: c.at.Add(time.Hour)}
	require.NoError(t, s.AddToken(ctx, token))
	require.NoError(t, s.Enrol(ctx, token.ID, store.Host{ID: id, Name: name, Identity: []byte{1}, Recipient: "age1"}))
}

func TestFilesArePrivate(t *testing.T) {
	s, c, path := newStore(t)
	enrol(t.Context(), t, s, c, "web1", "h1")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), suffix)
	}
}

func TestEnrolUsesATokenOnce(t *testing.T) {
	s, c, _ := newStore(t)
	ctx := t.Context()
	host := store.Host{ID: "h1", Name: "web1", Identity: []byte{1, 2}, Recipient: "age1x"}
	require.ErrorIs(t, s.Enrol(ctx, "none", host), store.ErrNotFound)

	require.NoError(t, s.AddToken(ctx, store.Token{ID: "a", Host: "web1", Verifier: []byte("v"), Expires: c.at.Add(time.Hour)}))
	other := host
	other.Name = "db1"
	require.ErrorContains(t, s.Enrol(ctx, "a", other), "another host")
	require.NoError(t, s.Enrol(ctx, "a", host))
	require.ErrorIs(t, s.Enrol(ctx, "a", host), store.ErrTokenUsed)

	got, err := s.HostNamed(ctx, "web1")
	require.NoError(t, err)
	host.Enrolled = c.at
	require.Equal(t, host, got)

	// An ordinary token for a name that exists is refused and stays unused.
	require.NoError(t, s.AddToken(ctx, store.Token{ID: "b", Host: "web1", Verifier: []byte("v"), Expires: c.at.Add(time.Hour)}))
	host.ID = "h2"
	require.ErrorIs(t, s.Enrol(ctx, "b", host), store.ErrExists)
	open, err := s.Tokens(ctx)
	require.NoError(t, err)
	require.Len(t, open, 1)

	c.at = c.at.Add(time.Hour)
	require.ErrorIs(t, s.Enrol(ctx, "b", host), store.ErrTokenExpired)
}

func TestRebindRevokesTheOldHost(t *testing.T) {
	s, c, _ := newStore(t)
	ctx := t.Context()
	enrol(ctx, t, s, c, "web1", "h1")
	enrol(ctx, t, s, c, "web1", "h2")
	hosts, err := s.Hosts(ctx)
	require.NoError(t, err)
	require.Len(t, hosts, 1)
	require.Equal(t, "h2", hosts[0].ID)
	old, err := s.Host(ctx, "h1")
	require.NoError(t, err)
	require.False(t, old.Revoked.IsZero())

	require.ErrorIs(t, s.SetProfile(ctx, "h1", "web"), store.ErrNotFound)
	require.NoError(t, s.SetProfile(ctx, "h2", "web"))
	require.NoError(t, s.Revoke(ctx, "h2"))
	require.ErrorIs(t, s.Revoke(ctx, "h2"), store.ErrNotFound)
	_, err = s.HostNamed(ctx, "web1")
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestAHostMoves(t *testing.T) {
	s, c, _ := newStore(t)
	ctx := t.Context()
	token := store.Token{ID: "t", Host: "web1", Environment: "staging", Verifier: []byte("v"), Expires: c.at.Add(time.Hour)}
	require.NoError(t, s.AddToken(ctx, token))
	require.NoError(t, s.Enrol(ctx, "t", store.Host{ID: "h1", Name: "web1", Environment: "production", Identity: []byte{1}, Recipient: "age1"}))
	h, err := s.HostNamed(ctx, "web1")
	require.NoError(t, err)
	require.Equal(t, "staging", h.Environment, "the token says it, not the host")
	facts := store.Facts{HostID: "h1", Counter: 7, ProbeDigest: "p", Answers: map[string]string{"os": "x"}}
	_, err = s.PutFacts(ctx, facts)
	require.NoError(t, err)

	require.NoError(t, s.Move(ctx, "alice", h, "production"))
	moved, err := s.Host(ctx, "h1")
	require.NoError(t, err)
	require.Equal(t, "production", moved.Environment)
	kept, err := s.Facts(ctx, "h1")
	require.NoError(t, err)
	require.Nil(t, kept.Answers)
	require.Empty(t, kept.ProbeDigest)
	_, err = s.PutFacts(ctx, facts)
	require.ErrorIs(t, err, store.ErrReplayed, "its counter stays")
	trail, err := s.AuditTrail(ctx, 1)
	require.NoError(t, err)
	require.Equal(t, "alice host-moved web1 from staging to production", strings.Join([]string{trail[0].Actor, trail[0].Action, trail[0].Subject, trail[0].Detail}, " "))

	require.NoError(t, s.Revoke(ctx, "h1"))
	require.ErrorIs(t, s.Move(ctx, "alice", h, "staging"), store.ErrNotFound)
}

func TestFactsRefuseReplays(t *testing.T) {
	s, c, _ := newStore(t)
	ctx := t.Context()
	facts := store.Facts{HostID: "h1", Counter: 5, ProbeDigest: "p", Answers: map[string]string{"os": "group:debian\n"}}
	_, err := s.PutFacts(ctx, facts)
	require.ErrorIs(t, err, store.ErrNotFound)

	enrol(ctx, t, s, c, "web1", "h1")
	changed, err := s.PutFacts(ctx, facts)
	require.NoError(t, err)
	require.True(t, changed)
	_, err = s.PutFacts(ctx, facts)
	require.ErrorIs(t, err, store.ErrReplayed)
	facts.Counter = 6
	changed, err = s.PutFacts(ctx, facts)
	require.NoError(t, err)
	require.False(t, changed)

	got, err := s.Facts(ctx, "h1")
	require.NoError(t, err)
	facts.At = c.at
	require.Equal(t, facts, got)
	require.NoError(t, s.Revoke(ctx, "h1"))
	all, err := s.AllFacts(ctx)
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestFactsAreReadOnceEach(t *testing.T) {
	s, c, _ := newStore(t)
	ctx := t.Context()
	put := func(id string, counter int64, arch string) {
		_, err := s.PutFacts(ctx, store.Facts{HostID: id, Counter: counter, ProbeDigest: "p", Answers: map[string]string{"arch": arch}})
		require.NoError(t, err)
	}
	for _, id := range []string{"h1", "h2", "h3"} {
		enrol(ctx, t, s, c, id, id)
		put(id, 1, "old")
	}
	first, err := s.FactsSince(ctx, nil)
	require.NoError(t, err)
	all, err := s.AllFacts(ctx)
	require.NoError(t, err)
	require.Equal(t, all, first)

	// What is known shows where it came from.
	for _, f := range first {
		f.Answers["from"] = "memory"
	}
	put("h2", 2, "new")
	require.NoError(t, s.Revoke(ctx, "h3"))
	second, err := s.FactsSince(ctx, first)
	require.NoError(t, err)
	require.Len(t, second, 2)
	require.Equal(t, map[string]string{"arch": "old", "from": "memory"}, second["h1"].Answers)
	require.Equal(t, map[string]string{"arch": "new"}, second["h2"].Answers)
	require.Len(t, first, 3, "what is known stays as it is")
}

func TestReportsAreBounded(t *testing.T) {
	s, c, _ := newStore(t)
	ctx := t.Context()
	enrol(ctx, t, s, c, "web1", "h1")
	enrol(ctx, t, s, c, "web2", "h2")
	for i := range 60 {
		require.NoError(t, s.PutReport(ctx, store.Report{HostID: "h1", Counter: int64(i + 1), State: "good", Body: []byte("{}")}))
	}
	require.NoError(t, s.PutReport(ctx, store.Report{HostID: "h2", Counter: 1, State: "bad", Body: []byte("{}")}))
	require.ErrorIs(t, s.PutReport(ctx, store.Report{HostID: "h1", Counter: 60}), store.ErrReplayed)
	reports, err := s.Reports(ctx, "h1", 1000)
	require.NoError(t, err)
	require.Len(t, reports, 50)
	require.EqualValues(t, 60, reports[0].Counter)
	latest, err := s.LatestReports(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 60, latest["h1"].Counter)
	require.Equal(t, "bad", latest["h2"].State)
}

func TestReleases(t *testing.T) {
	s, c, _ := newStore(t)
	ctx := t.Context()
	enrol(ctx, t, s, c, "web1", "h1")
	release := store.Release{HostID: "h1", Sequence: 10, ConfigDigest: "c1", Commit: "abc"}
	require.NoError(t, s.PutReleases(ctx, []store.Release{release}))
	require.NoError(t, s.PutReleases(ctx, []store.Release{release}))
	// Another commit that says the same is noted.
	release.Commit = "def"
	require.NoError(t, s.PutReleases(ctx, []store.Release{release}))
	noted, err := s.Releases(ctx, "h1", 1)
	require.NoError(t, err)
	require.Equal(t, "def", noted[0].Commit)
	for i := range 25 {
		release.Sequence, release.ConfigDigest = int64(11+i), "c2"
		require.NoError(t, s.PutReleases(ctx, []store.Release{release}))
	}
	latest, err := s.LatestReleases(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 35, latest["h1"].Sequence)
	all, err := s.Releases(ctx, "h1", 100)
	require.NoError(t, err)
	require.Len(t, all, 20)

	// One host that is unknown: nothing of the batch is recorded.
	require.Error(t, s.PutReleases(ctx, []store.Release{{HostID: "h1", Sequence: 99}, {HostID: "ghost", Sequence: 1}}))
	latest, err = s.LatestReleases(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 35, latest["h1"].Sequence)
}

func TestReviews(t *testing.T) {
	s, _, _ := newStore(t)
	ctx := t.Context()
	review := store.Review{Repo: "o/r", Pull: 7, Head: "h", Base: "b", Digest: "x", State: "success", Body: []byte("{}"), Set: []byte{0, 1, 255}}
	for i := range 12 {
		seq, err := s.PutReview(ctx, review)
		require.NoError(t, err)
		require.EqualValues(t, i+1, seq)
	}
	latest, err := s.LatestReview(ctx, "o/r", 7)
	require.NoError(t, err)
	require.EqualValues(t, 12, latest.Seq)
	listed, err := s.Reviews(ctx, "o/r", 1)
	require.NoError(t, err)
	require.Equal(t, []store.Review{latest}, listed)
	require.Equal(t, review.Set, latest.Set)
	all, err := s.Reviews(ctx, "o/r", 100)
	require.NoError(t, err)
	require.Len(t, all, 10)
	ofHead, err := s.ReviewsOfHead(ctx, "o/r", "h")
	require.NoError(t, err)
	require.Len(t, ofHead, 10)
}

func TestCommentsKeepTheNewest(t *testing.T) {
	s, _, _ := newStore(t)
	ctx := t.Context()
	_, err := s.Comment(ctx, "o/r", 7)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.NoError(t, s.PutComment(ctx, "o/r", 7, store.Posted{ID: 3, Seq: 5}))
	require.NoError(t, s.PutComment(ctx, "o/r", 7, store.Posted{ID: 2, Seq: 4}))
	got, err := s.Comment(ctx, "o/r", 7)
	require.NoError(t, err)
	require.Equal(t, store.Posted{ID: 3, Seq: 5}, got)
}

func TestRefsAndAudit(t *testing.T) {
	s, c, _ := newStore(t)
	ctx := t.Context()
	ref := store.Ref{Repo: "o/r", Name: "refs/heads/main", Commit: "1", Outcome: "published"}
	require.NoError(t, s.PutRef(ctx, ref))
	ref.Commit = "2"
	require.NoError(t, s.PutRef(ctx, ref))
	ref.At = c.at
	refs, err := s.Refs(ctx)
	require.NoError(t, err)
	require.Equal(t, []store.Ref{ref}, refs)
	_, err = s.Ref(ctx, ref.Repo, "refs/heads/other")
	require.ErrorIs(t, err, store.ErrNotFound)

	for _, action := range []string{"first", "second"} {
		require.NoError(t, s.Audit(ctx, store.Record{Actor: "controller", Action: action}))
	}
	trail, err := s.AuditTrail(ctx, 1)
	require.NoError(t, err)
	require.Len(t, trail, 1)
	require.Equal(t, "second", trail[0].Action)
	require.EqualValues(t, 2, trail[0].N)
}
