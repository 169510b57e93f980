// SPDX-License-Identifier: Apache-2.0

package vcs_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/drivertest"
	"github.com/bindery/bindery/agent/driver/vcs"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

// below runs the real tools for a tree: names of the host's /w are names in it.
type below struct{ root string }

func (b below) Run(ctx context.Context, c system.Command) (system.Result, error) {
	args := make([]string, len(c.Args))
	for i, a := range c.Args {
		if args[i] = a; a == "/w" || strings.HasPrefix(a, "/w/") {
			args[i] = b.root + a
		}
	}
	c.Args = args
	return system.Host{}.Run(ctx, c)
}

func machine(t *testing.T) *system.Machine {
	t.Helper()
	m, err := system.New(system.Config{Root: t.TempDir()})
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(m.Root+"/w", 0o755))
	m.Processes = below{m.Root}
	m.Root = "/"
	return m
}

func newDriver(t *testing.T, m *system.Machine) driver.Driver {
	t.Helper()
	d, err := vcs.New(vcs.Config{Machine: m})
	require.NoError(t, err)
	return d
}

func entry(words ...string) config.Entry {
	e := config.Entry{Tag: "Path", Attrs: []config.Attr{{Name: "type", Value: "vcs"}}}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		e.Attrs = append(e.Attrs, config.Attr{Name: name, Value: value})
	}
	return e
}

func sh(t *testing.T, dir, script string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b", "HGUSER=a", "HGRCPATH=/dev/null")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// sources are one repository of each kind with two revisions: their addresses, and
// the names of the first and the last revision.
func sources(t *testing.T) map[string][3]string {
	t.Helper()
	dir := t.TempDir()
	git := sh(t, dir, `git init -q -b main git; cd git; echo 1 >f; git add f; git commit -qm 1; git tag -am one one; git rev-parse HEAD; echo 2 >f; git commit -qam 2; git rev-parse HEAD`)
	hg := sh(t, dir, `hg init hg; cd hg; echo 1 >f; hg add -q f; hg commit -qm 1; hg tag -q --local one; hg log -r . -T '{node}\n'; echo 2 >f; hg commit -qm 2; hg log -r . -T '{node}\n'`)
	sh(t, dir, `svnadmin create svn; svn -q checkout "file://$PWD/svn" work; cd work; echo 1 >f; svn -q add f; svn -q commit -m 1; echo 2 >f; svn -q commit -m 2`)
	g, h := strings.Fields(git), strings.Fields(hg)
	return map[string][3]string{
		"git": {filepath.Join(dir, "git"), g[0], g[1]}, "hg": {filepath.Join(dir, "hg"), h[0], h[1]}, "svn": {"file://" + filepath.Join(dir, "svn"), "1", "2"},
	}
}

// The real git, Subversion and Mercurial.
func TestConformance(t *testing.T) {
	t.Parallel()
	latest := map[string]string{"git": "main", "hg": "tip", "svn": "HEAD"}
	for kind, src := range sources(t) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			at := func(revision string) config.Entry {
				return entry("name=/w/c", "vcstype="+kind, "sourceurl="+src[0], "revision="+revision)
			}
			have := func(revision string) func(*testing.T, *system.Machine) {
				return func(t *testing.T, m *system.Machine) {
					t.Helper()
					_, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(at(revision))}, true)
					require.NoError(t, err)
				}
			}
			other := []system.Change{
				{Op: system.Mkdir, Name: "/w/c", Mode: 0o755, UID: system.Keep, GID: system.Keep},
				{Op: system.Write, Name: "/w/c/f", Mode: 0o644, UID: system.Keep, GID: system.Keep},
			}
			deep := entry("name=/w/a/b/c", "vcstype="+kind, "sourceurl="+src[0], "revision="+src[1])
			cases := []drivertest.Case{
				{Name: "newer", Entry: at(src[1]), Arrange: have(latest[kind]), Found: driver.Incorrect},
				{Name: "no such revision", Entry: at("none"), Fails: true},
				{Name: "no checkout", Entry: at(src[2]), Prepare: other, Found: driver.Incorrect},
				{Name: "missing", Entry: at(src[1]), Found: driver.Missing},
				{Name: "parents missing", Entry: deep, Found: driver.Missing},
				{Name: "right", Entry: at(src[1]), Arrange: have(src[1]), Found: driver.Correct},
				{Name: "older", Entry: at(latest[kind]), Arrange: have(src[1]), Found: driver.Incorrect},
				{Name: "a file", Entry: at(src[2]), Prepare: []system.Change{{Op: system.Write, Name: "/w/c", Mode: 0o644, UID: system.Keep, GID: system.Keep}}, Found: driver.Incorrect},
			}
			if kind == "hg" {
				cases = cases[:2] // it starts slowly
			}
			drivertest.Suite{Machine: machine, New: newDriver}.Run(t, cases)
		})
	}
}

// What was checked out has the content of the revision; a tag is what it stands
// for.
func TestContent(t *testing.T) {
	t.Parallel()
	src := sources(t)["git"]
	m := machine(t)
	for revision, content := range map[string]string{"one": "1\n", "refs/heads/main": "2\n", "HEAD": "2\n", src[1]: "1\n"} {
		_, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(entry("name=/w/c", "vcstype=git", "sourceurl="+src[0], "revision="+revision))}, true)
		require.NoError(t, err)
		data, err := os.ReadFile(m.Processes.(below).root + "/w/c/f")
		require.NoError(t, err)
		require.Equal(t, content, string(data), revision)
	}
	moved := entry("name=/w/c", "vcstype=git", "sourceurl=file://"+src[0], "revision="+src[1])
	out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(moved)}, false)
	require.NoError(t, err)
	require.Contains(t, out.Reasons[0], "source: ")
}

// A checkout that somebody moved since a run stays where it is, unless it is forced.
func TestRestoreKeepsWhatWasMovedSince(t *testing.T) {
	t.Parallel()
	at := sources(t)["git"]
	m := machine(t)
	d := newDriver(t, m)
	item := driver.Item{Entry: config.NewEntry(entry("name=/w/c", "vcstype=git", "sourceurl="+at[0], "revision="+at[1]))}
	keeper := d.(driver.Keeper)
	was, err := keeper.Standing(t.Context(), []driver.Item{item})
	require.NoError(t, err)
	_, err = d.Apply(t.Context(), item, true)
	require.NoError(t, err)
	left, err := keeper.Again(t.Context(), was)
	require.NoError(t, err)
	item.Entry = config.NewEntry(entry("name=/w/c", "vcstype=git", "sourceurl="+at[0], "revision="+at[2]))
	_, err = d.Apply(t.Context(), item, true)
	require.NoError(t, err)

	p := driver.Passage{Standing: was[0], After: &left[0].State}
	r := keeper.Restore(t.Context(), p, driver.Restoration{Apply: true, Ending: true})
	require.NoError(t, r.Err)
	require.Equal(t, []string{"/w/c: it was changed since"}, r.Kept)
	r = keeper.Restore(t.Context(), p, driver.Restoration{Apply: true, Ending: true, Force: true})
	require.NoError(t, r.Err)
	require.Equal(t, []string{"remove /w/c"}, r.What)
	_, err = m.Files.Look("/w/c")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	m, files, procs := systemtest.Machine()
	require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: "/open", Mode: 0o777}))
	require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: "/open/ours", Mode: 0o755}))
	require.NoError(t, files.Change(system.Change{Op: system.Link, Name: "/link", To: "open/ours"}))
	for _, name := range []string{"/open/ours/c", "/open/ours/none/c", "/link/c"} {
		e := entry("name="+name, "vcstype=git", "revision=main", "sourceurl=https://example.org/x")
		_, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(e)}, true)
		require.ErrorContains(t, err, `"/open", which it is in, is not the administrator's alone`)
	}
	for want, words := range map[string]string{
		"password": "name=/c vcstype=git revision=main sourceurl=https://me:" + drivertest.Canary + "@example.org/x", "none of https": "name=/c vcstype=git revision=main sourceurl=ext::sh",
		"not the name": "name=/c vcstype=git revision=--upload-pack=x sourceurl=https://example.org/x", "is none of git": "name=/c vcstype=cvs revision=1 sourceurl=https://example.org/x",
		"sourceurl": "name=/c vcstype=git revision=1", "administrator's alone": "name=/open/c vcstype=git revision=main sourceurl=https://example.org/x",
		"not a plain": "name=c vcstype=git revision=main sourceurl=https://example.org/x", "no address": "name=/c vcstype=git revision=main sourceurl=%zz://x",
	} {
		out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(entry(strings.Fields(words)...))}, true)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), drivertest.Canary)
		require.Equal(t, driver.Incorrect, out.State)
	}
	require.Empty(t, procs.Ran())
	m.Root = "/elsewhere"
	out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(entry("name=/c"))}, true)
	require.NoError(t, err)
	require.Equal(t, driver.NotVerified, out.State)
}
