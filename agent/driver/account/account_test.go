// SPDX-License-Identifier: Apache-2.0

package account_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/account"
	"github.com/bindery/bindery/agent/driver/drivertest"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

// below runs the real tools on files of their own.
type below struct{ root string }

func (b below) Run(ctx context.Context, c system.Command) (system.Result, error) {
	if c.Args[0] == "getent" {
		return system.Result{Exit: 2}, nil
	}
	c.Args = slices.Insert(slices.Clone(c.Args), 1, "--prefix", b.root)
	return system.Host{}.Run(ctx, c)
}

const (
	passwd = "root:x:0:0:root:/root:/bin/bash\nann:x:1001:1001:Ann,,,:/home/ann:/bin/sh\nbob:x:1002:100:bob:/home/bob:/bin/bash\nbroken\n"
	group  = "root:x:0:\nusers:x:100:\nann:x:1001:\nstaff:x:50:ann,bob\nsudo:x:27:ann\nbig:x:2000:\nbob:x:2002:\n"
)

func host(t *testing.T) *system.Machine {
	t.Helper()
	m, err := system.New(system.Config{Root: t.TempDir()})
	require.NoError(t, err)
	for name, text := range map[string]string{
		"passwd": passwd, "group": group, "login.defs": "UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\n",
		"shadow": "root:*:19000:0:99999:7:::\nann:!:19000:0:99999:7:::\nbob:!:19000:0:99999:7:::\n", "gshadow": "root:*::\nusers:!::\nann:!::\nstaff:!::ann,bob\nsudo:!::ann\nbig:!::\nbob:!::\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(m.Root, "etc"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(m.Root, "etc", name), []byte(text), 0o600))
	}
	m.Processes = below{m.Root}
	m.Root = "/"
	return m
}

func newDriver(t *testing.T, m *system.Machine) driver.Driver {
	t.Helper()
	d, err := account.New(account.Config{Machine: m})
	require.NoError(t, err)
	return d
}

func entry(tag, words string, member ...string) config.Entry {
	e := config.Entry{Tag: tag}
	for _, w := range strings.Fields(words) {
		name, value, _ := strings.Cut(w, "=")
		e.Attrs = append(e.Attrs, config.Attr{Name: name, Value: value})
	}
	for i, g := range member {
		n := &config.Node{Tag: "MemberOf", Text: g}
		if i > 0 {
			n = &config.Node{Tag: "MemberOf", Attrs: []config.Attr{{Name: "group", Value: g}}}
		}
		e.Children = append(e.Children, n)
	}
	return e
}

// The real tools of the shadow suite.
func TestConformance(t *testing.T) {
	t.Parallel()
	missing, wrong, right := driver.Missing, driver.Incorrect, driver.Correct
	user := func(found driver.State, words string, member ...string) drivertest.Case {
		return drivertest.Case{Name: "user " + words + " " + strings.Join(member, " "), Entry: entry("POSIXUser", words, member...), Found: found}
	}
	grp := func(found driver.State, words string) drivertest.Case {
		return drivertest.Case{Name: "group " + words, Entry: entry("POSIXGroup", words), Found: found}
	}
	fails := func(tag, words string, member ...string) drivertest.Case {
		return drivertest.Case{Name: tag + words, Entry: entry(tag, words, member...), Fails: true}
	}
	drivertest.Suite{Machine: host, New: newDriver}.Run(t, []drivertest.Case{
		user(missing, "name=eve"), user(missing, "name=eve uid=1500 group=users gecos="+drivertest.Canary+" home=/srv/eve shell=/bin/sh", "staff", "sudo"),
		user(right, "name=ann gecos=Ann,,, shell=/bin/sh", "sudo", "staff"), user(wrong, "name=ann gecos=Ann,,, shell=/bin/sh", "staff"),
		user(wrong, "name=ann gecos=Ann,,, shell=/bin/sh uid=1001"), user(wrong, "name=ann gecos= shell=/bin/sh", "sudo", "staff"),
		user(wrong, "name=ann gecos=Ann,,, shell=/bin/sh home=/home/b uid=1007", "sudo", "staff"),
		user(right, "name=bob", "staff"), user(right, "name=root"), user(right, "name=bob group=users", "staff"),
		user(missing, "name=eve group=newgroup"),
		grp(right, "name=ann"), grp(right, "name=ann gid=1001"), grp(wrong, "name=ann gid=1005"), grp(missing, "name=new"), grp(missing, "name=new gid=77"),
		fails("POSIXUser", "name=-o"), fails("POSIXGroup", "name=-o"), fails("POSIXGroup", "name=g gid=x"), fails("POSIXUser", "name=eve uid=-1"),
		user(wrong, "name=bob shell=/no/such/shell", "staff"), user(missing, "name=daemon2 uid=201 group=users home=/nonexistent shell=/usr/sbin/nologin"),
		fails("POSIXUser", "name=1001"), fails("POSIXGroup", "name=100"), fails("POSIXUser", "name=eve group=100"), fails("POSIXUser", "name=eve", "100"),
		fails("POSIXUser", "name=eve home=relative"), fails("POSIXUser", "name=eve gecos=a:b"), fails("POSIXUser", "name=eve", "a,b"),
		{Name: "taken", Entry: entry("POSIXUser", "name=eve uid=1001"), Found: missing, Stuck: true, Partly: true},
		{Name: "taken by another", Entry: entry("POSIXUser", "name=bob uid=1001", "staff"), Found: wrong, Stuck: true},
		{Name: "group taken", Entry: entry("POSIXGroup", "name=new gid=1001"), Found: missing, Stuck: true},
		// groupmod looks for it outside of its --prefix, where 100 is taken too.
		{Name: "group taken by another", Entry: entry("POSIXGroup", "name=big gid=100"), Found: wrong, Stuck: true},
		{Name: "no such group", Entry: entry("POSIXUser", "name=bob", "none"), Found: wrong, Stuck: true},
	})
}

func TestExtras(t *testing.T) {
	t.Parallel()
	m := host(t)
	extras := func(entries ...config.Entry) string {
		var items []driver.Item
		for _, e := range entries {
			items = append(items, driver.Item{Entry: config.NewEntry(e)})
		}
		list, err := newDriver(t, m).(driver.Surveyor).Extras(t.Context(), items)
		require.NoError(t, err)
		var out []string
		for _, e := range list {
			out = append(out, e.Kind.Tag+" "+e.Name+" "+e.What)
		}
		return strings.Join(out, ", ")
	}
	require.Equal(t, "POSIXUser ann 1001", extras(entry("POSIXUser", "name=bob")))
	require.Equal(t, "POSIXUser ann 1001", extras(entry("POSIXUser", "name=bob group=ann")), "who is named like a group of others")
	require.Equal(t, "POSIXGroup big 2000, POSIXGroup bob 2002", extras(entry("POSIXGroup", "name=users")))
	require.Equal(t, "POSIXGroup big 2000", extras(entry("POSIXGroup", "name=users"), entry("POSIXUser", "name=big group=bob")))
	require.Equal(t, "POSIXGroup bob 2002", extras(entry("POSIXGroup", "name=users"), entry("POSIXUser", "name=ann", "staff", "big")))
	require.Empty(t, extras())
}

// Whatever is changed of a user, the password stays as it is: locked, without one, or
// set. A new user has none.
func TestPasswordsStay(t *testing.T) {
	t.Parallel()
	m := host(t)
	file := filepath.Join(m.Processes.(below).root, "etc/shadow")
	const shadow = "root:$y$j9T$salt$hash:19000:0:99999:7:::\nann:!$6$salt$hash:19000:0:99999:7::19999:\nbob::19000:0:99999:7:::\n"
	require.NoError(t, os.WriteFile(file, []byte(shadow), 0o600))
	for _, e := range []config.Entry{
		entry("POSIXUser", "name=ann uid=1009 gecos=other home=/h shell=/bin/false", "sudo"),
		entry("POSIXUser", "name=bob gecos=other", "big"), entry("POSIXUser", "name=root gecos=other"), entry("POSIXUser", "name=eve"),
	} {
		out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(e)}, true)
		require.NoError(t, err)
		require.True(t, out.Changed)
	}
	is, err := os.ReadFile(file)
	require.NoError(t, err)
	added, ok := strings.CutPrefix(string(is), shadow)
	require.True(t, ok, "%s", is)
	require.Regexp(t, `^eve:!:[0-9]*:`, added)
}

// Who is known to the system's resolver alone is there all the same.
func TestDirectories(t *testing.T) {
	t.Parallel()
	m, _, procs := systemtest.Machine()
	procs.Answer = func(c system.Command) (system.Result, error) {
		switch strings.Join(c.Args, " ") {
		case "getent passwd remote":
			return system.Result{Stdout: []byte("remote:*:4242:4242:remote:/home/remote:/bin/bash\n")}, nil
		case "getent group remote":
			return system.Result{Stdout: []byte("remote:*:4242:\n")}, nil
		}
		return system.Result{Exit: 2}, nil
	}
	for _, e := range []config.Entry{entry("POSIXUser", "name=remote"), entry("POSIXGroup", "name=remote gid=4242")} {
		out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(e)}, true)
		require.NoError(t, err)
		require.Equal(t, driver.Correct, out.State, out.Reasons)
	}
	m.Root = "/elsewhere"
	out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(entry("POSIXUser", "name=new"))}, true)
	require.NoError(t, err)
	require.Equal(t, driver.NotVerified, out.State)
}

// The first group is compared where it is written down, and made where it is
// missing. (usermod looks for it outside of its --prefix, so it is not run here.)
func TestFirstGroup(t *testing.T) {
	t.Parallel()
	m := host(t)
	procs := &systemtest.Processes{Answer: func(c system.Command) (system.Result, error) {
		if c.Args[0] == "getent" {
			return system.Result{Exit: 2}, nil
		}
		return system.Result{}, nil
	}}
	m.Processes = procs
	for _, words := range []string{"name=bob group=bob", "name=bob group=newgroup"} {
		out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(entry("POSIXUser", words, "staff"))}, true)
		require.NoError(t, err)
		require.True(t, out.Changed)
	}
	var ran []string
	for _, c := range procs.Ran() {
		if !c.Asks {
			ran = append(ran, strings.Join(c.Args, " "))
		}
	}
	require.Equal(t, []string{"usermod -g bob bob", "groupadd newgroup", "usermod -g newgroup bob"}, ran)
}
