// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// cfgDirs groups the files below Cfg by the path that they are for.
func (t *tree) cfgDirs() (order []string, dirs map[string][]file) {
	dirs = map[string][]file{}
	for _, f := range t.in("Cfg") {
		if f.mode.Type()&^fs.ModeSymlink != 0 {
			continue
		}
		dir := path.Dir(f.name)
		if dirs[dir] == nil {
			order = append(order, dir)
		}
		dirs[dir] = append(dirs[dir], f)
	}
	return order, dirs
}

// cfgFiles reports unknown-cfg-files, no-cfg-file.
func (t *tree) cfgFiles() {
	order, dirs := t.cfgDirs()
	for _, dir := range order {
		if dir == "Cfg" {
			for _, f := range dirs[dir] {
				t.error(at(f.name), "unknown-cfg-files", "a file directly in Cfg belongs to no path", "move it to Cfg/<path>/<name>/<name>")
			}
			continue
		}
		content, unknown := 0, 0
		for _, f := range dirs[dir] {
			switch q := t.qualifier(f.name); {
			case !q.known:
				unknown++
				t.error(at(f.name), "unknown-cfg-files", "the name is not understood", cfgHint(path.Base(dir), path.Base(f.name)))
			case !q.special && !q.skipped && q.ext != "cat" && q.ext != "diff" || creator(f.name):
				content++
			}
		}
		if content == 0 && unknown == 0 {
			t.warn(at(dirs[dir][0].name), "no-cfg-file", fmt.Sprintf("there is no content for /%s", strings.TrimPrefix(dir, "Cfg/")),
				"write "+dir+"/"+path.Base(dir))
		}
	}
}

// creator tells whether a special file gives content itself.
func creator(name string) bool {
	base := path.Base(name)
	return special(base) && base != "info.xml"
}

func cfgHint(folder, base string) string {
	if strings.HasPrefix(base, folder+".") {
		for _, e := range extensions() {
			if strings.HasPrefix(base, folder+"."+e+".") {
				return "the qualifier comes before ." + e
			}
		}
		return "write " + folder + ".G50_group or " + folder + ".H_host"
	}
	return "files here start with " + folder
}
