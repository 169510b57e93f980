// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// What a run brought goes with it, also where the journal has no room for it: the undo is
// whole and says that it cannot be taken back. What somebody put there is not lost so.
func TestUndoOfMoreThanTheJournalHolds(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 64<<10)
	for _, since := range []string{"", big + "mine"} {
		n := newNode(t, newSite(t), func(c *agent.Config) { c.Journal = journal.Limits{RunBytes: 16 << 10} })
		require.NoError(t, os.WriteFile(n.root+"/f", []byte("old"), 0o644))
		before := stands(t, n.root)
		n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/big", big), agenttest.File("/f", big)}})
		require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
		if since != "" {
			require.NoError(t, os.WriteFile(n.root+"/big", []byte(since), 0o644))
		}
		u, err := n.agent.Undo(t.Context(), agent.UndoOptions{Force: true})
		require.NoError(t, err)
		require.Contains(t, strings.Join(u.Notes, "\n"), "restore /f: an undo of this undo does not bring back what stood there", "%+v", u)
		if since != "" {
			require.Len(t, u.Failed, 1)
			require.Contains(t, u.Failed[0], journal.ErrFull.Error())
			require.Equal(t, since, read(t, n.root+"/big"))
			continue
		}
		require.True(t, u.Whole(), u)
		require.Equal(t, before, stands(t, n.root))
	}
}

// On a full disk an undo drops the oldest runs that it does not need, and then has room.
// Where there are none it says why, and nothing is half done.
func TestUndoOnAFullDisk(t *testing.T) {
	t.Parallel()
	for _, older := range []bool{true, false} {
		n := newNode(t, newSite(t), nil)
		if older {
			n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/first", "x")}})
			n.run(agent.Options{})
		}
		n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/second", "x")}})
		last := n.run(agent.Options{}).Run
		oldest := filepath.Join(n.dir.Path(), "journal/00000001")
		d, err := state.Open(state.Config{Path: n.dir.Path(), Before: func(step, _ string) error {
			if _, err := os.Stat(oldest); err == nil && step == "write" {
				return syscall.ENOSPC
			}
			return nil
		}})
		require.NoError(t, err)
		t.Cleanup(d.Close)
		n.config.State = d
		n.open()
		_, err = n.agent.Undo(t.Context(), agent.UndoOptions{})
		runs, listed := n.agent.Runs()
		require.NoError(t, listed)
		if !older {
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.FileExists(t, n.root+"/second")
			require.Len(t, runs, 1)
			continue
		}
		require.NoError(t, err)
		require.NoFileExists(t, n.root+"/second")
		require.FileExists(t, n.root+"/first")
		require.Equal(t, last, runs[0].ID, "it was needed")
		held, err := n.agent.Held()
		require.NoError(t, err)
		require.NotNil(t, held)
	}
}

// A change that cuts the host off, and fills the disk, is taken back all the same.
func TestConfirmOnAFullDisk(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{
		Entries: []config.Entry{agenttest.File("/network", "broken")}, Policy: release.Policy{Confirm: 200 * time.Millisecond},
	})
	cut(n, "/network")
	refused := 0
	d, err := state.Open(state.Config{Path: n.dir.Path(), Before: func(step, name string) error {
		if _, err := os.Stat(n.root + "/network"); err == nil && step == "write" && strings.Contains(name, "unconfirmed.json") {
			refused++
			return syscall.ENOSPC
		}
		return nil
	}})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	n.config.State = d
	n.open()
	require.Equal(t, release.StateRolledBack, n.run(agent.Options{}).Report.State)
	require.NoFileExists(t, n.root+"/network")
	require.NotZero(t, refused)
}

// A record that the disk has torn or lost hides a change: the undo takes the rest back and
// says that something is missing, and what is to come back is there before anything goes.
func TestUndoByADamagedJournal(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(dir string) error{
		"torn":            func(dir string) error { return os.WriteFile(dir+"/000000.json", []byte(`{"steps":[`), 0o600) },
		"torn at the end": func(dir string) error { return os.WriteFile(dir+"/000002.json", nil, 0o600) },
		"gone":            func(dir string) error { return os.Remove(dir + "/000000.json") },
		"contents": func(dir string) error {
			names, err := filepath.Glob(dir + "/content-*")
			for _, name := range names {
				if err == nil {
					err = os.Truncate(name, 1)
				}
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, newSite(t), nil)
			for _, f := range []string{"/a", "/b", "/c"} {
				require.NoError(t, os.WriteFile(n.root+f, []byte("old "+f), 0o644))
			}
			n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{
				agenttest.File("/a", "new"), agenttest.File("/b", "new"), path("/c", "directory", "mode=0755"),
			}})
			n.run(agent.Options{})
			require.NoError(t, damage(n.dir.Path()+"/journal/00000001"))
			after := stands(t, n.root)
			u, err := n.agent.Undo(t.Context(), agent.UndoOptions{})
			require.NoError(t, err)
			require.False(t, u.Whole())
			require.Contains(t, strings.Join(u.Failed, "\n"), "the journal is damaged", "%v", u)
			rep := n.Reports[len(n.Reports)-1]
			require.Equal(t, release.StateRolledBack, rep.State)
			require.NotEmpty(t, rep.Bad, "the controller is told, too")
			if name == "contents" {
				require.Len(t, u.Failed, 3)
				require.Equal(t, after, stands(t, n.root), "nothing goes for what cannot come")
				return
			}
			require.Len(t, u.Failed, 1)
			require.Len(t, u.Done, 2)
		})
	}
}
