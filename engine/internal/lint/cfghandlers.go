// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"path"
)

// cfgHandlers reports multiple-global-handlers, cfg-tie.
func (t *tree) cfgHandlers() {
	order, dirs := t.cfgDirs()
	for _, dir := range order {
		first := map[string]string{}
		for _, f := range dirs[dir] {
			q := t.qualifier(f.name)
			if !q.known || q.skipped || q.ext == "cat" || q.ext == "diff" || q.special && !generates(f.name) {
				continue
			}
			key := "all"
			switch {
			case q.host != "":
				key = "host " + q.host
			case q.group != "":
				key = "group " + q.group + " with " + q.priority
			}
			other, taken := first[key]
			switch {
			case !taken:
				first[key] = f.name
			case key == "all":
				t.error(at(f.name), "multiple-global-handlers", fmt.Sprintf("%s is for every host too; the larger name is taken", path.Base(other)), "remove one of them")
			default:
				t.warn(at(f.name), "cfg-tie", fmt.Sprintf("%s is for the same %s; the larger name is taken", path.Base(other), key), "remove one of them")
			}
		}
	}
}

// generates tells whether a special file is content for every host.
func generates(name string) bool {
	base := path.Base(name)
	return base == "authorized_keys.xml" || base == "authorizedkeys.xml"
}
