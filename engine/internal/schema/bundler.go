// SPDX-License-Identifier: Apache-2.0

package schema

import "maps"

// structure is what Bundler and Base share: abstract entries, Bound entries and
// conditions around them.
func structure(extra ...string) map[string]*Element {
	out := map[string]*Element{}
	inside := append([]string{"Group", "Client"}, extra...)
	for tag, full := range literal() {
		bound := *full
		out["Bound"+tag] = &bound
		abstract := *full
		// An abstract entry may say more than its name: what it says wins over Rules.
		abstract.Attrs = attrs(optional(full.Attrs), text("altsrc"))
		switch tag {
		case "Path":
			abstract.Attrs = attrs(abstract.Attrs, text("glob"))
		case "Package":
			abstract.Attrs = attrs(without(abstract.Attrs, "type"), oneOf("type", packageTypes+" "+groupKinds))
		case "Service", "Action":
			abstract.Attrs = attrs(abstract.Attrs, text("verify"))
		}
		out[tag] = &abstract
		inside = append(inside, tag, "Bound"+tag)
	}
	out["BoundPath"].Attrs = attrs(out["BoundPath"].Attrs, text("altsrc"))
	for tag, hint := range oldTags() {
		out[tag] = &Element{Open: true, Old: hint}
		inside = append(inside, tag)
	}
	maps.Copy(out, children())
	inside = append(inside, sortedKeys(children())...)
	out["Group"] = condition(inside)
	out["Client"] = condition(inside)
	return out
}

func without(list []Attr, name string) []Attr {
	var out []Attr
	for _, a := range list {
		if a.Name != name {
			out = append(out, a)
		}
	}
	return out
}

func bundler() *Schema {
	elements := structure("Bundle", "RequiredBundle")
	elements["Bundle"] = &Element{
		Attrs:    attrs(text("name", "description", "version", "origin", "revision"), flag("independent", "lax_decryption")),
		Children: elements["Group"].Children,
	}
	elements["RequiredBundle"] = &Element{Attrs: attrs(required(text("name")), flag("inherit_modification"))}
	return &Schema{Name: "bundle", Roots: []string{"Bundle", "SGenshi"}, Elements: elements}
}

func base() *Schema {
	elements := structure()
	elements["Base"] = &Element{Attrs: text("description", "version", "origin", "revision"), Children: elements["Group"].Children}
	return &Schema{Name: "base", Roots: []string{"Base"}, Elements: elements}
}
