// SPDX-License-Identifier: Apache-2.0

package rpm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// An upgrade, a package that brings another one along, and one that goes, taken
// back together; what somebody did since stays, and so does what others need.
func TestRestore(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	have("one-1.0")(t, m)
	have("rival")(t, m)
	d := newDriver(t, m)
	keeper, ok := d.(driver.Keeper)
	require.True(t, ok)
	item := driver.Item{Entry: config.NewEntry(pack("name=one", "version=2.0"))}
	was, err := keeper.Standing(t.Context(), []driver.Item{item})
	require.NoError(t, err)
	require.Equal(t, "one.noarch 1.0-1\nrival.noarch 1-1\n", was[0].State)

	r, err := m.Processes.Run(t.Context(), system.Command{Args: []string{"rpm", "-e", "rival"}, Env: []string{"PATH=/usr/bin:/bin"}, Timeout: time.Minute, MaxTail: 4096})
	require.NoError(t, err)
	require.Zero(t, r.Exit, "%s", r.Tail)
	two := driver.Item{Entry: config.NewEntry(pack("name=two", "version=any"))}
	for _, r := range d.(driver.Batch).ApplyAll(t.Context(), []driver.Item{item, two}, true) {
		require.NoError(t, r.Err)
	}
	left, err := keeper.Again(t.Context(), was)
	require.NoError(t, err)
	require.Equal(t, "base.noarch 1:3-1\none.noarch 2.0-1\ntwo.noarch 1-1\n", left[0].State)

	p := driver.Passage{Standing: was[0], After: &left[0].State}
	got := keeper.Restore(t.Context(), p, driver.Restoration{})
	require.NoError(t, got.Err)
	require.Equal(t, []string{"remove base-1:3-1.noarch", "install one-1.0-1.noarch", "install rival-1-1.noarch", "remove two-1-1.noarch"}, got.What)
	require.Empty(t, keeper.Restore(t.Context(), p, driver.Restoration{Ending: true}).What, "packages come back after files")

	// Somebody upgraded one of them by hand, and wants it so.
	other := "base.noarch 1:3-1\none.noarch 1.5-1\ntwo.noarch 1-1\n"
	got = keeper.Restore(t.Context(), driver.Passage{Standing: was[0], After: &other}, driver.Restoration{})
	require.Equal(t, []string{"one.noarch: it was changed since"}, got.Kept)

	// A key that dnf imported goes; one that somebody took away is in no repository.
	with := left[0].State + "gpg-pubkey.none c2df6358-6b022a84\n"
	got = keeper.Restore(t.Context(), driver.Passage{Standing: driver.Standing{Kind: was[0].Kind, Name: was[0].Name, State: with}, After: &left[0].State}, driver.Restoration{})
	require.Equal(t, []string{"gpg-pubkey.none: no repository has it"}, got.Kept)

	// What came alone and is needed by what is there stays.
	needed := driver.Passage{Standing: driver.Standing{Kind: was[0].Kind, Name: was[0].Name, State: "one.noarch 2.0-1\ntwo.noarch 1-1\n"}, After: &left[0].State}
	got = keeper.Restore(t.Context(), needed, driver.Restoration{Apply: true})
	require.ErrorContains(t, got.Err, "base")

	require.NoError(t, keeper.Restore(t.Context(), p, driver.Restoration{Apply: true}).Err)
	again, err := keeper.Again(t.Context(), was)
	require.NoError(t, err)
	require.Equal(t, was, again)
}

// Where a package was moved to is part of how it was. No repository brings that back: an
// undo says so, and does not put it elsewhere.
func TestRestoreOfAMovedPackage(t *testing.T) {
	t.Parallel()
	repo := archive(t)
	m := root(t, repo)
	have("mover")(t, m)
	d := newDriver(t, m)
	keeper, ok := d.(driver.Keeper)
	require.True(t, ok)
	move := func(to string) []driver.Standing {
		item := driver.Item{Entry: config.NewEntry(pack("name=mover", "version=1", "reloc="+to, "url="+repo+"/noarch", "simplefile=mover-1-1.noarch.rpm"))}
		was, err := keeper.Standing(t.Context(), []driver.Item{item})
		require.NoError(t, err)
		_, err = d.Apply(t.Context(), item, true)
		require.NoError(t, err)
		return was
	}
	made, first := move("/opt/x"), move("/opt/y")
	require.Equal(t, "mover.noarch 1-1\n", made[0].State, "it is where it was made for")
	require.Equal(t, "mover.noarch 1-1@/opt/x\n", first[0].State)
	restore := func(was driver.Standing) driver.Restored {
		got := keeper.Restore(t.Context(), driver.Passage{Standing: was}, driver.Restoration{Apply: true, Force: true})
		require.NoError(t, got.Err)
		return got
	}
	got := restore(first[0])
	require.Empty(t, got.What)
	require.Equal(t, []string{"mover.noarch: 1-1 was moved to /opt/x (reloc), and nothing moves a package that comes from a repository: bring it back with rpm --prefix"}, got.Kept)
	require.Equal(t, []string{"reinstall mover-1-1.noarch"}, restore(made[0]).What)
	left, err := keeper.Again(t.Context(), made)
	require.NoError(t, err)
	require.Equal(t, made, left)
	move("/opt/z")
	// One that came goes, wherever it is.
	none := driver.Standing{Kind: made[0].Kind, Name: made[0].Name}
	require.Equal(t, []string{"remove mover-1-1.noarch"}, restore(none).What)
	left, err = keeper.Again(t.Context(), made)
	require.NoError(t, err)
	require.Empty(t, left[0].State)
}

// The agent would not come to the end of an undo that takes it away.
func TestRestoreKeepsTheAgent(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	have("bindery-agent")(t, m)
	d := newDriver(t, m)
	keeper, ok := d.(driver.Keeper)
	require.True(t, ok)
	r := keeper.Restore(t.Context(), driver.Passage{Standing: driver.Standing{Kind: driver.Kind{Tag: "Package", Type: "yum"}}}, driver.Restoration{Apply: true, Force: true})
	require.NoError(t, r.Err)
	require.Equal(t, []string{"bindery-agent.noarch: the agent does not take itself away"}, r.Kept)
	require.Empty(t, r.What)
	for _, name := range []string{"bindery-agent", "bindery-agent-1-1.noarch"} {
		errs := d.(driver.Remover).Remove(t.Context(), []driver.Surplus{{Name: name}})
		require.ErrorContains(t, errs[0], "not a package that can be taken away")
	}
}
