// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// rounds is how often a run meets the attacker, unless BINDERY_ATTACK says more.
const rounds = 60

// battlefield is what the attacker has, and what belongs to others.
func battlefield(t *testing.T, root string) (victim string) {
	t.Helper()
	victim = root + "/victim"
	for _, dir := range []string{"/in", "/pruned/in", "/gone/in", "/perm/in", "/listed/in", "/d"} {
		require.NoError(t, os.MkdirAll(victim+dir, 0o755))
	}
	for _, f := range []string{"/file", "/keep", "/in/keep", "/pruned/in/keep", "/gone/in/keep", "/perm/in/keep", "/perm/keep", "/listed/keep", "/d/file", "/open"} {
		require.NoError(t, os.WriteFile(victim+f, []byte("of others"), 0o644))
	}
	require.NoError(t, os.WriteFile(victim+"/secret", []byte(private), 0o600))
	require.NoError(t, os.Chmod(victim+"/open", 0o666)) // the kernel lets everybody link it
	home := root + "/home"
	require.NoError(t, os.MkdirAll(home+"/d/perm", 0o755))
	require.NoError(t, os.Symlink("../victim", home+"/relative"))
	require.NoError(t, os.Symlink(victim, home+"/absolute"))
	require.NoError(t, os.Symlink("../victim", home+"/deep"))
	require.NoError(t, filepath.WalkDir(home, func(name string, _ fs.DirEntry, err error) error {
		require.NoError(t, err)
		return os.Lchown(name, evil, evil)
	}))
	for dir := root; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755)) // so that the attacker gets there
	}
	return victim
}

// coveted is what the administrator wants where the attacker is: one of everything.
func coveted() []config.Entry {
	list := path("/home/d/acl", "permissions", "mode=0640")
	list.Children = []*config.Node{{Tag: "ACL", Attrs: []config.Attr{{Name: "scope", Value: "user"}, {Name: "user", Value: "1"}, {Name: "perms", Value: "rw"}}}}
	folder := path("/home/d/listed", "directory", "mode=0755", "recursive=true")
	folder.Children = []*config.Node{{Tag: "ACL", Attrs: []config.Attr{{Name: "type", Value: "default"}, {Name: "scope", Value: "user"}, {Name: "user", Value: "1"}, {Name: "perms", Value: "r"}}}}
	file := func(name, mode, text string) config.Entry {
		return agenttest.Entry("Path", text, "type=file", "name="+name, "owner=root", "group=root", "mode="+mode)
	}
	return []config.Entry{
		agenttest.File("/own/file", "ours"), file("/home/d/file", "0600", "new"), file("/home/d/tool", "4755", "new"), file("/home/d/secret", "0660", private),
		path("/home/d/pruned", "directory", "mode=0755", "prune=true"), path("/home/d/gone", "nonexistent", "recursive=true"), path("/home/d/one", "nonexistent"),
		path("/home/d/link", "symlink", "to=target"), path("/home/d/perm", "permissions", "mode=0640", "recursive=true"),
		path("/home/d/perm/hard", "permissions", "mode=6755"), path("/home/d/deep/er/dir", "directory", "mode=0750"),
		path("/home/d/hard", "hardlink", "to=/own/file", "mode=0644"), path("/own/hard", "hardlink", "to=/home/d/linked", "mode=0666"),
		path("/home/d/pipe", "device", "dev_type=fifo", "mode=0666"), path("/home/d/null", "device", "dev_type=char", "major=1", "minor=3", "mode=0666"),
		list, folder,
	}
}

// belongs lists what is in a directory with everything that an attack could change.
func belongs(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := stands(t, dir)
	for name := range out {
		var st unix.Stat_t
		require.NoError(t, unix.Lstat(name, &st))
		out[name] += fmt.Sprintf(" %d:%d inode %d", st.Uid, st.Gid, st.Ino)
		for _, list := range []string{"system.posix_acl_access", "system.posix_acl_default"} {
			if n, err := unix.Lgetxattr(name, list, nil); err == nil {
				out[name] += fmt.Sprintf(" %s of %d bytes", list, n)
			}
		}
	}
	return out
}

// lent looks for a program of the attacker's that would run as the administrator.
func lent(t *testing.T, home string) {
	t.Helper()
	_ = filepath.WalkDir(home, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // the attacker is at work: what is gone is gone
		}
		fd, err := unix.Open(name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
		if err != nil {
			return nil //nolint:nilerr // the same
		}
		defer unix.Close(fd)
		var st unix.Stat_t
		require.NoError(t, unix.Fstat(fd, &st))
		// Setgid without execution by the group is no right of anybody.
		if st.Uid == 0 && (st.Mode&unix.S_ISUID != 0 || st.Mode&0o2010 == 0o2010) {
			require.Regexp(t, "/(tool|"+filepath.Base(system.TempName("/tool"))+")$", name, "mode %o", st.Mode)
			require.Zero(t, st.Mode&0o022, "%s has mode %o", name, st.Mode)
		}
		return nil
	})
}

// beset is a tree that is looked at while it is changed, and slow at times, so that
// the attacker is between any two steps.
type beset struct {
	system.Files
	root string
	foe  *attacker
	// all counts changes where the attacker is, during those in which they moved, and
	// under those under which another directory was put.
	all, during, under map[system.Op]int
	stalled            bool
}

func (b *beset) Change(c system.Change) error {
	name := c.Name
	if c.Op == system.Hardlink {
		name = c.To
	}
	if !strings.HasPrefix(name, "/home/") && !strings.HasPrefix(c.Name, "/home/") || b.foe == nil {
		return b.Files.Change(c)
	}
	b.foe.at.Store(uint64(1 + slices.Index(wanted(), strings.TrimPrefix(name, "/home/"))))
	done, swapped := b.foe.done.Load(), b.foe.swapped.Load()
	err := b.Files.Change(c)
	for counts, hit := range map[*map[system.Op]int]bool{&b.all: true, &b.during: b.foe.done.Load() != done, &b.under: b.foe.swapped.Load() != swapped} {
		if hit {
			(*counts)[c.Op]++
		}
	}
	return err
}

// before is asked before each step that alters the disk, be it the host's or the
// journal's.
func (b *beset) before(string, string) error {
	if b.foe != nil && rand.N(6) == 0 && !b.foe.await(uint64(1+rand.N(12))) {
		b.stalled = true
		return errors.New("the attacker stands still")
	}
	return nil
}

// besieged is a host with a tree that the attacker meets.
func besieged(t *testing.T) (*node, *beset) {
	t.Helper()
	b := &beset{all: map[system.Op]int{}, during: map[system.Op]int{}, under: map[system.Op]int{}}
	n := newNode(t, newSite(t), func(c *agent.Config) {
		tree, err := system.NewTree(system.TreeConfig{Root: c.Machine.Root, Before: b.before})
		require.NoError(t, err)
		t.Cleanup(tree.Close)
		b.Files, b.root = tree, c.Machine.Root
		c.Machine.Files, c.Machine.Extended = b, tree
		c.Journal = journal.Limits{Runs: 4} // what is older is only read again and again
	})
	return n, b
}

// A user swaps directories and links under runs, under undo, and under the undo of
// runs that were killed. Nothing of others changes: no byte, owner, mode or access
// list, and nothing comes or goes; no program of the user's gets rights, and nothing
// private is read. What is elsewhere is made right in every run.
func TestHostileUser(t *testing.T) {
	if os.Geteuid() != 0 {
		return // there is no second user to be
	}
	most := rounds
	if n, err := strconv.Atoi(os.Getenv("BINDERY_ATTACK")); err == nil {
		most = n
	}
	n, b := besieged(t)
	victim := battlefield(t, n.root)
	n.Publish(n.hostID, agenttest.Release{Policy: release.Policy{RemovalMax: -1}, Entries: coveted()})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.NoError(t, os.WriteFile(n.root+"/own/file", []byte("ours"), 0o644))
	before := belongs(t, victim)
	checkouts := plough(t, b)
	b.foe = invade(t, n.root+"/home")
	s := &siege{node: n, beset: b, checkouts: checkouts, started: time.Now(), told: time.Now()}
	every := max(8, most/200) // the tools take their time
	for s.round = range most {
		s.once()
		if s.round%every == 0 {
			checkouts.once()
		}
		require.Equal(t, before, belongs(t, victim), "round %d", s.round)
		lent(t, n.root+"/home")
		require.Zero(t, b.foe.looted.Load(), "round %d: the attacker got at what is not theirs, by its place in %s", s.round, wanted())
		if time.Since(s.told) > 10*time.Second {
			s.tell("so far")
		}
	}
	s.tell("in all")
	require.NoError(t, b.foe.cmd.Process.Signal(os.Signal(unix.Signal(0))), "the attacker was there all the time")
	require.False(t, b.stalled, "the attacker worked all the time")
	require.Greater(t, s.changed, most, "runs did something where the attacker is, too")
	for _, op := range []system.Op{system.Write, system.Mkdir, system.Link, system.Hardlink, system.Special, system.Attributes, system.Extend, system.Remove, system.RemoveAll} {
		require.Positive(t, b.during[op], "the attacker never moved during a change %q: %v", op, b.all)
	}
	require.Positive(t, min(checkouts.moved, checkouts.refused), "%+v", checkouts.tally)
	require.True(t, most <= rounds || checkouts.made > 0 && checkouts.undone > 0, "%+v", checkouts.tally)
	require.Positive(t, b.under[system.Write], "no directory was ever swapped under a write: %v", b.all)
}

// siege is all rounds together.
type siege struct {
	*node
	*beset
	checkouts                      *tilled
	round                          int
	changed, undone, killed, whole int
	started, told                  time.Time
}

func (s *siege) tell(when string) {
	s.told = time.Now()
	s.t.Logf("%s %d rounds in %s: %d things changed, %d brought back, %d of %d killed runs mid-way; the attacker made %d moves, %d of them swaps; changes where the attacker is: %d, during a move: %d, under a swap: %d (writes: %d); checkouts: %+v",
		when, s.round+1, time.Since(s.started).Round(time.Second), s.changed, s.undone, s.killed, s.killed+s.whole, s.foe.done.Load(), s.foe.swapped.Load(),
		sum(s.all), sum(s.during), sum(s.under), s.under[system.Write], s.checkouts.tally)
}

func sum(counts map[system.Op]int) (all int) {
	for n := range maps.Values(counts) {
		all += n
	}
	return all
}

// once is one round: something drifts, a run mends it, and every so often it is taken
// back. Some runs are killed at any step, and then taken back.
func (s *siege) once() {
	t, own := s.t, s.root()
	require.NoError(t, os.WriteFile(own, []byte("drift"), 0o600))
	if s.round%20 == 4 {
		s.kill()
		s.undo()
		require.Contains(t, []string{"drift", "ours"}, read(t, own), "round %d", s.round)
		return
	}
	r, err := s.agent.Run(t.Context(), agent.Options{Offline: true})
	require.NoError(t, err)
	require.Equal(t, "ours", read(t, own), "round %d", s.round)
	s.changed += len(r.Report.Modified)
	if s.round%10 == 9 {
		s.undo()
		require.Equal(t, "drift", read(t, own), "round %d", s.round)
	}
}

func (s *siege) root() string { return s.node.root + "/own/file" }

func (s *siege) undo() {
	u, err := s.agent.Undo(s.t.Context(), agent.UndoOptions{})
	require.NoError(s.t, err)
	s.undone += len(u.Done)
	_, err = s.agent.Resume()
	require.NoError(s.t, err)
}

// kill has another process do a run, which kills itself before some step.
func (s *siege) kill() {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), crashing+"="+strings.Join([]string{s.dir.Path(), s.node.root, strconv.Itoa(1 + rand.N(400)), "offline"}, "|"))
	var ended *exec.ExitError
	switch err := cmd.Run(); {
	case err == nil:
		s.whole++
	case errors.As(err, &ended) && !ended.Exited():
		s.killed++
	default:
		require.NoError(s.t, err, "a run of another process")
	}
}
