// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/plugins/packages/index"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// source is one Source of sources.xml.
type source struct {
	rule  plugin.Guarded
	kind  string
	archs []arch
	keys  []string

	name, url, rawURL, version       string
	components, blacklist, whitelist []string
	// options go into the repository's configuration on hosts.
	options []config.Attr
	debsrc  bool
	// recommended: what packages recommend is needed too. essential: what every
	// host needs is added.
	recommended, essential bool
	// index is what the source has, once it was needed; bad why not all of it is known.
	index *index.Index
	bad   *problem.Problem
	// group is the innermost Group around the source, "" for none.
	group string
	// base are the magic groups, none where they are off.
	base []int
}

// arch is an architecture: a name, and the group of that name.
type arch struct {
	name  string
	group int
}

// types maps the type of a source to that of the packages from it.
var types = map[string]string{"apt": "deb", "yum": "yum", "pac": "pacman", "pkgng": "pkgng"}

// compile lists the Source elements in document order, those of included files too.
func compile(env plugin.Env, root *xmltree.Element) []source {
	place := map[*xmltree.Element]int{}
	group := map[*xmltree.Element]string{}
	var down func(e *xmltree.Element, inner string)
	down = func(e *xmltree.Element, inner string) {
		place[e], group[e] = len(place), inner
		if e.Is("Group") && !e.True("negate") {
			inner = e.Get("name")
		}
		for _, c := range e.Children {
			down(c, inner)
		}
	}
	down(root, "")
	var found []plugin.Guarded
	var collect func(list []plugin.Guarded)
	collect = func(list []plugin.Guarded) {
		for _, g := range list {
			switch {
			case g.Element.Is("Source"):
				found = append(found, g)
			case g.Element.Is("Sources"):
				collect(g.Within())
			}
		}
	}
	collect(plugin.Compile(env.Voc, root, false).Flatten())
	slices.SortFunc(found, func(a, b plugin.Guarded) int { return place[a.Element] - place[b.Element] })
	out := make([]source, len(found))
	for i, g := range found {
		out[i] = newSource(env, g)
		out[i].group = group[g.Element]
	}
	return out
}

func newSource(env plugin.Env, g plugin.Guarded) source {
	e := g.Element
	s := source{
		rule: g, kind: types[e.Get("type")], name: e.Get("name"), version: e.Get("version"),
		url: folder(e.Get("url")), rawURL: folder(e.Get("rawurl")), debsrc: e.True("debsrc"),
		recommended: e.True("recommended"), essential: true,
	}
	if _, ok := e.Lookup("essential"); ok {
		s.essential = e.True("essential")
	}
	if s.kind == "" {
		env.Report(problem.New(e.AttrPos("type"), "unknown-source-type", fmt.Sprintf("source type %q is not known", e.Get("type")), "use apt, yum, pac or pkgng"))
	}
	for _, c := range e.Children {
		switch {
		case c.Is("Arch"):
			s.archs = append(s.archs, arch{c.Text, env.Voc.ID(c.Text)})
		case c.Is("GPGKey"):
			s.keys = append(s.keys, c.Text)
		case c.Is("Component"):
			s.components = append(s.components, c.Text)
		case c.Is("Blacklist"):
			s.blacklist = append(s.blacklist, c.Text)
		case c.Is("Whitelist"):
			s.whitelist = append(s.whitelist, c.Text)
		case c.Is("Options") && !c.True("serveronly"):
			for _, a := range plugin.Attributes(c) {
				if a.Name != "clientonly" && a.Name != "serveronly" {
					s.options = append(s.options, a)
				}
			}
		}
	}
	if len(s.archs) == 0 {
		env.Report(problem.Warn(e.Pos, "source-without-arch", "a source without Arch applies to no host", "add the Arch elements, named as groups of the hosts"))
	}
	return s
}

// folder ends an address with a slash.
func folder(url string) string {
	if url == "" || strings.HasSuffix(url, "/") {
		return url
	}
	return url + "/"
}

func (s *source) applies(v *memo.View) bool {
	if len(s.base) > 0 && !slices.ContainsFunc(s.base, v.InGroup) {
		return false
	}
	return s.rule.Holds(v, "") && slices.ContainsFunc(s.archs, func(a arch) bool { return v.InGroup(a.group) })
}
