// SPDX-License-Identifier: Apache-2.0

package posix_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/drivertest"
	"github.com/bindery/bindery/agent/driver/posix"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

// special are cases of devices, pipes, access lists and labels. Only a machine in
// memory lets everybody make a device, or has labels.
func special(memory bool) []drivertest.Case {
	missing, wrong, right := driver.Missing, driver.Incorrect, driver.Correct
	node := func(kind system.Kind, minor uint32) []system.Change {
		return []system.Change{{Op: system.Special, Name: "/n", Kind: kind, Major: 1, Minor: minor, Mode: 0o600, UID: uid, GID: gid}}
	}
	dev := func(words ...string) config.Entry {
		return path("", append(words, "type=device", "name=/n", "mode=600")...)
	}
	out := []drivertest.Case{
		{Name: "pipe missing", Entry: path("", "type=device", "dev_type=fifo", "name=/a/n", "mode=0600"), Found: missing},
		{Name: "pipe right", Entry: dev("dev_type=fifo"), Prepare: node(system.Pipe, 0), Found: right},
		{Name: "pipe of other mode", Entry: path("", "type=device", "dev_type=fifo", "name=/n", "perms=0640"), Prepare: node(system.Pipe, 0), Found: wrong},
		{Name: "pipe over a file", Entry: dev("dev_type=fifo"), Prepare: []system.Change{put("/n", "x")}, Found: wrong},
		{Name: "pipe over a directory", Entry: dev("dev_type=fifo"), Prepare: []system.Change{dir("/n")}, Fails: true},
		{Name: "device of no type", Entry: dev(), Fails: true},
		{Name: "device of other type", Entry: dev("dev_type=socket"), Fails: true},
		{Name: "device without numbers", Entry: dev("dev_type=char", "major=1"), Fails: true},
		{Name: "device without mode", Entry: path("", "type=device", "dev_type=fifo", "name=/n"), Found: missing},
		{Name: "device without mode, right", Entry: path("", "type=device", "dev_type=fifo", "name=/n"), Prepare: node(system.Pipe, 0), Found: right},
		{Name: "device without owner", Entry: bare("", "type=device", "dev_type=fifo", "name=/n", "mode=0600"), Fails: true},
		{Name: "file over a pipe", Entry: path("x", "type=file", "name=/n", "mode=0644"), Prepare: node(system.Pipe, 0), Found: wrong},
	}
	list := func(e config.Entry, acls ...string) config.Entry {
		for _, a := range acls {
			n := &config.Node{Tag: "ACL"}
			for _, w := range strings.Fields(a) {
				name, value, _ := strings.Cut(w, "=")
				n.Attrs = append(n.Attrs, config.Attr{Name: name, Value: value})
			}
			e.Children = append(e.Children, n)
		}
		return e
	}
	file := path("x", "type=file", "name=/f", "mode=0640")
	hard := path("", "type=hardlink", "name=/l", "to=/f", "mode=0640")
	soft := bare("", "type=symlink", "name=/l", "to=f")
	folder := path("", "type=directory", "name=/d", "mode=0750")
	reader := "type=access scope=user user=1234 perms=r"
	out = append(out, []drivertest.Case{
		{Name: "access list of a new file", Entry: list(file, reader, "type=access scope=group group=1235 perms=rw-"), Found: missing},
		{Name: "access list missing", Entry: list(file, reader), Prepare: []system.Change{put("/f", "x")}, Found: wrong},
		{Name: "access list above the mode", Entry: list(file, "scope=user user=1234 perms=7"), Prepare: []system.Change{put("/f", "x")}, Found: wrong},
		{Name: "default access list", Entry: list(folder, "type=default scope=user user=1234 perms=rwx", "type=default scope=other perms=0"), Found: missing},
		{Name: "default access list added", Entry: list(folder, "type=default scope=group perms=rx", reader), Prepare: []system.Change{dir("/d")}, Found: wrong},
		{Name: "access list of permissions", Entry: list(path("", "type=permissions", "name=/f", "mode=0600"), reader), Prepare: []system.Change{put("/f", "x")}, Found: wrong},
		{Name: "access list of a hard link", Entry: list(hard, "scope=user user=1234 perms=rwx"), Prepare: []system.Change{put("/f", "x")}, Found: missing},
		{Name: "access list of a directory with more below", Entry: list(path("", "type=directory", "name=/d", "mode=0750", "recursive=true"), "scope=user user=1234 perms=rwx"), Prepare: []system.Change{dir("/d"), put("/d/f", "x")}, Found: wrong},
		{Name: "access list of a symbolic link", Entry: list(soft, reader), Fails: true},
		{Name: "default access list of a symbolic link", Entry: list(soft, "type=default scope=other perms=0"), Fails: true},
		{Name: "default access list of a file", Entry: list(file, "type=default scope=user user=1234 perms=r"), Fails: true},
		{Name: "access list of the owner", Entry: list(file, "type=access scope=user perms=r"), Fails: true},
		{Name: "access list without permissions", Entry: list(file, "type=access scope=user user=1"), Fails: true},
		{Name: "access list with other permissions", Entry: list(file, "type=access scope=user user=1 perms=rt"), Fails: true},
		{Name: "access list of no scope", Entry: list(file, "type=access perms=r"), Fails: true},
		{Name: "access list of no type", Entry: list(file, "type=all scope=user user=1 perms=r"), Fails: true},
	}...)
	timed := func(e config.Entry, when string) config.Entry {
		e.Attrs = append(slices.Clone(e.Attrs), config.Attr{Name: "mtime", Value: when})
		return e
	}
	out = append(out, []drivertest.Case{
		{Name: "time of a new file", Entry: timed(file, "1000000000"), Found: missing},
		{Name: "other time", Entry: timed(file, "1000000000"), Prepare: []system.Change{put("/f", "x")}, Found: wrong},
		{Name: "other content and time", Entry: timed(file, "1000000000"), Prepare: []system.Change{put("/f", "y"), dated("/f")}, Found: wrong},
		{Name: "time of a directory", Entry: timed(folder, "1000000000"), Prepare: []system.Change{dir("/d")}, Found: wrong},
		{Name: "time that is right", Entry: timed(path("x", "type=file", "name=/f", "mode=0644"), "1000000000"), Prepare: []system.Change{put("/f", "x"), dated("/f")}, Found: right},
		{Name: "time of a hard link", Entry: timed(hard, "1000000000"), Prepare: []system.Change{put("/f", "x")}, Found: missing},
		{Name: "time of a symbolic link", Entry: timed(soft, "1000000000"), Prepare: []system.Change{put("/f", "x"), link("/l", "f")}, Found: wrong},
		{Name: "no time", Entry: timed(file, "yesterday"), Fails: true},
		{Name: "capabilities that nobody knows", Entry: able("cap_fly=ep"), Fails: true},
		{Name: "capabilities without flags", Entry: able("cap_net_raw"), Fails: true},
		{Name: "capabilities with other flags", Entry: able("cap_net_raw=x"), Fails: true},
		{Name: "capabilities that are in part effective", Entry: able("cap_net_raw=p cap_chown=ep"), Fails: true},
		{Name: "capabilities of a symbolic link", Entry: bare("", "type=symlink", "name=/l", "to=f", "capabilities=none"), Fails: true},
		{Name: "capabilities of a directory", Entry: path("", "type=directory", "name=/d", "mode=0755", "capabilities=none"), Fails: true},
		{Name: "no capabilities", Entry: able("none"), Found: missing},
	}...)
	if !memory {
		return out
	}
	labelled := system.Change{Op: system.Extend, Name: "/", To: "security.selinux", Content: []byte("system_u:object_r:root_t:s0\x00")}
	other := system.Change{Op: system.Extend, Name: "/f", To: "security.selinux", Content: []byte("system_u:object_r:tmp_t:s0\x00")}
	secure := path("x", "type=file", "name=/f", "mode=0644", "secontext=system_u:object_r:etc_t:s0")
	return append(out, []drivertest.Case{
		{Name: "block device", Entry: dev("dev_type=block", "major=1", "minor=7"), Found: missing},
		{Name: "character device", Entry: dev("dev_type=char", "major=1", "minor=3"), Prepare: node(system.Character, 3), Found: right},
		{Name: "other device", Entry: dev("dev_type=char", "major=1", "minor=3"), Prepare: node(system.Character, 5), Found: wrong},
		{Name: "other driver of a device", Entry: dev("dev_type=char", "major=5", "minor=3"), Prepare: node(system.Character, 3), Found: wrong},
		{Name: "other kind of device", Entry: dev("dev_type=char", "major=1", "minor=3"), Prepare: node(system.Block, 3), Found: wrong},
		{Name: "label of a new file", Entry: secure, Prepare: []system.Change{labelled}, Found: missing},
		{Name: "capabilities of a new file", Entry: able("cap_net_bind_service,cap_net_raw=ep"), Found: missing},
		{Name: "capabilities missing", Entry: able("CAP_NET_RAW+p"), Prepare: []system.Change{put("/f", "x")}, Found: wrong},
		{Name: "other capabilities", Entry: able("cap_net_raw=p"), Prepare: []system.Change{put("/f", "x"), given("/f")}, Found: wrong},
		{Name: "capabilities to be taken away", Entry: able("none"), Prepare: []system.Change{put("/f", "x"), given("/f")}, Found: wrong},
		{Name: "capabilities and another owner", Entry: bare("x", "type=permissions", "name=/f", "mode=0644", "owner=1234", "group=0", "capabilities=cap_chown=ep"), Prepare: []system.Change{put("/f", "x"), given("/f")}, Found: wrong},
		{Name: "label of a symbolic link", Entry: bare("", "type=symlink", "name=/l", "to=f", "secontext=system_u:object_r:etc_t:s0"), Prepare: []system.Change{labelled}, Found: missing},
		{Name: "label by policy", Entry: path("x", "type=file", "name=/f", "mode=0644", "secontext=__default__"), Prepare: []system.Change{labelled}, Found: missing},
		{Name: "other label than by policy", Entry: path("x", "type=file", "name=/f", "mode=0644", "secontext=__default__"), Prepare: []system.Change{labelled, put("/f", "x"), other}, Found: wrong},
		{Name: "label of another user", Entry: path("x", "type=file", "name=/f", "mode=0644", "secontext=__default__"), Prepare: []system.Change{labelled, put("/f", "x"), {Op: system.Extend, Name: "/f", To: "security.selinux", Content: []byte("unconfined_u:object_r:etc_t:s0\x00")}}, Found: right},
		{Name: "no label by policy", Entry: path("x", "type=file", "name=/none", "mode=0644", "secontext=__default__"), Prepare: []system.Change{labelled, put("/none", "x"), {Op: system.Extend, Name: "/none", To: "security.selinux", Content: []byte("x")}}, Found: right},
		{Name: "other label", Entry: secure, Prepare: []system.Change{labelled, put("/f", "x"), other}, Found: wrong},
	}...)
}

func able(text string) config.Entry {
	return path("x", "type=file", "name=/f", "mode=0644", "capabilities="+text)
}

// given may change owners, and has that effective: cap_chown=ep.
func given(name string) system.Change {
	value := make([]byte, 20)
	value[0], value[3], value[4] = 1, 2, 1
	return system.Change{Op: system.Extend, Name: name, To: "security.capability", Content: value}
}

func dated(name string) system.Change {
	return system.Change{Op: system.Date, Name: name, Modified: time.Unix(1000000000, 0)}
}

// What was given is what getcap reads, and stays with a new owner. Only root can give
// it: anybody else is refused.
func TestGetcap(t *testing.T) {
	m := disk(t)
	m.Privileged = true
	for _, c := range []struct{ text, want string }{
		{"cap_net_bind_service,cap_net_raw+ep", "cap_net_bind_service,cap_net_raw=ep"},
		{"cap_checkpoint_restore,cap_chown=i", "cap_chown,cap_checkpoint_restore=i"},
		{"cap_net_admin=p cap_chown=p", "cap_chown,cap_net_admin=p"},
	} {
		_, err := apply(t, m, able(c.text), true)
		name := filepath.Join(m.Root, "f")
		if os.Geteuid() != 0 {
			require.ErrorIs(t, err, os.ErrPermission)
			return
		}
		require.NoError(t, err)
		out, err := exec.CommandContext(t.Context(), "getcap", name).Output()
		require.NoError(t, err)
		require.Equal(t, name+" "+c.want+"\n", string(out))
	}
	moved := bare("x", "type=file", "name=/f", "mode=0644", "owner=1234", "group=0", "capabilities=cap_net_admin,cap_chown=p")
	_, err := apply(t, m, moved, true)
	require.NoError(t, err)
	again, err := apply(t, m, moved, false)
	require.NoError(t, err)
	require.Equal(t, driver.Correct, again.State, "%v", again.Reasons)
}

// The label of a policy is asked for all paths together, in the words of the real
// matchpathcon; where it cannot be asked, that is said.
func TestPolicy(t *testing.T) {
	m, files, procs := systemtest.Machine()
	require.NoError(t, files.Change(system.Change{Op: system.Extend, Name: "/", To: "security.selinux", Content: []byte("x")}))
	require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: "/etc", Mode: 0o755}))
	procs.Answer = func(system.Command) (system.Result, error) {
		return system.Result{Stdout: []byte("/etc/shadow\tsystem_u:object_r:shadow_t:s0\n/etc/a b\tsystem_u:object_r:etc_t:s0\n")}, nil
	}
	entries := []*config.Entry{}
	for _, name := range []string{"/etc/shadow", "/etc/a b"} {
		entries = append(entries, config.NewEntry(bare("x", "type=file", "name="+name, "mode=0600", "owner=0", "group=0", "secontext=__default__")))
	}
	paths := driver.NewPaths(&config.Config{Bundles: []*config.Bundle{config.NewBundle("b", nil, entries)}})
	d := newDriver(t, m)
	for range 2 {
		for _, e := range entries {
			_, err := d.Apply(t.Context(), driver.Item{Entry: e, Paths: paths}, true)
			require.NoError(t, err)
		}
	}
	require.Len(t, procs.Ran(), 1)
	require.Equal(t, []string{"matchpathcon", "--", "/etc/a b", "/etc/shadow"}, procs.Ran()[0].Args)
	value, err := files.Extended("/etc/shadow", "security.selinux")
	require.NoError(t, err)
	require.Equal(t, "system_u:object_r:shadow_t:s0\x00", string(value))

	// One path that it fails for hides no other.
	procs.Answer = func(system.Command) (system.Result, error) {
		return system.Result{Exit: 1, Stdout: []byte("/etc/shadow\tsystem_u:object_r:shadow_t:s0\n"), Tail: []byte("matchpathcon(/etc/a b) failed: Invalid argument\n")}, nil
	}
	d = newDriver(t, m)
	for i, want := range [][]string{nil, {"secontext"}} {
		out, err := d.Apply(t.Context(), driver.Item{Entry: entries[i], Paths: paths}, false)
		require.NoError(t, err)
		require.Equal(t, want, out.Unverified)
	}

	procs.Answer = func(system.Command) (system.Result, error) { return system.Result{Exit: 1}, nil }
	out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: entries[0], Paths: paths}, false)
	require.NoError(t, err)
	require.Equal(t, driver.Correct, out.State)
	require.Equal(t, []string{"secontext"}, out.Unverified)
}

// A file that is written anew keeps the access list and the label that no entry names.
func TestListStays(t *testing.T) {
	m := disk(t)
	name := filepath.Join(m.Root, "f")
	require.NoError(t, m.Files.Change(put("/f", "old")))
	require.NoError(t, exec.CommandContext(t.Context(), "setfacl", "-m", "u:1234:rw", name).Run())
	_, err := apply(t, m, path("new", "type=file", "name=/f", "mode=0640"), true)
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), "getfacl", "--numeric", "--omit-header", "--absolute-names", name).Output()
	require.NoError(t, err)
	require.Equal(t, "user::rw-\nuser:1234:rw-\t#effective:r--\ngroup::r--\nmask::r--\nother::---\n\n", string(out), "and the mode bounds it")
}

// What was written is what getfacl reads, and the group gets no more than it had.
func TestGetfacl(t *testing.T) {
	m := disk(t)
	e := path("x", "type=file", "name=/f", "mode=0640")
	e.Children = []*config.Node{
		{Tag: "ACL", Attrs: []config.Attr{{Name: "type", Value: "access"}, {Name: "scope", Value: "user"}, {Name: "user", Value: "1234"}, {Name: "perms", Value: "rw"}}},
	}
	_, err := apply(t, m, e, true)
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), "getfacl", "--numeric", "--omit-header", "--absolute-names", filepath.Join(m.Root, "f")).Output()
	require.NoError(t, err)
	require.Equal(t, "user::rw-\nuser:1234:rw-\ngroup::r--\nmask::rw-\nother::---\n\n", string(out))
	info, err := os.Stat(filepath.Join(m.Root, "f"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o660), info.Mode(), "the group's part of the mode is the mask")
}

// What is below a path is not given the rights of those that its access list names.
func TestListIsThePathsOwn(t *testing.T) {
	m := disk(t)
	for _, c := range []system.Change{dir("/d"), put("/d/f", "x")} {
		require.NoError(t, m.Files.Change(c))
	}
	e := path("", "type=permissions", "name=/d", "mode=0750", "recursive=true")
	e.Children = []*config.Node{{Tag: "ACL", Attrs: []config.Attr{{Name: "scope", Value: "user"}, {Name: "user", Value: "1234"}, {Name: "perms", Value: "rwx"}}}}
	for range 2 {
		_, err := apply(t, m, e, true)
		require.NoError(t, err)
		info, err := m.Files.Look("/d/f")
		require.NoError(t, err)
		require.EqualValues(t, 0o750, info.Mode)
	}
}

// Neither owner and mode nor removal goes where a link leads, and what a link stands in
// the place of stays.
func TestLinksOutOfTheTree(t *testing.T) {
	m := disk(t)
	for _, c := range []system.Change{dir("/o"), put("/o/f", "x"), dir("/d"), link("/d/out", "../o"), link("/d/file", "../o/f")} {
		require.NoError(t, m.Files.Change(c))
	}
	for _, e := range []config.Entry{
		path("", "type=permissions", "name=/d", "mode=0700", "recursive=true"),
		path("", "type=directory", "name=/d", "mode=0700", "recursive=true", "prune=true"),
		bare("", "type=nonexistent", "name=/d", "recursive=true"),
	} {
		_, err := apply(t, m, e, true)
		require.NoError(t, err)
	}
	_, err := m.Files.Look("/d")
	require.ErrorIs(t, err, os.ErrNotExist)
	for name, mode := range map[string]uint32{"/o": 0o755, "/o/f": 0o644} {
		info, err := m.Files.Look(name)
		require.NoError(t, err)
		require.EqualValues(t, mode, info.Mode, name)
	}
}

// asked counts how often a host is asked for attributes.
type asked struct {
	of system.Extended
	n  int
}

func (a *asked) Extended(name, attribute string) ([]byte, error) {
	a.n++
	return a.of.Extended(name, attribute)
}

// That a host has no labels is found out once in a run, and anew in the next.
func TestNoLabels(t *testing.T) {
	m, files, _ := systemtest.Machine()
	counted := &asked{of: m.Extended}
	m.Extended = counted
	d := newDriver(t, m)
	c := &config.Config{}
	var entries []*config.Entry
	for _, name := range []string{"/a", "/b", "/c"} {
		require.NoError(t, files.Change(system.Change{Op: system.Write, Name: name, Mode: 0o600, Content: []byte("x")}))
		entries = append(entries, config.NewEntry(bare("x", "type=file", "name="+name, "mode=0600", "owner=0", "group=0", "secontext=__default__")))
	}
	look := func() {
		paths := driver.NewPaths(c)
		for _, e := range entries {
			out, err := d.Apply(t.Context(), driver.Item{Entry: e, Paths: paths}, false)
			require.NoError(t, err)
			require.Equal(t, driver.Correct, out.State)
		}
	}
	look()
	require.Equal(t, 1, counted.n)
	look()
	require.Equal(t, 2, counted.n)
	// Then somebody switches labels on.
	require.NoError(t, files.Change(system.Change{Op: system.Extend, Name: "/", To: "security.selinux", Content: []byte("x")}))
	look()
	require.Greater(t, counted.n, 4, "every path was asked about")
}

// Users fill a directory at will. One run plans so much of it, and the next goes on; what
// is too much to be looked at is an error.
func TestCrowdedDirectory(t *testing.T) {
	t.Parallel()
	m, err := system.New(system.Config{Root: t.TempDir()})
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(m.Root+"/d", 0o755))
	fill := func(from, to int) {
		for i := from; i < to; i++ {
			require.NoError(t, os.Symlink("x", m.Root+"/d/"+strconv.Itoa(i)))
		}
	}
	fill(0, 50_010)
	d, err := posix.New(posix.Config{Machine: m})
	require.NoError(t, err)
	e := bare("", "type=directory", "name=/d", "mode=0755", "owner="+strconv.Itoa(m.UID), "group="+strconv.Itoa(m.GID), "prune=true", "recursive=true")
	item := driver.Item{Entry: config.NewEntry(e), Paths: driver.NewPaths(&config.Config{})}
	out, err := d.Apply(t.Context(), item, false)
	require.NoError(t, err)
	require.Len(t, out.Extra, 50_000)
	require.Equal(t, "and more", out.Reasons[len(out.Reasons)-1])
	require.Len(t, out.Reasons, 50_001)
	fill(50_010, 131_073)
	_, err = d.Apply(t.Context(), item, false)
	require.ErrorContains(t, err, "it holds more than 131072 things")
}

// What a file in a directory of others holds is known where the entry says it: others may
// read it then, and a file that nobody else may read is made anew for that.
func TestFileIsOpenedAnew(t *testing.T) {
	t.Parallel()
	m, err := system.New(system.Config{Root: t.TempDir()})
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(m.Root+"/d", 0o755))
	require.NoError(t, os.Chmod(m.Root+"/d", 0o777))
	d, err := posix.New(posix.Config{Machine: m})
	require.NoError(t, err)
	apply := func(kind string) (anew bool, err error) {
		e := bare("x", "type="+kind, "name=/d/f", "mode=0644", "owner="+strconv.Itoa(m.UID), "group="+strconv.Itoa(m.GID))
		out, err := d.Apply(t.Context(), driver.Item{Entry: config.NewEntry(e), Paths: driver.NewPaths(&config.Config{})}, true)
		return out.Anew, err
	}
	require.NoError(t, os.WriteFile(m.Root+"/d/f", []byte("x"), 0o600))
	_, err = apply("permissions")
	require.ErrorIs(t, err, system.ErrGuarded)
	before, err := m.Files.Look("/d/f")
	require.NoError(t, err)
	anew, err := apply("file")
	require.NoError(t, err)
	require.True(t, anew, "other names of the file are made again")
	after, err := m.Files.Look("/d/f")
	require.NoError(t, err)
	require.Equal(t, uint32(0o644), after.Mode)
	require.NotEqual(t, before.Inode, after.Inode)
}
