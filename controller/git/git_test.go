// SPDX-License-Identifier: Apache-2.0

package git_test

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/webhooks/github/githubtest"
)

const token = "CANARYgittoken"

// origin is a repository served over HTTP, with a work tree that pushes to it.
type origin struct {
	t     *testing.T
	forge *githubtest.Server
	http  *httptest.Server
	work  string
	log   bytes.Buffer
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	forge, err := githubtest.New(t.Context(), githubtest.Config{
		Dir: t.TempDir(), Repo: "acme/site", Users: map[string]githubtest.User{token: {ID: 1, Login: "bot"}},
	})
	require.NoError(t, err)
	o := &origin{t: t, forge: forge, http: httptest.NewServer(forge), work: t.TempDir()}
	t.Cleanup(o.http.Close)
	o.git("init", "--quiet", "--initial-branch=main")
	return o
}

func (o *origin) git(args ...string) string {
	o.t.Helper()
	cmd := exec.CommandContext(o.t.Context(), "git", args...)
	cmd.Dir = o.work
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=ann", "GIT_AUTHOR_EMAIL=ann@example.test", "GIT_COMMITTER_NAME=ann", "GIT_COMMITTER_EMAIL=ann@example.test")
	out, err := cmd.CombinedOutput()
	require.NoError(o.t, err, string(out))
	return strings.TrimSpace(string(out))
}

func (o *origin) write(name, content string) {
	o.t.Helper()
	path := filepath.Join(o.work, name)
	require.NoError(o.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(o.t, os.WriteFile(path, []byte(content), 0o644)) //nolint:gosec // a file of a test
}

// commit commits all and gives the commit's id.
func (o *origin) commit() string {
	o.t.Helper()
	o.git("add", "-A")
	o.git("commit", "--quiet", "--allow-empty", "-m", "change")
	return o.git("rev-parse", "HEAD")
}

func (o *origin) push(refs ...string) {
	o.t.Helper()
	remote := strings.Replace(o.http.URL, "http://", "http://bot:"+token+"@", 1) + o.forge.ClonePath()
	o.git(append([]string{"push", "--quiet", "--force", remote}, refs...)...)
}

func (o *origin) mirror(dir string) *git.Mirror {
	o.t.Helper()
	m, err := git.New(git.Config{
		URL: o.http.URL + o.forge.ClonePath(), Dir: dir, Token: token, FileLimit: 1 << 20,
		Logger: slog.New(slog.NewTextHandler(&o.log, nil)),
	})
	require.NoError(o.t, err)
	o.t.Cleanup(func() { require.NoError(o.t, m.Close()) })
	return m
}

func (o *origin) read(m *git.Mirror, rev, name string) string {
	o.t.Helper()
	id, err := m.Resolve(o.t.Context(), rev)
	require.NoError(o.t, err)
	s, err := m.Snapshot(o.t.Context(), id)
	require.NoError(o.t, err)
	data, err := fs.ReadFile(s, name)
	require.NoError(o.t, err)
	return string(data)
}

func TestMirrorFollowsTheRemote(t *testing.T) {
	o := newOrigin(t)
	dir := filepath.Join(t.TempDir(), "m.git")
	m := o.mirror(dir)
	require.ErrorIs(t, m.Fetch(t.Context()), git.ErrEmpty)

	o.write("motd", "one")
	first := o.commit()
	o.git("branch", "gone")
	o.git("tag", "-a", "v1", "-m", "first")
	o.push("main", "gone", "v1")
	require.NoError(t, m.Fetch(t.Context()))
	refs, err := m.Refs(t.Context())
	require.NoError(t, err)
	require.Equal(t, []git.Ref{{"refs/heads/gone", first}, {"refs/heads/main", first}, {"refs/tags/v1", first}}, refs)
	require.Equal(t, "one", o.read(m, "HEAD", "motd"))

	// A force-push to unrelated history, and a branch that goes away.
	o.git("checkout", "--quiet", "--orphan", "other")
	o.write("motd", "two")
	second := o.commit()
	o.push("other:main", ":gone")
	require.NoError(t, m.Fetch(t.Context()))
	require.Equal(t, "two", o.read(m, "main", "motd"))
	require.Equal(t, "one", o.read(m, "v1", "motd"))
	_, err = m.Resolve(t.Context(), "gone")
	require.ErrorIs(t, err, git.ErrUnknownRevision)

	commit, err := m.Commit(t.Context(), second)
	require.NoError(t, err)
	require.Empty(t, commit.Parents)
	require.Equal(t, o.git("rev-parse", "HEAD^{tree}"), commit.Tree)

	// Another process opens what is there without asking the network.
	o.http.CloseClientConnections()
	require.Equal(t, "two", o.read(o.mirror(dir), "main", "motd"))
	require.NotContains(t, o.log.String(), "CANARY")
	require.NotContains(t, everything(t, dir), "CANARY")
}

// everything is what a directory's files hold.
func everything(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		all.Write(data)
		return err
	}))
	return all.String()
}

func TestResolve(t *testing.T) {
	o := newOrigin(t)
	o.write("a", "1")
	first := o.commit()
	o.write("a", "2")
	second := o.commit()
	// A branch that looks like a commit is one only by its full name.
	trap := strings.Repeat("ab", 20)
	o.git("update-ref", "refs/heads/"+trap, first)
	o.git("update-ref", "refs/heads/deadbeef", first)
	o.push("main", "refs/heads/"+trap, "refs/heads/deadbeef")
	m := o.mirror(filepath.Join(t.TempDir(), "m"))
	require.NoError(t, m.Fetch(t.Context()))
	for rev, want := range map[string]string{
		"HEAD": second, "main": second, "refs/heads/main": second, "HEAD~1": first, "main^": first,
		second: second, first[:10]: first, "deadbeef": first, "refs/heads/" + trap: first,
	} {
		got, err := m.Resolve(t.Context(), rev)
		require.NoError(t, err, rev)
		require.Equal(t, want, got, rev)
	}
	for _, rev := range []string{"", "~1", "^", "nope", trap, "main~9", "HEAD^{tree}", "refs/heads/../main", "-x", "\x00", "HEAD:a", "@{u}"} {
		_, err := m.Resolve(t.Context(), rev)
		require.ErrorIs(t, err, git.ErrUnknownRevision, rev)
	}
	require.Equal(t, "2", o.read(m, "main", "a"), "wrong questions do no harm")
}

func TestMerge(t *testing.T) {
	o := newOrigin(t)
	ctx := t.Context()
	o.write("a", "1\n")
	base := o.commit()
	o.git("checkout", "--quiet", "-b", "change")
	o.write("b", "1\n")
	head := o.commit()
	o.git("checkout", "--quiet", "main")
	o.write("c", "1\n")
	tip := o.commit()
	o.git("checkout", "--quiet", "-b", "merged", tip)
	o.git("merge", "--quiet", "--no-ff", "-m", "as the forge does", head)
	merged := o.git("rev-parse", "HEAD")
	o.push("main", "change", "merged:refs/pull/7/merge", "change:refs/pull/7/head")

	m := o.mirror(filepath.Join(t.TempDir(), "m"))
	require.NoError(t, m.Fetch(ctx))
	const ref = "refs/pull/7/merge"
	_, err := m.Merge(ctx, tip, head, ref)
	require.ErrorIs(t, err, git.ErrNoMerge)
	require.ErrorContains(t, err, "cannot be merged here yet")
	require.NoError(t, m.Fetch(ctx, "refs/heads/*", "refs/pull/7/*"))
	for name, c := range map[string]struct{ base, head, want string }{
		"the forge's merge": {tip, head, merged},
		"fast-forward":      {base, head, head},
		"already in":        {tip, base, tip},
		"same":              {head, head, head},
	} {
		got, err := m.Merge(ctx, c.base, c.head, ref)
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
	}
	// The base moved on: the forge's merge is of other commits.
	o.git("checkout", "--quiet", "main")
	newTip := o.commit()
	o.push("main")
	require.NoError(t, m.Fetch(ctx))
	for _, forgeRef := range []string{ref, "", "refs/pull/8/merge"} {
		_, err = m.Merge(ctx, newTip, head, forgeRef)
		require.ErrorIs(t, err, git.ErrNoMerge)
	}
	_, err = m.Merge(ctx, strings.Repeat("1", 40), head, ref)
	require.ErrorIs(t, err, git.ErrUnknownRevision)

	got, err := m.MergeBase(ctx, newTip, head)
	require.NoError(t, err)
	require.Equal(t, base, got)
	is, err := m.IsAncestor(ctx, head, merged)
	require.NoError(t, err)
	require.True(t, is)
	is, err = m.IsAncestor(ctx, merged, head)
	require.NoError(t, err)
	require.False(t, is)
}

func TestForgeTakesItsMergeBack(t *testing.T) {
	o := newOrigin(t)
	o.write("a", "1\n")
	o.commit()
	o.push("main", "main:refs/pull/7/merge")
	m := o.mirror(filepath.Join(t.TempDir(), "m"))
	require.NoError(t, m.Fetch(t.Context(), "refs/pull/7/merge"))
	_, err := m.Resolve(t.Context(), "refs/pull/7/merge")
	require.NoError(t, err)
	o.push(":refs/pull/7/merge")
	require.NoError(t, m.Fetch(t.Context(), "refs/pull/7/merge"))
	_, err = m.Resolve(t.Context(), "refs/pull/7/merge")
	require.ErrorIs(t, err, git.ErrUnknownRevision)
}

func TestFetchThatFailsLeavesAllAsItWas(t *testing.T) {
	o := newOrigin(t)
	o.write("a", "1")
	o.commit()
	o.push("main")
	m := o.mirror(filepath.Join(t.TempDir(), "m"))
	require.NoError(t, m.Fetch(t.Context()))
	o.write("a", strings.Repeat("2", 5000))
	o.commit()
	o.push("main")
	for name, fault := range map[string]githubtest.Fault{
		"pack cut off": {Match: []string{"git-upload-pack"}, CutOff: true},
		"refs cut off": {Match: []string{"info/refs"}, CutOff: true},
		"500":          {Code: 500},
		"403":          {Code: 403},
		"404":          {Match: []string{"git-upload-pack"}, Code: 404},
	} {
		fault.Times = 1
		o.forge.Inject(fault)
		err := m.Fetch(t.Context())
		require.ErrorContains(t, err, "fetch http://", name)
		require.NotContains(t, err.Error(), "CANARY", name)
		require.Equal(t, "1", o.read(m, "main", "a"), name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, m.Fetch(ctx), context.Canceled)
	require.NoError(t, m.Fetch(t.Context()))
	require.Len(t, o.read(m, "main", "a"), 5000)
	require.NotContains(t, o.log.String(), "CANARY")
}

func TestWrongTokenIsNamedAndNotShown(t *testing.T) {
	o := newOrigin(t)
	for _, url := range []string{
		strings.Replace(o.http.URL, "http://", "http://u:CANARYwrong@", 1) + o.forge.ClonePath(),
		strings.Replace(o.http.URL, "http://", "http://CANARYwrong@", 1) + o.forge.ClonePath(),
	} {
		dir := filepath.Join(t.TempDir(), "m")
		m, err := git.New(git.Config{URL: url, Dir: dir})
		require.NoError(t, err)
		err = m.Fetch(t.Context())
		require.ErrorContains(t, err, "authentication")
		require.NotContains(t, err.Error()+m.Name()+everything(t, dir), "CANARY")
		require.NoError(t, m.Close())
	}
	for _, url := range []string{"", "git@forge.test:a/b.git", "ssh://CANARY@forge.test/a", "ext::sh -c CANARY", "https://u:CANARY@\x7f/"} {
		_, err := git.New(git.Config{URL: url, Dir: t.TempDir()})
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "CANARY@", url)
	}
}

func TestKilledFetchConverges(t *testing.T) {
	o := newOrigin(t)
	o.write("a", "1")
	o.commit()
	o.push("main")
	for name, damage := range map[string]func(dir, packs string){
		"temporary pack": func(_, packs string) { damagePack(t, packs, "tmp_pack_1") },
		"index alone": func(_, packs string) {
			for _, pack := range globAll(t, packs, "*.pack") {
				require.NoError(t, os.Remove(pack))
			}
		},
		"torn pack": func(_, packs string) {
			for _, pack := range globAll(t, packs, "*.pack") {
				require.NoError(t, os.Chmod(pack, 0o600))
				require.NoError(t, os.Truncate(pack, 40))
			}
		},
		"half removed":      func(dir, _ string) { require.NoError(t, os.RemoveAll(filepath.Join(dir, "refs"))) },
		"swap not finished": func(dir, _ string) { require.NoError(t, os.Rename(dir, dir+".old")) },
		"init not finished": func(dir, _ string) {
			require.NoError(t, os.Mkdir(filepath.Join(filepath.Dir(dir), ".m.mirror-1"), 0o700))
		},
		"clone not finished": func(dir, _ string) { require.NoError(t, os.CopyFS(dir+".new", os.DirFS(dir))) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "m")
			first, err := git.New(git.Config{URL: o.http.URL + o.forge.ClonePath(), Dir: dir, Token: token})
			require.NoError(t, err)
			require.NoError(t, first.Fetch(t.Context()))
			require.NoError(t, first.Close())
			damage(dir, filepath.Join(dir, "objects", "pack"))
			m := o.mirror(dir)
			require.NoError(t, m.Fetch(t.Context()))
			require.Equal(t, "1", o.read(m, "main", "a"))
			left, err := os.ReadDir(filepath.Dir(dir))
			require.NoError(t, err)
			require.Len(t, left, 1, "nothing beside the mirror")
			require.Empty(t, globAll(t, filepath.Join(dir, "objects", "pack"), "tmp_*"))
		})
	}
}

func damagePack(t *testing.T, packs, name string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(packs, name), []byte("PACK"), 0o600))
}

func globAll(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	return found
}

func TestMirrorTakesNobodysDirectory(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "thesis.txt"), []byte("years"), 0o600))
	_, err := git.New(git.Config{URL: "https://forge.test/a/b", Dir: dir})
	require.ErrorContains(t, err, "neither empty nor a mirror")
	require.FileExists(t, filepath.Join(dir, "thesis.txt"))
}

func TestPathIsReadInPlace(t *testing.T) {
	o := newOrigin(t)
	o.write("a", "1")
	o.commit()
	for _, url := range []string{o.work, "file://" + o.work} {
		m, err := git.New(git.Config{URL: url})
		require.NoError(t, err)
		require.Equal(t, "1", o.read(m, "HEAD", "a"))
		o.write("a", "2")
		o.commit()
		require.NoError(t, m.Fetch(t.Context()))
		require.Equal(t, "2", o.read(m, "HEAD", "a"))
		require.NoError(t, m.Close())
		o.write("a", "1")
		o.commit()
	}
	_, err := git.New(git.Config{URL: filepath.Join(o.work, "nothing")})
	require.ErrorContains(t, err, "open repository")
}
