// SPDX-License-Identifier: Apache-2.0

package initd_test

import (
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

func of(kind string) func(*testing.T, *system.Machine) driver.Driver {
	return func(t *testing.T, m *system.Machine) driver.Driver {
		t.Helper()
		d, err := initd.New(initd.Config{Machine: m, Type: kind})
		require.NoError(t, err)
		return d
	}
}

func entry(words ...string) config.Entry {
	e := config.Entry{Tag: "Service"}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		e.Attrs = append(e.Attrs, config.Attr{Name: name, Value: value})
	}
	return e
}

// cases are of services up (enabled, running), down (neither) and bad (enabled,
// does not start).
func cases() []drivertest.Case {
	const missing, wrong, right = driver.Missing, driver.Incorrect, driver.Correct
	return []drivertest.Case{
		{Name: "right", Entry: entry("name=up", "status=on"), Found: right},
		{Name: "off and right", Entry: entry("name=down", "status=off"), Found: right},
		{Name: "on", Entry: entry("name=down", "status=on"), Found: wrong},
		{Name: "off", Entry: entry("name=up", "status=off"), Found: wrong},
		{Name: "runs and does not start with the host", Entry: entry("name=down", "status=on", "bootstatus=off"), Found: wrong},
		{Name: "starts with the host and does not run", Entry: entry("name=up", "status=off", "bootstatus=on"), Found: wrong},
		{Name: "only with the host", Entry: entry("name=down", "status=ignore", "bootstatus=on"), Found: wrong},
		{Name: "manual", Entry: entry("name=down", "status=on", "mode=manual"), Found: wrong},
		{Name: "default", Entry: entry("name=down", "status=on", "mode=default"), Found: wrong},
		{Name: "supervised as it was", Entry: entry("name=down", "status=on", "supervised=true"), Found: wrong},
		{Name: "nobody may", Entry: entry("name=down", "status=on", "install=false"), Found: wrong, Stuck: true},
		{Name: "does not start", Entry: entry("name=bad", "status=on"), Found: wrong, Stuck: true},
		{Name: "unknown and off", Entry: entry("name=none", "status=off"), Found: right},
		{Name: "unknown", Entry: entry("name=none", "status=on"), Found: missing, Stuck: true},
		{Name: "no name of a service", Entry: entry("name=../x", "status=on"), Fails: true},
		{Name: "an option", Entry: entry("name=--force", "status=on"), Fails: true},
		{Name: "no target", Entry: entry("name=up", "status=on", "target=explode"), Fails: true},
		{Name: "no status", Entry: entry("name=up"), Fails: true},
	}
}

func TestWhereNothingIsKnown(t *testing.T) {
	t.Parallel()
	for _, kind := range initd.Types() {
		m, _, procs := systemtest.Machine()
		for _, root := range []string{"/", "/elsewhere"} {
			m.Root = root
			d := of(kind)(t, m)
			item := driver.Item{Entry: config.NewEntry(entry("name=up", "status=on"))}
			out, err := d.Apply(t.Context(), item, true)
			require.NoError(t, err)
			require.Equal(t, driver.NotVerified, out.State)
			require.NotEmpty(t, out.Reasons)
			changed, err := d.(driver.Restarter).Restart(t.Context(), item)
			require.NoError(t, err)
			require.False(t, changed)
			was, err := d.(driver.Keeper).Standing(t.Context(), []driver.Item{item})
			require.NoError(t, err)
			require.Empty(t, was)
		}
		require.Empty(t, procs.Ran())
	}
	_, err := initd.New(initd.Config{Machine: &system.Machine{}, Type: "systemd"})
	require.ErrorContains(t, err, `type "systemd" is none of deb,`)
}
