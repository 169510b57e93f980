// SPDX-License-Identifier: Apache-2.0

package posix_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/drivertest"
	"github.com/bindery/bindery/agent/driver/posix"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

var uid, gid = os.Geteuid(), os.Getegid()

func newDriver(t *testing.T, m *system.Machine) driver.Driver {
	t.Helper()
	d, err := posix.New(posix.Config{Machine: m})
	require.NoError(t, err)
	return d
}

func disk(t *testing.T) *system.Machine {
	t.Helper()
	m, err := system.New(system.Config{Root: t.TempDir()})
	require.NoError(t, err)
	return m
}

func memory(*testing.T) *system.Machine {
	m, _, procs := systemtest.Machine()
	procs.Answer = func(c system.Command) (r system.Result, err error) {
		if c.Args[0] == "matchpathcon" {
			r.Stdout = []byte("/f\tsystem_u:object_r:etc_t:s0\n/none\t<<none>>\n")
		}
		return r, nil
	}
	return m
}

// path makes an entry of "name=value" words, owned by whoever runs the test.
func path(text string, words ...string) config.Entry {
	return bare(text, append(words, "owner="+strconv.Itoa(uid), "group="+strconv.Itoa(gid))...)
}

func bare(text string, words ...string) config.Entry {
	e := config.Entry{Tag: "Path", Text: text}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		e.Attrs = append(e.Attrs, config.Attr{Name: name, Value: value})
	}
	return e
}

func put(name, content string) system.Change {
	return system.Change{Op: system.Write, Name: name, Mode: 0o644, UID: uid, GID: gid, Content: []byte(content)}
}

func dir(name string) system.Change {
	return system.Change{Op: system.Mkdir, Name: name, Mode: 0o755, UID: uid, GID: gid}
}

func link(name, to string) system.Change { return system.Change{Op: system.Link, Name: name, To: to} }

func cases() []drivertest.Case {
	const missing, wrong, right = driver.Missing, driver.Incorrect, driver.Correct
	file := func(words ...string) config.Entry {
		return path(drivertest.Canary, append(words, "type=file", "mode=0644")...)
	}
	return []drivertest.Case{
		{Name: "file missing", Entry: file("name=/f"), Found: missing},
		{Name: "file missing with parents", Entry: file("name=/a/b/c/f"), Found: missing},
		{Name: "file right", Entry: file("name=/f"), Prepare: []system.Change{put("/f", drivertest.Canary)}, Found: right},
		{Name: "file of other content", Entry: file("name=/f"), Prepare: []system.Change{put("/f", "old")}, Found: wrong},
		{Name: "file of equal length", Entry: file("name=/f"), Prepare: []system.Change{put("/f", "Canary-7f3a")}, Found: wrong},
		{Name: "file of other mode", Entry: path("x", "type=file", "name=/f", "mode=4755"), Prepare: []system.Change{put("/f", "x")}, Found: wrong},
		{Name: "file with short mode", Entry: path("x", "type=file", "name=/f", "mode=644"), Prepare: []system.Change{put("/f", "x")}, Found: right},
		{Name: "file with old perms", Entry: path("x", "type=file", "name=/f", "perms=600"), Prepare: []system.Change{put("/f", "x")}, Found: wrong},
		{Name: "file in base64", Entry: path("AAEC\n/w==", "type=file", "name=/f", "mode=0600", "encoding=base64"), Prepare: []system.Change{put("/f", "x")}, Found: wrong},
		{Name: "file empty", Entry: path("", "type=file", "name=/f", "mode=0644", "empty=true"), Prepare: []system.Change{put("/f", "x")}, Found: wrong},
		{Name: "file empty, with a line end", Entry: path("\n  ", "type=file", "name=/f", "mode=0644", "empty=true"), Prepare: []system.Change{put("/f", "")}, Found: right},
		{Name: "file over a link", Entry: file("name=/f"), Prepare: []system.Change{put("/g", drivertest.Canary), link("/f", "g")}, Found: wrong},
		{Name: "file with a line end in its name", Entry: file("name=/a\nb"), Found: missing},
		{Name: "file over a directory", Entry: file("name=/f"), Prepare: []system.Change{dir("/f")}, Fails: true},
		{Name: "file below a file", Entry: file("name=/f/g"), Prepare: []system.Change{put("/f", "")}, Fails: true},
		{Name: "file without content", Entry: path("", "type=file", "name=/f", "mode=0644"), Fails: true},
		{Name: "file without mode", Entry: path("x", "type=file", "name=/f"), Fails: true},
		{Name: "file with bad mode", Entry: path("x", "type=file", "name=/f", "mode=rw"), Fails: true},
		{Name: "file with bad base64", Entry: path(drivertest.Canary, "type=file", "name=/f", "mode=0600", "encoding=base64"), Fails: true},
		{Name: "file of unknown owner", Entry: bare("x", "type=file", "name=/f", "mode=0644", "owner=nobody-knows", "group=0"), Found: missing},
		{Name: "name with dots", Entry: file("name=/a/../f"), Fails: true},
		{Name: "name with NUL", Entry: file("name=/a\x00b"), Fails: true},
		{Name: "relative name", Entry: file("name=f"), Fails: true},
		{Name: "directory missing", Entry: path("", "type=directory", "name=/a/d", "mode=2750"), Found: missing},
		{Name: "directory right", Entry: path("", "type=directory", "name=/d/", "mode=0755"), Prepare: []system.Change{dir("/d"), put("/d/f", "")}, Found: right},
		{Name: "directory over a file", Entry: path("", "type=directory", "name=/d", "mode=0755"), Prepare: []system.Change{put("/d", "")}, Found: wrong},
		{
			Name: "directory pruned", Entry: path("", "type=directory", "name=/d", "mode=0755", "prune=true"),
			Others:  []config.Entry{file("name=/d/keep/"), file("name=/d/sub/deep/keep"), path("", "type=nonexistent", "name=/d/gone")},
			Prepare: []system.Change{dir("/d"), put("/d/keep", ""), dir("/d/sub"), dir("/d/drop"), put("/d/drop/f", ""), put("/d/gone", ""), link("/d/link", "/d/keep")},
			Found:   wrong,
		},
		{
			Name: "directory recursive", Entry: path("", "type=directory", "name=/d", "mode=0755", "recursive=true"),
			Prepare: []system.Change{dir("/d"), dir("/d/e"), put("/d/e/f", "")}, Found: wrong,
		},
		{Name: "symlink missing", Entry: bare("", "type=symlink", "name=/x/l", "to=../target"), Found: missing},
		{Name: "symlink right", Entry: bare("", "type=symlink", "name=/l", "to=t"), Prepare: []system.Change{link("/l", "t")}, Found: right},
		{Name: "symlink elsewhere", Entry: bare("", "type=symlink", "name=/l", "to="+drivertest.Canary), Prepare: []system.Change{link("/l", "u")}, Found: wrong},
		{Name: "symlink over a tree", Entry: bare("", "type=symlink", "name=/l", "to=t"), Prepare: []system.Change{dir("/l"), put("/l/f", "")}, Found: wrong},
		{Name: "symlink with owner", Entry: path("", "type=symlink", "name=/l", "to=t"), Found: missing},
		{Name: "symlink to nothing", Entry: bare("", "type=symlink", "name=/l"), Fails: true},
		{Name: "hardlink missing", Entry: bare("", "type=hardlink", "name=/x/l", "to=/t"), Prepare: []system.Change{put("/t", "")}, Found: missing},
		{Name: "hardlink wrong", Entry: path("", "type=hardlink", "name=/l", "to=/t", "mode=0600"), Prepare: []system.Change{put("/t", ""), put("/l", "")}, Found: wrong},
		{Name: "hardlink relative", Entry: bare("", "type=hardlink", "name=/l", "to="+drivertest.Canary), Fails: true},
		{Name: "nonexistent right", Entry: bare("", "type=nonexistent", "name=/none/at/all"), Found: right},
		{Name: "nonexistent file", Entry: bare("", "type=nonexistent", "name=/f"), Prepare: []system.Change{put("/f", "")}, Found: wrong},
		{Name: "nonexistent empty directory", Entry: bare("", "type=nonexistent", "name=/d"), Prepare: []system.Change{dir("/d")}, Found: wrong},
		{Name: "nonexistent tree", Entry: bare("", "type=nonexistent", "name=/d", "recursive=true"), Prepare: []system.Change{dir("/d"), put("/d/f", "")}, Found: wrong},
		{
			Name: "nonexistent above a configured path", Entry: bare("", "type=nonexistent", "name=/d", "recursive=true"),
			Others: []config.Entry{file("name=/d/f")}, Prepare: []system.Change{dir("/d"), put("/d/f", "")}, Fails: true,
		},
		{Name: "permissions", Entry: path("", "type=permissions", "name=/f", "mode=0600"), Prepare: []system.Change{put("/f", "x")}, Found: wrong},
		{
			Name: "permissions recursive", Entry: path("", "type=permissions", "name=/d", "mode=0755", "recursive=true"),
			Prepare: []system.Change{dir("/d"), put("/d/f", "x"), link("/d/l", "/none")}, Found: wrong,
		},
		{Name: "permissions of nothing", Entry: path("", "type=permissions", "name=/f", "mode=0600"), Fails: true},
		{Name: "ignored", Entry: bare("", "type=ignore", "name=/f"), Prepare: []system.Change{put("/f", "x")}, Found: right},
		{Name: "unknown type", Entry: path("", "type=augeas", "name=/f"), Fails: true},
	}
}

func TestConformance(t *testing.T) {
	t.Run("disk", func(t *testing.T) {
		drivertest.Suite{Machine: disk, New: newDriver}.Run(t, append(cases(), special(false)...))
	})
	t.Run("memory", func(t *testing.T) {
		var kept []drivertest.Case
		for _, c := range append(cases(), special(true)...) {
			// In memory the tree is the whole machine, which knows its users.
			if c.Name != "file of unknown owner" {
				kept = append(kept, c)
			}
		}
		drivertest.Suite{Machine: memory, New: newDriver}.Run(t, kept)
	})
}

func apply(t *testing.T, m *system.Machine, e config.Entry, fix bool) (driver.Outcome, error) {
	t.Helper()
	entry := config.NewEntry(e)
	return newDriver(t, m).Apply(t.Context(), driver.Item{Entry: entry}, fix)
}

func TestOwnersByName(t *testing.T) {
	m, files, procs := systemtest.Machine()
	require.NoError(t, files.Change(dir("/etc")))
	require.NoError(t, files.Change(put("/etc/passwd", "root:x:0:0::/:/bin/sh\nweb:x:33:33::/:/bin/sh\nbroken\n")))
	require.NoError(t, files.Change(put("/etc/group", "root:x:0:\nstaff:x:50:web\n")))
	procs.Answer = func(c system.Command) (system.Result, error) {
		if c.Args[2] == "remote" {
			return system.Result{Stdout: []byte("remote:*:4242:4242::/:/bin/sh\n")}, nil
		}
		return system.Result{Exit: 2}, nil
	}
	_, err := apply(t, m, bare("x", "type=file", "name=/f", "mode=0644", "owner=web", "group=staff"), true)
	require.NoError(t, err)
	info, err := m.Files.Look("/f")
	require.NoError(t, err)
	require.Equal(t, []int{33, 50}, []int{info.UID, info.GID})
	out, err := apply(t, m, bare("x", "type=file", "name=/f", "mode=0644", "owner=remote", "group=staff"), true)
	require.NoError(t, err)
	require.Equal(t, []string{"owner: 33, should be 4242"}, out.Reasons)
	_, err = apply(t, m, bare("x", "type=file", "name=/f", "mode=0644", "owner=none", "group=staff"), true)
	require.ErrorContains(t, err, `owner "none" is not known`)
	_, err = apply(t, m, bare("x", "type=file", "name=/f", "mode=0600", "owner=none", "group=staff"), true)
	require.EqualError(t, err, "the owner is not known on this host", "nothing of a secret entry is told")
}

// Without privilege under another root owner and group are not verified, and the
// rest converges.
func TestWithoutPrivilege(t *testing.T) {
	m, files, _ := systemtest.Machine()
	m.Root, m.Privileged, m.UID, m.GID = "/some/where", false, 1000, 1000
	e := bare("x", "type=file", "name=/d/f", "mode=0640", "owner=web", "group=4")
	out, err := apply(t, m, e, true)
	require.NoError(t, err)
	require.True(t, out.Changed)
	require.Equal(t, []string{"owner", "group"}, out.Unverified)
	for _, c := range files.Done() {
		require.Equal(t, []int{system.Keep, system.Keep}, []int{c.UID, c.GID})
	}
	out, err = apply(t, m, e, true)
	require.NoError(t, err)
	require.Equal(t, driver.Correct, out.State)
	require.False(t, out.Changed)
	require.Equal(t, []string{"owner", "group"}, out.Unverified)
	out, err = apply(t, m, bare("x", "type=file", "name=/d/g", "mode=0640", "owner=4", "group=1000"), true)
	require.NoError(t, err)
	require.Equal(t, []string{"owner"}, out.Unverified)
}

func TestWhatIsNotLookedAt(t *testing.T) {
	e := path("x", "type=file", "name=/f", "mode=0640", "secontext=system_u:object_r:etc_t:s0")
	out, err := apply(t, disk(t), e, true)
	require.NoError(t, err)
	require.Equal(t, []string{"secontext"}, out.Unverified)
}

func TestDifferenceIsShown(t *testing.T) {
	m := disk(t)
	require.NoError(t, m.Files.Change(put("/f", "old\n")))
	out, err := apply(t, m, path("new\n", "type=file", "name=/f", "mode=0644"), false)
	require.NoError(t, err)
	require.Equal(t, []string{"old\n", "new\n"}, []string{string(out.Old), string(out.New)})
	require.Equal(t, []string{"content: differs (4 bytes)"}, out.Reasons[:1])
	out, err = apply(t, m, path("newer\n", "type=file", "name=/f", "mode=0644"), false)
	require.NoError(t, err)
	require.Equal(t, []string{"content: 4 bytes, should be 6"}, out.Reasons[:1])
	out, err = apply(t, m, path("new\n", "type=file", "name=/f", "mode=0600"), false)
	require.NoError(t, err)
	require.Nil(t, out.Old, "a file that others may not read is not shown")
	require.Nil(t, out.New)
}

func TestAgentsOwnFiles(t *testing.T) {
	root := t.TempDir()
	m, err := system.New(system.Config{Root: root, Protected: []string{"/var/lib/bindery"}})
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(root+"/var/lib/bindery", 0o700))
	require.NoError(t, os.WriteFile(root+"/var/lib/bindery/identity", []byte("k"), 0o600))
	_, err = apply(t, m, path("x", "type=file", "name=/var/lib/bindery/identity", "mode=0644"), true)
	require.ErrorIs(t, err, system.ErrProtected)
	for _, name := range []string{"/var/lib", "/var"} {
		require.NoError(t, os.Chmod(root+name, 0o755))
		out, err := apply(t, m, path("", "type=directory", "name="+name, "mode=0755", "prune=true", "recursive=true"), true)
		require.NoError(t, err)
		require.Equal(t, driver.Correct, out.State, "%v", out.Reasons)
	}
	require.FileExists(t, root+"/var/lib/bindery/identity")
}
