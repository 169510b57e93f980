// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// Every run has a number that no other has, and is remembered however it ended.
func TestRan(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), func(c *agent.Config) { c.Boot = "one" })
	none, err := n.agent.Ran()
	require.NoError(t, err)
	require.Nil(t, none)
	_, err = n.agent.Run(t.Context(), agent.Options{})
	require.ErrorIs(t, err, agent.ErrNothingYet)
	ran := func() *agent.Ran {
		r, err := n.agent.Ran()
		require.NoError(t, err)
		return r
	}
	require.Equal(t, int64(1), ran().Run)
	require.Empty(t, ran().State)
	require.Contains(t, ran().Error, agent.ErrNothingYet.Error())

	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "x")}})
	require.Equal(t, int64(2), n.run(agent.Options{}).Run)
	require.Equal(t, agent.Tally{Total: 1, Good: 1, Modified: 1}, ran().Tally)
	require.Equal(t, release.StateClean, ran().State)
	contact := ran().Contact
	require.False(t, contact.IsZero())

	n.Broken = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true }
	require.Zero(t, n.run(agent.Options{DryRun: true}).Run, "it only looks")
	require.Equal(t, int64(3), n.run(agent.Options{}).Run)
	require.Contains(t, n.log.String(), "run=3", "what is logged has the number")
	require.Equal(t, contact, ran().Contact)
	require.Contains(t, ran().NoContact, "502")
	n.Broken = nil

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = n.agent.Run(ctx, agent.Options{})
	require.Error(t, err)
	require.Equal(t, []any{int64(4), "interrupted"}, []any{ran().Run, ran().Error})
	require.Equal(t, contact, ran().Contact)

	// What the journal has is called the same, and an undo has a number of its own.
	runs, err := n.agent.Runs()
	require.NoError(t, err)
	require.Equal(t, int64(2), runs[0].ID)
	_, err = n.agent.Undo(t.Context(), agent.UndoOptions{Run: 2})
	require.NoError(t, err)
	runs, err = n.agent.Runs()
	require.NoError(t, err)
	require.Equal(t, int64(5), runs[1].ID)
	require.Equal(t, int64(6), n.run(agent.Options{}).Run)

	for boot, rebooted := range map[string]bool{"one": false, "two": true, "": false} {
		n.config.Boot = boot
		n.open()
		is, err := n.agent.Rebooted()
		require.NoError(t, err)
		require.Equal(t, rebooted, is, boot)
	}
}

// The power goes between a change and its confirmation. After the boot the network may
// take a while: the host has its time again, and the change stays where it reaches its
// source then. In the boot in which the time was over, it is over.
func TestPowerCutBeforeConfirm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		boot   string
		fails  int
		stays  bool
		within time.Duration
	}{
		"another boot, a slow network": {"two", 3, true, time.Minute},
		"another boot, no network":     {"two", 1 << 30, false, 100 * time.Millisecond},
		"the same boot":                {"one", 1 << 30, false, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, newSite(t), func(c *agent.Config) { c.Boot = "one" })
			require.NoError(t, n.agent.Settle(t.Context()), "there is nothing to settle")
			n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/network", "new")}})
			n.run(agent.Options{})
			over := time.Now().Add(-time.Hour)
			require.NoError(t, n.dir.Save("unconfirmed.json", agent.Unconfirmed{Run: 1, Within: c.within, Until: over, Boot: "one"}))
			n.config.Boot = c.boot
			n.open()
			n.Broken = func(w http.ResponseWriter, _ *http.Request) bool {
				if c.fails--; c.fails < 0 {
					return false
				}
				w.WriteHeader(http.StatusBadGateway)
				return true
			}
			require.NoError(t, n.agent.Settle(t.Context()))
			require.NoFileExists(t, n.dir.Path()+"/unconfirmed.json")
			if c.stays {
				require.Equal(t, "new", read(t, n.root+"/network"))
				return
			}
			require.NoFileExists(t, n.root+"/network")
			held, err := n.agent.Held()
			require.NoError(t, err)
			require.Contains(t, held.Reason, "did not reach its source")
			// The run that found all well is gone, and is not what the status tells.
			st, err := n.agent.Status()
			require.NoError(t, err)
			require.False(t, st.Well())
			require.Equal(t, []any{int64(2), int64(1), release.StateRolledBack, c.boot}, []any{st.LastRun.Run, st.LastRun.Undoes, st.LastRun.State, st.LastRun.Boot})
			require.Contains(t, st.LastRun.Error, "run 1 was taken back: the host did not reach its source")
			require.False(t, st.LastRun.Contact.IsZero(), "when it last had contact is still known")
			require.Zero(t, st.LastRun.Tally)
			n.Broken = nil
			require.Equal(t, int64(3), n.run(agent.Options{}).Run)
		})
	}
}

// The status tells what is in force, why nothing is changed, and what is odd.
func TestStatus(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	status := func() *agent.Status {
		s, err := n.agent.Status()
		require.NoError(t, err)
		return s
	}
	s := status()
	require.True(t, s.Well())
	require.Nil(t, s.Release)
	require.Nil(t, s.LastRun)

	policy := release.Policy{Confirm: time.Minute, Windows: []release.Window{{From: "00:00", To: "00:00"}}}
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "x")}, Policy: policy})
	n.run(agent.Options{})
	s = status()
	require.True(t, s.Well())
	require.Equal(t, n.Version[n.hostID], s.Release.Sequence)
	require.Equal(t, int64(1), s.Release.Root)
	require.Len(t, s.Release.Sealed, 64)
	require.NotEmpty(t, s.Release.ConfigDigest)
	require.True(t, s.Release.Expires.After(s.Now))
	require.False(t, s.Release.Verified.IsZero())
	require.Equal(t, []any{release.ModeApply, time.Minute, true}, []any{s.Release.Mode, s.Release.Confirm, s.Open})
	require.Nil(t, s.Clock)
	require.Zero(t, s.Unsent)

	// Reports wait, the clock was set back, the host is paused.
	n.Broken = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true }
	_, err := n.agent.Pause(time.Hour, "a talk")
	require.NoError(t, err)
	n.run(agent.Options{})
	n.Broken = nil
	past := time.Now().Add(-48 * time.Hour)
	n.config.Machine.Now = func() time.Time { return past }
	n.open()
	s = status()
	require.Equal(t, 1, s.Unsent)
	require.Greater(t, s.Clock.Behind, 47*time.Hour)
	n.config.Machine.Now = time.Now
	n.open()
	s = status()
	require.Equal(t, "a talk", s.Paused.Reason)
	require.Equal(t, release.StatePaused, s.LastRun.State)
	require.True(t, s.Well(), "somebody wants it so")

	// What was taken back is nobody's normal, nor is a release that is not accepted.
	_, err = n.agent.Undo(t.Context(), agent.UndoOptions{})
	require.NoError(t, err)
	require.False(t, status().Well())
	_, err = n.agent.Resume()
	require.NoError(t, err)
	n.run(agent.Options{})
	require.True(t, status().Well())
	require.NoError(t, n.dir.Save("applied.json", map[string]any{"host_id": n.hostID, "sequence": s.Release.Sequence + 1, "root": 1}))
	s = status()
	require.Contains(t, s.ReleaseError, "was applied")
	require.False(t, s.Well())
}

// An action may kill the agent, and so may the kernel, before the run has changed anything.
func TestStatusOfARunKilledBeforeItsFirstChange(t *testing.T) {
	t.Parallel()
	n, _, _ := memory(t)
	n.Publish(n.hostID, agenttest.Release{Bundles: two()})
	died := errors.New("killed")
	procs := n.config.Machine.Processes.(*systemtest.Processes)
	procs.Answer = func(system.Command) (system.Result, error) { panic(died) }
	require.PanicsWithError(t, "killed", func() { n.run(agent.Options{}) })
	procs.Answer = func(system.Command) (system.Result, error) { return system.Result{}, nil }
	n.open()
	killed := func() int64 {
		s, err := n.agent.Status()
		require.NoError(t, err)
		require.Equal(t, s.Killed == 0, s.Well())
		return s.Killed
	}
	require.Equal(t, int64(1), killed())
	n.run(agent.Options{})
	require.Zero(t, killed())
}

// A run that was killed in the middle is told until the next one takes it up.
func TestStatusOfAKilledRun(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "x")}})
	for at := 1; ; at++ {
		n.dying(at)
		_, err := n.agent.Run(t.Context(), agent.Options{})
		require.Error(t, err, "no kill left a run without an end")
		n.open()
		s, err := n.agent.Status()
		require.NoError(t, err)
		if s.Killed == 0 {
			continue
		}
		require.Equal(t, int64(1), s.Killed)
		require.False(t, s.Well())
		n.run(agent.Options{})
		s, err = n.agent.Status()
		require.NoError(t, err)
		require.Zero(t, s.Killed)
		require.True(t, s.Well())
		return
	}
}
