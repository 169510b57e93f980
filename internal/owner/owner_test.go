// SPDX-License-Identifier: Apache-2.0

package owner_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/owner"
)

func TestOwner(t *testing.T) {
	info, err := os.Stat(t.TempDir())
	require.NoError(t, err)
	uid, gid, ok := owner.Of(info)
	require.True(t, ok)
	require.Equal(t, os.Geteuid(), uid)
	require.Equal(t, os.Getegid(), gid)

	info, err = fstest.MapFS{"f": {}}.Stat("f")
	require.NoError(t, err)
	_, _, ok = owner.Of(info)
	require.False(t, ok, "a file of no disk is nobody's")

	require.Equal(t, "root", owner.Name(0))
	require.Equal(t, "4123456789", owner.Name(4123456789))
}
