// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/internal/schedule"
)

// machine is a host with a clock of its own, which goes on only while the loop waits.
type machine struct {
	site *agenttest.Site
	dir  *state.Dir
	root string
	now  time.Time
	id   string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{root: t.TempDir(), now: time.Now()}
	m.site = agenttest.New(t, func(key ed25519.PrivateKey) (release.Signer, error) { return signature.LoadED25519Signer(key) })
	var err error
	m.dir, err = state.Open(state.Config{Path: filepath.Join(t.TempDir(), "state"), Create: true})
	require.NoError(t, err)
	t.Cleanup(m.dir.Close)
	e, err := agent.Enrol(t.Context(), agent.EnrolConfig{
		State: m.dir, Client: http.DefaultClient, URL: m.site.Server.URL, Host: agenttest.HostName, Token: m.site.Token(agenttest.HostName),
	})
	require.NoError(t, err)
	m.id = e.HostID
	return m
}

// beat is the agent in one boot of the machine.
func (m *machine) beat(t *testing.T, boot string, settings agent.Settings) *beat {
	t.Helper()
	host, err := system.New(system.Config{Root: m.root})
	require.NoError(t, err)
	host.Now = func() time.Time { return m.now }
	a, err := agent.New(agent.Config{State: m.dir, Machine: host, Client: http.DefaultClient, Boot: boot})
	require.NoError(t, err)
	return &beat{agent: a, settings: settings}
}

// live runs the loop until a time, and gives what it logged.
func (m *machine) live(t *testing.T, b *beat, until time.Time) string {
	t.Helper()
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	clock := schedule.Clock{Now: func() time.Time { return m.now }, After: func(d time.Duration) (<-chan time.Time, func()) {
		m.now = m.now.Add(d)
		due := make(chan time.Time, 1)
		if m.now.After(until) {
			cancel()
		} else {
			due <- m.now
		}
		return due, func() {}
	}}
	require.NoError(t, scheduled(ctx, b, agent.Options{}, clock, slog.New(slog.NewTextHandler(&log, nil))))
	return log.String()
}

// A host that runs once in six hours, and may be changed in half an hour of the day,
// is changed in it.
func TestRunsInItsWindow(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	opens := m.now.UTC().Add(2 * time.Hour).Truncate(time.Minute)
	window := release.Window{From: opens.Format("15:04"), To: opens.Add(30 * time.Minute).Format("15:04")}
	m.site.Publish(m.id, agenttest.Release{
		Entries: []config.Entry{agenttest.File("/f", "x")}, Policy: release.Policy{Windows: []release.Window{window}, Every: 6 * time.Hour},
	})
	b := m.beat(t, "", agent.Settings{})
	// The first run learns of the window, and finds it closed.
	require.Contains(t, m.live(t, b, opens.Add(-time.Minute)), "outside its maintenance window")
	require.NoFileExists(t, filepath.Join(m.root, "f"))
	log := m.live(t, b, opens.Add(20*time.Minute))
	require.FileExists(t, filepath.Join(m.root, "f"))
	require.Regexp(t, `msg=changed run=\d+ entry=Path:/f bundle=base`, log)
	require.Equal(t, "x", read(t, filepath.Join(m.root, "f")))
}

// What the release says counts where the host's own settings say nothing, and a change
// of it is told once.
func TestBeatFollowsTheRelease(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.site.Publish(m.id, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "x")}, Policy: release.Policy{Every: time.Hour}})
	b := m.beat(t, "", agent.Settings{})
	log := m.live(t, b, m.now.Add(time.Second))
	require.Contains(t, log, `"the release has another schedule" schedule="@every 1h0m0s"`)
	require.Equal(t, time.Hour, b.interval(m.now))
	require.NotContains(t, m.live(t, b, m.now.Add(3*time.Hour)), "another schedule")
	m.site.Publish(m.id, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "x")}})
	require.Contains(t, m.live(t, b, m.now.Add(2*time.Hour)), `another schedule" schedule="`+defaultSchedule)
	require.Equal(t, 5*time.Minute, b.interval(m.now))

	again := m.beat(t, "", agent.Settings{})
	require.NoError(t, again.read())
	require.Equal(t, b.plan.String(), again.plan.String(), "an agent that starts knows what was in force")
}

func TestTheSettingsOfTheHostWin(t *testing.T) {
	t.Parallel()
	b := &beat{settings: agent.Settings{Schedule: "30 2 * * *", Timezone: "Europe/Berlin"}}
	windows := []release.Window{{From: "01:00", To: "02:00"}}
	changed, err := b.set(time.Hour, windows)
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, windows, b.windows)
	due := b.plan.Next(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC))
	require.Equal(t, time.Date(2026, 7, 2, 0, 30, 0, 0, time.UTC), due.UTC(), "by the host's own clock")
	changed, err = b.set(time.Minute, nil)
	require.NoError(t, err)
	require.False(t, changed)
	require.Empty(t, b.windows)

	for _, bad := range []agent.Settings{{Schedule: "never"}, {Schedule: "@hourly", Timezone: "Nowhere/Atall"}, {Timezone: "Nowhere/Atall"}} {
		_, err := (&beat{settings: bad}).set(0, nil)
		require.Error(t, err)
	}
}

// Hosts take turns, but not so far that a time of the clock means nothing.
func TestHostsAreSpread(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for expr, want := range map[string]time.Duration{
		"*/5 * * * *": 5 * time.Minute, "0 * * * *": time.Hour, "30 3 * * 1-5": time.Hour, "0 4 1 1 *": time.Hour,
		"@every 6h": 6 * time.Hour, "@daily": 24 * time.Hour,
	} {
		b := m.beat(t, "", agent.Settings{Schedule: expr, Timezone: "Asia/Kolkata"})
		_, err := b.set(0, nil)
		require.NoError(t, err)
		noon := time.Date(2026, 7, 4, 12, 0, 0, 0, time.UTC)
		require.Equal(t, want, b.spread(noon), expr)
		require.Less(t, b.phase(noon), want, expr)
		require.Equal(t, want/jitterShare, b.jitter(noon), expr)
		n := b.next(noon)
		due := b.plan.Next(n.At.Add(-want))
		require.False(t, n.At.Before(due), expr)
		require.Less(t, n.At.Sub(due), want, expr)
	}
}

// Ten thousand machines that start together ask over minutes, each at its own time.
func TestFirstRunAfterABoot(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.site.Publish(m.id, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "x")}})
	started := m.now
	b := m.beat(t, "first", agent.Settings{})
	require.Contains(t, m.live(t, b, started.Add(time.Second)), "run done", "the very first run comes at once")
	require.Contains(t, m.live(t, m.beat(t, "first", agent.Settings{}), m.now), "run done", "and so it does where only the agent was started again")

	b = m.beat(t, "second", agent.Settings{Schedule: "@yearly"})
	require.NoError(t, b.read())
	within, err := b.first(m.now)
	require.NoError(t, err)
	require.Positive(t, within)
	require.Less(t, within, bootSpread)
	booted := m.now
	require.NotContains(t, m.live(t, b, booted.Add(within-time.Second)), "run done")
	m.now = booted
	require.Contains(t, m.live(t, b, booted.Add(within+clockTick)), "run done")

	seconds := map[time.Duration]int{}
	for i := range 10_000 {
		seconds[schedule.Phase(fmt.Sprintf("%032x", i), bootSpread).Truncate(time.Second)]++
	}
	for _, n := range seconds {
		require.Less(t, n, 100, "hosts in one second of three hundred")
	}
	require.Len(t, seconds, 300)
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(data)
}

// A source that is away for long wakes somebody; one that is being upgraded does not, nor
// does a machine that was off. A service that is dead does.
func TestSilence(t *testing.T) {
	friday := time.Date(2026, 7, 3, 3, 40, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		schedule string
		after    time.Duration
		why      string
		booted   time.Duration
		since    time.Duration
		silent   bool
	}{
		"an upgrade":                 {"", 50 * time.Minute, "refused", 0, 0, false},
		"hours":                      {"", 2 * time.Hour, "refused", 0, 0, true},
		"a boot helps no source":     {"", 2 * time.Hour, "refused", 119 * time.Minute, 0, true},
		"few runs were due":          {"0 */6 * * *", 13 * time.Hour, "refused", 0, 0, false},
		"three runs were due":        {"0 */6 * * *", 20 * time.Hour, "refused", 0, 0, true},
		"a weekend":                  {"30 3 * * 1-5", 71 * time.Hour, "refused", 0, 0, false},
		"three working days":         {"30 3 * * 1-5", 122 * time.Hour, "refused", 0, 0, true},
		"the service is dead":        {"", 2 * time.Hour, "", 0, 0, true},
		"the machine was off":        {"", 10 * time.Hour, "", 9*time.Hour + 59*time.Minute, 0, false},
		"it is dead since the boot":  {"", 10 * time.Hour, "", 8 * time.Hour, 8 * time.Hour, true},
		"the clock was set back":     {"", -2 * time.Hour, "refused", 0, 0, false},
		"every minute is no hurry":   {"* * * * *", 30 * time.Minute, "refused", 0, 0, false},
		"every day, and it was away": {"@every 24h", 97 * time.Hour, "refused", 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.now = friday
			b := m.beat(t, "one", agent.Settings{Schedule: c.schedule})
			require.NoError(t, b.read())
			st := &agent.Status{Now: friday.Add(c.after), LastRun: &agent.Ran{Contact: friday, NoContact: c.why}}
			q := b.silence(st, friday.Add(c.booted))
			require.Equal(t, c.silent, q != nil)
			if q != nil {
				require.Equal(t, friday.Add(c.since), q.Since)
				require.Equal(t, c.after-c.since, q.For)
				require.NotEmpty(t, q.Reason)
			}
			st.LastRun = nil
			require.Nil(t, b.silence(st, friday), "no run ever came")
		})
	}
	require.True(t, started().Before(time.Now()))
}
