// SPDX-License-Identifier: Apache-2.0

package posix_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/drivertest"
	"github.com/bindery/bindery/agent/system"
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
		{Name: "device without mode", Entry: path("", "type=device", "dev_type=fifo", "name=/n"), Fails: true},
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
	folder := path("", "type=directory", "name=/d", "mode=0750")
	reader := "type=access scope=user user=1234 perms=r"
	out = append(out, []drivertest.Case{
		{Name: "access list of a new file", Entry: list(file, reader, "type=access scope=group group=1235 perms=rw-"), Found: missing},
		{Name: "access list missing", Entry: list(file, reader), Prepare: []system.Change{put("/f", "x")}, Found: wrong},
		{Name: "access list above the mode", Entry: list(file, "scope=user user=1234 perms=7"), Prepare: []system.Change{put("/f", "x")}, Found: wrong},
		{Name: "default access list", Entry: list(folder, "type=default scope=user user=1234 perms=rwx", "type=default scope=other perms=0"), Found: missing},
		{Name: "default access list added", Entry: list(folder, "type=default scope=group perms=rx", reader), Prepare: []system.Change{dir("/d")}, Found: wrong},
		{Name: "access list of permissions", Entry: list(path("", "type=permissions", "name=/f", "mode=0600"), reader), Prepare: []system.Change{put("/f", "x")}, Found: wrong},
		{Name: "default access list of a file", Entry: list(file, "type=default scope=user user=1234 perms=r"), Fails: true},
		{Name: "access list of the owner", Entry: list(file, "type=access scope=user perms=r"), Fails: true},
		{Name: "access list without permissions", Entry: list(file, "type=access scope=user user=1"), Fails: true},
		{Name: "access list with other permissions", Entry: list(file, "type=access scope=user user=1 perms=rt"), Fails: true},
		{Name: "access list of no scope", Entry: list(file, "type=access perms=r"), Fails: true},
		{Name: "access list of no type", Entry: list(file, "type=all scope=user user=1 perms=r"), Fails: true},
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
		{Name: "other kind of device", Entry: dev("dev_type=char", "major=1", "minor=3"), Prepare: node(system.Block, 3), Found: wrong},
		{Name: "label of a new file", Entry: secure, Prepare: []system.Change{labelled}, Found: missing},
		{Name: "other label", Entry: secure, Prepare: []system.Change{labelled, put("/f", "x"), other}, Found: wrong},
	}...)
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
