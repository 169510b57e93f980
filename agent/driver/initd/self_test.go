// SPDX-License-Identifier: Apache-2.0

package initd_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/initd"
)

// No release stops the agent, nor tells it to start again amid the run, by whatever
// tool; no removal and no undo does either.
func TestTheAgentGoesOn(t *testing.T) {
	t.Parallel()
	for _, kind := range initd.Types() {
		m, h := newHost(t)
		for _, file := range []string{"/etc/init.d/bindery-agent", "/etc/init/bindery-agent.conf"} {
			h.write(t, file)
		}
		h.link("rc3.d/S50", "bindery-agent")
		h.link("runlevels/default/", "bindery-agent")
		h.boot["bindery-agent"], h.runs["bindery-agent"] = true, true
		d := of(kind)(t, m)
		for _, words := range [][]string{
			{"name=bindery-agent", "status=off"}, {"name=bindery-agent", "status=on", "bootstatus=off"}, {"name=bindery-agent", "status=off", "mode=manual"},
			{"name=bindery-agent", "status=off", "supervised=true"},
		} {
			_, err := d.Apply(t.Context(), item(words...), true)
			require.ErrorContains(t, err, "does not stop itself", "%s %v", kind, words)
			_, err = d.(driver.Restarter).Restart(t.Context(), item(words...))
			require.Error(t, err, "%s %v", kind, words)
		}
		out, err := d.Apply(t.Context(), item("name=bindery-agent", "status=on"), true)
		require.NoError(t, err)
		require.Equal(t, driver.Correct, out.State, kind)
		changed, err := d.(driver.Restarter).Restart(t.Context(), item("name=bindery-agent", "status=on"))
		require.NoError(t, err)
		require.False(t, changed)
		errs := d.(driver.Remover).Remove(t.Context(), []driver.Surplus{{Name: "bindery-agent"}})
		require.Error(t, errs[0])
		was := driver.Standing{Kind: driver.Kind{Tag: "Service", Type: kind}, Name: "bindery-agent", State: "disabled stopped"}
		for _, ending := range []bool{true, false} {
			r := d.(driver.Keeper).Restore(t.Context(), driver.Passage{Standing: was}, driver.Restoration{Apply: true, Force: true, Ending: ending})
			require.NoError(t, r.Err)
			require.Empty(t, r.What)
			require.Len(t, r.Kept, map[bool]int{false: 1}[ending], kind)
		}
		require.Empty(t, h.commands, kind)
	}
	m, h := newHost(t)
	_, err := of("smf")(t, m).Apply(t.Context(), item("name=x", "FMRI=svc:/application/bindery-agent:default", "status=off"), true)
	require.ErrorContains(t, err, "does not stop itself")
	require.Empty(t, h.commands)
}
