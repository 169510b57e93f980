// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// deaf is an address that nobody listens at and that nobody else is given.
func deaf(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := unix.Getsockname(fd)
	require.NoError(t, err)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*unix.SockaddrInet4).Port))
}

// A bundle that is not well after its change is taken back, with all of the run.
func TestHealth(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/late" && asked.Add(1) < 3:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/moved":
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/broken":
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	t.Cleanup(web.Close)
	dead := deaf(t)
	for name, c := range map[string]struct {
		check release.Check
		bad   string
	}{
		"http late":      {release.Check{HTTP: web.URL + "/late"}, ""},
		"http status":    {release.Check{HTTP: web.URL + "/moved", Status: 302}, ""},
		"http":           {release.Check{HTTP: web.URL + "/broken"}, "answered 502"},
		"http elsewhere": {release.Check{HTTP: web.URL + "/moved"}, "answered 302"},
		"tcp":            {release.Check{TCP: strings.TrimPrefix(web.URL, "http://")}, ""},
		"tcp dead":       {release.Check{TCP: dead}, "refused"},
		"command":        {release.Check{Command: []string{"/bin/true"}}, ""},
		"command bad":    {release.Check{Command: []string{"/bin/sh", "-c", "echo secret; exit 3"}}, "command /bin/sh: ended with status 3"},
		"unit":           {release.Check{Unit: "no-such-unit.service"}, "unit no-such-unit.service"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, newSite(t), func(c *agent.Config) { c.Machine.Root = "/" })
			health := release.Policy{Health: []release.Health{{Bundle: "base", Grace: time.Second, Checks: []release.Check{c.check}}}}
			if c.bad == "" {
				health.Health[0].Grace = time.Minute
			}
			n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.Entry("Path", "x", "type=file", "name=/f", "owner=0", "group=0", "mode=0644")}, Policy: health})
			r := n.run(agent.Options{})
			if c.bad == "" {
				require.Equal(t, release.StateClean, r.Report.State, r.Report.Error)
				require.FileExists(t, n.root+"/f")
				return
			}
			require.Equal(t, release.StateRolledBack, r.Report.State)
			require.Contains(t, r.Report.Error, c.bad)
			require.NotContains(t, r.Report.Error, "secret")
			require.NoFileExists(t, n.root+"/f")
			require.Equal(t, release.StateRolledBack, n.run(agent.Options{}).Report.State, "it is not tried again")
			require.NoFileExists(t, n.root+"/f")
		})
	}
}

// A run that ends before its health checks have, by a signal or without power, leaves
// them to the next one: that changes nothing itself, and takes back what is not well.
func TestHealthAfterAKill(t *testing.T) {
	t.Parallel()
	var well atomic.Bool
	var stop atomic.Pointer[context.CancelFunc]
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !well.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		if cancel := stop.Load(); cancel != nil {
			(*cancel)()
		}
	}))
	t.Cleanup(web.Close)
	fresh := func() *node {
		n := newNode(t, newSite(t), nil)
		n.Publish(n.hostID, agenttest.Release{
			Entries: []config.Entry{agenttest.File("/f", "x")},
			Policy:  release.Policy{Health: []release.Health{{Bundle: "base", Grace: 300 * time.Millisecond, Checks: []release.Check{{HTTP: web.URL}}}}},
		})
		return n
	}
	for _, later := range []bool{false, true} {
		n := fresh()
		well.Store(false)
		ctx, cancel := context.WithCancel(t.Context())
		stop.Store(&cancel)
		_, err := n.agent.Run(ctx, agent.Options{})
		require.ErrorIs(t, err, context.Canceled)
		require.FileExists(t, n.root+"/f")
		stop.Store(nil)
		well.Store(later)
		n.open()
		r := n.run(agent.Options{})
		if later {
			require.Equal(t, release.StateClean, r.Report.State)
			require.FileExists(t, n.root+"/f")
		} else {
			require.Equal(t, release.StateRolledBack, r.Report.State)
			require.Contains(t, r.Report.Error, "answered 503")
			require.NoFileExists(t, n.root+"/f")
			runs, err := n.agent.Runs()
			require.NoError(t, err)
			for _, other := range runs {
				require.NotEqual(t, r.Run, other.ID, "the undo has a number of its own")
			}
		}
		require.NoFileExists(t, n.dir.Path()+"/unchecked.json")
	}
	well.Store(false)
	made := 0
	for at := 74; made < 3; at += 2 {
		n := fresh()
		n.dying(at)
		_, err := n.agent.Run(t.Context(), agent.Options{})
		require.Error(t, err, "no run ended after its change")
		if _, err := os.Stat(n.root + "/f"); err == nil {
			made++
		}
		n.open()
		require.Equal(t, release.StateRolledBack, n.run(agent.Options{}).Report.State)
		require.NoFileExists(t, n.root+"/f", "after %d", at)
	}
	// Who takes it back by hand leaves nothing to be checked.
	n := fresh()
	ctx, cancel := context.WithCancel(t.Context())
	stop.Store(&cancel)
	_, err := n.agent.Run(ctx, agent.Options{})
	require.ErrorIs(t, err, context.Canceled)
	require.FileExists(t, n.dir.Path()+"/unchecked.json")
	_, err = n.agent.Undo(t.Context(), agent.UndoOptions{})
	require.NoError(t, err)
	require.NoFileExists(t, n.dir.Path()+"/unchecked.json")
}

// cut makes the site unreachable once a file is there, as a change of a network
// would.
func cut(n *node, name string) {
	n.Broken = func(w http.ResponseWriter, _ *http.Request) bool {
		if _, err := os.Stat(n.root + name); err != nil {
			return false
		}
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
}

// A connection from before the change confirms nothing: one that is new must be made.
func TestConfirmByANewConnection(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{
		Entries: []config.Entry{agenttest.File("/network", "x")}, Policy: release.Policy{Confirm: 300 * time.Millisecond},
	})
	old := map[string]bool{}
	n.Broken = func(w http.ResponseWriter, r *http.Request) bool {
		if _, err := os.Stat(n.root + "/network"); err != nil {
			old[r.RemoteAddr] = true
			return false
		}
		if old[r.RemoteAddr] {
			return false
		}
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	require.Equal(t, release.StateRolledBack, n.run(agent.Options{}).Report.State)
	require.NoFileExists(t, n.root+"/network")
}

// What cuts a host off may take a moment to do so, as a name that was looked up before:
// the source is asked when that is over.
func TestConfirmWhenTheChangeHasTakenEffect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ within, settles time.Duration }{{10 * time.Second, 2 * time.Second}, {5 * time.Minute, 6 * time.Second}} {
		now, effect := time.Now(), false
		var waited []time.Duration
		n := newNode(t, newSite(t), nil)
		n.config.Machine.Now = func() time.Time { return now }
		n.config.After = func(d time.Duration) <-chan time.Time {
			_, err := os.Stat(n.root + "/network")
			require.NoError(t, err, "nothing is waited for before the change")
			waited, effect, now = append(waited, d), true, now.Add(d)
			due := make(chan time.Time, 1)
			due <- now
			return due
		}
		n.open()
		n.Broken = func(w http.ResponseWriter, _ *http.Request) bool {
			if _, err := os.Stat(n.root + "/network"); err != nil || !effect {
				return false
			}
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/network", "broken")}, Policy: release.Policy{Confirm: c.within}})
		require.Equal(t, release.StateRolledBack, n.run(agent.Options{}).Report.State)
		require.NoFileExists(t, n.root+"/network")
		require.Equal(t, c.settles, waited[0])
		require.Equal(t, c.within, total(waited), "it has all of its time")
	}
}

func total(all []time.Duration) (out time.Duration) {
	for _, d := range all {
		out += d
	}
	return out
}

// A change that cuts the host off is taken back: by the run, by the guard if the run
// was killed, or by the next run, as after a boot.
func TestConfirm(t *testing.T) {
	t.Parallel()
	var guards atomic.Int32
	fresh := func(t *testing.T) *node {
		n := newNode(t, newSite(t), func(c *agent.Config) { c.Guard = func() error { guards.Add(1); return nil } })
		n.Publish(n.hostID, agenttest.Release{
			Entries: []config.Entry{agenttest.File("/network", "broken")}, Policy: release.Policy{Confirm: 200 * time.Millisecond},
		})
		return n
	}
	good := fresh(t)
	require.Equal(t, release.StateClean, good.run(agent.Options{}).Report.State)
	require.NoFileExists(t, good.dir.Path()+"/unconfirmed.json")
	require.Equal(t, int32(1), guards.Load())
	good.run(agent.Options{})
	require.Equal(t, int32(1), guards.Load(), "without a change there is nothing to guard")

	n := fresh(t)
	cut(n, "/network")
	r := n.run(agent.Options{})
	require.Equal(t, release.StateRolledBack, r.Report.State)
	require.Contains(t, r.Report.Error, "did not reach its source")
	require.NoFileExists(t, n.root+"/network")
	require.Equal(t, release.StateRolledBack, n.Reports[len(n.Reports)-1].State)

	for _, who := range []string{"guard", "run"} {
		made := 0
		for at := 30; made < 3; at += 2 {
			n := fresh(t)
			cut(n, "/network")
			n.dying(at)
			_, err := n.agent.Run(t.Context(), agent.Options{})
			require.Error(t, err, "no run ended after its change")
			if _, err := os.Stat(n.root + "/network"); err == nil {
				made++
			}
			n.open()
			if who == "guard" {
				require.NoError(t, n.agent.Guard(t.Context()))
			} else {
				n.run(agent.Options{})
			}
			require.NoFileExists(t, n.root+"/network", "%s after %d", who, at)
			require.NoFileExists(t, n.dir.Path()+"/unconfirmed.json")
		}
	}

	// Where nobody would take it back, it is not made.
	n = fresh(t)
	n.config.Guard = func() error { return errors.New("no process") }
	n.open()
	require.Contains(t, n.run(agent.Options{}).Report.Bad[0].Reason, "no process")
	require.NoFileExists(t, n.root+"/network")
	require.NoFileExists(t, n.dir.Path()+"/unconfirmed.json")
}

func TestRemovalCaps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy  release.Policy
		options agent.Options
		gone    bool
	}{
		{release.Policy{RemovalMax: 3}, agent.Options{}, true},
		{release.Policy{RemovalMax: 2}, agent.Options{}, false},
		{release.Policy{RemovalMax: 2}, agent.Options{Removals: true}, true},
		{release.Policy{RemovalMax: -1}, agent.Options{}, true},
		{release.Policy{RemovalPercent: 66}, agent.Options{}, false},
		{release.Policy{RemovalPercent: 67}, agent.Options{}, true},
	} {
		n := newNode(t, newSite(t), nil)
		require.NoError(t, os.MkdirAll(n.root+"/d", 0o755))
		for _, name := range []string{"/d/a", "/d/b", "/c"} {
			require.NoError(t, os.WriteFile(n.root+name, nil, 0o644))
		}
		n.Publish(n.hostID, agenttest.Release{Policy: c.policy, Entries: []config.Entry{
			path("/d", "directory", "mode=0755", "prune=true"), path("/c", "nonexistent"), agenttest.File("/f", "x"),
		}})
		r := n.run(c.options)
		require.FileExists(t, n.root+"/f", "what takes nothing away is done")
		if c.gone {
			require.NoFileExists(t, n.root+"/d/a")
			require.NoFileExists(t, n.root+"/c")
			continue
		}
		require.FileExists(t, n.root+"/d/a", c)
		require.FileExists(t, n.root+"/c")
		require.Len(t, r.Report.Bad, 2)
		require.Contains(t, r.Report.Bad[0].Reason, "take")
	}
}

func TestReportedBundle(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{Policy: release.Policy{Report: []string{"new"}}, Bundles: []*config.Bundle{
		agenttest.Structure("Bundle", "base", agenttest.File("/a", "x")), agenttest.Structure("Bundle", "new", agenttest.File("/b", "x")),
	}})
	r := n.run(agent.Options{})
	require.FileExists(t, n.root+"/a")
	require.NoFileExists(t, n.root+"/b")
	require.Equal(t, release.StateDirty, r.Report.State)
	require.Contains(t, r.Report.Bad[0].Reason, "only reported")
	since := r.Report.ModeSince
	require.False(t, since.IsZero())
	require.Equal(t, since, n.run(agent.Options{}).Report.ModeSince)
	// On call nobody needs to look for what is only reported, and for what else is bad.
	st, err := n.agent.Status()
	require.NoError(t, err)
	require.Equal(t, []int{1, 1}, []int{st.LastRun.Bad, st.LastRun.Reported})
	require.True(t, st.Well())
	n.Publish(n.hostID, agenttest.Release{Policy: release.Policy{Report: []string{"new"}}, Bundles: []*config.Bundle{
		agenttest.Structure("Bundle", "base", agenttest.File("/a/within", "x")), agenttest.Structure("Bundle", "new", agenttest.File("/b", "x")),
	}})
	n.run(agent.Options{})
	st, err = n.agent.Status()
	require.NoError(t, err)
	require.Equal(t, []int{2, 1}, []int{st.LastRun.Bad, st.LastRun.Reported})
	require.False(t, st.Well())
	n.Publish(n.hostID, agenttest.Release{Mode: release.ModeReport, Entries: []config.Entry{agenttest.File("/c", "x")}})
	require.Equal(t, release.StateDirty, n.run(agent.Options{}).Report.State)
	require.NoFileExists(t, n.root+"/c")
	st, err = n.agent.Status()
	require.NoError(t, err)
	require.True(t, st.Well())
}

// Since when a bundle is only reported is told, and goes on from run to run, also where
// nothing of it is wrong; a break begins it anew, and a dry run begins nothing.
func TestSinceWhenABundleIsReported(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	now := time.Now().UTC().Truncate(time.Second)
	n.config.Machine.Now = func() time.Time { return now }
	n.open()
	publish := func(report ...string) {
		n.Publish(n.hostID, agenttest.Release{Policy: release.Policy{Report: report}, Bundles: []*config.Bundle{
			agenttest.Structure("Bundle", "base", agenttest.File("/a", "x")), agenttest.Structure("Bundle", "new", path("/", "ignore")),
		}})
	}
	at := func(o agent.Options, want ...release.Reported) {
		t.Helper()
		require.Equal(t, want, n.run(o).Report.Reported)
	}
	first := now
	publish("new", "elsewhere")
	at(agent.Options{DryRun: true}, release.Reported{Bundle: "new"})
	at(agent.Options{}, release.Reported{Bundle: "new", Since: first})
	now = now.Add(48 * time.Hour)
	publish("base", "new")
	at(agent.Options{}, release.Reported{Bundle: "base", Since: now}, release.Reported{Bundle: "new", Since: first})
	at(agent.Options{DryRun: true}, release.Reported{Bundle: "base", Since: now}, release.Reported{Bundle: "new", Since: first})
	publish()
	at(agent.Options{})
	now = now.Add(time.Hour)
	publish("new")
	at(agent.Options{}, release.Reported{Bundle: "new", Since: now})
}

// A disk that loses what keeps a host from harm must not set it free: what is damaged
// is told, and ends when somebody says so.
func TestDamagedHoldsAreHeld(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]release.RunState{"held.json": release.StateRolledBack, "paused.json": release.StatePaused} {
		for _, content := range []string{"", `{"since":`, "\x00\x00\x00"} {
			n := newNode(t, newSite(t), nil)
			n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "x")}})
			require.NoError(t, n.dir.Write(name, []byte(content)))
			r := n.run(agent.Options{})
			require.Equal(t, state, r.Report.State)
			require.Contains(t, r.Report.Error, name+" in the state directory is damaged")
			require.NoFileExists(t, n.root+"/f")
			was, err := n.agent.Resume()
			require.NoError(t, err)
			require.True(t, was)
			require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
			require.FileExists(t, n.root+"/f")
		}
	}
	// A change that nobody confirmed is taken back, though nobody knows which it was.
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/network", "broken")}})
	n.run(agent.Options{})
	require.NoError(t, n.dir.Write("unconfirmed.json", nil))
	u, err := n.agent.Unconfirmed()
	require.NoError(t, err)
	require.Equal(t, int64(1), u.Run)
	n.run(agent.Options{})
	require.FileExists(t, n.root+"/network", "the source answers: it is confirmed")
	require.NoFileExists(t, n.dir.Path()+"/unconfirmed.json")
}

// What a host does not live without cannot go, by any spelling.
func TestVital(t *testing.T) {
	t.Parallel()
	var entries []config.Entry
	for _, name := range []string{"/etc/passwd", "//etc//passwd", "/etc/", "/etc/./passwd", "/usr/../etc/passwd", "/way/passwd", "/bin", "/bin/sh", "/usr/bin", "/", "/usr"} {
		entries = append(entries, path(name, "nonexistent", "recursive=true"))
	}
	entries = append(entries, path("/bin", "symlink", "to=/tmp"), path("/etc/shadow", "symlink", "to=/tmp/x"), path("/etc/group", "directory", "mode=0755"),
		agenttest.File("/bin", "x"), agenttest.File("/etc/passwd", ""), path("//etc/./shadow", "file", "empty=true", "mode=0600"), agenttest.File("/way/group", ""))
	for i, e := range entries {
		n := newNode(t, newSite(t), nil)
		for _, d := range []string{"/etc", "/usr/bin", "/tmp"} {
			require.NoError(t, os.MkdirAll(n.root+d, 0o755))
		}
		for _, f := range []string{"/etc/passwd", "/etc/shadow", "/etc/group", "/usr/bin/sh"} {
			require.NoError(t, os.WriteFile(n.root+f, []byte("old"), 0o644))
		}
		require.NoError(t, os.Symlink("usr/bin", n.root+"/bin"))
		require.NoError(t, os.Symlink("etc", n.root+"/way"))
		m, err := system.New(system.Config{Root: n.root, Vital: agent.Vital(), Filled: agent.Filled()})
		require.NoError(t, err)
		n.config.Machine = m
		n.open()
		before := stands(t, n.root)
		n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{e, path("/etc", "directory", "mode=0755", "prune=true")}})
		r := n.run(agent.Options{})
		require.NotEqual(t, driver.Correct, r.Lines[0].State, "%d %v", i, e.Attrs)
		require.Equal(t, before, stands(t, n.root))
	}
	// Their content and their modes are managed as ever.
	n := newNode(t, newSite(t), nil)
	require.NoError(t, os.MkdirAll(n.root+"/etc", 0o755))
	require.NoError(t, os.WriteFile(n.root+"/etc/passwd", []byte("old"), 0o644))
	m, err := system.New(system.Config{Root: n.root, Vital: agent.Vital(), Filled: agent.Filled()})
	require.NoError(t, err)
	n.config.Machine = m
	n.open()
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/etc/passwd", "new")}})
	require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
	require.Equal(t, "new", read(t, n.root+"/etc/passwd"))
}

// Outside its window a host plans and reports; it is paused only where there is
// something to do.
func TestMaintenanceWindow(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	now := time.Now().UTC()
	n.config.Machine.Now = func() time.Time { return now }
	n.open()
	opens := now.Add(3 * time.Hour)
	window := release.Window{From: opens.Format("15:04"), To: opens.Add(time.Hour).Format("15:04")}
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "x")}, Policy: release.Policy{Windows: []release.Window{window}, Every: time.Hour}})
	r := n.run(agent.Options{})
	require.Equal(t, release.StatePaused, r.Report.State)
	require.Contains(t, r.Report.Error, "outside its maintenance window: every day "+window.From)
	require.Len(t, r.Report.Bad, 1)
	require.NoFileExists(t, n.root+"/f")
	every, windows, err := n.agent.Timing()
	require.NoError(t, err)
	require.Equal(t, []release.Window{window}, windows)
	require.Equal(t, time.Hour, every)

	now = opens.Add(time.Minute)
	require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
	require.Equal(t, "x", read(t, n.root+"/f"))
	now = now.Add(2 * time.Hour)
	r = n.run(agent.Options{})
	require.Equal(t, release.StateClean, r.Report.State, "nothing waits for the window")
	require.Empty(t, r.Report.Error)

	// A zone that the host does not know keeps the window closed, and is named.
	window.Timezone = "Atlantis/Center"
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "y")}, Policy: release.Policy{Windows: []release.Window{window}}})
	r = n.run(agent.Options{})
	require.Contains(t, r.Report.Error, "unknown time zone Atlantis/Center")
	require.Equal(t, "x", read(t, n.root+"/f"))
}
