// SPDX-License-Identifier: Apache-2.0

//go:build !portable

package system_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/system"
)

// forgetful is a program that forgets its mark, and is known by its user.
func forgetful(t *testing.T) {
	t.Helper()
	r, err := confine(t, system.Limits{User: &nobodys}, "(env -i /usr/bin/setsid /bin/sh -c 'echo $$; exec /bin/sleep 1000' &); sleep 0.3")
	require.NoError(t, err)
	require.False(t, running(strings.TrimSpace(string(r.Stdout))))
	require.Empty(t, ofUser(t, "64999"))
}
