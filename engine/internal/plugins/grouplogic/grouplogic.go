// SPDX-License-Identifier: Apache-2.0

// Package grouplogic is Bcfg2's GroupLogic: groups that follow from the groups of a
// host, by conditions and Genshi markup. It must not know what the groups are for.
package grouplogic

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/tmpl/render"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

const file = "GroupLogic/groups.xml"

// maxNested is how deep questions about other hosts are followed. A template that
// asks for the groups of other hosts sees what GroupLogic gives those, made from
// what they are without it.
const maxNested = 2

// GroupLogic is safe for concurrent use.
type GroupLogic struct {
	// doc is nil where there is no document.
	doc *plugin.StructFile
	// bad is why the document cannot be used.
	bad    *problem.Problem
	levels [maxNested]level
}

// level is what is known of hosts that are resolved for a question of one depth.
type level struct {
	doc   *plugin.StructFile
	given memo.Tree[*given]
}

// given is what the document gives hosts that answer alike.
type given struct {
	groups []host.Grant
	failed *problem.Problem
}

var _ plugin.Connector = (*GroupLogic)(nil)

// New reads the file.
func New(env plugin.Env) *GroupLogic {
	g := &GroupLogic{}
	if _, err := fs.Stat(env.FS, file); errors.Is(err, fs.ErrNotExist) {
		return g
	}
	if g.doc, g.bad = plugin.ReadStructFile(env, file, plugin.StructOptions{Follow: true}); g.bad != nil {
		env.Report(g.bad)
		return g
	}
	for i := range g.levels {
		// Data of other plugins are attached to a host when its groups are known.
		g.levels[i].doc = g.doc.With(render.New(render.Config{Sources: env.Sources, Fleet: env.Others(i + 1), Vault: env.Vault}).ForGroups())
	}
	return g
}

// Name is the plugin's name.
func (g *GroupLogic) Name() string { return "GroupLogic" }

// Groups gives the groups that are left when the template is rendered and the
// conditions are tested. A host for which that fails is refused: without its groups
// it would be another one.
func (g *GroupLogic) Groups(h *host.Host) ([]host.Grant, *problem.Problem) {
	switch {
	case g.bad != nil:
		return nil, problem.New(g.bad.Pos, "group-logic-failed", "the groups of GroupLogic cannot be known: "+g.bad.Msg, g.bad.Hint)
	case g.doc == nil, h.Nested >= maxNested:
		return nil, nil
	}
	l := &g.levels[h.Nested]
	got := l.given.Get(memo.NewView(h), func(v *memo.View) *given { return give(v, l.doc) })
	return got.groups, got.failed
}

func give(v *memo.View, doc *plugin.StructFile) *given {
	root, p := doc.Document(v)
	if p != nil {
		return &given{failed: problem.New(p.Pos, "group-logic-failed", "the groups of GroupLogic cannot be known: "+p.Msg, p.Hint)}
	}
	out := &given{}
	for _, e := range remaining(v, root) {
		name, named := e.Lookup("name")
		if !named {
			return &given{failed: problem.New(e.Pos, "group-logic-failed", "a Group without a name gives no group", "give it a name")}
		}
		out.groups = append(out.groups, host.Grant{Group: name, Category: e.Get("category")})
	}
	return out
}

// remaining gives the groups without children below an element, in the order that
// Bcfg2 leaves them in: what a condition holds stands behind what stands beside it.
func remaining(v *memo.View, e *xmltree.Element) []*xmltree.Element {
	var here, moved []*xmltree.Element
	for _, c := range e.Children {
		if c.Kind != xmltree.Node {
			continue
		}
		condition, ok := render.Holds(v, c)
		switch {
		case c.Is("Group") && !slices.ContainsFunc(c.Children, isElement):
			here = append(here, c)
		case condition && ok:
			moved = append(moved, remaining(v, c)...)
		}
	}
	return append(here, moved...)
}

func isElement(e *xmltree.Element) bool { return e.Kind == xmltree.Node }
