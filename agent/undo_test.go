// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// stands lists how everything below a directory stands, with modes and contents.
func stands(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		what := info.Mode().String()
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(name)
			require.NoError(t, err)
			what = "-> " + to
		case info.Mode().IsRegular():
			what += " " + read(t, name)
		}
		out[name] = what
		return nil
	}))
	return out
}

func path(name, kind string, words ...string) config.Entry {
	return agenttest.Entry("Path", "", append([]string{"name=" + name, "type=" + kind, "owner=root", "group=root"}, words...)...)
}

// messy is a host with one of everything, and entries that change all of it.
func messy(t *testing.T, root string) []config.Entry {
	t.Helper()
	for _, d := range []string{"/pruned/deep", "/gone/tree", "/aside"} {
		require.NoError(t, os.MkdirAll(root+d, 0o750))
	}
	for _, f := range []string{"/file", "/pruned/deep/a", "/pruned/b\xff", "/gone/tree/c", "/becomes", "/modes"} {
		require.NoError(t, os.WriteFile(root+f, []byte("old "+f), 0o640))
	}
	require.NoError(t, os.Symlink("old-target", root+"/link"))
	require.NoError(t, os.Symlink("/nowhere", root+"/pruned/deep/dangling"))
	require.NoError(t, unix.Mkfifo(root+"/pruned/pipe", 0o600))
	return []config.Entry{
		agenttest.File("/file", "new"), agenttest.File("/made/of/parts", "new"),
		path("/pruned", "directory", "mode=0755", "prune=true"), path("/gone", "nonexistent", "recursive=true"),
		path("/link", "symlink", "to=new-target"), path("/becomes", "symlink", "to=elsewhere"),
		path("/aside", "symlink", "to=gone"), path("/modes", "permissions", "mode=0600"),
		path("/hard", "hardlink", "to=/modes", "mode=0600"),
	}
}

// Files of users and groups speak of each other: they come back all, or none where
// somebody changed one since, and it is named.
func TestUndoOfAccounts(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	require.NoError(t, os.Mkdir(n.root+"/etc", 0o755))
	names := []string{"/etc/passwd", "/etc/passwd-", "/etc/group", "/etc/shadow", "/etc/other"}
	var entries []config.Entry
	for _, name := range names {
		require.NoError(t, os.WriteFile(n.root+name, []byte("old"), 0o644))
		entries = append(entries, agenttest.File(name, "new"))
	}
	before := stands(t, n.root+"/etc")
	n.Publish(n.hostID, agenttest.Release{Entries: entries})
	n.run(agent.Options{})
	require.NoError(t, os.WriteFile(n.root+"/etc/group", []byte("somebody's"), 0o644))
	for _, dry := range []bool{true, false} {
		u, err := n.agent.Undo(t.Context(), agent.UndoOptions{DryRun: dry})
		require.NoError(t, err)
		require.Equal(t, []string{"restore /etc/other"}, u.Done)
		reason := ": it goes with /etc/group, which is kept: it was changed since"
		require.Equal(t, []string{"/etc/group: it was changed since", "/etc/passwd" + reason, "/etc/passwd-" + reason, "/etc/shadow" + reason}, u.Kept)
	}
	for _, name := range []string{"/etc/passwd", "/etc/passwd-", "/etc/shadow"} {
		require.Equal(t, "new", read(t, n.root+name), name)
	}
	require.Equal(t, "old", read(t, n.root+"/etc/other"))
	u, err := n.agent.Undo(t.Context(), agent.UndoOptions{Run: 1, Force: true})
	require.NoError(t, err)
	require.True(t, u.Whole(), u)
	require.Equal(t, before, stands(t, n.root+"/etc"))

	// A release is held until another one is in force, and no longer told of then.
	st, err := n.agent.Status()
	require.NoError(t, err)
	require.NotNil(t, st.Held)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/etc/other", "newer")}})
	require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
	st, err = n.agent.Status()
	require.NoError(t, err)
	require.Nil(t, st.Held)
	require.True(t, st.Well())
}

func TestUndo(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	entries := messy(t, n.root)
	before := stands(t, n.root)
	n.Publish(n.hostID, agenttest.Release{Entries: entries})
	r := n.run(agent.Options{})
	require.Empty(t, r.Report.Bad)
	after := stands(t, n.root)
	require.NotEqual(t, before, after)

	state := tree(t, n.dir.Path())
	u, err := n.agent.Undo(t.Context(), agent.UndoOptions{DryRun: true})
	require.NoError(t, err)
	require.True(t, u.Whole(), u)
	require.NotEmpty(t, u.Done)
	require.Equal(t, after, stands(t, n.root), "a dry run changes nothing")
	require.Equal(t, state, tree(t, n.dir.Path()))

	u, err = n.agent.Undo(t.Context(), agent.UndoOptions{Reason: "a test"})
	require.NoError(t, err)
	require.True(t, u.Whole(), u)
	require.Equal(t, before, stands(t, n.root))
	rep := n.Reports[len(n.Reports)-1]
	require.Equal(t, release.StateRolledBack, rep.State)
	require.Contains(t, rep.Error, "a test")

	// The same release is not applied again, and a newer number of it neither.
	for range 2 {
		r = n.run(agent.Options{})
		require.Equal(t, release.StateRolledBack, r.Report.State)
		require.Equal(t, before, stands(t, n.root))
		n.Publish(n.hostID, agenttest.Release{Entries: entries})
	}
	n.open()
	resumed, err := n.agent.Resume()
	require.NoError(t, err)
	require.True(t, resumed)
	require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
	require.Equal(t, after, stands(t, n.root))

	// Another one ends it by itself; the undo reaches back over two runs.
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/file", "third")}})
	n.run(agent.Options{})
	require.Equal(t, "third", read(t, n.root+"/file"))
	runs, err := n.agent.Runs()
	require.NoError(t, err)
	require.Len(t, runs, 4)
	require.Equal(t, []int64{1, 0}, []int64{runs[1].Undoes, runs[2].Undoes})
	require.Equal(t, int64(2), runs[0].UndoneBy)
	_, err = n.agent.Undo(t.Context(), agent.UndoOptions{Run: runs[2].ID})
	require.NoError(t, err)
	require.Equal(t, before, stands(t, n.root))
	_, err = n.agent.Undo(t.Context(), agent.UndoOptions{})
	require.ErrorIs(t, err, journal.ErrNoRun)
	// An undo can be taken back like any run.
	runs, err = n.agent.Runs()
	require.NoError(t, err)
	_, err = n.agent.Undo(t.Context(), agent.UndoOptions{Run: runs[len(runs)-1].ID})
	require.NoError(t, err)
	require.Equal(t, "third", read(t, n.root+"/file"))
}

// What somebody changed since the run is theirs.
func TestUndoKeepsWhatWasChangedSince(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	require.NoError(t, os.WriteFile(n.root+"/a", []byte("old"), 0o644))
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/a", "new"), agenttest.File("/d/b", "new"), agenttest.File("/c", "new")}})
	n.run(agent.Options{})
	for name, content := range map[string]string{"/a": "mine", "/d/beside": "mine"} {
		require.NoError(t, os.WriteFile(n.root+name, []byte(content), 0o644))
	}
	require.NoError(t, os.Chmod(n.root+"/c", 0o600))
	u, err := n.agent.Undo(t.Context(), agent.UndoOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{"/a: it was changed since", "/c: it was changed since"}, u.Kept)
	require.Len(t, u.Failed, 1, "a directory that holds what is not the run's stays")
	require.Equal(t, "mine", read(t, n.root+"/a"))
	require.Equal(t, "mine", read(t, n.root+"/d/beside"))
	require.NoFileExists(t, n.root+"/d/b")
	require.Len(t, n.Reports[len(n.Reports)-1].Bad, 3)

	_, err = n.agent.Undo(t.Context(), agent.UndoOptions{Run: 1, Force: true})
	require.NoError(t, err)
	require.Equal(t, "old", read(t, n.root+"/a"))
	require.NoFileExists(t, n.root+"/c")
	require.Equal(t, "mine", read(t, n.root+"/d/beside"))
}

// dying opens the node's disk so that it takes nothing from the given step on, as
// after a power cut.
func (n *node) dying(at int) {
	n.t.Helper()
	before := func(string, string) error {
		if at--; at <= 0 {
			return errors.New("no power")
		}
		return nil
	}
	tree, err := system.NewTree(system.TreeConfig{Root: n.root, Before: before})
	require.NoError(n.t, err)
	n.t.Cleanup(tree.Close)
	d, err := state.Open(state.Config{Path: n.dir.Path(), Before: before})
	require.NoError(n.t, err)
	n.t.Cleanup(d.Close)
	m := *n.config.Machine
	m.Files, m.Extended = tree, tree
	c := n.config
	c.Machine, c.State = &m, d
	n.agent, err = agent.New(c)
	require.NoError(n.t, err)
}

// A run ends at every step, and an undo at every second one, by a dead disk or by kill -9. What follows
// always leads back to how it was.
func TestUndoAfterACrash(t *testing.T) {
	t.Parallel()
	stride := map[string]int{"run": 1, "undo": 2}
	for _, word := range []string{"run", "undo"} {
		n := newNode(t, newSite(t), nil)
		require.NoError(t, os.MkdirAll(n.root+"/pruned/deep", 0o750))
		for _, f := range []string{"/file", "/pruned/deep/a"} {
			require.NoError(t, os.WriteFile(n.root+f, []byte("old "+f), 0o640))
		}
		entries := []config.Entry{
			path("/file", "symlink", "to=elsewhere"), agenttest.File("/made/x", "new"), path("/pruned", "directory", "mode=0755", "prune=true"),
		}
		before := stands(t, n.root)
		back := func(at int) {
			n.open()
			if _, err := n.agent.Undo(t.Context(), agent.UndoOptions{Run: first(t, n)}); !errors.Is(err, journal.ErrNoRun) {
				require.NoError(t, err)
			}
			require.Equal(t, before, stands(t, n.root), "%s at %d", word, at)
			_, err := n.agent.Resume()
			require.NoError(t, err)
			require.NoError(t, os.RemoveAll(n.dir.Path()+"/journal"))
		}
		for at, left := 1, 2; left > 0; at += stride[word] {
			n.Publish(n.hostID, agenttest.Release{Entries: entries})
			if word == "undo" {
				n.run(agent.Options{})
			}
			if at%40 == 7 {
				if err := killed(n, at, word); err != nil { // nil: it had ended before
					require.EqualError(t, err, "signal: killed")
				}
				back(at)
				continue
			}
			n.dying(at)
			var err error
			if word == "run" {
				_, err = n.agent.Run(t.Context(), agent.Options{})
			} else {
				_, err = n.agent.Undo(t.Context(), agent.UndoOptions{})
			}
			if err == nil {
				left-- // and twice more, for what comes after
			}
			back(at)
		}
	}
}

// first is the oldest run that the journal has.
func first(t *testing.T, n *node) int64 {
	t.Helper()
	runs, err := n.agent.Runs()
	require.NoError(t, err)
	if len(runs) == 0 {
		return 1
	}
	return runs[0].ID
}

// A hostile user who owns a directory cannot make the undo write elsewhere.
func TestUndoFollowsNoLink(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	require.NoError(t, os.MkdirAll(n.root+"/home", 0o777))
	require.NoError(t, os.Chmod(n.root+"/home", 0o777))
	require.NoError(t, os.MkdirAll(n.root+"/home/u", 0o755))
	require.NoError(t, os.MkdirAll(n.root+"/etc", 0o755))
	require.NoError(t, os.WriteFile(n.root+"/home/u/f", []byte("old"), 0o644))
	require.NoError(t, os.WriteFile(n.root+"/etc/f", []byte("new"), 0o644))
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/home/u/f", "new")}})
	n.run(agent.Options{})
	require.NoError(t, os.Rename(n.root+"/home/u", n.root+"/home/away"))
	require.NoError(t, os.Symlink("/etc", n.root+"/home/u"))
	u, err := n.agent.Undo(t.Context(), agent.UndoOptions{Force: true})
	require.NoError(t, err)
	require.False(t, u.Whole())
	require.Equal(t, "new", read(t, n.root+"/etc/f"))
}

func TestJournalIsBounded(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), func(c *agent.Config) { c.Journal = journal.Limits{Runs: 3, RunBytes: 4000} })
	for i := range 6 {
		n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", strconv.Itoa(i))}})
		n.run(agent.Options{})
	}
	runs, err := n.agent.Runs()
	require.NoError(t, err)
	require.Len(t, runs, 3)
	require.Equal(t, int64(4), runs[0].ID)
	require.Positive(t, runs[0].Bytes)

	// What does not fit is not replaced.
	require.NoError(t, os.WriteFile(n.root+"/f", make([]byte, 5000), 0o644))
	r := n.run(agent.Options{})
	require.Contains(t, r.Report.Bad[0].Reason, journal.ErrFull.Error())
	require.Len(t, read(t, n.root+"/f"), 5000)
}

func TestPause(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	now := time.Now()
	n.config.Machine.Now = func() time.Time { return now }
	n.open()
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "x")}})
	for _, bad := range []time.Duration{0, -1, 366 * 24 * time.Hour} {
		_, err := n.agent.Pause(bad, "why")
		require.Error(t, err)
	}
	_, err := n.agent.Pause(time.Hour, "")
	require.Error(t, err)
	_, err = n.agent.Pause(time.Hour, "a talk")
	require.NoError(t, err)
	r := n.run(agent.Options{})
	require.Equal(t, release.StatePaused, r.Report.State)
	require.Contains(t, n.Reports[0].Error, "a talk")
	require.NoFileExists(t, n.root+"/f")
	now = now.Add(2 * time.Hour)
	require.Equal(t, release.StateClean, n.run(agent.Options{}).Report.State)
	require.FileExists(t, n.root+"/f")
	resumed, err := n.agent.Resume()
	require.NoError(t, err)
	require.False(t, resumed)
}
