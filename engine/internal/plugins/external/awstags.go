// SPDX-License-Identifier: Apache-2.0

package external

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

const tagsFile = "AWSTags/config.xml"

// tags gives groups by the tags that a machine has at Amazon. It is safe for
// concurrent use.
type tags struct{ rules []tagRule }

// tagRule is one Tag: the first tag whose name fits counts, and where a value is
// wanted, its value must fit too.
type tagRule struct {
	name, value *regexp.Regexp
	groups      []string
}

var _ plugin.Connector = (*tags)(nil)

func newTags(env plugin.Env) *tags {
	t := &tags{}
	plugin.Elements(env, tagsFile, "Tag", func(e *xmltree.Element) { t.add(env, e) })
	return t
}

func (t *tags) add(env plugin.Env, e *xmltree.Element) {
	var r tagRule
	for _, part := range []struct {
		attr string
		re   **regexp.Regexp
	}{{"name", &r.name}, {"value", &r.value}} {
		expr, ok := e.Lookup(part.attr)
		if !ok && part.attr == "value" {
			continue
		}
		re, err := plugin.CompilePython(expr)
		if err != nil {
			env.Report(problem.New(e.AttrPos(part.attr), "bad-regex", fmt.Sprintf("the pattern %q cannot be used: %v", expr, err), ""))
			return
		}
		*part.re = re
	}
	for _, c := range e.Children {
		if c.Is("Group") {
			r.groups = append(r.groups, c.Text)
			env.Voc.ID(c.Text) // a condition can ask for the group
		}
	}
	t.rules = append(t.rules, r)
}

// Name is the plugin's name.
func (*tags) Name() string { return "AWSTags" }

// Groups gives the groups of the tags that are recorded, and attaches the tags.
func (t *tags) Groups(h *host.Host) ([]host.Grant, *problem.Problem) {
	text, ok := h.External["AWSTags"]
	if !ok {
		return nil, missing("AWSTags", "the host gets no groups by its tags")
	}
	var have map[string]string
	if decode(text, &have) != nil {
		return nil, unusable("AWSTags", h)
	}
	h.Attach("AWSTags", text)
	names := slices.Sorted(maps.Keys(have))
	seen := map[string]bool{}
	var out []host.Grant
	for i := range t.rules {
		for _, g := range t.rules[i].match(names, have) {
			if !seen[g] {
				seen[g] = true
				out = append(out, host.Grant{Group: g})
			}
		}
	}
	return out, nil
}

func (r *tagRule) match(names []string, have map[string]string) []string {
	for _, n := range names {
		text, m := n, r.name.FindStringSubmatchIndex(n)
		if m == nil {
			continue
		}
		if r.value != nil {
			text = have[n]
			if m = r.value.FindStringSubmatchIndex(text); m == nil {
				return nil
			}
		}
		return filled(r.groups, text, m)
	}
	return nil
}

// filled puts what was captured into the names of groups.
func filled(groups []string, text string, m []int) []string {
	out := slices.Clone(groups)
	for i := 1; i < len(m)/2; i++ {
		captured := ""
		if m[2*i] >= 0 {
			captured = text[m[2*i]:m[2*i+1]]
		}
		for j := range out {
			out[j] = strings.ReplaceAll(out[j], "$"+strconv.Itoa(i), captured)
		}
	}
	return out
}
