// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"fmt"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

// profiles reports nonexistent-profile-group and non-profile-set-as-profile.
func (t look) profiles() {
	if t.ByName[tree.GroupsFile] == nil {
		return // every profile would be missing; the cause is said elsewhere.
	}
	var names []string
	for _, x := range t.Groups.Top {
		if tree.Exact(x, "profile") {
			names = append(names, x.Get("name"))
		}
	}
	for _, c := range t.Clients {
		profile, said := c.X.Lookup("profile")
		if !said {
			continue
		}
		switch def := t.Groups.First[profile]; {
		case def == nil && !t.Groups.Named[profile]:
			hint := ""
			if near := t.Nearest(profile, names); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			t.Error(c.X.AttrPos("profile"), "nonexistent-profile-group", fmt.Sprintf("the profile %q of %s is no group", profile, c.Name), hint)
		case def == nil || !tree.Exact(def, "profile"):
			hint := `add profile="true" to the group`
			if def != nil {
				hint += " at " + def.Pos.String()
			}
			t.Error(c.X.AttrPos("profile"), "non-profile-set-as-profile", fmt.Sprintf("the group %q of %s is not a profile", profile, c.Name), hint)
		}
	}
}
