// SPDX-License-Identifier: Apache-2.0

package self_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver/self"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for _, unit := range append(self.Units(), "bindery-agent", "bindery-agent-guard-7.service", "svc:/application/bindery-agent:default", "site/bindery-agent") {
		require.True(t, self.Service(unit), unit)
	}
	for _, unit := range []string{"", "bindery", "bindery-controller.service", "my-bindery-agent", "svc:/network/ssh:default"} {
		require.False(t, self.Service(unit), unit)
	}
	for _, name := range []string{"bindery-agent", "bindery-agent:amd64", "bindery-agent=1.0", "bindery-agent.x86_64", "bindery-agent-1.0-1.noarch"} {
		require.True(t, self.Package(name), name)
	}
	for _, name := range []string{"", "bindery", "bindery-agent-plugins", "bindery-agents", "bindery-agent-", "libbindery-agent"} {
		require.False(t, self.Package(name), name)
	}
}
