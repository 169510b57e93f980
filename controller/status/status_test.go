// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// fleet is a database with hosts and a clock.
type fleet struct {
	*store.Store
	at time.Time
}

func newFleet(t *testing.T) (*fleet, *status.Reader) {
	t.Helper()
	f := &fleet{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	now := func() time.Time { return f.at }
	var err error
	f.Store, err = store.New(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "state.db"), Now: now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	r, err := status.New(status.Config{Fleet: f, History: f, Journal: f, Environments: []status.Environment{{Name: "a", Repo: "o/a", Branch: "main"}, {Name: "b", Repo: "o/b", Branch: "main"}}, Now: now})
	require.NoError(t, err)
	return f, r
}

func (f *fleet) host(t *testing.T, name string) {
	t.Helper()
	token := store.Token{ID: "t-" + name, Host: name, Environment: "a", Verifier: []byte("v"), Expires: f.at.Add(time.Hour)}
	require.NoError(t, f.AddToken(t.Context(), token))
	require.NoError(t, f.Enrol(t.Context(), token.ID, store.Host{ID: "id-" + name, Name: name, Identity: []byte{1}, Recipient: "age1"}))
}

func (f *fleet) release(t *testing.T, name, digest string, sequence int64) {
	t.Helper()
	require.NoError(t, f.PutReleases(t.Context(), []store.Release{{
		HostID: "id-" + name, Environment: "a", Sequence: sequence, ConfigDigest: digest, ProbeDigest: "set", Commit: "commit-" + digest,
		Tree: "tree", Waiting: digest == "", Format: 1,
	}}))
}

func (f *fleet) facts(t *testing.T, name string) {
	t.Helper()
	_, err := f.PutFacts(t.Context(), store.Facts{HostID: "id-" + name, Counter: 1, ProbeDigest: "set", Answers: map[string]string{"b": "x", "a": "y"}})
	require.NoError(t, err)
}

func (f *fleet) report(t *testing.T, name, digest string, r release.Report) {
	t.Helper()
	body, err := json.Marshal(r)
	require.NoError(t, err)
	require.NoError(t, f.PutReport(t.Context(), store.Report{
		HostID: "id-" + name, Counter: f.at.UnixNano(), ConfigDigest: digest, State: string(r.State), Body: body,
	}))
}

func bad(name, reason string) []release.Item {
	return []release.Item{{Key: config.Key{Tag: "Path", Name: name}, Reason: reason}}
}

func TestStates(t *testing.T) {
	f, r := newFleet(t)
	clean := release.Report{State: release.StateClean}
	for _, name := range []string{"applied", "behind", "waiting", "unpublished", "never-seen", "stale", "dirty", "failed", "silent", "paused", "back", "differs", "newly", "parts", "partly", "mute"} {
		f.host(t, name)
	}
	f.release(t, "stale", "d", 1)
	f.report(t, "stale", "d", clean)
	f.at = f.at.Add(24*time.Hour + time.Second)
	for _, name := range []string{"applied", "behind", "dirty", "failed", "never-seen", "silent", "differs", "newly", "parts", "partly", "mute"} {
		f.release(t, name, "d", 1)
	}
	f.release(t, "waiting", "", 1)
	f.report(t, "applied", "d", clean)
	f.report(t, "behind", "older", clean)
	f.report(t, "waiting", "", release.Report{State: release.StateWaiting})
	f.report(t, "unpublished", "", clean)
	f.report(t, "dirty", "d", release.Report{State: release.StateDirty, Bad: append(bad("/a", "differs"), bad("/b", "")...)})
	f.report(t, "failed", "d", release.Report{State: release.StateFailed, Error: "disk full"})
	f.report(t, "paused", "d", release.Report{State: release.StatePaused, Error: "until noon: a talk"})
	f.report(t, "back", "d", release.Report{State: release.StateRolledBack, Error: "run 3 was taken back"})
	f.facts(t, "silent")
	// What the policy wants only reported is nobody's failure, and what else is bad is.
	mode, of := release.ModeReport, func(bundle, name string) release.Item {
		return release.Item{Key: config.Key{Tag: "Path", Name: name}, Bundle: bundle, Reason: "differs"}
	}
	f.report(t, "differs", "d", release.Report{State: release.StateDirty, Mode: mode, ModeSince: f.at.Add(-50 * time.Hour), Bad: append(bad("/a", "differs"), bad("/b", "")...)})
	f.report(t, "newly", "older", release.Report{State: release.StateDirty, Mode: mode, Bad: bad("/a", "")})
	f.report(t, "mute", "d", release.Report{State: release.StateFailed, Mode: mode, Error: "no keys", Bad: bad("/a", "")})
	bundles := []release.Reported{{Bundle: "new", Since: f.at.Add(-25 * time.Hour)}, {Bundle: "odd"}}
	f.report(t, "parts", "d", release.Report{State: release.StateDirty, Reported: bundles, Bad: []release.Item{of("new", "/n"), of("odd", "/o")}})
	f.report(t, "partly", "d", release.Report{State: release.StateDirty, Reported: bundles, Bad: []release.Item{of("new", "/n"), of("base", "/a")}})

	hosts, err := r.Hosts(t.Context(), "")
	require.NoError(t, err)
	got := map[string]string{}
	for _, h := range hosts {
		got[h.Name] = string(h.State) + ": " + h.Cause
	}
	require.Equal(t, map[string]string{
		"applied": "applied: ", "behind": "behind: has not reported release 1 yet", "waiting": "waiting: its probes have no accepted answers yet",
		"unpublished": "unpublished: no release was published for it yet", "never-seen": "never-seen: enrolled, and has told nothing since",
		"stale": "stale: told nothing for more than 24 hours", "dirty": "failed: Path:/a: differs (and 1 more)", "failed": "failed: disk full",
		"silent": "behind: has not reported release 1 yet", "paused": "paused: until noon: a talk", "back": "rolled-back: run 3 was taken back",
		"differs": "differs: only reports, for 2 days; Path:/a: differs (and 1 more)", "newly": "behind: has not reported release 1 yet", "mute": "failed: no keys",
		"parts": "applied: of bundles that are only reported (new, for 1 day, odd): Path:/n: differs (and 1 more)", "partly": "failed: Path:/a: differs",
	}, got)
	o, err := r.Overview(t.Context(), "")
	require.NoError(t, err)
	require.Contains(t, o.Causes, status.Cause{Text: "Path:/a: differs", Hosts: []string{"dirty", "partly"}})
	require.Contains(t, o.Differences, status.Cause{Text: "Path:/a: differs", Hosts: []string{"differs"}})
	require.Contains(t, o.Differences, status.Cause{Text: "Path:/n: differs", Hosts: []string{"partly", "parts"}})
	d, err := r.Host(t.Context(), "differs")
	require.NoError(t, err)
	require.Equal(t, []string{"dirty", "differs"}, []string{string(d.Report.State), d.Report.Word()})
	require.Equal(t, []int{2, 0}, []int{d.Report.Bad, d.Report.Unapplied})
	d, err = r.Host(t.Context(), "partly")
	require.NoError(t, err)
	require.Equal(t, "dirty", d.Reports[0].Word())
	require.Equal(t, 1, d.Report.Unapplied)
	counts, err := r.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int{
		"applied": 2, "behind": 3, "waiting": 1, "unpublished": 1, "never-seen": 1, "stale": 1, "failed": 4, "paused": 1, "rolled-back": 1, "differs": 1,
	}, counts["a"])
	require.Equal(t, 0, counts["b"]["applied"])
}

func TestOneCauseManyHosts(t *testing.T) {
	f, r := newFleet(t)
	for i := range 5 {
		name := fmt.Sprintf("web%d", i)
		f.host(t, name)
		f.release(t, name, "d", 1)
		f.report(t, name, "d", release.Report{State: release.StateDirty, Bad: append(bad("/etc/motd", "differs"), bad(fmt.Sprint("/", i/4), "")...)})
	}
	require.NoError(t, f.PutRef(t.Context(), store.Ref{Repo: "o/a", Name: "refs/heads/main", Commit: "c", Outcome: "refused", Detail: "Bundler/x.xml:3:1"}))
	o, err := r.Overview(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, 5, o.Hosts)
	require.Equal(t, []status.Cause{
		{Text: "Path:/etc/motd: differs", Hosts: []string{"web0", "web1", "web2", "web3", "web4"}},
		{Text: "Path:/0", Hosts: []string{"web0", "web1", "web2", "web3"}},
		{Text: "Path:/1", Hosts: []string{"web4"}},
	}, o.Causes)
	require.Equal(t, "Bundler/x.xml:3:1", o.Repositories[0].Detail)
}

func TestOneHost(t *testing.T) {
	f, r := newFleet(t)
	_, err := r.Host(t.Context(), "web1")
	require.ErrorIs(t, err, status.ErrNotFound)
	f.host(t, "web1")
	d, err := r.Host(t.Context(), "web1")
	require.NoError(t, err)
	require.Equal(t, status.StateNeverSeen, d.State)
	require.Contains(t, d.Cause, "no release was published for it yet")
	require.Nil(t, d.Release)

	f.release(t, "web1", "d1", 1)
	f.release(t, "web1", "d2", 2)
	f.facts(t, "web1")
	f.report(t, "web1", "d1", release.Report{State: release.StateClean, Total: 3, Good: 3})
	f.at = f.at.Add(time.Minute)
	phases := []release.Span{{Name: "install", Milliseconds: 400}}
	f.report(t, "web1", "d2", release.Report{
		State: release.StateClean, Total: 3, Good: 2, Modified: bad("/etc/motd", "differed"), Flags: []string{"bundle=web"},
		Started: f.at, Finished: f.at.Add(time.Second), Phases: phases,
	})
	f.at = f.at.Add(time.Minute)
	d, err = r.Host(t.Context(), "web1")
	require.NoError(t, err)
	require.Equal(t, status.StateApplied, d.State)
	require.Equal(t, []string{"a", "b"}, d.Probes)
	require.True(t, d.Facts.Current)
	require.EqualValues(t, 120, d.Facts.AgeSeconds)
	require.EqualValues(t, 2, d.Release.Sequence)
	require.Len(t, d.Releases, 2)
	require.Len(t, d.Reports, 2)
	require.Equal(t, 1, d.Report.Drift)
	require.Equal(t, []string{"bundle=web"}, d.Report.Flags, "a run of a part is not taken for one of the host")
	require.EqualValues(t, 1000, d.Report.Milliseconds)
	require.Equal(t, phases, d.Report.Phases)
	require.Zero(t, d.Reports[1].Milliseconds)
	require.Equal(t, "/etc/motd", d.Modified[0].Key.Name)
}

func TestJournal(t *testing.T) {
	f, r := newFleet(t)
	for i, name := range []string{"web1", "web2", "web3"} {
		f.host(t, name)
		f.at = f.at.Add(time.Minute)
		f.release(t, name, []string{"d1", "d1", ""}[i], 1)
	}
	commits, err := r.Releases(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, commits, 2)
	require.Equal(t, "commit-", commits[0].Commit)
	require.Equal(t, 1, commits[0].Waiting)
	require.Equal(t, []string{"web1", "web2"}, commits[1].Hosts)
	require.Equal(t, time.Minute, commits[1].Last.Sub(commits[1].First))

	for i, repo := range []string{"o/a", "o/b", "o/a", "o/unknown"} {
		f.at = f.at.Add(time.Minute)
		_, err := f.PutReview(t.Context(), store.Review{Repo: repo, Pull: i, State: "success", Body: []byte(`{}`)})
		require.NoError(t, err)
	}
	reviews, err := r.Reviews(t.Context(), "", 2, true)
	require.NoError(t, err)
	require.Len(t, reviews, 2)
	require.Equal(t, 2, reviews[0].Pull)
	require.Equal(t, 1, reviews[1].Pull)
	require.JSONEq(t, `{}`, string(reviews[0].Report))

	one, err := r.Review(t.Context(), "", 2)
	require.NoError(t, err)
	require.Equal(t, reviews[0], *one)
	_, err = r.Review(t.Context(), "", 3)
	require.ErrorIs(t, err, status.ErrNotFound)

	require.NoError(t, f.Audit(t.Context(), store.Record{Actor: "a", Action: "b", Subject: "c", Detail: "d"}))
	events, err := r.Events(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []status.Event{{N: 1, At: f.at, Actor: "a", Action: "b", Subject: "c", Detail: "d"}}, events)
}

// part is a database of which one table cannot be read.
type part struct {
	*fleet
	broken string
}

var errBroken = errors.New("broken")

func (p part) LatestReleases(ctx context.Context) (map[string]store.Release, error) {
	if p.broken == "releases" {
		return nil, errBroken
	}
	return p.fleet.LatestReleases(ctx)
}

func (p part) LatestReports(ctx context.Context) (map[string]store.Report, error) {
	switch p.broken {
	case "reports":
		return nil, errBroken
	case "body":
		return map[string]store.Report{"id-web1": {Body: []byte("{")}}, nil
	}
	return p.fleet.LatestReports(ctx)
}

func (p part) AllFacts(ctx context.Context) (map[string]store.Facts, error) {
	if p.broken == "facts" {
		return nil, errBroken
	}
	return p.fleet.AllFacts(ctx)
}

// A fleet that can be read in part is not shown as if the rest were empty.
func TestPartsAreNotShown(t *testing.T) {
	f, _ := newFleet(t)
	f.host(t, "web1")
	for _, broken := range []string{"releases", "reports", "facts", "body"} {
		r, err := status.New(status.Config{Fleet: part{f, broken}, History: f, Journal: f})
		require.NoError(t, err)
		_, err = r.Hosts(t.Context(), "")
		require.Error(t, err, broken)
		_, err = r.Overview(t.Context(), "")
		require.Error(t, err, broken)
	}
}
