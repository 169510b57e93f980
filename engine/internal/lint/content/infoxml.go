// SPDX-License-Identifier: Apache-2.0

package content

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// infoXML says once for the whole tree that defaults fill in what Infos leave
// out: they are well defined, and many sites rely on them.
func (t look) infoXML() {
	incomplete, first := 0, problem.Pos{}
	for _, d := range t.Docs {
		if d.Schema == nil || d.Schema.Name != "info" || d.Templated {
			continue
		}
		plain, conditional, all := infos(d.Root)
		for _, x := range all {
			t.info(x, &incomplete, &first)
		}
		switch {
		case len(all) == 0:
			t.Error(d.Root.Pos, "no-info", "there is no Info: the file cannot be bound", `write <Info owner="root" group="root" mode="0644"/>`)
		case len(plain) > 1:
			t.Warn(plain[1].Pos, "several-info", "more than one Info holds for every host; the last one is used alone", "keep one of them")
		case len(plain) == 1 && len(conditional) > 0:
			t.Warn(plain[0].Pos, "several-info", "this Info holds for every host, and so may a conditional one: that one is used alone, nothing is joined",
				"put this one into the opposite condition")
		}
	}
	if incomplete > 0 {
		t.Warn(first, "required-infoxml-attrs-missing",
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

// paranoid reports paranoid-false of an Info.
func (t look) paranoid(x *xmltree.Element) {
	switch value, said := x.Lookup("paranoid"); {
	case said && strings.EqualFold(value, "false"):
		t.Warn(x.AttrPos("paranoid"), "paranoid-false", "no copy is kept of what this file replaces", "write paranoid=\"true\"")
	case !said && strings.EqualFold(t.Option("mdata", "paranoid"), "false"):
		t.Warn(x.Pos, "paranoid-false", "no copy is kept of what this file replaces: [mdata] of bcfg2.conf says so", "write paranoid=\"true\"")
	}
}

// noInfoXML reports no-infoxml.
func (t look) noInfoXML() {
	order, dirs := t.CfgDirs()
	for _, dir := range order {
		content := len(t.contents(dirs[dir])) > 0
		for _, f := range dirs[dir] {
			switch path.Base(f.Name) {
			case "info.xml", ":info", "info":
				content = false
			}
		}
		if content {
			t.Warn(tree.At(dir), "no-infoxml", "nothing says owner, group and mode", "write "+dir+"/info.xml")
		}
	}
}

func (t look) info(x *xmltree.Element, incomplete *int, first *problem.Pos) {
	t.paranoid(x)
	if x.Get("mode") == "inherit" || x.Get("perms") == "inherit" {
		t.Warn(x.Pos, "deprecated-mode-inherit", "the mode of a file in a repository says little", "write the mode")
	}
	wanted := strings.Fields(strings.ReplaceAll(t.Option("infoxml", "required_attrs"), ",", " "))
	if len(wanted) == 0 {
		wanted = []string{"owner", "group", "mode"}
	}
	missing := slices.ContainsFunc(wanted, func(name string) bool {
		return !tree.Has(x, name) && !(name == "mode" && tree.Has(x, "perms"))
	})
	if !missing || len(x.Attrs) == 0 {
		return
	}
	if *incomplete == 0 {
		*first = x.Pos
	}
	*incomplete++
}
