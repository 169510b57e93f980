// SPDX-License-Identifier: Apache-2.0

package system_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/system"
)

// A program is not asked for anything at a terminal, also where somebody runs the agent
// at one: it leads a session, which has none.
func TestNoTerminal(t *testing.T) {
	t.Parallel()
	for _, asks := range []bool{false, true} {
		r, err := system.Host{}.Run(t.Context(), system.Command{
			Args: []string{"/bin/sh", "-c", "read -r _ _ _ _ group session _ </proc/$$/stat; echo $(($$ - group)) $(($$ - session)) >&2; read answer </dev/tty"},
			Env:  []string{"PATH=/usr/bin:/bin"}, Timeout: time.Minute, MaxTail: 4096, Asks: asks,
		})
		require.NoError(t, err)
		require.NotZero(t, r.Exit)
		require.Equal(t, "0 0", r.Lines()[0])
		require.Contains(t, r.Lines()[1], "/dev/tty")
	}
}
