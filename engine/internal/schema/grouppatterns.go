// SPDX-License-Identifier: Apache-2.0

package schema

func groupPatterns() *Schema {
	return &Schema{Name: "grouppatterns", Roots: []string{"GroupPatterns"}, Elements: map[string]*Element{
		"GroupPatterns": {Children: []string{"GroupPattern", "GroupPatterns"}},
		"GroupPattern":  {Children: []string{"NamePattern", "NameRange", "Group"}},
		"NamePattern":   {}, "NameRange": {}, "Group": {},
	}}
}

// awsTags is AWSTags/config.xml, GroupPatterns over the tags of an instance.
func awsTags() *Schema {
	return &Schema{Name: "awstags", Roots: []string{"AWSTags"}, Elements: map[string]*Element{
		"AWSTags": {Children: []string{"Tag", "AWSTags"}},
		"Tag":     {Attrs: attrs(required(text("name")), text("value")), Children: []string{"Group"}},
		"Group":   {},
	}}
}
