// SPDX-License-Identifier: Apache-2.0

package schema

// pkgmgr is a PackageList. Its elements inherit every attribute from those
// around them, so that Group and PackageList may have a Package's.
func pkgmgr() *Schema {
	inside := []string{"Package", "Group", "Client"}
	inherited := func() []Attr { return without(packageAttrs(), "name") }
	around := func() *Element {
		return &Element{Attrs: attrs(required(text("name")), flag("negate"), inherited()), Children: inside}
	}
	elements := map[string]*Element{
		"PackageList": {Attrs: attrs(inherited(), text("name")), Children: inside},
		"Group":       around(),
		"Client":      around(),
		"Package":     {Attrs: packageAttrs(), Children: []string{"Instance", "Ignore"}},
	}
	for _, tag := range []string{"Instance", "Ignore"} {
		elements[tag] = children()[tag]
	}
	return &Schema{Name: "pkgmgr", Roots: []string{"PackageList"}, Elements: elements}
}
