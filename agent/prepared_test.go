// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// within runs the real git for a tree, as often as not when the attacker has just moved.
type within struct {
	root string
	foe  *beset
	ran  *int
}

func (w within) Run(ctx context.Context, c system.Command) (system.Result, error) {
	if err := w.foe.before("run", ""); err != nil {
		return system.Result{}, err
	}
	c.Args = slices.Clone(c.Args)
	for i, a := range c.Args {
		if strings.HasPrefix(a, "/srv/") || strings.HasPrefix(a, "/home/") {
			c.Args[i] = w.root + a
		}
	}
	*w.ran++
	return system.Host{}.Run(ctx, c)
}

// tilled are checkouts in the tree that the attacker is in, by an agent of their own:
// one of the administrator's, in which the attacker has directories, one that was made
// where the attacker had a directory, and one in the attacker's own.
type tilled struct {
	*node
	*beset
	root string
	tally
}

// tally counts rounds and programs that ran, checkouts that were moved, or not because
// of whose directories are in them, those made in the place of the attacker's directory,
// or not, and what was taken back.
type tally struct {
	round, ran, moved, refused, made, left, undone int
	took                                           time.Duration
}

// inGit runs a script for the administrator.
func (c *tilled) inGit(script string) string {
	cmd := exec.CommandContext(c.t.Context(), "sh", "-ec", script)
	cmd.Dir = c.root
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	out, err := cmd.CombinedOutput()
	require.NoError(c.t, err, "%s", out)
	return string(out)
}

// plough makes the source and the agent that follows it.
func plough(t *testing.T, b *beset) *tilled {
	t.Helper()
	c := &tilled{beset: b, root: b.root}
	c.node = newNode(t, newSite(t), func(a *agent.Config) {
		tree, err := system.NewTree(system.TreeConfig{Root: c.root, Before: b.before})
		require.NoError(t, err)
		t.Cleanup(tree.Close)
		m := *a.Machine
		m.Files, m.Extended, m.Processes, m.Root = tree, tree, within{root: c.root, foe: b, ran: &c.ran}, "/"
		a.Machine = &m
	})
	require.NoError(t, os.MkdirAll(c.root+"/srv", 0o755))
	require.NoError(t, os.WriteFile(c.root+"/program", []byte("#!/bin/sh\n[ $(id -u) != 0 ] || : >"+c.root+"/ran\n"), 0o755)) //nolint:gosec // it is to be run
	// What is in "theirs/in" has the names that the victim's files have.
	c.inGit(`git init -q -b main inner; cd inner; echo 1 >f; git add f; git commit -qm 1; first=$(git rev-parse HEAD); echo 2 >f; git commit -qam 2; second=$(git rev-parse HEAD); cd ..
git init -q -b main source; cd source; mkdir -p theirs/in; for f in f theirs/in/file theirs/in/keep; do echo 1 >$f; done
git config -f .gitmodules submodule.sub.path sub; git config -f .gitmodules submodule.sub.url ../inner; git add .; git update-index --add --cacheinfo 160000,$first,sub; git commit -qm 1; git branch one
for f in f theirs/in/file; do echo 2 >$f; done; git rm -q theirs/in/keep; git add f theirs; git update-index --cacheinfo 160000,$second,sub; git commit -qm 2; git branch two; git checkout -q --detach`)
	var entries []config.Entry
	for _, name := range []string{"/srv/app", "/srv/given", "/home/d/repo"} {
		entries = append(entries, agenttest.Entry("Path", "", "type=vcs", "name="+name, "vcstype=git", "sourceurl="+c.root+"/source", "revision=main"))
	}
	c.Publish(c.hostID, agenttest.Release{Policy: release.Policy{RemovalMax: -1}, Entries: entries})
	require.NoError(t, c.run(agent.Options{}).Fetch)
	require.Equal(t, "2", strings.TrimSpace(read(t, c.root+"/srv/app/f")))
	return c
}

// once has the source go on and the agent follow it, and takes that back every so often.
func (c *tilled) once() {
	t, from := c.t, time.Now()
	defer func() { c.round++; c.took += time.Since(from) }()
	want := []string{"one", "two"}[c.round%2]
	c.inGit(`git -C inner commit -q --allow-empty -m more; sub=$(git -C inner rev-parse HEAD); cd source; git read-tree ` + want + `; git update-index --cacheinfo 160000,$sub,sub
git update-ref refs/heads/main $(git commit-tree -m more -p ` + want + ` $(git write-tree))`)
	// A directory for the attacker's files, of which the repository knows nothing; one in
	// which it has files, and that of a submodule, in some rounds.
	theirs := []string{"up", "up", "theirs", "sub"}[c.round/2%4]
	c.give("/srv/app/" + theirs)
	c.take("/srv/given")
	c.give("/srv/given")
	c.foe.repos.Store(true)
	require.True(t, c.foe.await(5))
	before := strings.TrimSpace(read(t, c.root+"/srv/app/f"))
	r, err := c.agent.Run(t.Context(), agent.Options{Offline: true})
	require.NoError(t, err)
	after := strings.TrimSpace(read(t, c.root+"/srv/app/f"))
	switch is := map[string]string{"one": "1", "two": "2"}[want]; {
	case theirs == "up":
		require.Equal(t, is, after, "%v", r.Report)
		c.moved++
	default:
		require.Equal(t, before, after)
		c.refused++
	}
	c.owned()
	if c.round%3 == 2 {
		u, err := c.agent.Undo(t.Context(), agent.UndoOptions{})
		require.NoError(t, err)
		_, err = c.agent.Resume()
		require.NoError(t, err)
		c.undone += len(u.Done)
		c.owned()
	}
	c.foe.repos.Store(false)
	if theirs != "up" {
		// The administrator takes it back, whatever the attacker made of it.
		c.take("/srv/app/" + theirs)
		require.NoError(t, os.Mkdir(c.root+"/srv/app/"+theirs, 0o755))
	}
}

// give makes a directory the attacker's.
func (c *tilled) give(name string) {
	if err := os.Mkdir(c.root+name, 0o755); !errors.Is(err, fs.ErrExist) {
		require.NoError(c.t, err)
	}
	require.NoError(c.t, os.Lchown(c.root+name, evil, evil))
}

// take takes a directory away to where the attacker has no name for what is in it.
func (c *tilled) take(name string) {
	err := os.Rename(c.root+name, c.root+"/srv/old")
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	require.NoError(c.t, err)
	require.Eventually(c.t, func() bool { return os.RemoveAll(c.root+"/srv/old") == nil }, time.Minute, time.Millisecond)
}

// owned tells that nothing of the attacker's ran, and who has what: the checkouts are the
// administrator's but for directories that were the attacker's before.
func (c *tilled) owned() {
	t := c.t
	require.NoFileExists(t, c.root+"/ran", "a program of the attacker's ran as the administrator")
	for _, name := range []string{"/srv/app", "/srv/given"} {
		require.NoError(t, filepath.WalkDir(c.root+name, func(at string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // given is not there after it was taken back, and the attacker is at work
			}
			require.NoError(t, err)
			var st unix.Stat_t
			require.NoError(t, unix.Lstat(at, &st))
			if at == c.root+name && name == "/srv/given" && st.Uid == evil {
				c.left++
				return fs.SkipDir // it was not taken
			}
			if st.Uid == evil && d.IsDir() && slices.Contains([]string{"up", "theirs", "sub"}, d.Name()) {
				return fs.SkipDir
			}
			require.Zero(t, st.Uid, at)
			if st.Mode&unix.S_IFMT != unix.S_IFLNK {
				require.Zero(t, st.Mode&0o022, at)
			}
			return nil
		}))
	}
	if _, err := os.Lstat(c.root + "/srv/given/f"); err == nil {
		c.made++
	}
	require.NoFileExists(t, c.root+"/home/d/repo/f", "nothing is made in a directory of the attacker's")
}

// sown are moves in and around checkouts.
func (m *moves) sown() []func() error {
	link := func(to, name string) func() error {
		return func() error { _ = os.Remove(name); return os.Symlink(to, name) }
	}
	return []func() error{
		func() error { return os.MkdirAll("../srv/app/theirs/in", 0o755) },
		link("../../../victim", "../srv/app/theirs/link"), link("../../../../victim/file", "../srv/app/theirs/in/file"), link("../../../victim", "../srv/app/theirs/in"),
		m.swap("../srv/app/theirs/in", "../srv/app/theirs/link"),
		link("../../../victim", "../srv/app/up/in"),
		func() error { return prepare("../srv/app/sub/.git") },
		func() error { return prepare("../srv/app/up/.git") },
		func() error { return prepare("../srv/given/.git") },
		func() error { return prepare("d/repo/.git") },
		func() error { return os.Rename("d/repo/.git", "../srv/given/.git") },
		func() error { return os.RemoveAll("../srv/given/.git") },
		link("../../home/d/repo/.git", "../srv/given/.git"), link("../../victim", "../srv/given/in"),
		fill("../srv/given/in"),
	}
}

// prepare makes what git keeps of a checkout, of the revision that the administrator
// wants, with all that could have it run something or work elsewhere.
func prepare(git string) error {
	source, err := filepath.Abs("../source/.git")
	if err != nil {
		return err
	}
	head, err := os.ReadFile(source + "/refs/heads/one")
	if err != nil {
		return err
	}
	run := filepath.Dir(filepath.Dir(source)) + "/program"
	for _, dir := range []string{"/objects/info", "/refs", "/info", "/hooks"} {
		if err := os.MkdirAll(git+dir, 0o755); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"/HEAD": string(head), "/objects/info/alternates": source + "/objects\n", "/info/attributes": "* filter=x\n",
		"/config": "[core]\nrepositoryformatversion = 0\nfsmonitor = " + run + "\nhooksPath = hooks\nsshCommand = " + run + "\nalternateRefsCommand = " + run + "\npager = " + run +
			"\n[filter \"x\"]\nsmudge = " + run + "\nclean = " + run + "\nprocess = " + run +
			"\n[remote \"origin\"]\nurl = " + filepath.Dir(source) + "\nuploadpack = " + run + "\nfetch = +refs/heads/*:refs/remotes/origin/*\n[uploadpack]\npackObjectsHook = " + run + "\n",
		"/hooks/post-checkout": "#!/bin/sh\n" + run + "\n", "/hooks/reference-transaction": "#!/bin/sh\n" + run + "\n",
	} {
		if err := os.WriteFile(git+name, []byte(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}
