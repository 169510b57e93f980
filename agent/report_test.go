// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// A report that the controller will never see is told of, in the log and by the status,
// until the controller takes another one. Those that it cannot take now wait.
func TestLostReports(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	answer := 0
	n.Broken = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost && answer != 0 {
			http.Error(w, "it does not fit", answer)
			return true
		}
		return false
	}
	run := func(with int, text string) *agent.Status {
		t.Helper()
		answer = with
		n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", text)}})
		require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
		st, err := n.agent.Status()
		require.NoError(t, err)
		return st
	}
	for i, code := range []int{400, 401, 403, 409, 413, 422} {
		st := run(code, http.StatusText(code))
		require.Zero(t, st.Unsent, code)
		require.Equal(t, i+1, st.Lost.Reports, code)
		require.Contains(t, st.Lost.Reason, "it does not fit")
		require.False(t, st.Lost.Last.IsZero())
		require.False(t, st.Well())
	}
	require.Contains(t, n.log.String(), "the controller will not see a report")
	for i, code := range []int{404, 408, 429, 503} {
		st := run(code, http.StatusText(code))
		require.Equal(t, i+1, st.Unsent, code)
		require.Equal(t, 6, st.Lost.Reports)
	}
	// One that the disk has lost is not sent and not forgotten.
	names, err := n.dir.List("outbox")
	require.NoError(t, err)
	require.NoError(t, n.dir.Write("outbox/"+names[0], []byte("{")))
	n.log.Reset()
	st := run(0, "last")
	require.Contains(t, n.log.String(), "it is damaged")
	require.Zero(t, st.Unsent)
	require.Nil(t, st.Lost)
	require.True(t, st.Well())
	require.Len(t, n.Reports, 4)
}

// What took how long goes to the controller with what was found and done, and whether it
// was a run of everything.
func TestReportTellsWhatTookLong(t *testing.T) {
	t.Parallel()
	n, _, _ := memory(t)
	now := time.Now()
	n.config.Machine.Now = func() time.Time { now = now.Add(10 * time.Millisecond); return now }
	n.open()
	n.Publish(n.hostID, agenttest.Release{Bundles: two()})
	n.run(agent.Options{})
	n.run(agent.Options{Quick: true})
	require.Len(t, n.Reports, 2)
	rep := n.Reports[0]
	names := func(spans []release.Span) (out []string) {
		for _, s := range spans {
			require.Positive(t, s.Milliseconds, s.Name)
			out = append(out, s.Name)
		}
		return out
	}
	require.Equal(t, []string{"fetch", "inventory", "questions", "important", "before", "install", "settle", "after", "again", "extra", "remove", "health"}, names(rep.Phases))
	require.ElementsMatch(t, []string{"web", "db"}, names(rep.Bundles))
	require.True(t, rep.Finished.After(rep.Started))
	require.Equal(t, []int{5, 5, 5}, []int{rep.Total, rep.Good, len(rep.Modified)})
	require.Empty(t, rep.Flags)
	require.Equal(t, []string{"quick"}, n.Reports[1].Flags)
}
