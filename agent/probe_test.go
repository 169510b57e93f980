// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

func probe(name, script string) config.Probe {
	return config.Probe{Name: name, Source: config.SourceProbes, Interpreter: "/bin/sh", Script: script}
}

// bound answers the facts of a host with a release that holds one answer.
func (n *node) bound(key string, probes ...config.Probe) {
	n.OnFacts = func(f *release.Facts) {
		n.PublishLocked(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", f.Answers[key])}, Probes: probes})
	}
}

func TestLastGoodAnswerStandsIn(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	now := time.Now()
	n.config.Machine.Now = func() time.Time { return now }
	n.open()
	require.NoError(t, os.WriteFile(n.root+"/role", []byte("web"), 0o600))
	require.NoError(t, os.WriteFile(n.root+"/size", []byte("small"), 0o600))
	probes := []config.Probe{probe("role", "cat $BINDERY_ROOT/role"), probe("size", "cat $BINDERY_ROOT/size")}
	n.Publish(n.hostID, agenttest.Release{Probes: probes, Waiting: true})
	n.bound("size", probes...)
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Empty(t, n.Reports[len(n.Reports)-1].StaleFacts)

	// It fails: nothing is new, and the report says so once.
	require.NoError(t, os.Remove(n.root+"/role"))
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Len(t, n.Facts, 1)
	said := len(n.Reports)
	stale := n.Reports[said-1].StaleFacts
	require.Equal(t, []release.StaleFact{{Probe: "role", Since: now.UTC().Truncate(time.Second), Reason: "ended with status 1"}}, stale)
	now = now.Add(time.Minute)
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Len(t, n.Reports, said, "an equal report is not repeated: it fails since the same time")

	// What else is new is told, with the last good answer beside it.
	require.NoError(t, os.WriteFile(n.root+"/size", []byte("large"), 0o600))
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Equal(t, map[string]string{"role": "web", "size": "large"}, n.Facts[1].Answers)
	require.Equal(t, "large", read(t, n.root+"/f"))
	require.Equal(t, stale, n.Reports[len(n.Reports)-1].StaleFacts)

	// It is well again.
	require.NoError(t, os.WriteFile(n.root+"/role", []byte("web"), 0o600))
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Empty(t, n.Reports[len(n.Reports)-1].StaleFacts)
	require.Len(t, n.Facts, 2)

	// Another probe of the same name asked something else.
	n.Publish(n.hostID, agenttest.Release{Probes: []config.Probe{probe("role", "exit 4"), probes[1]}, Entries: []config.Entry{agenttest.File("/f", "x")}})
	require.ErrorContains(t, n.run(agent.Options{}).Fetch, `probe "role": ended with status 4`)
	require.Len(t, n.Facts, 2)

	// The host is as its release says, and stays behind on what is known of it.
	st, err := n.agent.Status()
	require.NoError(t, err)
	require.Equal(t, release.StateClean, st.LastRun.State)
	require.Equal(t, `probe "role": ended with status 4`, st.LastRun.NoFacts)
	require.False(t, st.Well())
	n.Publish(n.hostID, agenttest.Release{Probes: probes, Entries: []config.Entry{agenttest.File("/f", "x")}})
	n.bound("size", probes...)
	n.run(agent.Options{})
	st, err = n.agent.Status()
	require.NoError(t, err)
	require.True(t, st.Well())
}

// Answers that stay as they are are confirmed once a day, so that nobody takes them for
// old; not so what stands in for a probe that fails, and nothing waits for it.
func TestAnswersAreConfirmed(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	now := time.Now()
	n.config.Machine.Now = func() time.Time { return now }
	n.open()
	require.NoError(t, os.WriteFile(n.root+"/role", []byte("web"), 0o600))
	n.Publish(n.hostID, agenttest.Release{Probes: []config.Probe{probe("role", "cat $BINDERY_ROOT/role")}, Entries: []config.Entry{agenttest.File("/f", "x")}})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	for _, c := range []struct {
		after time.Duration
		fails bool
		facts int
	}{
		{after: 23 * time.Hour, facts: 1}, {after: 2 * time.Hour, facts: 2}, {after: time.Hour, facts: 2},
		{after: 48 * time.Hour, fails: true, facts: 2}, {after: time.Minute, facts: 3}, {after: -time.Hour, facts: 4},
	} {
		now = now.Add(c.after)
		n.config.FactsWait = time.Hour // nothing is waited for
		n.open()
		if c.fails {
			require.NoError(t, os.Remove(n.root+"/role"))
		} else {
			require.NoError(t, os.WriteFile(n.root+"/role", []byte("web"), 0o600))
		}
		n.Publish(n.hostID, agenttest.Release{Probes: []config.Probe{probe("role", "cat $BINDERY_ROOT/role")}, Entries: []config.Entry{agenttest.File("/f", "x")}, Now: now})
		require.NoError(t, n.run(agent.Options{}).Fetch)
		require.Len(t, n.Facts, c.facts, "after %s", c.after)
	}

	// A controller that cannot be told is no failure of the run.
	now = now.Add(48 * time.Hour)
	n.Publish(n.hostID, agenttest.Release{Probes: []config.Probe{probe("role", "cat $BINDERY_ROOT/role")}, Entries: []config.Entry{agenttest.File("/f", "y")}, Now: now})
	n.Broken = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			http.Error(w, "away", http.StatusBadGateway)
		}
		return r.Method == http.MethodPost
	}
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Equal(t, "y", read(t, n.root+"/f"))
	require.Len(t, n.Facts, 4)
}

// The release that facts bring may ask for more: that is known before it is planned.
func TestProbeSetThatChangesIsAskedBeforeThePlan(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	first, second := []config.Probe{probe("a", "echo group:web")}, []config.Probe{probe("a", "echo group:web"), probe("b", "echo deep")}
	n.Publish(n.hostID, agenttest.Release{Probes: first, Waiting: true})
	n.OnFacts = func(f *release.Facts) {
		entry := agenttest.File("/f", "shallow")
		if b, ok := f.Answers["b"]; ok {
			entry = agenttest.File("/f", b)
		}
		n.PublishLocked(n.hostID, agenttest.Release{Probes: second, Entries: []config.Entry{entry}})
	}
	r := n.run(agent.Options{})
	require.NoError(t, r.Fetch)
	require.Len(t, n.Facts, 2)
	require.Len(t, r.Report.Modified, 1)
	require.Equal(t, "deep\n", read(t, n.root+"/f"))

	// Sets that never settle have an end; the last one is in force.
	n.OnFacts = func(f *release.Facts) {
		more := probe("x", "echo "+time.Now().String())
		n.PublishLocked(n.hostID, agenttest.Release{Probes: []config.Probe{more}, Entries: []config.Entry{agenttest.File("/f", more.Script)}})
	}
	n.Publish(n.hostID, agenttest.Release{Probes: first, Entries: []config.Entry{agenttest.File("/f", "again")}})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Len(t, n.Facts, 6)
	require.Contains(t, read(t, n.root+"/f"), "echo ")
}

// A controller that is silent after new facts, or goes away: what was verified last
// stays in force.
func TestNewFactsWithoutANewRelease(t *testing.T) {
	t.Parallel()
	for _, away := range []bool{false, true} {
		n := newNode(t, newSite(t), func(c *agent.Config) { c.FactsWait = 600 * time.Millisecond })
		require.NoError(t, os.WriteFile(n.root+"/role", []byte("web"), 0o600))
		probes := []config.Probe{probe("role", "cat $BINDERY_ROOT/role")}
		n.Publish(n.hostID, agenttest.Release{Probes: probes, Entries: []config.Entry{agenttest.File("/f", "good")}})
		require.NoError(t, n.run(agent.Options{}).Fetch)
		require.NoError(t, os.WriteFile(n.root+"/role", []byte("db"), 0o600))
		require.NoError(t, os.Remove(n.root+"/f"))
		if away {
			told := false
			n.Broken = func(w http.ResponseWriter, r *http.Request) bool {
				if told {
					http.Error(w, "away", http.StatusBadGateway)
					return true
				}
				told = r.Method == http.MethodPost
				return false
			}
		}
		r := n.run(agent.Options{})
		require.Equal(t, away, r.Fetch != nil)
		require.Equal(t, "good", read(t, n.root+"/f"))
		require.Len(t, n.Facts, 2)
	}
}

func TestProbesOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		return // nobody else can be become
	}
	n := newNode(t, newSite(t), func(c *agent.Config) {
		c.Probes = agent.ProbeSettings{User: "nobody", Root: []string{"dmi"}, CPU: 2 * time.Second, Megabytes: 64}
	})
	probes := []config.Probe{probe("who", "id -un"), probe("dmi", "id -un")}
	n.Publish(n.hostID, agenttest.Release{Probes: probes, Waiting: true})
	n.bound("who", probes...)
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Equal(t, map[string]string{"who": "nobody\n", "dmi": "root\n"}, n.Facts[0].Answers)

	for script, why := range map[string]string{
		"while :; do :; done":               "too much processor time",
		"x=x; while :; do x=$x$x; done":     "ended with status",
		"b() { b | b & }; b; wait; exit 1":  "ended with status",
		"cat " + n.dir.Path() + "/identity": "ended with status",
		"while :; do echo y; done":          "wrote too much",
	} {
		n.Publish(n.hostID, agenttest.Release{Probes: []config.Probe{probe("bad", script)}, Entries: []config.Entry{agenttest.File("/g", script)}})
		require.ErrorContains(t, n.run(agent.Options{}).Fetch, why, script)
		require.Equal(t, script, read(t, n.root+"/g"))
	}
	n.config.Probes = agent.ProbeSettings{User: "nobody-of-that-name"}
	n.open()
	require.ErrorContains(t, n.run(agent.Options{}).Fetch, "probes.user")
	n.config.Probes = agent.ProbeSettings{Root: []string{"dmi"}}
	_, err := agent.New(n.config)
	require.ErrorContains(t, err, "probes.root")
}
