// SPDX-License-Identifier: Apache-2.0

package git_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/git"
)

// both gives the snapshot of the work tree as a folder and as a commit, after
// checking that they are the same.
func (o *origin) both() *git.Snapshot {
	o.t.Helper()
	ctx := o.t.Context()
	id := o.commit()
	folder, err := git.Dir(ctx, o.work, 1<<20)
	require.NoError(o.t, err)
	m, err := git.New(git.Config{URL: o.work, FileLimit: 1 << 20})
	require.NoError(o.t, err)
	commit, err := m.Snapshot(ctx, id)
	require.NoError(o.t, err)
	require.Equal(o.t, listing(o.t, commit), listing(o.t, folder))
	require.Equal(o.t, commit.Problems(), folder.Problems())
	require.Empty(o.t, git.Changed(folder, commit))
	require.Equal(o.t, id, commit.Commit())
	require.Empty(o.t, folder.Commit())
	return commit
}

// listing is all that a file system shows.
func listing(t *testing.T, fsys fs.FS) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		all[path] = info.Mode().String()
		if !d.IsDir() {
			data, err := fs.ReadFile(fsys, path)
			all[path] += " " + string(data)
			if err != nil {
				all[path] += err.Error()
			}
		}
		return nil
	}))
	return all
}

func problems(s *git.Snapshot) map[string]string {
	found := map[string]string{}
	for _, p := range s.Problems() {
		found[p.Pos.File] = p.Code + ": " + p.Msg
	}
	return found
}

func TestFolderAndCommitAreTheSame(t *testing.T) {
	o := newOrigin(t)
	o.write("Metadata/groups.xml", "<Groups/>")
	o.write("Cfg/etc/foo/foo", "x")
	o.write("Cfg/etc/foo/:info", "mode: 0600")
	o.write("Cfg/etc/foo.d/a b\nc", "newline")
	o.write("Cfg/etc/foo-", "sorts between")
	o.write("run", "#!/bin/sh")
	require.NoError(t, os.Chmod(filepath.Join(o.work, "run"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(o.work, "empty"), 0o755))
	require.NoError(t, os.Symlink("../Cfg/etc/foo", filepath.Join(o.work, "Metadata", "linked")))
	require.NoError(t, os.Symlink("linked/foo", filepath.Join(o.work, "Metadata", "file")))
	s := o.both()
	require.Empty(t, s.Problems())
	require.Equal(t, o.git("rev-parse", "HEAD^{tree}"), s.Tree())
	folder, err := git.Dir(t.Context(), o.work, 0)
	require.NoError(t, err)
	require.Equal(t, s.Tree(), folder.Tree())
	require.NoError(t, fstest.TestFS(s, "Metadata/linked/foo", "Metadata/file", "run", "Cfg/etc/foo/:info"))
	info, err := fs.Stat(s, "Metadata/linked")
	require.NoError(t, err)
	require.True(t, info.IsDir())
	_, err = fs.ReadFile(s, "../run")
	require.ErrorIs(t, err, fs.ErrInvalid)
	_, err = s.Open("Metadata/nothing")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestLinksThatLeadNowhereGood(t *testing.T) {
	o := newOrigin(t)
	o.write("a/file", "x")
	o.write("b/file", "y")
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("CANARY"), 0o600))
	for name, target := range map[string]string{
		"absolute": secret, "passwd": "/etc/passwd", "up": "../../../../etc/passwd", "a/up": "../..", "gone": "nothing",
		"self": "self", "ping": "pong", "pong": "ping", "a/loop": "..", "a/b": "../b", "b/a": "../a",
		"through": "a/file/x", "dotgit": ".git/config", "a/fine": "../b/../a/./file",
	} {
		require.NoError(t, os.Symlink(target, filepath.Join(o.work, name)))
	}
	s := o.both()
	found := problems(s)
	for name, why := range map[string]string{
		"absolute": "out of the tree", "passwd": "out of the tree", "up": "out of the tree", "a/up": "out of the tree",
		"gone": "leads to nothing", "self": "back to itself", "ping": "back to itself", "a/loop": "back to itself",
		"through": "leads to nothing", "dotgit": "leads to nothing",
	} {
		require.Contains(t, found[name], why, name)
		_, err := fs.ReadFile(s, name)
		require.ErrorContains(t, err, why, name)
		require.ErrorContains(t, err, name)
	}
	// One of the two that make a ring is refused, so that a walk ends.
	require.Contains(t, found["b/a"], "back to itself")
	require.NotContains(t, found, "a/b")
	data, err := fs.ReadFile(s, "a/fine")
	require.NoError(t, err)
	require.Equal(t, "x", string(data))
	require.NotContains(t, listing(t, s), "CANARY")
}

func TestLinkBombIsRefused(t *testing.T) {
	o := newOrigin(t)
	o.write("d0/file", "x")
	for level := 1; level < 30; level++ {
		dir := filepath.Join(o.work, "d"+strings.Repeat("x", level))
		require.NoError(t, os.Mkdir(dir, 0o755))
		below := "../d" + strings.Repeat("x", level-1)
		if level == 1 {
			below = "../d0"
		}
		for _, name := range []string{"one", "two"} {
			require.NoError(t, os.Symlink(below, filepath.Join(dir, name)))
		}
	}
	_, err := git.Dir(t.Context(), o.work, 0)
	require.ErrorContains(t, err, "entries")
}

func TestWhatCannotBeGivenIsAProblem(t *testing.T) {
	o := newOrigin(t)
	o.write("big", strings.Repeat("x", 1<<20+1))
	o.write("exact", strings.Repeat("x", 1<<20))
	o.write("lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n")
	s := o.both()
	found := problems(s)
	require.Len(t, found, 2)
	require.Contains(t, found["big"], "file-too-large: file is larger than allowed: 1048577 bytes")
	require.Contains(t, found["lfs"], "lfs-pointer")
	_, err := fs.ReadFile(s, "big")
	require.ErrorIs(t, err, git.ErrTooLarge)
	_, err = s.Open("lfs")
	require.ErrorContains(t, err, "Git LFS")
	data, err := fs.ReadFile(s, "exact")
	require.NoError(t, err)
	require.Len(t, data, 1<<20)
}

func TestSubmoduleIsAProblem(t *testing.T) {
	o := newOrigin(t)
	o.write("a", "1")
	o.commit()
	o.git("clone", "--quiet", o.work, "sub")
	s := o.both() // git records a repository inside as a gitlink
	require.Contains(t, problems(s)["sub"], "submodule")
	_, err := s.Open("sub/a")
	require.ErrorContains(t, err, "submodules are not followed")
	require.NotContains(t, listing(t, s), "sub")
}

func TestUnsafeNamesInATree(t *testing.T) {
	o := newOrigin(t)
	id := o.crafted("100644 ..", "100644 .", "100644 .GIT", "100644 good", "100644 good", "100644 sla/sh", "100644 utf\xff")
	m, err := git.New(git.Config{URL: o.work})
	require.NoError(t, err)
	s, err := m.Snapshot(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, map[string]string{".": "drwxr-xr-x", "good": "-rw-r--r-- 1"}, listing(t, s))
	require.Len(t, s.Problems(), 6)
	for _, p := range s.Problems() {
		require.Equal(t, "unsafe-name", p.Code)
	}
}

// crafted commits a tree of entries ("mode name") that git itself would not make;
// all are the file that holds "1".
func (o *origin) crafted(entries ...string) string {
	o.t.Helper()
	o.write("a", "1")
	o.commit()
	blob := o.git("rev-parse", "HEAD:a")
	raw := make([]byte, 20)
	for i := range raw {
		_, err := fscan(blob[2*i:2*i+2], &raw[i])
		require.NoError(o.t, err)
	}
	var tree strings.Builder
	for _, e := range entries {
		tree.WriteString(e + "\x00" + string(raw))
	}
	cmd := exec.CommandContext(o.t.Context(), "git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin")
	cmd.Dir, cmd.Stdin = o.work, strings.NewReader(tree.String())
	out, err := cmd.Output()
	require.NoError(o.t, err)
	return o.git("commit-tree", strings.TrimSpace(string(out)), "-m", "crafted")
}

// Git's own check lets odd modes pass, and looks at the kind alone. A pull request
// must not make the mirror believe that it has lost something.
func TestOddModesInATree(t *testing.T) {
	o := newOrigin(t)
	id := o.crafted("100600 a", "100711 b", "120001 c", "160001 d", "0 e", "10644 f", "60000 g")
	m, err := git.New(git.Config{URL: o.work})
	require.NoError(t, err)
	s, err := m.Snapshot(t.Context(), id)
	require.NoError(t, err)
	all := listing(t, s)
	require.Equal(t, "-rw-r--r-- 1", all["a"])
	require.Equal(t, "-rwxr-xr-x 1", all["b"])
	for _, name := range []string{"d", "e", "f", "g"} {
		require.NotContains(t, all, name)
	}
	codes := map[string]string{}
	for _, p := range s.Problems() {
		codes[p.Pos.File] = p.Code
	}
	require.Equal(t, map[string]string{
		"c": "symlink", "d": "submodule", "e": "submodule", "f": "submodule", "g": "submodule",
	}, codes)
}

func fscan(hex string, b *byte) (int, error) {
	const digits = "0123456789abcdef"
	high, low := strings.IndexByte(digits, hex[0]), strings.IndexByte(digits, hex[1])
	if high < 0 || low < 0 {
		return 0, errors.New("not hexadecimal")
	}
	*b = byte(high<<4 | low)
	return 1, nil
}

func TestSpecialFilesOfAFolder(t *testing.T) {
	o := newOrigin(t)
	o.write("a", "1")
	require.NoError(t, exec.CommandContext(t.Context(), "mkfifo", filepath.Join(o.work, "pipe")).Run())
	s, err := git.Dir(t.Context(), o.work, 0)
	require.NoError(t, err)
	require.Contains(t, problems(s)["pipe"], "special-file")
	require.NotContains(t, listing(t, s), "pipe")
	_, err = git.Dir(t.Context(), filepath.Join(o.work, "nothing"), 0)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestChanged(t *testing.T) {
	o := newOrigin(t)
	o.write("same", "1")
	o.write("dir/edited", "1")
	o.write("dir/removed", "1")
	o.write("mode", "1")
	o.write("becomes", "a file")
	before := o.both()
	o.write("dir/edited", "2")
	require.NoError(t, os.Remove(filepath.Join(o.work, "dir/removed")))
	require.NoError(t, os.Chmod(filepath.Join(o.work, "mode"), 0o755))
	require.NoError(t, os.Remove(filepath.Join(o.work, "becomes")))
	o.write("becomes/a/directory", "1")
	after := o.both()
	require.Equal(t, []string{"becomes", "becomes/a/directory", "dir/edited", "dir/removed", "mode"}, git.Changed(before, after))
}

func TestSnapshotsAreSharedAndConcurrent(t *testing.T) {
	o := newOrigin(t)
	for _, name := range []string{"a", "b", "c/d", "c/e"} {
		o.write(name, name)
	}
	first := o.commit()
	o.write("a", "new")
	second := o.commit()
	o.push("main")
	m := o.mirror(filepath.Join(t.TempDir(), "m"))
	require.NoError(t, m.Fetch(t.Context()))
	var wg sync.WaitGroup
	for i := range 16 {
		id := first
		if i%2 == 1 {
			id = second
		}
		wg.Go(func() {
			s, err := m.Snapshot(t.Context(), id)
			if err == nil {
				_, err = fs.ReadFile(s, "c/d")
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
