// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/agent/system"
)

func date(name string, at time.Time) system.Change {
	return system.Change{Op: system.Date, Name: name, Modified: at}
}

// A time that a run set comes back, with the content or alone, and so does one from before
// an undo. Times that no run set are new.
func TestTimesComeBack(t *testing.T) {
	t.Parallel()
	long, set, epoch := time.Unix(1000, 5000), time.Unix(2000, 0), time.Unix(0, 0)
	chmod := system.Change{Op: system.Attributes, Name: "/f", Mode: 0o604, UID: system.Keep, GID: system.Keep}
	for name, c := range map[string]struct {
		was     time.Time
		changes []system.Change
		since   func(name string) error
		// back tells that the time of before is that of after the undo; kept that the
		// undo leaves the file.
		back, kept bool
	}{
		"alone":              {long, []system.Change{date("/f", set)}, nil, true, false},
		"of 1970":            {epoch, []system.Change{date("/f", set)}, nil, true, false},
		"to 1970":            {long, []system.Change{date("/f", epoch)}, nil, true, false},
		"with its content":   {long, []system.Change{write("/f", "new"), date("/f", set)}, nil, true, false},
		"with its mode":      {long, []system.Change{chmod, date("/f", set)}, nil, true, false},
		"twice":              {long, []system.Change{date("/f", set), date("/f", epoch)}, nil, true, false},
		"before its content": {long, []system.Change{date("/f", set), write("/f", "new")}, nil, true, false},
		"nobody's":           {long, []system.Change{write("/f", "new")}, nil, false, false},
		"touched since":      {long, []system.Change{date("/f", set)}, func(name string) error { return os.Chtimes(name, epoch, time.Unix(3000, 0)) }, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			j, files, root, _ := world(t, journal.Limits{})
			file := root + "/f"
			require.NoError(t, os.Chtimes(file, c.was, c.was))
			run := j.Begin(journal.Head{})
			files.Record(run)
			for _, change := range c.changes {
				require.NoError(t, files.Change(change))
			}
			require.NoError(t, run.End(files, nil))
			if c.since != nil {
				require.NoError(t, c.since(file))
			}
			left := modified(t, file)
			takeBack := func(id int64) []journal.Move {
				past, err := j.Since(id)
				require.NoError(t, err)
				moves := past.Moves(files, false)
				undo := j.Begin(journal.Head{Undoes: id})
				files.Record(undo)
				past.Do(files, moves)
				require.NoError(t, undo.End(files, nil))
				require.Len(t, moves, 1)
				require.NoError(t, moves[0].Err)
				return moves
			}
			moves := takeBack(1)
			require.Equal(t, c.kept, moves[0].What == journal.Kept)
			if c.kept {
				require.Equal(t, left, modified(t, file))
				return
			}
			require.Equal(t, c.back, c.was.Equal(modified(t, file)))
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, "old", string(content))
			past, err := j.Since(1)
			require.NoError(t, err)
			require.Empty(t, past.Moves(files, false), "what was taken back is as it was")
			takeBack(2)
			if c.back && c.changes[len(c.changes)-1].Op == system.Date {
				require.True(t, left.Equal(modified(t, file)))
			}
		})
	}
}

func modified(t *testing.T, name string) time.Time {
	t.Helper()
	info, err := os.Stat(name)
	require.NoError(t, err)
	return info.ModTime()
}

// The time of a directory that a run set comes back after what is in it, and is nobody's
// change where something came or went there since.
func TestTimeOfADirectory(t *testing.T) {
	t.Parallel()
	j, files, root, _ := world(t, journal.Limits{})
	dir, long := root+"/d", time.Unix(1000, 0)
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.WriteFile(dir+"/x", []byte("old"), 0o600))
	require.NoError(t, os.Chtimes(dir, long, long))
	run := j.Begin(journal.Head{})
	files.Record(run)
	for _, c := range []system.Change{date("/d", time.Unix(2000, 0)), write("/d/x", "new")} {
		require.NoError(t, files.Change(c))
	}
	require.NoError(t, run.End(files, nil))
	require.NoError(t, os.WriteFile(dir+"/mine", nil, 0o600))
	past, err := j.Since(1)
	require.NoError(t, err)
	moves := past.Moves(files, false)
	past.Do(files, moves)
	require.Len(t, moves, 2)
	for _, m := range moves {
		require.NoError(t, m.Err)
		require.NotEqual(t, journal.Kept, m.What)
	}
	require.Equal(t, long.Unix(), modified(t, dir).Unix())
	content, err := os.ReadFile(dir + "/x")
	require.NoError(t, err)
	require.Equal(t, "old", string(content))
}
