// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"fmt"
	"strconv"
	"strings"
)

// prioritized tells whether the files of a directory have priorities.
func prioritized(dir string) bool {
	switch dir {
	case "Rules", "Defaults", "Pkgmgr", "Svcmgr", "Deps":
		return true
	}
	return false
}

// priority reads one as Python's int does; what it does not understand is -1.
func priority(value string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil {
		return -1, false
	}
	return n, true
}

// priorities reports bogus-priority.
func (t look) priorities() {
	for _, d := range t.Docs {
		if !prioritized(d.Dir) || d.Templated && strings.Contains(d.Root.Get("priority"), "$") || t.Includes[d.File] {
			continue
		}
		value, said := d.Root.Lookup("priority")
		if _, ok := priority(value); ok {
			continue
		}
		if !said {
			t.Error(d.Root.Pos, "bogus-priority", "the list has no priority; it counts as -1", `add priority="0"`)
			continue
		}
		t.Error(d.Root.AttrPos("priority"), "bogus-priority", fmt.Sprintf("the priority %q is no whole number; it counts as -1", value), "write a whole number")
	}
}
