// SPDX-License-Identifier: Apache-2.0

package systemd_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/systemd"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// Services that somebody enabled are extra unless an entry names them, be it by an
// alias: a host must not lose its ssh because an entry says sshd. The real systemctl
// takes them away.
func TestExtras(t *testing.T) {
	t.Parallel()
	m, err := system.New(system.Config{Root: t.TempDir()})
	require.NoError(t, err)
	m.Processes = below{m.Root}
	wants := m.Root + "/etc/systemd/system/multi-user.target.wants"
	require.NoError(t, os.MkdirAll(wants, 0o755))
	for _, name := range []string{"wanted", "ssh", "old", "older", "getty@tty1", "systemd-pstore", "bindery-agent"} {
		put(t, m.Root+"/usr/lib/systemd/system/"+name+".service", "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n")
		require.NoError(t, os.Symlink("/usr/lib/systemd/system/"+name+".service", wants+"/"+name+".service"))
	}
	require.NoError(t, os.Symlink("/usr/lib/systemd/system/ssh.service", m.Root+"/etc/systemd/system/sshd.service"))
	put(t, wants+"/no-link.service", "")
	m.Root = "/"
	d := newDriver(t, m).(*systemd.Driver)
	var items []driver.Item
	for _, words := range []string{"name=wanted status=on", "name=sshd.service status=on", "name=--now status=on"} {
		items = append(items, driver.Item{Entry: config.NewEntry(entry(words))})
	}
	extras, err := d.Extras(t.Context(), items)
	require.NoError(t, err)
	require.Equal(t, []string{"old.service", "older.service"}, names(extras))

	require.Equal(t, []error{nil, nil}, d.Remove(t.Context(), extras))
	extras, err = d.Extras(t.Context(), items)
	require.NoError(t, err)
	require.Empty(t, extras)
	for _, err := range d.Remove(t.Context(), []driver.Surplus{{Name: "--all"}, {Name: "old.service"}}) {
		require.ErrorContains(t, err, "not a name of a unit")
	}
}

func names(all []driver.Surplus) []string {
	var out []string
	for _, s := range all {
		out = append(out, s.Name)
	}
	return out
}

// Where systemd runs, what is taken away stops as well, and one that cannot be is told
// alone.
func TestRemoveStops(t *testing.T) {
	t.Parallel()
	fake := newManager()
	d, err := systemd.New(systemd.Config{Machine: machine(t, fake, true)})
	require.NoError(t, err)
	errs := d.Remove(t.Context(), []driver.Surplus{{Name: "up.service"}, {Name: "failed.service"}})
	require.Equal(t, []error{nil, nil}, errs)
	require.Equal(t, []string{"disable -- up.service failed.service", "stop -- up.service"}, fake.ran)
}
