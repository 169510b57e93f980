// SPDX-License-Identifier: Apache-2.0

package deb_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
)

// An upgrade, a package that brings another one along, and one that goes, taken
// back together; what somebody did since stays.
func TestRestore(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	install(t, m, "one=1.0-1", "rival")
	d := newDriver(t, m)
	keeper, ok := d.(driver.Keeper)
	require.True(t, ok)
	was, err := keeper.Standing(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "one:all 1.0-1\nrival:all 1\n", was[0].State)
	for _, r := range d.(driver.Batch).ApplyAll(t.Context(), items(pack("name=one", "version=2.0-1"), pack("name=two", "version=any")), true) {
		require.NoError(t, r.Err)
	}
	left, err := keeper.Again(t.Context(), was)
	require.NoError(t, err)
	require.Equal(t, "base:all 1:3 auto\none:all 2.0-1\ntwo:all 1\n", left[0].State)

	p := driver.Passage{Standing: was[0], After: &left[0].State}
	r := keeper.Restore(t.Context(), p, driver.Restoration{})
	require.Equal(t, []string{"purge base", "install one 1.0-1", "install rival 1", "purge two"}, r.What)
	require.Empty(t, keeper.Restore(t.Context(), p, driver.Restoration{Ending: true}).What, "packages come back after files")

	// Somebody downgraded one of them by hand, and wants it so.
	other := "base:all 1:3 auto\none:all 1.5\ntwo:all 1\n"
	r = keeper.Restore(t.Context(), driver.Passage{Standing: was[0], After: &other}, driver.Restoration{})
	require.Equal(t, []string{"one: it was changed since"}, r.Kept)
	r = keeper.Restore(t.Context(), driver.Passage{Standing: was[0], After: &other}, driver.Restoration{Force: true})
	require.Contains(t, r.What, "install one 1.0-1")

	r = keeper.Restore(t.Context(), p, driver.Restoration{Apply: true})
	require.NoError(t, r.Err)
	again, err := keeper.Again(t.Context(), was)
	require.NoError(t, err)
	require.Equal(t, was, again)

	// A version that no source has any more cannot come back; the rest does.
	gone := driver.Passage{Standing: driver.Standing{State: "one:all 0.5\ntwo:all 1\n"}}
	r = keeper.Restore(t.Context(), gone, driver.Restoration{Apply: true})
	require.ErrorContains(t, r.Err, "0.5")
	now, err := keeper.Again(t.Context(), was)
	require.NoError(t, err)
	require.Contains(t, now[0].State, "two:all 1")
}
