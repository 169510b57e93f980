// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"io/fs"
	"path"
)

// CfgDirs groups the files below Cfg by the path that they are for.
func (t *Tree) CfgDirs() (order []string, dirs map[string][]File) {
	dirs = map[string][]File{}
	for _, f := range t.In("Cfg") {
		if f.Mode.Type()&^fs.ModeSymlink != 0 {
			continue
		}
		dir := path.Dir(f.Name)
		if dirs[dir] == nil {
			order = append(order, dir)
		}
		dirs[dir] = append(dirs[dir], f)
	}
	return order, dirs
}
