// SPDX-License-Identifier: Apache-2.0

package systemd_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/drivertest"
	"github.com/bindery/bindery/agent/system"
)

// below runs the real systemctl on a tree.
type below struct{ root string }

func (b below) Run(ctx context.Context, c system.Command) (system.Result, error) {
	c.Args = slices.Clone(c.Args)
	if i := slices.Index(c.Args, "--root=/"); i > 0 {
		c.Args[i] = "--root=" + b.root
	}
	return system.Host{}.Run(ctx, c)
}

// The real systemctl, on the links of a tree that is not booted.
func TestLinks(t *testing.T) {
	t.Parallel()
	tree := func(t *testing.T) *system.Machine {
		t.Helper()
		m, err := system.New(system.Config{Root: t.TempDir()})
		require.NoError(t, err)
		m.Processes = below{m.Root}
		for name, text := range map[string]string{
			"up.service":     "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
			"down.service":   "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
			"static.service": "[Service]\nExecStart=/bin/true\n",
		} {
			put(t, m.Root+"/usr/lib/systemd/system/"+name, text)
		}
		links := m.Root + "/etc/systemd/system/multi-user.target.wants"
		require.NoError(t, os.MkdirAll(links, 0o755))
		require.NoError(t, os.Symlink("/usr/lib/systemd/system/up.service", links+"/up.service"))
		require.NoError(t, os.Symlink("/dev/null", m.Root+"/etc/systemd/system/masked.service"))
		m.Root = "/"
		return m
	}
	c := func(words string, found driver.State) drivertest.Case {
		return drivertest.Case{Name: words, Entry: entry(words), Found: found}
	}
	drivertest.Suite{Machine: tree, New: newDriver}.Run(t, []drivertest.Case{
		c("name=up status=on", driver.Correct), c("name=up status=off", driver.Incorrect), c("name=down status=on", driver.Incorrect),
		c("name=static status=on", driver.Correct), c("name=masked status=off", driver.Correct),
		{Name: "masked", Entry: entry("name=masked status=on"), Found: driver.Incorrect, Stuck: true},
		{Name: "none", Entry: entry("name=none status=on"), Found: driver.Missing, Stuck: true},
	})
}

func put(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
}
