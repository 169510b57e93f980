// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/relay"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// apart is a node that leaves the network to a fetcher.
type apart struct {
	*node
	fetched, requests string
	fetcher           *relay.Fetcher
	// after is what a hostile fetcher does once the real one has ended.
	after func()
}

// separated makes a node whose agent has no connection, and a fetcher without keys.
func separated(t *testing.T) *apart {
	t.Helper()
	n := &apart{fetched: t.TempDir(), requests: t.TempDir(), after: func() {}}
	n.node = newNode(t, newSite(t), func(c *agent.Config) {
		var err error
		n.fetcher, err = relay.NewFetcher(relay.FetcherConfig{
			Fetched: n.fetched, Requests: n.requests, Owner: os.Geteuid(), Client: c.Client, Now: time.Now,
		})
		require.NoError(t, err)
		d := c.State
		tr, err := relay.New(relay.Config{
			Fetched: n.fetched, Owner: os.Geteuid(), Requests: n.requests,
			Root: func() ([]byte, error) { return agent.TrustedRoot(d) },
			Start: func(ctx context.Context) error {
				err := n.fetcher.Fetch(ctx)
				n.after()
				return err
			},
		})
		require.NoError(t, err)
		c.Client = &http.Client{Transport: tr}
	})
	return n
}

func (n *apart) public(name string) string {
	return filepath.Join(n.fetched, "public", release.HostPath(n.hostID, name))
}

// good publishes and applies a first release.
func (n *apart) good() {
	n.t.Helper()
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "good")}})
	require.NoError(n.t, n.run(agent.Options{}).Fetch)
	require.Equal(n.t, "good", read(n.t, n.root+"/f"))
}

// Apart the two halves do what one process does: news, facts, reports and new roots.
func TestFetcherApart(t *testing.T) {
	t.Parallel()
	n := separated(t)
	n.good()
	require.NotEmpty(t, n.Reports, "the report was sent")
	n.Taken()
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Equal(t, []string{"GET /" + release.HostPath(n.hostID, release.TimestampName)}, n.Taken(), "a poll without news is one request")

	n.OnFacts = func(*release.Facts) {
		n.PublishLocked(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "by its facts")}})
	}
	n.Publish(n.hostID, agenttest.Release{Waiting: true, Probes: []config.Probe{{Name: "p", Source: "Probes", Interpreter: "/bin/sh", Script: "echo group:x\n"}}})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Equal(t, "by its facts", read(t, n.root+"/f"))

	n.Rotate()
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "new keys")}})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Equal(t, "new keys", read(t, n.root+"/f"))
	left, err := os.ReadDir(n.requests)
	require.NoError(t, err)
	require.Empty(t, left, "what was sent is not kept")
}

// What does not verify at the fetcher never reaches the agent, which says so.
func TestFetcherRefuses(t *testing.T) {
	t.Parallel()
	n := separated(t)
	n.good()
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "tampered")}})
	n.blob("timestamp.json", func(b []byte) []byte { return []byte(strings.Replace(string(b), `"version":`, `"version":1`, 1)) })
	r := n.run(agent.Options{})
	require.ErrorIs(t, r.Fetch, release.ErrUntrusted)
	require.Equal(t, release.StateFailed, r.Report.State)
	require.Equal(t, "good", read(t, n.root+"/f"))
	n.Broken = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true }
	r = n.run(agent.Options{})
	require.ErrorIs(t, r.Fetch, agent.ErrUnavailable)
	require.NotErrorIs(t, r.Fetch, release.ErrUntrusted)
	n.Broken = func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
	r = n.run(agent.Options{})
	require.ErrorIs(t, r.Fetch, agent.ErrUnavailable)
	require.Equal(t, 1, strings.Count(r.Fetch.Error(), n.Server.URL), "both halves say where: %s", r.Fetch)
}

// Whoever has taken the fetcher over can keep news back. It cannot forge, bring back
// what was superseded, give another host's, nor make the agent read what it may not.
func TestHostileFetcher(t *testing.T) {
	t.Parallel()
	n := separated(t)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "old")}})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	old := tree(t, n.fetched)
	n.good()
	other := enrol(t, n.Site, t.TempDir()+"/other")
	n.Publish(other.HostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "another host's")}})
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("root:secret"), 0o600))

	stamp := n.public(release.TimestampName)
	replace := func(by func() error) func() {
		return func() {
			require.NoError(t, os.RemoveAll(stamp))
			require.NoError(t, by())
		}
	}
	for name, attack := range map[string]func(){
		"an old sequence": func() {
			for file, content := range old {
				if content != "directory" && strings.Contains(file, "/public/") {
					require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
				}
			}
		},
		"another host's": func() {
			n.Mu.Lock()
			defer n.Mu.Unlock()
			require.NoError(t, os.WriteFile(stamp, n.Blobs[release.HostPath(other.HostID, release.TimestampName)], 0o600))
		},
		"changed bytes": func() {
			list, err := os.ReadDir(filepath.Dir(stamp))
			require.NoError(t, err)
			for _, e := range list {
				file := filepath.Join(filepath.Dir(stamp), e.Name())
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				data[len(data)/2] ^= 1
				require.NoError(t, os.WriteFile(file, data, 0o600))
			}
		},
		"a symbolic link": replace(func() error { return os.Symlink(secret, stamp) }),
		"a hard link":     replace(func() error { return os.Link(secret, stamp) }),
		"a pipe":          replace(func() error { return unix.Mkfifo(stamp, 0o600) }),
		"a directory":     replace(func() error { return os.Mkdir(stamp, 0o700) }),
		"a huge file":     replace(func() error { return errors.Join(os.WriteFile(stamp, nil, 0o600), os.Truncate(stamp, 1<<40)) }),
		"nothing":         replace(func() error { return nil }),
		"a lie of an answer": func() {
			data, err := os.ReadFile(filepath.Join(n.fetched, "outcome.json"))
			require.NoError(t, err)
			var out map[string]any
			require.NoError(t, json.Unmarshal(data, &out))
			out["error"] = "\x1b[2J" + strings.Repeat("x", 1<<20)
			data, err = json.Marshal(out)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(n.fetched, "outcome.json"), data, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.RemoveAll(n.fetched+"/public"))
			require.NoError(t, os.WriteFile(n.root+"/f", []byte("drift"), 0o600))
			n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "news")}})
			n.after = attack
			n.open()
			r := n.run(agent.Options{})
			require.Error(t, r.Fetch)
			require.NotContains(t, r.Fetch.Error(), "root:secret")
			require.NotContains(t, r.Fetch.Error(), "\x1b")
			require.Less(t, len(r.Fetch.Error()), 2000)
			require.Equal(t, "good", read(t, n.root+"/f"), "what was verified last stays in force")
		})
	}
	n.after = func() {}
	require.NoError(t, os.RemoveAll(n.fetched+"/public"))
	require.NoError(t, n.run(agent.Options{}).Fetch, "an honest fetcher heals it")
	require.Equal(t, "news", read(t, n.root+"/f"))
}

// A fetcher that changes its files while they are read has the agent refuse, or take
// what was signed, and nothing between.
func TestRacingFetcher(t *testing.T) {
	t.Parallel()
	n := separated(t)
	n.good()
	stamp := n.public(release.TimestampName)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_ = os.Remove(stamp + "x")
			_ = os.Symlink("/etc/passwd", stamp+"x")
			_ = unix.Renameat2(unix.AT_FDCWD, stamp, unix.AT_FDCWD, stamp+"x", unix.RENAME_EXCHANGE)
			_ = os.WriteFile(stamp+"x", []byte("{}"), 0o600)
			_ = unix.Renameat2(unix.AT_FDCWD, stamp, unix.AT_FDCWD, stamp+"x", unix.RENAME_EXCHANGE)
		}
	}()
	want := "good"
	for i := range 10 {
		next := "news " + strings.Repeat("x", i)
		n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", next)}})
		if n.run(agent.Options{}).Fetch == nil {
			want = next
		}
		require.Contains(t, []string{want, next}, read(t, n.root+"/f"))
		want = read(t, n.root+"/f")
	}
	stop()
	<-done
}

// A fetcher that was at work for somebody else is started again, and one that never
// answers is an outage.
func TestFetcherWithoutAnswer(t *testing.T) {
	t.Parallel()
	n := separated(t)
	n.good()
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "news")}})
	times := 0
	n.after = func() {
		if times++; times == 1 {
			require.NoError(t, os.WriteFile(filepath.Join(n.fetched, "outcome.json"), []byte(`{"id":"another"}`), 0o600))
		}
	}
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Equal(t, "news", read(t, n.root+"/f"))
	n.after = func() { require.NoError(t, os.RemoveAll(filepath.Join(n.fetched, "outcome.json"))) }
	require.ErrorIs(t, n.run(agent.Options{}).Fetch, agent.ErrUnavailable)
	require.Equal(t, "news", read(t, n.root+"/f"))
}
