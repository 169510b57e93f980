// SPDX-License-Identifier: Apache-2.0

package schema

func groupLogic() *Schema {
	inside := []string{"Group", "Client", "GroupLogic"}
	around := condition(inside)
	around.Attrs = attrs(around.Attrs, text("category"))
	return &Schema{Name: "grouplogic", Roots: []string{"GroupLogic"}, Elements: map[string]*Element{
		"GroupLogic": {Children: inside}, "Group": around, "Client": condition(inside),
	}}
}
