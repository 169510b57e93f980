// SPDX-License-Identifier: Apache-2.0

//go:build !linux || portable

package system_test

import (
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/system"
)

// forgetful is a program that detaches and forgets its mark. It is not found, and
// what is asked has no answer then.
func forgetful(t *testing.T) {
	t.Helper()
	r, err := confine(t, system.Limits{User: &nobodys}, "(env -i /usr/bin/setsid /bin/sh -c 'echo $$; exec /bin/sleep 1000' &); sleep 0.3")
	pid, bad := strconv.Atoi(strings.TrimSpace(string(r.Stdout)))
	require.NoError(t, bad)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.ErrorContains(t, err, "was not ended")
}
