// SPDX-License-Identifier: Apache-2.0

package content

import (
	"fmt"
	"path"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

// cfgFiles reports unknown-cfg-files, no-cfg-file.
func (t look) cfgFiles() {
	order, dirs := t.CfgDirs()
	for _, dir := range order {
		if dir == "Cfg" {
			for _, f := range dirs[dir] {
				t.Error(tree.At(f.Name), "unknown-cfg-files", "a file directly in Cfg belongs to no path", "move it to Cfg/<path>/<name>/<name>")
			}
			continue
		}
		content, unknown := 0, 0
		for _, f := range dirs[dir] {
			switch q := t.Qualifier(f.Name); {
			case !q.Known:
				unknown++
				t.Error(tree.At(f.Name), "unknown-cfg-files", "the name is not understood", cfgHint(path.Base(dir), path.Base(f.Name)))
			case !q.Special && !q.Skipped && q.Ext != "cat" && q.Ext != "diff" || creator(f.Name):
				content++
			}
		}
		if content == 0 && unknown == 0 {
			t.Warn(tree.At(dirs[dir][0].Name), "no-cfg-file", fmt.Sprintf("there is no content for /%s", strings.TrimPrefix(dir, "Cfg/")),
				"write "+dir+"/"+path.Base(dir))
		}
	}
}

// creator tells whether a special file gives content itself.
func creator(name string) bool {
	base := path.Base(name)
	return tree.Special(base) && base != "info.xml"
}

func cfgHint(folder, base string) string {
	if strings.HasPrefix(base, folder+".") {
		for _, e := range tree.Extensions() {
			if strings.HasPrefix(base, folder+"."+e+".") {
				return "the qualifier comes before ." + e
			}
		}
		return "write " + folder + ".G50_group or " + folder + ".H_host"
	}
	return "files here start with " + folder
}
