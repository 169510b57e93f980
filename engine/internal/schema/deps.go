// SPDX-License-Identifier: Apache-2.0

package schema

// deps is a list of entries that need others; only tag and name count.
func deps() *Schema {
	inside := append([]string{"Group", "Client"}, entryTags()...)
	elements := map[string]*Element{
		"Dependencies": {Attrs: priority(), Children: inside}, "Group": condition(inside), "Client": condition(inside),
	}
	for tag, e := range literal() {
		elements[tag] = &Element{Attrs: e.Attrs, Children: entryTags(), Old: e.Old}
	}
	return &Schema{Name: "deps", Roots: []string{"Dependencies"}, Elements: elements}
}
