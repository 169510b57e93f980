// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/agent/system"
)

func TestText(t *testing.T) {
	for _, name := range []string{"", "/a", "/ä\n", "/\xff\xfe", `["x"]`} {
		data, err := json.Marshal(journal.Text(name))
		require.NoError(t, err)
		var back journal.Text
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, name, string(back))
	}
	var bad journal.Text
	require.Error(t, json.Unmarshal([]byte("7"), &bad))
}

// world is a journal and a tree with one file.
func world(t *testing.T, limits journal.Limits) (*journal.Journal, *journal.Files, string, string) {
	t.Helper()
	return worldWith(t, limits, nil)
}

// worldWith has a state that asks before each step that alters it.
func worldWith(t *testing.T, limits journal.Limits, before func(step, name string) error) (*journal.Journal, *journal.Files, string, string) {
	t.Helper()
	root, dir := t.TempDir(), t.TempDir()+"/state"
	d, err := state.Open(state.Config{Path: dir, Create: true, Before: before})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	j, err := journal.New(journal.Config{State: d, Now: time.Now, Limits: limits})
	require.NoError(t, err)
	m, err := system.New(system.Config{Root: root})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(root+"/f", []byte("old"), 0o640))
	return j, journal.Watched(m), root, dir
}

func write(name, content string) system.Change {
	return system.Change{Op: system.Write, Name: name, Mode: 0o600, UID: system.Keep, GID: system.Keep, Content: []byte(content)}
}

// changed makes one change in a run of its own, the first, and reads what was kept of it.
func changed(t *testing.T, j *journal.Journal, files *journal.Files, c system.Change) *journal.Past {
	t.Helper()
	run := j.Begin(journal.Head{})
	files.Record(run)
	require.NoError(t, files.Change(c))
	files.Record(nil)
	require.NoError(t, run.End(files, nil))
	past, err := j.Since(1)
	require.NoError(t, err)
	return past
}

// What was kept is believed only where it still has its sum.
func TestDamagedContent(t *testing.T) {
	j, files, root, dir := world(t, journal.Limits{})
	run := j.Begin(journal.Head{})
	files.Record(run)
	require.NoError(t, files.Change(write("/f", "new")))
	files.Record(nil)
	require.NoError(t, run.End(files, nil))
	kept, err := filepath.Glob(dir + "/journal/*/content-*")
	require.NoError(t, err)
	require.Len(t, kept, 1)
	require.NoError(t, os.WriteFile(kept[0], []byte("evil"), 0o600))
	past, err := j.Since(1)
	require.NoError(t, err)
	moves := past.Moves(files, false)
	past.Do(files, moves)
	require.ErrorContains(t, moves[0].Err, "damaged")
	data, err := os.ReadFile(root + "/f")
	require.NoError(t, err)
	require.Equal(t, "new", string(data))
}

// swapped answers for names as if another file had had them.
type swapped struct{}

func (swapped) Extended(_, name string) ([]byte, error) {
	if name == "system.posix_acl_access" {
		return []byte("rights of another one"), nil
	}
	return nil, os.ErrNotExist
}

// While a file is read, its name becomes that of a file with an access list: what is
// kept is the list of the file that was read.
func TestListsAreOfTheFileThatWasRead(t *testing.T) {
	j, _, root, _ := world(t, journal.Limits{})
	m, err := system.New(system.Config{Root: root})
	require.NoError(t, err)
	m.Extended = swapped{}
	files := journal.Watched(m)
	past := changed(t, j, files, system.Change{Op: system.Remove, Name: "/f"})
	moves := past.Moves(files, false)
	past.Do(files, moves)
	require.NoError(t, moves[0].Err)
	require.FileExists(t, root+"/f")
}

// The file of a user comes back as a file of its own, be its content that of the
// administrator's that took its place.
func TestFileOfAnotherOwnerIsMadeAnew(t *testing.T) {
	if os.Geteuid() != 0 {
		return // owners cannot be set
	}
	j, files, root, _ := world(t, journal.Limits{})
	require.NoError(t, os.Chown(root+"/f", 64998, 64998))
	c := write("/f", "old")
	c.UID, c.GID = 0, 0
	past := changed(t, j, files, c)
	moves := past.Moves(files, false)
	require.Equal(t, journal.Restore, moves[0].What)
	past.Do(files, moves)
	require.NoError(t, moves[0].Err)
	info, err := files.Look("/f")
	require.NoError(t, err)
	require.Equal(t, 64998, info.UID)
}

// Files that tools change count as they were left when the run ended.
func TestWatchedFiles(t *testing.T) {
	for _, since := range []string{"", "mine"} {
		j, files, root, _ := world(t, journal.Limits{})
		run := j.Begin(journal.Head{})
		require.NoError(t, run.Watch(files, []string{"/f", "/none"}))
		require.NoError(t, run.Watch(files, []string{"/f"}))
		require.NoError(t, os.WriteFile(root+"/f", []byte("by a tool"), 0o640))
		if since == "" { // killed, and ended by the next run
			var err error
			run, err = j.Unfinished()
			require.NoError(t, err)
		}
		require.NoError(t, run.End(files, nil))
		none, err := j.Unfinished()
		require.NoError(t, err)
		require.Nil(t, none)
		want := "old"
		if since != "" {
			want = since
			require.NoError(t, os.WriteFile(root+"/f", []byte(since), 0o640))
		}
		past, err := j.Since(1)
		require.NoError(t, err)
		moves := past.Moves(files, false)
		past.Do(files, moves)
		data, err := os.ReadFile(root + "/f")
		require.NoError(t, err)
		require.Equal(t, want, string(data))
	}
}

// Notes and restarts alone keep no run; a change keeps them with it.
func TestLightRecords(t *testing.T) {
	j, files, _, _ := world(t, journal.Limits{})
	unit := driver.Standing{Kind: driver.Kind{Tag: "Service", Type: "systemd"}, Name: "a.service", State: "enabled running"}
	for _, changes := range []bool{false, true} {
		run := j.Begin(journal.Head{})
		require.NoError(t, run.Note("a command ran"))
		require.NoError(t, run.Things([]driver.Standing{unit}, true))
		files.Record(run)
		if changes {
			require.NoError(t, files.Change(write("/f", "new")))
		}
		files.Record(nil)
		require.NoError(t, run.End(files, []driver.Standing{unit}))
		runs, err := j.Runs()
		require.NoError(t, err)
		require.Equal(t, changes, len(runs) == 1)
	}
	past, err := j.Since(1)
	require.NoError(t, err)
	require.Equal(t, []string{"a command ran"}, past.Notes)
	require.Equal(t, unit, past.Things[0].Standing)
	require.Equal(t, unit.State, *past.Things[0].After)
}

// A file that is too large, and a run that is, change nothing.
func TestFull(t *testing.T) {
	j, files, root, _ := world(t, journal.Limits{RunBytes: 1000})
	require.NoError(t, os.WriteFile(root+"/big", bytes.Repeat([]byte("x"), 1001), 0o600))
	require.NoError(t, os.WriteFile(root+"/huge", nil, 0o600))
	require.NoError(t, os.Truncate(root+"/huge", journal.MaxFile+1))
	files.Record(j.Begin(journal.Head{}))
	for _, name := range []string{"/big", "/huge"} {
		require.ErrorIs(t, files.Change(write(name, "new")), journal.ErrFull)
		require.ErrorIs(t, files.Change(system.Change{Op: system.RemoveAll, Name: name}), journal.ErrFull)
		require.FileExists(t, root+name)
	}
	for _, bad := range []journal.Limits{{Runs: -1}, {Age: -1}, {Bytes: -1}, {RunBytes: -1}} {
		_, err := journal.New(journal.Config{State: &state.Dir{}, Now: time.Now, Limits: bad})
		require.Error(t, err)
	}
	_, err := j.Since(99)
	require.ErrorIs(t, err, journal.ErrNoRun)
}

// What users put into a tree that goes leaves room for other changes, be it kept or, as
// it is too much, not.
func TestTreesLeaveRoom(t *testing.T) {
	for name, c := range map[string]struct {
		files int
		fails bool
	}{"too much": {10, true}, "just enough": {6, false}} {
		j, files, root, dir := world(t, journal.Limits{RunBytes: 100_000})
		require.NoError(t, os.Mkdir(root+"/d", 0o755))
		for i := range c.files {
			require.NoError(t, os.WriteFile(root+"/d/"+string(rune('a'+i)), bytes.Repeat([]byte{byte(i)}, 12_000), 0o600))
		}
		run := j.Begin(journal.Head{})
		files.Record(run)
		if err := files.Change(system.Change{Op: system.RemoveAll, Name: "/d"}); c.fails {
			require.ErrorIs(t, err, journal.ErrFull, name)
			kept, err := filepath.Glob(dir + "/journal/*/content-*")
			require.NoError(t, err)
			require.Empty(t, kept, name)
		} else {
			require.NoError(t, err, name)
		}
		for i := range 30 {
			require.NoError(t, files.Change(write("/f", string(rune('a'+i)))), name)
		}
	}
}

// What is kept for a change goes with it, also where it is the record itself that does not
// fit: users give their files long names.
func TestRecordThatDoesNotFit(t *testing.T) {
	j, files, root, dir := world(t, journal.Limits{RunBytes: 8000})
	require.NoError(t, os.Mkdir(root+"/d", 0o755))
	for i := range 20 {
		name := string(rune('a'+i)) + strings.Repeat("x", 200)
		require.NoError(t, os.WriteFile(root+"/d/"+name, []byte(name[:1]), 0o600))
	}
	files.Record(j.Begin(journal.Head{}))
	require.ErrorIs(t, files.Change(system.Change{Op: system.RemoveAll, Name: "/d"}), journal.ErrFull)
	kept, err := filepath.Glob(dir + "/journal/*/content-*")
	require.NoError(t, err)
	require.Empty(t, kept)
	for i := range 10 {
		require.NoError(t, files.Change(write("/f", string(rune('a'+i)))))
	}
}

// Runs that cannot begin leave nothing behind, and none takes the place of an older one:
// on a full disk each entry tries.
func TestCannotBegin(t *testing.T) {
	fault := errors.New("no")
	for _, full := range []bool{true, false} {
		var armed bool
		j, files, root, dir := worldWith(t, journal.Limits{Runs: 3}, func(step, name string) error {
			if armed && full && step == "write" {
				return syscall.ENOSPC
			}
			return nil
		})
		changed(t, j, files, write("/f", "new"))
		armed = true
		run := j.Begin(journal.Head{})
		run.First(func(int64) error { return fault })
		files.Record(run)
		for range 9 {
			require.Error(t, files.Change(write("/f", "newer")))
		}
		names, err := filepath.Glob(dir + "/journal/*")
		require.NoError(t, err)
		require.Equal(t, []string{dir + "/journal/00000001"}, names)
		require.Zero(t, run.ID())
		data, err := os.ReadFile(root + "/f")
		require.NoError(t, err)
		require.Equal(t, "new", string(data))
	}
}

// While a user's file is brought back, they put the administrator's in its place: it
// gets neither their access list nor them as its owner.
func TestWhatIsBroughtBackIsSwapped(t *testing.T) {
	if os.Geteuid() != 0 {
		return // owners cannot be set
	}
	j, files, root, _ := world(t, journal.Limits{})
	require.NoError(t, os.Chown(root+"/f", 64998, 64998))
	c := write("/f", "new")
	c.UID, c.GID = 0, 0
	past := changed(t, j, files, c)
	require.NoError(t, os.WriteFile(root+"/private", []byte("private"), 0o600))
	tree, err := system.NewTree(system.TreeConfig{Root: root, Before: func(step, _ string) error {
		if step == "fsync directory" {
			require.NoError(t, os.Rename(root+"/private", root+"/f"))
		}
		return nil
	}})
	require.NoError(t, err)
	t.Cleanup(tree.Close)
	met := journal.Watched(&system.Machine{Files: tree, Extended: tree})
	moves := past.Moves(met, false)
	past.Do(met, moves)
	require.ErrorContains(t, moves[0].Err, "somebody put another thing in the place")
	info, err := files.Look("/f")
	require.NoError(t, err)
	require.Equal(t, []int{0, 0o600}, []int{info.UID, int(info.Mode)})
}

// Another name is brought back only of a file that nobody can have put there: else the
// content comes back alone, and that is told.
func TestNamesInDirectoriesOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		return // owners cannot be set
	}
	for first, whole := range map[string]bool{"/f": true, "/theirs/f": false} {
		j, files, root, _ := world(t, journal.Limits{})
		require.NoError(t, os.Mkdir(root+"/theirs", 0o755))
		require.NoError(t, os.Link(root+"/f", root+"/theirs/f"))
		require.NoError(t, os.Chown(root+"/theirs", 64998, 64998))
		run := j.Begin(journal.Head{})
		files.Record(run)
		require.NoError(t, files.Change(write(first, "new")))
		for _, name := range []string{"/f", "/theirs/f"} {
			require.NoError(t, files.Change(write(name, "new")))
		}
		files.Record(nil)
		require.NoError(t, run.End(files, nil))
		past, err := j.Since(1)
		require.NoError(t, err)
		moves := past.Moves(files, false)
		past.Do(files, moves)
		for _, m := range moves {
			if m.Name == first || whole {
				require.NoError(t, m.Err)
				continue
			}
			require.ErrorContains(t, m.Err, `it is no longer the same file as "/theirs/f"`)
		}
		a, err := os.Lstat(root + "/f")
		require.NoError(t, err)
		b, err := os.Lstat(root + "/theirs/f")
		require.NoError(t, err)
		require.Equal(t, whole, os.SameFile(a, b), first)
		require.Equal(t, os.FileMode(0o640), a.Mode())
		require.Equal(t, os.FileMode(0o640), b.Mode())
		data, err := os.ReadFile(root + "/f")
		require.NoError(t, err)
		require.Equal(t, "old", string(data))
	}
}

// late is a tree in which somebody does something just before a change.
type late struct {
	system.Files
	before func()
}

func (l late) Change(c system.Change) error {
	l.before()
	return l.Files.Change(c)
}

// A directory that took the place of the one that was written down does not go: it could
// not be brought back.
func TestOnlyWhatWasWrittenDownGoes(t *testing.T) {
	for _, c := range []system.Change{{Op: system.RemoveAll}, {Op: system.Link, To: "x"}} {
		for _, there := range []bool{true, false} {
			j, files, root, _ := world(t, journal.Limits{})
			require.NoError(t, os.MkdirAll(root+"/d/theirs/in", 0o755))
			require.NoError(t, os.Chmod(root+"/d", 0o777))
			if there {
				require.NoError(t, os.Mkdir(root+"/d/x", 0o755))
			}
			files.Files = late{files.Files, func() {
				if there {
					require.NoError(t, os.Rename(root+"/d/x", root+"/d/old"))
				}
				require.NoError(t, os.Rename(root+"/d/theirs", root+"/d/x"))
			}}
			files.Record(j.Begin(journal.Head{}))
			c.Name = "/d/x"
			switch err := files.Change(c); {
			case !there && c.Op == system.RemoveAll:
				require.NoError(t, err, "nothing was there to go")
			default:
				require.ErrorContains(t, err, "moving", c.Op)
				require.DirExists(t, root+"/d/x/in", c.Op)
			}
		}
	}
}
