// SPDX-License-Identifier: Apache-2.0

package lint

import "fmt"

// profiles reports nonexistent-profile-group and non-profile-set-as-profile.
func (t *tree) profiles() {
	if t.byName[groupsFile] == nil {
		return // every profile would be missing; the cause is said elsewhere.
	}
	var names []string
	for _, x := range t.groups.top {
		if exact(x, "profile") {
			names = append(names, x.Get("name"))
		}
	}
	for _, c := range t.clients {
		profile, said := c.x.Lookup("profile")
		if !said {
			continue
		}
		switch def := t.groups.first[profile]; {
		case def == nil && !t.groups.named[profile]:
			hint := ""
			if near := t.nearest(profile, names); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			t.error(c.x.AttrPos("profile"), "nonexistent-profile-group", fmt.Sprintf("the profile %q of %s is no group", profile, c.name), hint)
		case def == nil || !exact(def, "profile"):
			hint := `add profile="true" to the group`
			if def != nil {
				hint += " at " + def.Pos.String()
			}
			t.error(c.x.AttrPos("profile"), "non-profile-set-as-profile", fmt.Sprintf("the group %q of %s is not a profile", profile, c.name), hint)
		}
	}
}
