// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"errors"
	"io/fs"
	"os"
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

// labelled is a host whose kernel gives everything a label.
type labelled struct{}

func (labelled) Extended(_, attribute string) ([]byte, error) {
	if attribute == "security.selinux" {
		return []byte("label"), nil
	}
	return nil, fs.ErrNotExist
}

// A link comes back with the owner that it had, and keeps the label that the kernel gave
// it: no kernel lets anybody take one away.
func TestLinkOfAUserComesBack(t *testing.T) {
	if os.Geteuid() != 0 {
		return // owners cannot be set
	}
	j, files, root, _ := world(t, journal.Limits{})
	require.NoError(t, os.Symlink("f", root+"/link"))
	require.NoError(t, os.Lchown(root+"/link", 64998, 64998))
	past := changed(t, j, files, system.Change{Op: system.Remove, Name: "/link"})
	tree, err := system.NewTree(system.TreeConfig{Root: root, Before: func(step, _ string) error {
		if step == "setxattr" {
			return errors.New("permission denied")
		}
		return nil
	}})
	require.NoError(t, err)
	t.Cleanup(tree.Close)
	met := journal.Watched(&system.Machine{Files: tree, Extended: labelled{}})
	moves := past.Moves(met, false)
	past.Do(met, moves)
	require.Len(t, moves, 1)
	require.NoError(t, moves[0].Err)
	info, err := files.Look("/link")
	require.NoError(t, err)
	require.Equal(t, []any{system.Symlink, "f", 64998, 64998}, []any{info.Kind, info.Target, info.UID, info.GID})
}
