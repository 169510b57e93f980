// SPDX-License-Identifier: Apache-2.0

//go:build machine

package e2e_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// confirmed is a policy that wants the controller reached soon after a change.
const confirmed = "policy: {confirm: 30s}\n"

// TestMachineCutOff: a change that cuts the network is taken back: by the run itself,
// by the guard where the run was killed, and by the first run after the power was cut.
func TestMachineCutOff(t *testing.T) { of(t, kinds(), cutOff) }

func cutOff(t *testing.T, k kind) {
	settings, err := os.ReadFile(k.spec + "/bindery.yaml")
	require.NoError(t, err)
	e := newEstate(t, k, map[string]string{"bindery.yaml": string(settings) + confirmed})
	require.Equal(t, "clean", e.apply(0).Report.State)
	until(t, "the guard has ended", func() bool { return !e.guarded() })
	before, units := e.list(false), e.units()
	back := func() {
		t.Helper()
		require.True(t, e.reachable())
		require.Equal(t, units, e.units())
		require.Empty(t, before.Differences(e.list(false)))
		e.told()
	}
	right, wrong := e.source(uplinkConf), "ADDRESS=198.51.100.7/24\n"

	e.publish(map[string]string{uplinkConf: wrong})
	r := e.apply(1)
	require.Equal(t, "rolled-back", r.Report.State)
	require.Contains(t, r.Report.Error, "did not reach its source")
	back()

	// The release is not applied again. Another one is, and its run is killed once the
	// network is gone: the guard takes it back.
	require.Equal(t, "rolled-back", e.apply(1).Report.State)
	kill := e.cuts(wrong + "# again\n")
	require.True(t, e.guarded())
	kill()
	until(t, "the guard has taken it back", e.reachable)
	until(t, "the guard has ended", func() bool { return !e.guarded() })
	back()

	// The power goes, and the guard with it.
	kill = e.cuts(wrong + "# once more\n")
	e.Restart()
	kill()
	e.sh("set -e\n" + e.kind.boot)
	require.False(t, e.guarded())
	require.False(t, e.reachable())
	require.Equal(t, "rolled-back", e.apply(1).Report.State)
	back()

	e.publish(map[string]string{uplinkConf: right})
	require.Equal(t, "clean", e.apply(0).Report.State)

	// A controller that was away before a change need not be there after it.
	e.sh(e.kind.disturb)
	e.Cut()
	e.apply(3)
	e.converged()
	e.Mend()
	require.Equal(t, "clean", e.apply(0).Report.State)
}

// uplinkConf is what the machine's way to everybody else is set by.
const uplinkConf = "Cfg/etc/uplink.conf/uplink.conf"

// cuts starts a run that cuts the network, and waits until it has.
func (e *estate) cuts(conf string) (kill func()) {
	e.Helper()
	e.publish(map[string]string{uplinkConf: conf})
	kill = e.Start("bindery-agent", "run", "--once")
	until(e.T, "the network is cut", func() bool { return !e.reachable() })
	return kill
}

// guarded tells whether somebody waits for a confirmation, on machines with systemd as
// a unit of its own.
func (e *estate) guarded() bool {
	e.Helper()
	if e.kind.booted {
		return e.Do("systemctl", "list-units", "--all", "--no-legend", "--plain", "bindery-agent-guard-*") != ""
	}
	return e.sh(`grep -lsxz 'guar[d]' /proc/[0-9]*/cmdline || true`) != ""
}

func (e *estate) reachable() bool {
	e.Helper()
	return strings.Contains(e.Do("ip", "-4", "addr", "show", "dev", "host0"), e.Own)
}

// told: the controller knows that the host was rolled back.
func (e *estate) told() {
	e.Helper()
	until(e.T, "the controller is told", func() bool {
		var all struct {
			Hosts []struct{ Report struct{ State string } }
		}
		e.api("hosts", &all)
		return len(all.Hosts) == 1 && all.Hosts[0].Report.State == "rolled-back"
	})
}
