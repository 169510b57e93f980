// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
)

// What a file may do and who may read it come back with it: also what a new owner took
// away, and not what it was given since.
func TestExtendedComesBack(t *testing.T) {
	t.Parallel()
	const list, able = "system.posix_acl_access", "security.capability"
	m, memory, _ := systemtest.Machine()
	d, err := state.Open(state.Config{Path: t.TempDir() + "/state", Create: true})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	j, err := journal.New(journal.Config{State: d, Now: time.Now})
	require.NoError(t, err)
	files := journal.Watched(m)
	extend := func(name, attribute, value string) system.Change {
		return system.Change{Op: system.Extend, Name: name, To: attribute, Content: []byte(value)}
	}
	owner := system.Change{Op: system.Attributes, Name: "/owned", Mode: system.Keep, UID: 7, GID: system.Keep}
	for _, c := range []system.Change{
		write("/owned", "old"), extend("/owned", able, "may"), write("/listed", "old"), write("/given", "old"), extend("/given", able, "may"),
	} {
		require.NoError(t, files.Change(c))
	}

	run := j.Begin(journal.Head{})
	files.Record(run)
	for _, c := range []system.Change{
		owner, write("/listed", "new"), extend("/listed", list, "\x02\x00\x00\x00"), write("/given", "new"),
		{Op: system.Date, Name: "/given", Modified: time.Unix(1, 0)},
	} {
		require.NoError(t, files.Change(c))
	}
	files.Record(nil)
	// The kernel does it with a new owner.
	require.NoError(t, memory.Change(system.Change{Op: system.Extend, Name: "/owned", To: able}))
	require.NoError(t, run.End(files, nil))

	past, err := j.Since(1)
	require.NoError(t, err)
	moves := past.Moves(files, true)
	past.Do(files, moves)
	for _, move := range moves {
		require.NoError(t, move.Err, move.Name)
	}
	info, err := files.Look("/owned")
	require.NoError(t, err)
	require.Zero(t, info.UID)
	for name, want := range map[string]string{"/owned": "may", "/given": "may"} {
		value, err := memory.Extended(name, able)
		require.NoError(t, err, name)
		require.Equal(t, want, string(value), name)
	}
	_, err = memory.Extended("/listed", list)
	require.Error(t, err, "it had none")
}
