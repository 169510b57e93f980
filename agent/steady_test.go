// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// fated answers for a unit that is started again whenever somebody looks, until it has had
// enough of that.
type fated struct {
	lives, asked int
}

// Run implements system.Processes.
func (f *fated) Run(_ context.Context, c system.Command) (system.Result, error) {
	if c.Args[1] == "show" {
		f.asked++
	}
	return system.Result{Stdout: []byte(strconv.Itoa(min(f.asked, f.lives)) + "\n")}, nil
}

// A unit that dies and is started anew is active whenever it was just started, and an
// answer that comes and goes is not one: what is well stays so for a moment.
func TestHealthThatFlaps(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) > 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	t.Cleanup(web.Close)
	for name, c := range map[string]struct {
		check release.Check
		lives int
		bad   string
	}{
		"a unit for ever": {release.Check{Unit: "app.service"}, 1 << 30, "unit app.service: it was started again"},
		"a unit at first": {release.Check{Unit: "app.service"}, 3, ""},
		"a page":          {release.Check{HTTP: web.URL}, 0, "answered 502"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, newSite(t), func(ac *agent.Config) {
				ac.Machine.Root, ac.Machine.Processes = "/", &fated{lives: c.lives}
			})
			grace := time.Second
			if c.bad == "" {
				grace = time.Minute
			}
			n.Publish(n.hostID, agenttest.Release{
				Entries: []config.Entry{agenttest.Entry("Path", "x", "type=file", "name=/f", "owner=0", "group=0", "mode=0644")},
				Policy:  release.Policy{Health: []release.Health{{Bundle: "base", Grace: grace, Checks: []release.Check{c.check}}}},
			})
			r := n.run(agent.Options{})
			if c.bad == "" {
				require.Equal(t, release.StateClean, r.Report.State, r.Report.Error)
				return
			}
			require.Equal(t, release.StateRolledBack, r.Report.State)
			require.Contains(t, r.Report.Error, c.bad)
		})
	}
}

// A clock that is set while a change waits for its confirmation neither puts the end off
// for a day, nor lets it come before the source was asked.
func TestConfirmWhileTheClockIsSet(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		jump  time.Duration
		there bool
		most  time.Duration
	}{
		"back, cut off":  {-24 * time.Hour, false, time.Minute},
		"forth, cut off": {24 * time.Hour, false, time.Minute},
		"back, well":     {-24 * time.Hour, true, time.Minute},
		"forth, well":    {24 * time.Hour, true, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Now().Round(0)
			var waited []time.Duration
			n := newNode(t, newSite(t), nil)
			n.config.Machine.Now = func() time.Time { return now }
			n.config.After = func(d time.Duration) <-chan time.Time {
				waited, now = append(waited, d), now.Add(d)
				if len(waited) == 1 {
					now = now.Add(c.jump)
				}
				due := make(chan time.Time, 1)
				due <- now
				return due
			}
			n.open()
			if !c.there {
				cut(n, "/network")
			}
			n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/network", "new")}, Policy: release.Policy{Confirm: time.Minute}})
			r, err := n.agent.Run(t.Context(), agent.Options{})
			require.NoError(t, err)
			require.LessOrEqual(t, total(waited), c.most)
			require.NoFileExists(t, n.dir.Path()+"/unconfirmed.json")
			if c.there {
				require.NotEqual(t, release.StateRolledBack, r.Report.State)
				require.FileExists(t, n.root+"/network")
				return
			}
			require.Equal(t, release.StateRolledBack, r.Report.State)
			require.NoFileExists(t, n.root+"/network")
		})
	}
}
