// SPDX-License-Identifier: Apache-2.0

package content

import (
	"fmt"
	"path"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

// cfgHandlers reports multiple-global-handlers, cfg-tie.
func (t look) cfgHandlers() {
	order, dirs := t.CfgDirs()
	for _, dir := range order {
		first := map[string]string{}
		for _, f := range dirs[dir] {
			q := t.Qualifier(f.Name)
			if !q.Known || q.Skipped || q.Ext == "cat" || q.Ext == "diff" || q.Special && !generates(f.Name) {
				continue
			}
			key := "all"
			switch {
			case q.Host != "":
				key = "host " + q.Host
			case q.Group != "":
				key = "group " + q.Group + " with " + q.Priority
			}
			other, taken := first[key]
			switch {
			case !taken:
				first[key] = f.Name
			case key == "all":
				t.Error(tree.At(f.Name), "multiple-global-handlers", fmt.Sprintf("%s is for every host too; the larger name is taken", path.Base(other)), "remove one of them")
			default:
				t.Warn(tree.At(f.Name), "cfg-tie", fmt.Sprintf("%s is for the same %s; the larger name is taken", path.Base(other), key), "remove one of them")
			}
		}
	}
}

// generates tells whether a special file is content for every host.
func generates(name string) bool {
	base := path.Base(name)
	return base == "authorized_keys.xml" || base == "authorizedkeys.xml"
}
