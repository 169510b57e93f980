// SPDX-License-Identifier: Apache-2.0

package vcs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// made makes a checkout at /w/c, and tells what was found and what its file holds.
func made(t *testing.T, m *system.Machine, kind, source, revision string) (driver.Outcome, string) {
	t.Helper()
	out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(entry("name=/w/c", "vcstype="+kind, "sourceurl="+source, "revision="+revision))}, true)
	require.NoError(t, err)
	data, err := os.ReadFile(m.Processes.(below).root + "/w/c/f")
	require.NoError(t, err)
	return out, string(data)
}

// An address that the tool writes otherwise than the entry is the same source: nothing
// is made anew for it, run for run. Another one is another.
func TestSourcesThatAreWrittenOtherwise(t *testing.T) {
	t.Parallel()
	for kind, src := range sources(t) {
		for _, source := range map[string][]string{
			"git": {src[0], src[0] + "/", "file://" + src[0]},
			"svn": {src[0], src[0] + "/", strings.Replace(src[0], "/svn", "//%73vn", 1)},
			"hg":  {src[0] + "/", "file://" + src[0]},
		}[kind] {
			t.Run(kind+" "+strings.Replace(source, filepath.Dir(src[0]), "", 1), func(t *testing.T) {
				t.Parallel()
				m := machine(t)
				_, content := made(t, m, kind, source, "latest")
				require.Equal(t, "2\n", content)
				out, _ := made(t, m, kind, source, src[2])
				require.Equal(t, driver.Correct, out.State, out.Reasons)
				require.False(t, out.Changed)
				out, content = made(t, m, kind, source, src[1])
				require.Equal(t, "1\n", content)
				require.Len(t, out.Reasons, 1)
				require.Contains(t, out.Reasons[0], "revision: ")
			})
		}
	}
}

// A tool that was killed at work leaves a checkout that looks as if it had the revision,
// or in which no later one can work. The next run puts it right.
func TestToolsThatWereKilled(t *testing.T) {
	t.Parallel()
	src := sources(t)
	sh(t, filepath.Dir(src["svn"][0][len("file://"):]), `svn -q checkout "file://$PWD/svn" big; cd big; head -c 3000000 /dev/zero >g; svn -q add g; svn -q commit -m 3`)
	for name, c := range map[string]struct{ kind, prepare, revision, found string }{
		"clone of git":    {"git", `git clone -q --no-checkout "$1" c`, "main", "is no checkout"},
		"checkout of git": {"git", `git clone -q "$1" c; touch -d '1 hour ago' c/.git/index.lock c/.git/HEAD.lock`, src["git"][1], "revision: "},
		"checkout of svn": {"svn", `! (ulimit -f 1000; exec svn -q checkout "$1" c 2>/dev/null)`, "3", "revision: unfinished"},
		"update of svn":   {"svn", `svn -q checkout -r 2 "$1" c; ! (ulimit -f 1000; exec svn -q update c 2>/dev/null)`, "HEAD", "revision: unfinished"},
		"pull of mercurial": {
			"hg", `hg clone -q -r 0 "$1" c; (hg -R c --config hooks.pretxnchangegroup='kill -9 $PPID' pull -q 2>/dev/null || true); ! hg -R c pull -q 2>/dev/null`, "tip", "revision: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := machine(t)
			at := src[c.kind]
			sh(t, m.Processes.(below).root+"/w", strings.ReplaceAll(c.prepare, `"$1"`, at[0]))
			out, _ := made(t, m, c.kind, at[0], c.revision)
			require.Contains(t, out.Reasons[0], c.found)
			out, content := made(t, m, c.kind, at[0], c.revision)
			require.Equal(t, driver.Correct, out.State, out.Reasons)
			require.Equal(t, content == "1\n", c.revision == at[1])
			if c.kind == "svn" {
				info, err := os.Stat(m.Processes.(below).root + "/w/c/g")
				require.NoError(t, err)
				require.EqualValues(t, 3000000, info.Size())
			}
		})
	}
}

// Somebody's git at work is not disturbed. A commit that is not written out says how it
// has to be.
func TestGitAtWork(t *testing.T) {
	t.Parallel()
	src := sources(t)["git"]
	m := machine(t)
	made(t, m, "git", src[0], src[2])
	lock := m.Processes.(below).root + "/w/c/.git/index.lock"
	require.NoError(t, os.WriteFile(lock, nil, 0o600))
	require.NoError(t, os.Chtimes(lock, time.Time{}, m.Now()))
	d := newDriver(t, m)
	_, err := d.Apply(t.Context(), driver.Item{Entry: config.NewEntry(entry("name=/w/c", "vcstype=git", "sourceurl="+src[0], "revision="+src[1]))}, true)
	require.ErrorContains(t, err, "index.lock")
	require.FileExists(t, lock)
	_, err = d.Apply(t.Context(), driver.Item{Entry: config.NewEntry(entry("name=/w/c", "vcstype=git", "sourceurl="+src[0], "revision="+src[1][:8]))}, true)
	require.ErrorContains(t, err, "full hash")
}

// Undo does not bring back a checkout that was not whole.
func TestUnfinishedIsNotBroughtBack(t *testing.T) {
	t.Parallel()
	src := sources(t)["svn"]
	m := machine(t)
	made(t, m, "svn", src[0], src[2])
	d := newDriver(t, m).(driver.Keeper)
	was := driver.Standing{Kind: driver.Kind{Tag: "Path", Type: "vcs"}, Name: "/w/c", State: "svn unfinished " + src[0]}
	for _, ending := range []bool{true, false} {
		r := d.Restore(t.Context(), driver.Passage{Standing: was}, driver.Restoration{Apply: true, Ending: ending})
		require.NoError(t, r.Err)
		require.Empty(t, r.What)
		require.Equal(t, !ending, len(r.Kept) == 1, r.Kept)
	}
}
