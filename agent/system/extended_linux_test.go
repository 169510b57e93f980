// SPDX-License-Identifier: Apache-2.0

package system_test

import (
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/system"
)

// An access list of many users is longer than most attributes are.
func TestLongAttributes(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "f"), nil, 0o600))
	tree, err := system.NewTree(system.TreeConfig{Root: root})
	require.NoError(t, err)
	defer tree.Close()
	const attribute, nobody = "system.posix_acl_access", 0xffffffff
	_, err = tree.Extended("/f", attribute)
	require.ErrorIs(t, err, fs.ErrNotExist)
	list := binary.LittleEndian.AppendUint32(nil, 2)
	add := func(tag, perm uint16, id uint32) {
		list = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(list, tag), perm)
		list = binary.LittleEndian.AppendUint32(list, id)
	}
	add(1, 6, nobody)
	for i := range uint32(100) {
		add(2, 4, 1000+i)
	}
	add(4, 4, nobody)
	add(16, 4, nobody)
	add(32, 0, nobody)
	require.NoError(t, tree.Change(system.Change{Op: system.Extend, Name: "/f", To: attribute, Content: list}))
	value, err := tree.Extended("/f", attribute)
	require.NoError(t, err)
	require.Equal(t, list, value)
}
