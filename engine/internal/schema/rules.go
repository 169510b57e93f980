// SPDX-License-Identifier: Apache-2.0

package schema

import "maps"

// priorities is a list of literal entries with a priority: Rules, Defaults, Svcmgr.
func priorities(name, root string) *Schema {
	elements := literal()
	inside := append([]string{"Group", "Client"}, sortedKeys(elements)...)
	for tag, hint := range oldTags() {
		elements[tag] = &Element{Open: true, Old: hint}
		inside = append(inside, tag)
	}
	maps.Copy(elements, children())
	// Bcfg2 reads Rules by tag and name only, so that children may be conditional too.
	inside = append(inside, sortedKeys(children())...)
	elements["Group"] = condition(inside)
	elements["Client"] = condition(inside)
	elements[root] = &Element{Attrs: attrs(priority(), flag("lax_decryption")), Children: inside}
	return &Schema{Name: name, Roots: []string{root}, Elements: elements}
}

// priority is not required here: the check of priorities says it better.
func priority() []Attr { return text("priority") }

func rules() *Schema { return priorities("rules", "Rules") }

func svcmgr() *Schema { return priorities("svcmgr", "Services") }
