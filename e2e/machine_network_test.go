// SPDX-License-Identifier: Apache-2.0

//go:build machine

package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// confirmed is a policy that wants the controller reached soon after a change.
const confirmed = "plugins: [Bundler, Cfg, Metadata, Probes, Rules]\npolicy: {confirm: 30s}\n"

// TestMachineCutOff: a change that cuts the network is taken back: by the run itself,
// by the guard where the run was killed, and by the first run after the power was cut.
func TestMachineCutOff(t *testing.T) {
	e := newEstate(t, debian(), map[string]string{"bindery.yaml": confirmed})
	require.Equal(t, "clean", e.apply(0).Report.State)
	until(t, "the guard has ended", func() bool { return e.guards() == "" })
	before := e.list(false)
	right, wrong := e.source("Cfg/etc/uplink.conf/uplink.conf"), "ADDRESS=198.51.100.7/24\n"

	e.publish(map[string]string{"Cfg/etc/uplink.conf/uplink.conf": wrong})
	r := e.apply(1)
	require.Equal(t, "rolled-back", r.Report.State)
	require.Contains(t, r.Report.Error, "did not reach its source")
	e.reachable()
	require.Empty(t, before.Differences(e.list(false)))
	e.told()

	// The release is not applied again. Another one is, and its run is killed once the
	// network is gone: the guard, a unit of its own, takes it back.
	require.Equal(t, "rolled-back", e.apply(1).Report.State)
	e.publish(map[string]string{"Cfg/etc/uplink.conf/uplink.conf": wrong + "# again\n"})
	kill := e.Start("bindery-agent", "run", "--once")
	until(t, "the network is cut", func() bool { return !strings.Contains(e.Do("ip", "-4", "addr", "show", "dev", "host0"), e.Own) })
	require.Contains(t, e.guards(), "bindery-agent-guard-")
	kill()
	until(t, "the guard has taken it back", func() bool { return strings.Contains(e.Do("ip", "-4", "addr", "show", "dev", "host0"), e.Own) })
	until(t, "the guard has ended", func() bool { return e.guards() == "" })
	e.reachable()
	require.Empty(t, before.Differences(e.list(false)))
	e.told()

	e.publish(map[string]string{"Cfg/etc/uplink.conf/uplink.conf": right})
	require.Equal(t, "clean", e.apply(0).Report.State)

	// A controller that was away before a change need not be there after it.
	e.Do("sh", "-c", "echo drift > /etc/motd")
	e.Cut()
	e.apply(3)
	require.Equal(t, "Kept by its specification.\n", e.reads("/etc/motd"))
	e.Mend()
	require.Equal(t, "clean", e.apply(0).Report.State)
}

// guards lists the units that wait for a confirmation.
func (e *estate) guards() string {
	e.Helper()
	return strings.TrimSpace(e.Do("systemctl", "list-units", "--all", "--no-legend", "--plain", "bindery-agent-guard-*"))
}

func (e *estate) reachable() {
	e.Helper()
	require.Contains(e.T, e.Do("ip", "-4", "addr", "show", "dev", "host0"), e.Own)
	require.Equal(e.T, "active", strings.TrimSpace(e.Do("systemctl", "is-active", "uplink")))
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
