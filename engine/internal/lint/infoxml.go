// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"

	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// infoXML says once for the whole tree that defaults fill in what Infos leave
// out: they are well defined, and many sites rely on them.
func (t *tree) infoXML() {
	incomplete, first := 0, problem.Pos{}
	for _, d := range t.docs {
		if d.schema == nil || d.schema.Name != "info" || d.templated {
			continue
		}
		plain, conditional, all := infos(d.root)
		for _, x := range all {
			t.info(x, &incomplete, &first)
		}
		switch {
		case len(all) == 0:
			t.error(d.root.Pos, "no-info", "there is no Info: the file cannot be bound", `write <Info owner="root" group="root" mode="0644"/>`)
		case len(plain) > 1:
			t.warn(plain[1].Pos, "several-info", "more than one Info holds for every host; the last one is used alone", "keep one of them")
		case len(plain) == 1 && len(conditional) > 0:
			t.warn(plain[0].Pos, "several-info", "this Info holds for every host, and so may a conditional one: that one is used alone, nothing is joined",
				"put this one into the opposite condition")
		}
	}
	if incomplete > 0 {
		t.warn(first, "required-infoxml-attrs-missing",
			fmt.Sprintf("this Info leaves out owner, group or mode (as do %d others): root, root and 0644 are taken", incomplete-1), "say all three")
	}
}

// infos gives the Info elements that hold for all, those in conditions, and both.
func infos(root *xmltree.Element) (plain, conditional, all []*xmltree.Element) {
	for _, c := range root.Children {
		if c.Is("Info") {
			plain = append(plain, c)
			continue
		}
		if !c.Is("Group") && !c.Is("Client") && !c.Is("Path") {
			continue
		}
		c.Walk(func(x *xmltree.Element) bool {
			if x.Is("Info") {
				conditional = append(conditional, x)
			}
			return x.Kind == xmltree.Node
		})
	}
	all = append(append(all, plain...), conditional...)
	return plain, conditional, all
}

func (t *tree) info(x *xmltree.Element, incomplete *int, first *problem.Pos) {
	if x.Get("mode") == "inherit" || x.Get("perms") == "inherit" {
		t.warn(x.Pos, "deprecated-mode-inherit", "the mode of a file in a repository says little", "write the mode")
	}
	if has(x, "owner") && has(x, "group") && (has(x, "mode") || has(x, "perms")) || len(x.Attrs) == 0 {
		return
	}
	if *incomplete == 0 {
		*first = x.Pos
	}
	*incomplete++
}
