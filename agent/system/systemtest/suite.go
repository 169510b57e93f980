// SPDX-License-Identifier: Apache-2.0

package systemtest

import (
	"io"
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/system"
)

// TestFiles is what every file system does. The one it is given is empty.
func TestFiles(t *testing.T, open func(t *testing.T) system.Files) {
	cases := map[string]func(*testing.T, system.Files){
		"write and replace": testWrite,
		"directories":       testDirectories,
		"symbolic links":    testLinks,
		"hard links":        testHardlinks,
		"attributes":        testAttributes,
		"remove":            testRemove,
		"bad names":         testNames,
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) { run(t, open(t)) })
	}
}

func own(c system.Change) system.Change {
	c.UID, c.GID = os.Geteuid(), os.Getegid()
	return c
}

func change(t *testing.T, f system.Files, c system.Change) {
	t.Helper()
	require.NoError(t, f.Change(own(c)))
}

func content(t *testing.T, f system.Files, name string) string {
	t.Helper()
	r, err := f.Open(name)
	require.NoError(t, err)
	defer r.Close()
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(data)
}

func testWrite(t *testing.T, f system.Files) {
	change(t, f, system.Change{Op: system.Write, Name: "/a", Mode: 0o640, Content: []byte("one")})
	info, err := f.Look("/a")
	require.NoError(t, err)
	require.Equal(t, system.File, info.Kind)
	require.Equal(t, uint32(0o640), info.Mode)
	require.EqualValues(t, 3, info.Size)
	change(t, f, system.Change{Op: system.Write, Name: "/a", Mode: 0o4755, Content: []byte("two")})
	require.Equal(t, "two", content(t, f, "/a"))
	info, err = f.Look("/a")
	require.NoError(t, err)
	require.Equal(t, uint32(0o4755), info.Mode)
	require.ErrorIs(t, f.Change(own(system.Change{Op: system.Write, Name: "/no/b"})), fs.ErrNotExist)
}

func testDirectories(t *testing.T, f system.Files) {
	change(t, f, system.Change{Op: system.Mkdir, Name: "/d", Mode: 0o1777})
	change(t, f, system.Change{Op: system.Write, Name: "/d/y", Mode: 0o644})
	change(t, f, system.Change{Op: system.Write, Name: "/d/line\nend", Mode: 0o644})
	list, err := f.List("/d")
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, "line\nend", list[0].Name)
	some, err := f.List("/d", "y", "no")
	require.NoError(t, err)
	require.Equal(t, list[1:], some)
	require.ErrorIs(t, f.Change(own(system.Change{Op: system.Mkdir, Name: "/d", Mode: 0o755})), fs.ErrExist)
	require.Error(t, f.Change(own(system.Change{Op: system.Write, Name: "/d", Mode: 0o644})))
	change(t, f, system.Change{Op: system.Write, Name: "/x", Mode: 0o644})
	change(t, f, system.Change{Op: system.Mkdir, Name: "/x", Mode: 0o700})
	info, err := f.Look("/x")
	require.NoError(t, err)
	require.Equal(t, system.Directory, info.Kind)
	require.Equal(t, uint32(0o700), info.Mode)
	info, err = f.Look("/")
	require.NoError(t, err)
	require.Equal(t, system.Directory, info.Kind)
}

func testLinks(t *testing.T, f system.Files) {
	change(t, f, system.Change{Op: system.Mkdir, Name: "/real", Mode: 0o755})
	change(t, f, system.Change{Op: system.Link, Name: "/abs", To: "/real"})
	change(t, f, system.Change{Op: system.Link, Name: "/rel", To: "./../real"})
	change(t, f, system.Change{Op: system.Write, Name: "/abs/f", Mode: 0o644, Content: []byte("x")})
	require.Equal(t, "x", content(t, f, "/real/f"))
	require.Equal(t, "x", content(t, f, "/rel/f"))
	info, err := f.Look("/abs")
	require.NoError(t, err)
	require.Equal(t, system.Symlink, info.Kind)
	require.Equal(t, "/real", info.Target)
	change(t, f, system.Change{Op: system.Link, Name: "/real", To: "elsewhere"})
	_, err = f.Look("/abs/f")
	require.ErrorIs(t, err, fs.ErrNotExist)
	change(t, f, system.Change{Op: system.Link, Name: "/loop", To: "loop"})
	_, err = f.Look("/loop/f")
	require.Error(t, err)
}

func testHardlinks(t *testing.T, f system.Files) {
	change(t, f, system.Change{Op: system.Write, Name: "/a", Mode: 0o644, Content: []byte("x")})
	change(t, f, system.Change{Op: system.Write, Name: "/b", Mode: 0o644})
	change(t, f, system.Change{Op: system.Hardlink, Name: "/b", To: "/a"})
	a, err := f.Look("/a")
	require.NoError(t, err)
	b, err := f.Look("/b")
	require.NoError(t, err)
	require.Equal(t, a.Inode, b.Inode)
	require.ErrorIs(t, f.Change(system.Change{Op: system.Hardlink, Name: "/c", To: "/none"}), fs.ErrNotExist)
}

func testAttributes(t *testing.T, f system.Files) {
	change(t, f, system.Change{Op: system.Write, Name: "/a", Mode: 0o644})
	change(t, f, system.Change{Op: system.Attributes, Name: "/a", Mode: 0o400})
	change(t, f, system.Change{Op: system.Attributes, Name: "/a", Mode: system.Keep})
	info, err := f.Look("/a")
	require.NoError(t, err)
	require.Equal(t, uint32(0o400), info.Mode)
	require.ErrorIs(t, f.Change(own(system.Change{Op: system.Attributes, Name: "/none"})), fs.ErrNotExist)
}

func testRemove(t *testing.T, f system.Files) {
	change(t, f, system.Change{Op: system.Mkdir, Name: "/d", Mode: 0o755})
	change(t, f, system.Change{Op: system.Mkdir, Name: "/d/e", Mode: 0o755})
	change(t, f, system.Change{Op: system.Write, Name: "/d/e/f", Mode: 0o644})
	require.Error(t, f.Change(system.Change{Op: system.Remove, Name: "/d"}))
	change(t, f, system.Change{Op: system.Remove, Name: "/d/e/f"})
	change(t, f, system.Change{Op: system.RemoveAll, Name: "/d"})
	_, err := f.Look("/d/e")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, f.Change(system.Change{Op: system.Remove, Name: "/d"}), fs.ErrNotExist)
}

func testNames(t *testing.T, f system.Files) {
	for _, name := range []string{"", "relative", "/a/../b", "/..", "/a/./b", "/nul\x00byte"} {
		_, err := f.Look(name)
		require.ErrorIs(t, err, system.ErrName, "%q", name)
		require.ErrorIs(t, f.Change(own(system.Change{Op: system.Write, Name: name})), system.ErrName, "%q", name)
	}
}
