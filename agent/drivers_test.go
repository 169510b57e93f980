// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/engine/config"
)

// A driver that was never run against its tools works where the settings name it,
// and nowhere else.
func TestUnproven(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{Bundles: []*config.Bundle{
		agenttest.Structure("Bundle", "b", agenttest.Entry("Service", "", "name=s", "type=chkconfig", "status=on")),
	}})
	reason := func() string {
		line := n.run(agent.Options{DryRun: true}).Lines[0]
		require.Equal(t, driver.NotVerified, line.State)
		return line.Reason
	}
	require.Equal(t, `the driver of type "chkconfig" was never run against its tools: it works where agent.yaml names it under drivers`, reason())
	n.config.Drivers = []string{"chkconfig"}
	n.open()
	require.Equal(t, "services are not managed under another root", reason())
	n.config.Drivers = []string{"deb"}
	_, err := agent.New(n.config)
	require.ErrorContains(t, err, `drivers: "deb" is none of chkconfig,`)
}
