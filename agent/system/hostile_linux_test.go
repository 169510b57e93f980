// SPDX-License-Identifier: Apache-2.0

package system_test

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent/system"
)

// other is a user who is not the administrator.
const other = 64998

// field is a directory that everybody may write to, in a tree of its own.
func field(t *testing.T, before func(step, name string) error) (*system.Tree, string) {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.Mkdir(root+"/field", 0o755))
	require.NoError(t, os.Chmod(root+"/field", 0o777))
	require.NoError(t, os.WriteFile(root+"/victim", []byte("safe"), 0o600))
	return open(t, system.TreeConfig{Root: root, Before: before}), root
}

func attributes(name string, mode int) system.Change {
	return system.Change{Op: system.Attributes, Name: name, Mode: mode, UID: system.Keep, GID: system.Keep}
}

// The name of a hard link's target is that of somebody else's file when it is made.
func TestHardlinkIsOfWhatWasLookedAt(t *testing.T) {
	root := ""
	tree, root := field(t, func(step, _ string) error {
		if step != "link" {
			return nil
		}
		return errors.Join(os.Rename(root+"/field/mine", root+"/field/old"), os.Link(root+"/victim", root+"/field/mine"))
	})
	require.NoError(t, os.WriteFile(root+"/field/mine", nil, 0o644))
	_ = tree.Change(system.Change{Op: system.Hardlink, Name: "/ours", To: "/field/mine"})
	_ = tree.Change(attributes("/ours", 0o666))
	info, err := os.Stat(root + "/victim")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

// What a device or a directory is made as is somebody else's thing before it gets its
// mode.
func TestMadeThingIsSwapped(t *testing.T) {
	tree, root := field(t, nil)
	require.NoError(t, os.Mkdir(root+"/field/private", 0o700))
	require.NoError(t, os.WriteFile(root+"/field/private/f", nil, 0o600))
	half := filepath.Join(root, system.TempName("/field/x"))
	for _, c := range []struct {
		change system.Change
		attack func()
		victim string
		mode   fs.FileMode
	}{
		{
			system.Change{Op: system.Special, Kind: system.Pipe, Name: "/field/x", Mode: 0o666, UID: system.Keep, GID: system.Keep},
			func() { _ = os.Remove(half); _ = os.Link(root+"/victim", half) }, "/victim", 0o600,
		},
		{
			system.Change{Op: system.Mkdir, Name: "/field/x", Mode: 0o777, UID: system.Keep, GID: system.Keep},
			func() {
				_ = unix.Renameat2(unix.AT_FDCWD, half, unix.AT_FDCWD, root+"/field/private", unix.RENAME_EXCHANGE)
			}, "/field/private", fs.ModeDir | 0o700,
		},
	} {
		stop, stopped := make(chan struct{}), make(chan struct{})
		victim, err := os.Stat(root + c.victim)
		require.NoError(t, err)
		fd, err := unix.Open(root+c.victim, unix.O_PATH, 0)
		require.NoError(t, err)
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
					c.attack()
				}
			}
		}()
		for range 500 {
			_ = os.Remove(root + "/field/x")
			_ = tree.Change(c.change)
		}
		close(stop)
		<-stopped
		var st unix.Stat_t
		require.NoError(t, unix.Fstat(fd, &st))
		require.NoError(t, unix.Close(fd))
		require.Equal(t, uint32(victim.Mode().Perm()), st.Mode&0o7777, string(c.change.Op))
	}
}

// list is an access list by which somebody else may do all.
func list() []byte {
	out := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range [][3]uint32{{0x01, 7, 0xffffffff}, {0x02, 7, other}, {0x04, 7, 0xffffffff}, {0x10, 7, 0xffffffff}, {0x20, 0, 0xffffffff}} {
		out = binary.LittleEndian.AppendUint16(out, uint16(e[0]))
		out = binary.LittleEndian.AppendUint16(out, uint16(e[1]))
		out = binary.LittleEndian.AppendUint32(out, e[2])
	}
	return out
}

// Who has a directory says by its default list who may write to what is made in it.
// What the administrator makes there, or takes over, is not meant.
func TestListsOfOthersGiveNoRights(t *testing.T) {
	if os.Geteuid() != 0 {
		return // owners cannot be set
	}
	tree, root := field(t, nil)
	require.NoError(t, os.Chown(root+"/field", other, other))
	require.NoError(t, unix.Setxattr(root+"/field", "system.posix_acl_default", list(), 0))
	require.NoError(t, os.WriteFile(root+"/field/taken", nil, 0o660))
	require.NoError(t, os.Chown(root+"/field/taken", other, other))
	require.NoError(t, os.Mkdir(root+"/field/dir", 0o770))
	require.NoError(t, os.Chown(root+"/field/dir", other, other))
	for _, c := range []system.Change{
		{Op: system.Write, Name: "/field/file", Mode: 0o660}, {Op: system.Mkdir, Name: "/field/made", Mode: 0o770},
		{Op: system.Special, Kind: system.Pipe, Name: "/field/pipe", Mode: 0o660},
		{Op: system.Attributes, Name: "/field/taken", Mode: 0o660}, {Op: system.Attributes, Name: "/field/dir", Mode: 0o770},
	} {
		err := tree.Change(c)
		if errors.Is(err, errors.ErrUnsupported) {
			continue // built as for a system that cannot hold on to such a thing
		}
		require.NoError(t, err)
		for _, name := range []string{"system.posix_acl_access", "system.posix_acl_default"} {
			_, err := unix.Getxattr(root+c.Name, name, nil)
			require.Error(t, err, "%s %s: %s", c.Op, c.Name, name)
		}
		info, err := os.Lstat(root + c.Name)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(c.Mode), info.Mode().Perm())
	}
	// The administrator's own say what they are meant for.
	require.NoError(t, os.Chown(root+"/field", 0, 0))
	require.NoError(t, tree.Change(system.Change{Op: system.Write, Name: "/field/meant", Mode: 0o660}))
	_, err := unix.Getxattr(root+"/field/meant", "system.posix_acl_access", nil)
	require.NoError(t, err)
}

// Between a new owner and setuid nobody gets at the file who could write to it.
func TestSetuidOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		return // owners cannot be set
	}
	root, seen := "", 0
	tree, root := field(t, func(string, string) error {
		return filepath.WalkDir(root+"/field", func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			info, err := d.Info()
			require.NoError(t, err)
			if info.Sys().(*syscall.Stat_t).Uid != other {
				return nil
			}
			seen++
			dir, err := os.Stat(filepath.Dir(name))
			require.NoError(t, err)
			if dir.Mode().Perm() != 0o700 {
				require.Equal(t, fs.ModeSetuid|0o755, info.Mode(), "%s can be opened by its owner before it is finished", name)
			}
			return nil
		})
	})
	tool := system.Change{Op: system.Write, Name: "/field/tool", Mode: 0o4755, UID: other, GID: other, Content: []byte("ours")}
	require.NoError(t, tree.Change(tool))
	require.NoError(t, tree.Change(tool), "in the place of one that is there")
	require.Positive(t, seen)
	got, err := os.ReadFile(root + "/field/tool")
	require.NoError(t, err)
	require.Equal(t, "ours", string(got))
	list, err := os.ReadDir(root + "/field")
	require.NoError(t, err)
	require.Len(t, list, 1)

	// What is there already may be open: it is not given away with such rights.
	require.NoError(t, os.WriteFile(root+"/theirs", nil, 0o755))
	require.NoError(t, os.Chmod(root, 0o755))
	for _, uids := range [][2]int{{other, 0}, {0, other}, {other, other + 1}} {
		require.NoError(t, os.Chown(root+"/theirs", uids[0], 0))
		c := attributes("/theirs", 0o4755)
		c.UID = uids[1]
		require.ErrorContains(t, tree.Change(c), "setuid", "%v", uids)
	}
	// Nor does a new owner get what the old one said.
	require.NoError(t, os.Chown(root+"/theirs", other, 0))
	require.NoError(t, os.Chmod(root+"/theirs", fs.ModeSetuid|fs.ModeSetgid|0o755))
	c := attributes("/theirs", system.Keep)
	c.UID = 0
	require.NoError(t, tree.Change(c))
	info, err := os.Stat(root + "/theirs")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o755), info.Mode())
}

// An access list that is meant for another file does not open a setuid one to everybody.
func TestListOfASetuidFile(t *testing.T) {
	tree, root := field(t, nil)
	require.NoError(t, os.WriteFile(root+"/field/tool", nil, 0o755))
	require.NoError(t, os.Chmod(root+"/field/tool", fs.ModeSetuid|0o755))
	require.ErrorContains(t, tree.Change(system.Change{Op: system.Extend, Name: "/field/tool", To: "system.posix_acl_access", Content: list()}), "setuid")
	info, err := os.Stat(root + "/field/tool")
	require.NoError(t, err)
	require.Equal(t, fs.ModeSetuid|0o755, info.Mode())
}

// A file in the place of what was looked at does not get what was meant for that.
func TestAttributesOfAnotherKind(t *testing.T) {
	tree, root := field(t, nil)
	c := attributes("/victim", 0o777)
	c.Kind = system.Directory
	require.ErrorContains(t, tree.Change(c), "moving")
	info, err := os.Stat(root + "/victim")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

// Another thing of the same kind has been moved to where one was looked at.
func TestAttributesOfAnotherThing(t *testing.T) {
	tree, root := field(t, nil)
	require.NoError(t, os.WriteFile(root+"/field/theirs", nil, 0o644))
	looked, err := tree.Look("/field/theirs")
	require.NoError(t, err)
	before, err := tree.Look("/victim")
	require.NoError(t, err)
	require.NoError(t, os.Rename(root+"/victim", root+"/field/theirs"))
	for _, c := range []system.Change{
		attributes("/field/theirs", 0o666),
		{Op: system.Extend, To: "system.posix_acl_access", Content: list()},
		{Op: system.Date},
	} {
		c.Name, c.Device, c.Inode = "/field/theirs", looked.Device, looked.Inode
		require.ErrorContains(t, tree.Change(c), "moving", c.Op)
	}
	after, err := tree.Look("/field/theirs")
	require.NoError(t, err)
	require.Equal(t, []any{before.Inode, before.Mode, before.Modified}, []any{after.Inode, after.Mode, after.Modified})
	c := attributes("/field/theirs", 0o640)
	c.Device, c.Inode = after.Device, after.Inode
	require.NoError(t, tree.Change(c))
}

// Nobody has more rights to the successor of a file than its mode says, not even before
// that is set.
func TestHalfMadeFileGivesNoRights(t *testing.T) {
	for where, owner := range map[string]int{"/": 0, "/field/": other} {
		half, asked := "", 0
		tree, root := field(t, func(step, _ string) error {
			if info, err := os.Stat(half); err == nil {
				asked++
				require.Zero(t, info.Mode().Perm()&0o077, step)
				if owner != 0 {
					_, err := unix.Lgetxattr(half, "system.posix_acl_access", nil)
					require.ErrorIs(t, err, unix.ENODATA, step)
				}
			}
			return nil
		})
		if os.Geteuid() != 0 {
			return // the directory is to be somebody else's
		}
		half = root + system.TempName(where+"f")
		require.NoError(t, os.Chown(root+where, owner, owner))
		require.NoError(t, os.WriteFile(root+where+"f", nil, 0o600))
		require.NoError(t, unix.Setxattr(root+where+"f", "system.posix_acl_access", list(), 0))
		require.NoError(t, unix.Setxattr(root+where, "system.posix_acl_default", list(), 0))
		require.NoError(t, tree.Change(system.Change{Op: system.Write, Name: where + "f", Mode: 0o600, UID: 0, GID: 0, Content: []byte("private")}))
		require.GreaterOrEqual(t, asked, 3, where)
		info, err := os.Stat(root + where + "f")
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode())
	}
}

// Who may rename what others have in a directory, and could not empty it, gives it the
// name that a successor is made under. The agent empties it neither, be it before or
// after a change, or when it sweeps.
func TestTreeOfOthersUnderTheNameOfASuccessor(t *testing.T) {
	for _, c := range []system.Change{
		{Op: system.Write, Mode: 0o644},
		{Op: system.Mkdir, Mode: 0o755},
		{Op: system.Link, To: "x"},
		{Op: system.Hardlink, To: "/victim"},
		{Op: system.Special, Kind: system.Pipe, Mode: 0o600},
	} {
		for step := -1; step < 2; step++ {
			seen, root, half := 0, "", ""
			tree, root := field(t, func(string, string) error {
				if seen++; seen-1 == step {
					_ = unix.Renameat2(unix.AT_FDCWD, root+"/field/theirs", unix.AT_FDCWD, half, unix.RENAME_NOREPLACE)
				}
				return nil
			})
			half = root + system.TempName("/field/x")
			require.NoError(t, os.Mkdir(root+"/field/theirs", 0o755))
			require.NoError(t, os.WriteFile(root+"/field/theirs/f", nil, 0o644))
			if step < 0 {
				require.NoError(t, os.Rename(root+"/field/theirs", half))
			}
			c.Name, c.UID, c.GID = "/field/x", system.Keep, system.Keep
			if err := tree.Change(c); step < 0 {
				require.ErrorContains(t, err, "take it away", c.Op)
				require.ErrorContains(t, tree.Change(system.Change{Op: system.Discard, Name: system.TempName("/field/x")}), "take it away")
			}
			left, err := filepath.Glob(root + "/field/*/f") // hidden names, too
			require.NoError(t, err)
			require.Len(t, left, 1, "%s, step %d", c.Op, step)
		}
	}
}

// What a killed process left goes, be it the administrator's directory or not; and so
// does a tree where nobody can rename what is not theirs.
func TestWhatAKilledProcessLeft(t *testing.T) {
	for mode, makes := range map[fs.FileMode][]string{
		0o777: {"", "empty", "hidden"}, 0o755: {"", "empty", "hidden", "full"}, 0o777 | fs.ModeSticky: {"", "empty", "hidden", "full"},
	} {
		for _, what := range makes {
			tree, root := field(t, nil)
			half := root + system.TempName("/field/x")
			require.NoError(t, os.Chmod(root+"/field", mode))
			switch what {
			case "":
				require.NoError(t, os.WriteFile(half, nil, 0o600))
			case "empty":
				require.NoError(t, os.Mkdir(half, 0o700))
			case "hidden":
				require.NoError(t, os.Mkdir(half, 0o700))
				require.NoError(t, os.WriteFile(half+"/new", nil, 0o600))
			case "full":
				require.NoError(t, os.MkdirAll(half+"/a/b", 0o755))
			}
			require.NoError(t, tree.Change(system.Change{Op: system.Discard, Name: system.TempName("/field/x")}), "%s in %s", what, mode)
			require.NoFileExists(t, half)
			require.NoDirExists(t, half)
		}
	}
}

// A directory goes for a link, or for good, where it is the one that was looked at.
func TestAnotherDirectoryInTheWay(t *testing.T) {
	for _, c := range []system.Change{{Op: system.Link, To: "nowhere"}, {Op: system.Hardlink, To: "/victim"}, {Op: system.RemoveAll}} {
		tree, root := field(t, nil)
		require.NoError(t, os.MkdirAll(root+"/field/x/in", 0o755))
		require.NoError(t, os.MkdirAll(root+"/field/theirs/in", 0o755))
		looked, err := tree.Look("/field/x")
		require.NoError(t, err)
		require.NoError(t, unix.Renameat2(unix.AT_FDCWD, root+"/field/x", unix.AT_FDCWD, root+"/field/theirs", unix.RENAME_EXCHANGE))
		c.Name, c.Device, c.Inode = "/field/x", looked.Device, looked.Inode
		require.ErrorContains(t, tree.Change(c), "moving", c.Op)
		require.DirExists(t, root+"/field/x/in")
		c.Name = "/field/theirs"
		require.NoError(t, tree.Change(c), c.Op)
		require.NoDirExists(t, root+"/field/theirs/in")
		require.NoFileExists(t, root+system.TempName("/field/theirs"))
		require.NoFileExists(t, root+system.TempName("/field/x"))
	}
	// One that came since was looked at by nobody.
	tree, root := field(t, nil)
	require.NoError(t, os.MkdirAll(root+"/field/x/in", 0o755))
	require.ErrorContains(t, tree.Change(system.Change{Op: system.Link, Name: "/field/x", To: "x"}), "moving")
	require.DirExists(t, root+"/field/x/in")
}

// A user to whom the administrator gave a right to one file puts a name of it in the place
// of another one: that does not get the right with its new content.
func TestRightsOfAnotherFile(t *testing.T) {
	tree, root := field(t, nil)
	for _, name := range []string{"/given", "/field/kept"} {
		require.NoError(t, os.WriteFile(root+name, nil, 0o660))
		if errors.Is(unix.Setxattr(root+name, "system.posix_acl_access", list(), 0), unix.EOPNOTSUPP) {
			return // no file has any
		}
	}
	require.NoError(t, os.Link(root+"/given", root+"/field/secret"))
	for name, keeps := range map[string]bool{"/field/kept": true, "/field/secret": false} {
		require.NoError(t, tree.Change(system.Change{Op: system.Write, Name: name, Mode: 0o660, UID: system.Keep, GID: system.Keep, Content: []byte("private")}))
		_, err := unix.Getxattr(root+name, "system.posix_acl_access", nil)
		require.Equal(t, keeps, err == nil, "%s: %v", name, err)
	}
}

// Two names of the administrator's in a directory of others have been exchanged: what only
// the administrator may read does not get the rights that the other one is to have.
func TestPrivateFileUnderAnotherName(t *testing.T) {
	for mode, guarded := range map[fs.FileMode]bool{0o777: true, 0o777 | fs.ModeSticky: false, 0o755: false} {
		tree, root := field(t, nil)
		require.NoError(t, os.WriteFile(root+"/field/x", nil, 0o600))
		require.NoError(t, os.Chmod(root+"/field", mode))
		require.NoError(t, tree.Change(attributes("/field/x", 0o400)))
		given := attributes("/field/x", system.Keep)
		given.UID = other
		changes := []system.Change{attributes("/field/x", 0o604), given, {Op: system.Hardlink, Name: "/ours", To: "/field/x"}}
		if os.Geteuid() != 0 {
			changes = changes[:1] // owners cannot be set
		}
		if guarded {
			for _, c := range changes {
				require.ErrorIs(t, tree.Change(c), system.ErrGuarded, "%s %v", c.Op, mode)
			}
			all := attributes("/field/x", 0o604)
			all.Sole = true
			require.NoError(t, tree.Change(all), "whatever is there is meant")
			require.NoError(t, tree.Change(attributes("/field/x", 0o644)), "it is no secret any more")
			continue
		}
		for _, c := range changes {
			require.NoError(t, tree.Change(c), "%s %v", c.Op, mode)
		}
	}
}
