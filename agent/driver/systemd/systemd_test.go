// SPDX-License-Identifier: Apache-2.0

package systemd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/drivertest"
	"github.com/bindery/bindery/agent/driver/systemd"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

// unit is one unit of a manager in memory, in systemctl's own words.
type unit struct{ load, active, file, kind, remains string }

// manager answers as systemctl 252 does.
type manager struct {
	units  map[string]*unit
	broken []string
	stale  string
	ran    []string
}

func newManager() *manager {
	return &manager{stale: "no", units: map[string]*unit{
		"up.service":      {"loaded", "active", "enabled", "simple", "no"},
		"down.service":    {"loaded", "inactive", "disabled", "notify", "no"},
		"failed.service":  {"loaded", "failed", "enabled", "simple", "no"},
		"started.service": {"loaded", "active", "disabled", "simple", "no"},
		"static.service":  {"loaded", "inactive", "static", "simple", "no"},
		"masked.service":  {"masked", "inactive", "masked", "", ""},
		"once.service":    {"loaded", "inactive", "enabled", "oneshot", "no"},
		"stays.service":   {"loaded", "inactive", "enabled", "oneshot", "yes"},
		"other.timer":     {"loaded", "inactive", "disabled", "", ""},
		"bad.service":     {"loaded", "inactive", "enabled", "simple", "no"},
	}, broken: []string{"bad.service"}}
}

func (m *manager) answer(c system.Command) (system.Result, error) {
	args := c.Args[2:]
	offline := args[0] == "--root=/"
	if offline {
		args = args[1:]
	}
	if !c.Asks {
		m.ran = append(m.ran, strings.Join(args, " "))
	}
	out := ""
	r := system.Result{}
	names := args[slices.Index(args, "--")+1:]
	for i, name := range names {
		u := m.units[name]
		if u == nil {
			u = &unit{"not-found", "inactive", "", "", ""}
		}
		switch args[0] {
		case "show":
			if i > 0 {
				out += "\n"
			}
			if u.kind != "" {
				out += fmt.Sprintf("Type=%s\nRemainAfterExit=%s\n", u.kind, u.remains)
			}
			out += fmt.Sprintf("LoadState=%s\nActiveState=%s\nUnitFileState=%s\nNeedDaemonReload=%s\n", u.load, u.active, u.file, m.stale)
		case "is-enabled":
			if out = u.file + "\n"; u.load == "not-found" {
				out, r.Exit = "", 1
			}
		case "enable":
			u.file = "enabled"
		case "disable":
			u.file = "disabled"
		case "stop":
			u.active = "inactive"
		case "start", "restart", "reload-or-restart":
			if slices.Contains(m.broken, name) {
				r.Exit = 1
				r.Tail = []byte("Job for " + name + " failed because the control process exited with error code.\nSee \"systemctl status " + name + "\" and \"journalctl -xeu " + name + "\" for details.\n")
				continue
			}
			u.active = "active"
		}
	}
	if args[0] == "daemon-reload" {
		m.stale = "no"
	}
	r.Stdout = []byte(out)
	return r, nil
}

func machine(t *testing.T, m *manager, booted bool) *system.Machine {
	t.Helper()
	host, files, procs := systemtest.Machine()
	procs.Answer = m.answer
	if booted {
		for _, dir := range []string{"/run", "/run/systemd", "/run/systemd/system"} {
			require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: dir, Mode: 0o755}))
		}
	}
	return host
}

func newDriver(t *testing.T, m *system.Machine) driver.Driver {
	t.Helper()
	d, err := systemd.New(systemd.Config{Machine: m})
	require.NoError(t, err)
	return d
}

func entry(words string) config.Entry {
	e := config.Entry{Tag: "Service", Attrs: []config.Attr{{Name: "type", Value: "systemd"}}}
	for _, w := range strings.Fields(words) {
		name, value, _ := strings.Cut(w, "=")
		e.Attrs = append(e.Attrs, config.Attr{Name: name, Value: value})
	}
	return e
}

func cases() []drivertest.Case {
	missing, wrong, right := driver.Missing, driver.Incorrect, driver.Correct
	c := func(words string, found driver.State) drivertest.Case {
		return drivertest.Case{Name: words, Entry: entry(words), Found: found}
	}
	stuck := func(words string, found driver.State) drivertest.Case {
		return drivertest.Case{Name: words, Entry: entry(words), Found: found, Stuck: true}
	}
	fails := func(words string) drivertest.Case {
		return drivertest.Case{Name: words, Entry: entry(words), Fails: true}
	}
	return []drivertest.Case{
		c("name=up status=on", right), c("name=down status=on", wrong), c("name=up.service status=off", wrong), c("name=down status=off", right),
		c("name=failed status=on", wrong), c("name=failed status=off", wrong), c("name=started status=on", wrong), c("name=started status=off", wrong),
		c("name=started status=on bootstatus=off", right), c("name=down status=ignore bootstatus=on", wrong), c("name=down status=ignore", right),
		c("name=static status=on", wrong), c("name=static status=off", right), c("name=masked status=off", right),
		c("name=once status=on", right), c("name=stays status=on", wrong), c("name=other.timer status=on", wrong), c("name=none status=off", right),
		c("name=failed status=on mode=default", right), c("name=failed status=on mode=supervised", wrong), c("name=started status=on mode=default", wrong),
		c("name=started status=off mode=manual", right), c("name=up status=off mode=manual", wrong),
		stuck("name=none status=on", missing), stuck("name=masked status=on", wrong), stuck("name=bad status=on", wrong), stuck("name=down status=on install=false", wrong),
		fails("name=up"), fails("name=--now status=on"), fails("name=up status=on target=poweroff"), fails("name=up status=perhaps"),
		fails("name=getty@ status=on"), fails("name=getty@.service status=on"), fails("name=" + strings.Repeat("x", 248) + " status=on"), c("name=getty@tty9 status=off", right),
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	drivertest.Suite{Machine: func(t *testing.T) *system.Machine { return machine(t, newManager(), true) }, New: newDriver}.Run(t, cases())
}

func all(t *testing.T, m *system.Machine, apply bool, words ...string) []driver.Result {
	t.Helper()
	var items []driver.Item
	for _, w := range words {
		items = append(items, driver.Item{Entry: config.NewEntry(entry(w))})
	}
	return newDriver(t, m).(driver.Batch).ApplyAll(t.Context(), items, apply)
}

// One call asks, one call of each kind changes, and one unit that fails stops no
// other.
func TestMany(t *testing.T) {
	t.Parallel()
	m := newManager()
	m.stale = "yes"
	host := machine(t, m, true)
	r := all(t, host, true, "name=down status=on", "name=bad status=on", "name=failed status=on", "name=up status=off", "name=masked status=on")
	require.Equal(t, []string{
		"daemon-reload", "enable -- down.service", "disable -- up.service", "stop -- up.service", "start -- down.service bad.service failed.service",
	}, m.ran)
	require.NoError(t, r[0].Err)
	require.True(t, r[0].Started)
	require.EqualError(t, r[1].Err, `systemctl start ended with status 1: Job for bad.service failed because the control process exited with error code.; See "systemctl status bad.service" and "journalctl -xeu bad.service" for details.`)
	require.False(t, r[1].Started)
	require.True(t, r[2].Changed)
	require.True(t, r[3].Changed)
	require.EqualError(t, r[4].Err, "it is masked")
	asked := 0
	for _, c := range host.Processes.(*systemtest.Processes).Ran() {
		if c.Asks {
			asked++
		}
	}
	require.Equal(t, 2, asked, "before, and because something failed")
}

// Services start in the order of their sequence, each call after the one before has
// ended; one that fails holds up none.
func TestSequence(t *testing.T) {
	t.Parallel()
	m := newManager()
	r := all(t, machine(t, m, true), true, "name=down status=on sequence=1", "name=bad status=on sequence=1", "name=other.timer status=ignore bootstatus=on sequence=1",
		"name=failed status=on sequence=2", "name=stays status=on sequence=2")
	require.Equal(t, []string{"enable -- down.service other.timer", "start -- down.service bad.service", "start -- failed.service stays.service"}, m.ran)
	for i, started := range []bool{true, false, false, true, true} {
		require.Equal(t, started, r[i].Started, i)
	}
}

// No release stops the agent, which nothing could start again, nor restarts it amid
// the run.
func TestTheAgentGoesOn(t *testing.T) {
	t.Parallel()
	m := newManager()
	m.units["bindery-agent.service"] = &unit{"loaded", "active", "enabled", "simple", "no"}
	host := machine(t, m, true)
	for i, r := range all(t, host, true, "name=bindery-agent status=off", "name=bindery-agent.service status=on bootstatus=off", "name=bindery-agent status=off mode=manual", "name=bindery-agent status=on") {
		if i < 3 {
			require.ErrorContains(t, r.Err, "does not stop itself")
			continue
		}
		require.NoError(t, r.Err)
	}
	changed, err := newDriver(t, host).(driver.Restarter).Restart(t.Context(), driver.Item{Entry: config.NewEntry(entry("name=bindery-agent status=on"))})
	require.NoError(t, err)
	require.False(t, changed)
	require.Empty(t, m.ran)
}

func TestRestart(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"name=up status=on":                           "restart -- up.service",
		"name=up status=on target=reload":             "reload -- up.service",
		"name=up status=on mode=custom target=reload": "reload -- up.service",
		"name=up status=on mode=default":              "restart -- up.service",
		"name=up status=off":                          "stop -- up.service",
		"name=down status=off":                        "",
		"name=up status=on restart=false":             "",
		"name=up status=on restart=interactive":       "",
		"name=up status=on install=false":             "",
		"name=up status=on mode=manual":               "",
		"name=up status=ignore":                       "",
		"name=none status=on":                         "",
		"name=masked status=on":                       "",
	} {
		m := newManager()
		changed, err := newDriver(t, machine(t, m, true)).(driver.Restarter).Restart(t.Context(), driver.Item{Entry: config.NewEntry(entry(words))})
		require.NoError(t, err, words)
		require.Equal(t, want, strings.Join(m.ran, ";"), words)
		require.Equal(t, want != "", changed, words)
	}
	m := newManager()
	m.stale = "yes"
	_, err := newDriver(t, machine(t, m, true)).(driver.Restarter).Restart(t.Context(), driver.Item{Entry: config.NewEntry(entry("name=bad status=on"))})
	require.ErrorContains(t, err, "systemctl restart ended with status 1")
	require.Equal(t, []string{"daemon-reload", "restart -- bad.service"}, m.ran)
	_, err = newDriver(t, machine(t, m, true)).(driver.Restarter).Restart(t.Context(), driver.Item{Entry: config.NewEntry(entry("name=-x status=on"))})
	require.Error(t, err)
}

// While an image is built nothing is started.
func TestBuild(t *testing.T) {
	t.Parallel()
	m := newManager()
	d, err := systemd.New(systemd.Config{Machine: machine(t, m, true), Build: true})
	require.NoError(t, err)
	for _, w := range []string{"name=down status=on", "name=up status=off"} {
		item := driver.Item{Entry: config.NewEntry(entry(w))}
		_, err = d.Apply(t.Context(), item, true)
		require.NoError(t, err)
		out, err := d.Apply(t.Context(), item, false)
		require.NoError(t, err)
		require.Equal(t, driver.Correct, out.State, "what must not be started is not bad for it: %s", w)
		require.Equal(t, strings.HasSuffix(w, "on"), slices.Contains(out.Unverified, "status"), "but nobody says that it runs")
	}
	_, err = d.Restart(t.Context(), driver.Item{Entry: config.NewEntry(entry("name=started status=on"))})
	require.NoError(t, err)
	require.Equal(t, []string{"enable -- down.service", "disable -- up.service", "stop -- up.service", "stop -- started.service"}, m.ran)
}

// Where systemd does not run only the links can be looked at and made.
func TestOffline(t *testing.T) {
	t.Parallel()
	m := newManager()
	host := machine(t, m, false)
	r := all(t, host, true, "name=down status=on", "name=up status=on", "name=none status=on", "name=up status=off mode=manual")
	require.Equal(t, []string{"enable -- down.service", "disable -- up.service"}, m.ran)
	require.Equal(t, []string{"status"}, r[0].Unverified)
	require.Equal(t, driver.Correct, r[1].State)
	require.Equal(t, driver.Missing, r[2].State)
	require.Empty(t, r[3].Unverified)
	changed, err := newDriver(t, host).(driver.Restarter).Restart(t.Context(), driver.Item{Entry: config.NewEntry(entry("name=up status=on"))})
	require.NoError(t, err)
	require.False(t, changed)
	host.Root = "/elsewhere"
	r = all(t, host, true, "name=down status=on")
	require.Equal(t, driver.NotVerified, r[0].State)
	require.Equal(t, []string{"services are not managed under another root"}, r[0].Reasons)
}
