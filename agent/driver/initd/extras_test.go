// SPDX-License-Identifier: Apache-2.0

package initd_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/initd"
	"github.com/bindery/bindery/agent/system/systemtest"
)

// What starts with the host and no entry names is disabled and stopped where somebody
// says so, and starts again with an undo.
func TestExtras(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"deb", "rc-update", "chkconfig"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			m, h := newHost(t)
			h.link("rc3.d/S50", "local")
			h.link("rc3.d/K50", "down")
			h.link("runlevels/default/", "local")
			takenBack(t, of(kind)(t, m))
		})
	}
}

// takenBack has two services up and bad, of which up runs, and takes up away.
func takenBack(t *testing.T, d driver.Driver) {
	t.Helper()
	asked := []driver.Item{item("name=bad", "status=on"), item("name=down", "status=on")}
	extras := func() []string {
		all, err := d.(driver.Surveyor).Extras(t.Context(), asked)
		require.NoError(t, err)
		var names []string
		for _, s := range all {
			names = append(names, s.Name+" "+s.What)
		}
		return names
	}
	require.Equal(t, []string{"up enabled"}, extras())
	keeper := d.(driver.Keeper)
	was, err := keeper.Standing(t.Context(), []driver.Item{item("name=up", "status=on")})
	require.NoError(t, err)
	errs := d.(driver.Remover).Remove(t.Context(), []driver.Surplus{{Name: "up"}, {Name: "../up"}, {Name: "local"}})
	require.NoError(t, errs[0])
	require.ErrorContains(t, errs[1], "not a name")
	require.Error(t, errs[2], "the host's own stays")
	require.Empty(t, extras())
	left, err := keeper.Again(t.Context(), was)
	require.NoError(t, err)
	require.Equal(t, "disabled stopped", left[0].State)
	for _, r := range []driver.Restoration{{Apply: true, Ending: true}, {Apply: true}} {
		require.NoError(t, keeper.Restore(t.Context(), driver.Passage{Standing: was[0], After: &left[0].State}, r).Err)
	}
	again, err := keeper.Again(t.Context(), was)
	require.NoError(t, err)
	require.Equal(t, was, again)
	require.Equal(t, "enabled running", again[0].State)
}

// Of managers that have services of their own nobody lists any, and where there is no
// manager nothing is taken away.
func TestNoExtras(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"upstart", "smf"} {
		m, _ := newHost(t)
		out, err := of(kind)(t, m).(driver.Surveyor).Extras(t.Context(), nil)
		require.NoError(t, err)
		require.Empty(t, out)
	}
	for _, kind := range initd.Types() {
		m, _, procs := systemtest.Machine()
		d := of(kind)(t, m)
		out, err := d.(driver.Surveyor).Extras(t.Context(), nil)
		require.NoError(t, err)
		require.Empty(t, out)
		require.ErrorContains(t, d.(driver.Remover).Remove(t.Context(), []driver.Surplus{{Name: "up"}})[0], "this host has no")
		require.Empty(t, procs.Ran())
	}
}
