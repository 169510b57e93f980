// SPDX-License-Identifier: Apache-2.0

package posix_test

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/engine/config"
)

// other is a user who is not the administrator.
const other = 64998

// A user made a file that is right but for its owner or its mode, and still has it
// open: what they write is not in the administrator's file.
func TestFileThatOthersHaveOpen(t *testing.T) {
	if uid != 0 {
		return // owners cannot be set
	}
	for name, give := range map[string]func(file string) error{
		"owner":     func(file string) error { return os.Chown(file, other, other) },
		"everybody": func(file string) error { return os.Chmod(file, 0o666) },
		"group": func(file string) error {
			if err := os.Chown(file, 0, other); err != nil {
				return err
			}
			return os.Chmod(file, 0o664)
		},
	} {
		for _, mode := range []string{"0644", "4755"} {
			m := disk(t)
			require.NoError(t, os.WriteFile(m.Root+"/f", []byte("ours"), 0o644))
			require.NoError(t, give(m.Root+"/f"))
			f, err := os.OpenFile(m.Root+"/f", os.O_WRONLY, 0)
			require.NoError(t, err)
			require.NoError(t, os.Link(m.Root+"/f", m.Root+"/again"))
			out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(path("ours", "type=file", "name=/f", "mode="+mode))}, true)
			require.NoError(t, err)
			require.True(t, out.Changed)
			_, err = f.WriteString("evil")
			require.NoError(t, err)
			require.NoError(t, f.Close())
			got, err := os.ReadFile(m.Root + "/f")
			require.NoError(t, err)
			require.Equal(t, "ours", string(got), "%s %s", name, mode)
		}
	}
	// Nobody else could write to it: the same file gets another mode.
	m := disk(t)
	require.NoError(t, os.WriteFile(m.Root+"/f", []byte("ours"), 0o644))
	was, err := os.Stat(m.Root + "/f")
	require.NoError(t, err)
	_, err = newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(path("ours", "type=file", "name=/f", "mode=0600"))}, true)
	require.NoError(t, err)
	is, err := os.Stat(m.Root + "/f")
	require.NoError(t, err)
	require.True(t, os.SameFile(was, is))
}

// Who had a directory until now gave themselves a right to it, and to what will be made
// in it: both go with the owner, and what the entry asks for stays.
func TestListsOfTheFormerOwnerGo(t *testing.T) {
	if uid != 0 {
		return // owners cannot be set
	}
	const access, inherited = "system.posix_acl_access", "system.posix_acl_default"
	list := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range [][3]uint32{{0x01, 7, 0xffffffff}, {0x02, 7, other}, {0x04, 7, 0xffffffff}, {0x10, 7, 0xffffffff}, {0x20, 0, 0xffffffff}} {
		list = binary.LittleEndian.AppendUint16(list, uint16(e[0]))
		list = binary.LittleEndian.AppendUint16(list, uint16(e[1]))
		list = binary.LittleEndian.AppendUint32(list, e[2])
	}
	m := disk(t)
	for _, name := range []string{"/d", "/d/deep"} {
		require.NoError(t, os.Mkdir(m.Root+name, 0o770))
		for _, attribute := range []string{access, inherited} {
			require.NoError(t, unix.Setxattr(m.Root+name, attribute, list, 0))
		}
		require.NoError(t, os.Chown(m.Root+name, other, other))
	}
	plain := path("", "type=permissions", "name=/d", "mode=0770", "recursive=true")
	wants := path("", "type=directory", "name=/d", "mode=0770")
	wants.Children = []*config.Node{{Tag: "ACL", Attrs: []config.Attr{{Name: "scope", Value: "user"}, {Name: "user", Value: "64998"}, {Name: "perms", Value: "rwx"}}}}
	out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(plain)}, true)
	require.NoError(t, err)
	require.Contains(t, out.Reasons, `has an access list of its former owner: "/d/deep"`)
	for _, name := range []string{"/d", "/d/deep"} {
		for _, attribute := range []string{access, inherited} {
			_, err := unix.Getxattr(m.Root+name, attribute, nil)
			require.ErrorIs(t, err, unix.ENODATA, "%s of %s", attribute, name)
		}
	}
	require.NoError(t, os.Chown(m.Root+"/d", other, 0))
	require.NoError(t, unix.Setxattr(m.Root+"/d", access, list, 0))
	require.NoError(t, unix.Setxattr(m.Root+"/d", inherited, list, 0))
	_, err = newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(wants)}, true)
	require.NoError(t, err)
	_, err = unix.Getxattr(m.Root+"/d", access, nil)
	require.NoError(t, err)
	_, err = unix.Getxattr(m.Root+"/d", inherited, nil)
	require.ErrorIs(t, err, unix.ENODATA)
	out, err = newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(wants)}, false)
	require.NoError(t, err)
	require.Equal(t, driver.Correct, out.State, "%v", out.Reasons)
}
