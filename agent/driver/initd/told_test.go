// SPDX-License-Identifier: Apache-2.0

package initd_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/drivertest"
	"github.com/bindery/bindery/agent/driver/initd"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

// host is a host in memory whose tools answer in the words of their man pages.
type host struct {
	files    *systemtest.Files
	boot     map[string]bool
	runs     map[string]bool
	failed   map[string]bool // SMF gave it up
	commands []string
	exit     int // of every status, unless 0
	denied   bool
	crashed  bool // of the point of view of OpenRC
}

func (h *host) answer(c system.Command) (r system.Result, err error) {
	if !c.Asks {
		h.commands = append(h.commands, strings.Join(c.Args, " "))
	}
	args := c.Args[1:]
	args = slices.DeleteFunc(slices.Clone(args), func(a string) bool {
		return strings.HasPrefix(a, "--") && a != "--add" || strings.Contains(a, "=")
	})
	switch c.Args[0] {
	case "/sbin/service", "service", "rc-service", "invoke-rc.d":
		return h.runlevel(args[0], args[1]), nil
	case "/sbin/initctl":
		if args[0] != "status" {
			return h.runlevel(args[1], args[0]), nil
		}
		r.Stdout = []byte(args[1] + map[bool]string{true: " start/running, process 1234\n", false: " stop/waiting\n"}[h.runs[args[1]]])
	case "/sbin/chkconfig":
		switch {
		case args[1] == "on":
			h.link("rc3.d/S50", args[0])
		case args[1] == "off":
			h.unlink("/etc/rc3.d/S50" + args[0])
		}
	case "update-rc.d":
		switch args[1] {
		case "enable":
			h.unlink("/etc/rc3.d/K50" + args[0])
			h.link("rc3.d/S50", args[0])
		case "disable":
			h.unlink("/etc/rc3.d/S50" + args[0])
			h.link("rc3.d/K50", args[0])
		case "remove":
			h.unlink("/etc/rc3.d/K50" + args[0])
			h.unlink("/etc/rc3.d/S50" + args[0])
		}
	case "rc-update":
		if args[0] == "add" {
			h.link("runlevels/default/", args[1])
		} else {
			h.unlink("/etc/runlevels/default/" + args[1])
		}
	default:
		return h.smf(c.Args[0], args), nil
	}
	return r, nil
}

func (h *host) link(at, name string) {
	_ = h.files.Change(system.Change{Op: system.Link, Name: "/etc/" + at + name, To: "../init.d/" + name})
}

func (h *host) write(t *testing.T, name string) {
	t.Helper()
	require.NoError(t, h.files.Change(system.Change{Op: system.Write, Name: name, Mode: 0o755}))
}

func (h *host) unlink(name string) { _ = h.files.Change(system.Change{Op: system.Remove, Name: name}) }

func (h *host) runlevel(name, verb string) (r system.Result) {
	switch {
	case verb == "status":
		if r.Exit = h.exit; r.Exit == 0 && !h.runs[name] {
			r.Exit = 3
		}
		if h.crashed {
			r.Exit = 32
		}
	case verb == "zap":
		h.crashed, h.runs[name] = false, false
	case h.denied:
		r.Exit, r.Tail = 101, []byte("invoke-rc.d: policy-rc.d denied execution of start.\n")
	case verb == "stop":
		h.runs[name] = false
	case name == "bad":
		r.Exit, r.Tail = 1, []byte("Starting bad: [FAILED]\n")
	default:
		h.runs[name] = true
	}
	return r
}

func (h *host) smf(program string, args []string) (r system.Result) {
	name := args[len(args)-1]
	switch {
	case name == "none":
		r.Exit, r.Tail = 1, []byte("svcs: Pattern 'none' doesn't match any instances\n")
	case program == "/usr/bin/svcs" && h.failed[name]:
		r.Stdout = []byte("maintenance    -\n")
	case program == "/usr/bin/svcs":
		r.Stdout = []byte(map[bool]string{true: "online         -\n", false: "disabled       -\n"}[h.runs[name]])
	case program == "/usr/bin/svcprop":
		r.Stdout = []byte(map[bool]string{true: "true\n", false: "false\n"}[h.boot[name]])
	default:
		moment := slices.Contains(args, "-t")
		on := args[0] != "disable"
		if args[0] == "clear" {
			h.failed[name] = false
		}
		if h.runs[name] = on && name != "bad"; on != h.runs[name] {
			r.Exit, r.Tail = 1, []byte("svcadm: Instance \"svc:/bad:default\" is in maintenance state.\n")
		}
		if !moment && (args[0] == "enable" || args[0] == "disable") {
			h.boot[name] = on
		}
	}
	return r
}

func newHost(t *testing.T) (*system.Machine, *host) {
	t.Helper()
	m, files, procs := systemtest.Machine()
	h := &host{files: files, boot: map[string]bool{"up": true, "bad": true}, runs: map[string]bool{"up": true}, failed: map[string]bool{}}
	procs.Answer = h.answer
	for _, dir := range []string{"/etc", "/etc/init.d", "/etc/init", "/etc/rc3.d", "/etc/runlevels", "/etc/runlevels/default", "/sbin", "/usr", "/usr/sbin", "/usr/bin"} {
		require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: dir, Mode: 0o755}))
	}
	names := []string{
		"/sbin/chkconfig", "/sbin/initctl", "/sbin/rc-update", "/sbin/rc-service", "/usr/sbin/update-rc.d", "/usr/sbin/svcadm", "/usr/bin/svcs", "/usr/bin/svcprop",
	}
	for _, s := range []string{"up", "down", "bad"} {
		names = append(names, "/etc/init.d/"+s, "/etc/init/"+s+".conf")
		if h.boot[s] {
			h.link("rc3.d/S50", s)
			h.link("runlevels/default/", s)
		}
	}
	for _, name := range names {
		h.write(t, name)
	}
	return m, h
}

func machine(t *testing.T) *system.Machine {
	t.Helper()
	m, _ := newHost(t)
	return m
}

// Tools that answer as their man pages say.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, kind := range initd.Types() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			all := cases()
			if kind == "upstart" {
				// Whether a job starts with the host is not looked at.
				all = slices.DeleteFunc(all, func(c drivertest.Case) bool { return slices.Contains(notOfUpstart(), c.Name) })
				all = append(all, drivertest.Case{Name: "an instance", Entry: entry("name=down", "status=on", "parameters=DEV=sda"), Found: driver.Incorrect})
			}
			if kind == "smf" {
				all = append(all, drivertest.Case{Name: "by its FMRI", Entry: entry("name=x", "FMRI=svc:/network/down:default", "status=on"), Found: driver.Incorrect})
			}
			drivertest.Suite{Machine: machine, New: of(kind)}.Run(t, all)
		})
	}
}

func notOfUpstart() []string {
	return []string{"only with the host", "manual", "default"}
}

func item(words ...string) driver.Item { return driver.Item{Entry: config.NewEntry(entry(words...))} }

// What each of them is called with.
func TestCommands(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string][]string{
		"deb":       {"update-rc.d down defaults", "update-rc.d down enable", "invoke-rc.d --disclose-deny --no-fallback down start", "invoke-rc.d --disclose-deny --no-fallback up reload", "update-rc.d up defaults", "update-rc.d up disable", "invoke-rc.d --disclose-deny --no-fallback up stop"},
		"rc-update": {"rc-update add down default", "rc-service --nocolor down start", "rc-service --nocolor up reload", "rc-update del up default", "rc-service --nocolor up stop"},
		"chkconfig": {"/sbin/chkconfig --add down", "/sbin/chkconfig down on", "/sbin/service down start", "/sbin/service up reload", "/sbin/chkconfig up off", "/sbin/service up stop"},
		"upstart":   {"/sbin/initctl start down", "/sbin/initctl reload up", "/sbin/initctl stop up"},
		"smf":       {"/usr/sbin/svcadm enable -s down", "/usr/sbin/svcadm enable -s -t down", "/usr/sbin/svcadm refresh up", "/usr/sbin/svcadm disable -s up", "/usr/sbin/svcadm disable -s -t up"},
	} {
		m, h := newHost(t)
		d := of(kind)(t, m)
		out, err := d.Apply(t.Context(), item("name=down", "status=on"), true)
		require.NoError(t, err)
		require.True(t, out.Started)
		target := map[bool]string{true: "refresh", false: "reload"}[kind == "smf"]
		changed, err := d.(driver.Restarter).Restart(t.Context(), item("name=up", "status=on", "target="+target))
		require.NoError(t, err)
		require.True(t, changed)
		_, err = d.Apply(t.Context(), item("name=up", "status=off"), true)
		require.NoError(t, err)
		require.Equal(t, want, h.commands, kind)
	}
}

// A bundle that was modified tells its services what the entry allows.
func TestRestart(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"name=up status=on":                            "rc-service --nocolor up restart",
		"name=up status=on mode=custom target=reload":  "rc-service --nocolor up reload",
		"name=up status=on mode=default target=reload": "rc-service --nocolor up restart",
		"name=up status=off":                           "rc-service --nocolor up stop",
		"name=down status=off":                         "",
		"name=up status=on restart=false":              "",
		"name=up status=on restart=interactive":        "",
		"name=up status=on install=false":              "",
		"name=up status=on mode=manual":                "",
		"name=up status=ignore":                        "",
		"name=none status=on":                          "",
	} {
		m, h := newHost(t)
		changed, err := of("rc-update")(t, m).(driver.Restarter).Restart(t.Context(), item(strings.Fields(words)...))
		require.NoError(t, err)
		require.Equal(t, want != "", changed, words)
		require.Equal(t, want, strings.Join(h.commands, "; "), words)
	}
	m, h := newHost(t)
	d, err := initd.New(initd.Config{Machine: m, Type: "rc-update", Build: true})
	require.NoError(t, err)
	_, err = d.Restart(t.Context(), item("name=up", "status=on"))
	require.NoError(t, err)
	_, err = d.Apply(t.Context(), item("name=down", "status=on"), true)
	require.NoError(t, err)
	require.Equal(t, []string{"rc-service --nocolor up stop", "rc-update add down default"}, h.commands, "in an image services are only stopped")
}

// Exit codes that say nothing leave the status open.
func TestUnseen(t *testing.T) {
	t.Parallel()
	m, h := newHost(t)
	h.exit = 4
	out, err := of("chkconfig")(t, m).Apply(t.Context(), item("name=up", "status=on", "parameters=a"), true)
	require.NoError(t, err)
	require.Equal(t, driver.Correct, out.State)
	require.ElementsMatch(t, []string{"status", "parameters"}, out.Unverified)
	require.Empty(t, h.commands)
}

// What a policy of the host forbids is an error that says so.
func TestDenied(t *testing.T) {
	t.Parallel()
	m, h := newHost(t)
	h.denied = true
	require.NoError(t, h.files.Change(system.Change{Op: system.Write, Name: "/usr/sbin/policy-rc.d", Mode: 0o755}))
	out, err := of("deb")(t, m).Apply(t.Context(), item("name=down", "status=on", "bootstatus=off"), true)
	require.ErrorContains(t, err, "policy-rc.d")
	require.Equal(t, driver.Incorrect, out.State)
	require.False(t, out.Changed)
}

// What SMF gave up is cleared before it starts.
func TestMaintenance(t *testing.T) {
	t.Parallel()
	m, h := newHost(t)
	h.failed["up"], h.runs["up"] = true, false
	out, err := of("smf")(t, m).Apply(t.Context(), item("name=up", "status=on"), true)
	require.NoError(t, err)
	require.Equal(t, []string{"is maintenance, should run"}, out.Reasons)
	require.Equal(t, []string{"/usr/sbin/svcadm clear up"}, h.commands)
}

// What OpenRC started and does not find any more is started again.
func TestCrashed(t *testing.T) {
	t.Parallel()
	m, h := newHost(t)
	h.crashed = true
	out, err := of("rc-update")(t, m).Apply(t.Context(), item("name=up", "status=on"), true)
	require.NoError(t, err)
	require.Equal(t, []string{"is crashed, should run"}, out.Reasons)
	require.Equal(t, []string{"rc-service --nocolor up zap", "rc-service --nocolor up start"}, h.commands)
}

// Links that were not there before go again, and not to links that stop.
func TestForgotten(t *testing.T) {
	t.Parallel()
	m, h := newHost(t)
	d := of("deb")(t, m).(driver.Keeper)
	before, err := d.Standing(t.Context(), []driver.Item{item("name=down", "status=on")})
	require.NoError(t, err)
	_, err = d.(driver.Driver).Apply(t.Context(), item("name=down", "status=on"), true)
	require.NoError(t, err)
	after, err := d.Again(t.Context(), before)
	require.NoError(t, err)
	h.commands = nil
	for _, ending := range []bool{true, false} {
		out := d.Restore(t.Context(), driver.Passage{Standing: before[0], After: &after[0].State}, driver.Restoration{Apply: true, Ending: ending})
		require.NoError(t, out.Err)
		require.Empty(t, out.Kept)
	}
	require.Equal(t, []string{"invoke-rc.d --disclose-deny --no-fallback down stop", "update-rc.d down remove"}, h.commands)
	again, err := d.Again(t.Context(), before)
	require.NoError(t, err)
	require.Equal(t, before, again)
}

// The types that need somebody's word are among all types.
func TestTypes(t *testing.T) {
	t.Parallel()
	all := maps.Collect(slices.All(initd.Types()))
	for _, u := range initd.Unproven() {
		require.Contains(t, slices.Collect(maps.Values(all)), u)
	}
}
