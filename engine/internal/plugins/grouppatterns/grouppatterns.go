// SPDX-License-Identifier: Apache-2.0

// Package grouppatterns is Bcfg2's GroupPatterns: groups by the host's name. It
// must not know what the groups are for.
package grouppatterns

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

const file = "GroupPatterns/config.xml"

// GroupPatterns is safe for concurrent use.
type GroupPatterns struct{ patterns []pattern }

// pattern is one NamePattern or NameRange with the groups beside it.
type pattern struct {
	re     *regexp.Regexp
	ranges [][]span // the numbers that each capture of a NameRange may be
	groups []host.Grant
}

type span struct{ from, to int }

var _ plugin.Connector = (*GroupPatterns)(nil)

// New reads the file. A pattern that cannot be used is reported and left out.
func New(env plugin.Env) *GroupPatterns {
	g := &GroupPatterns{}
	plugin.Elements(env, file, "GroupPattern", func(e *xmltree.Element) { g.add(env, e) })
	return g
}

func (g *GroupPatterns) add(env plugin.Env, e *xmltree.Element) {
	var groups []host.Grant
	for _, c := range e.Children {
		if c.Is("Group") {
			groups = append(groups, host.Grant{Group: c.Text})
			// A condition can ask for the group by a literal name only.
			env.Voc.ID(c.Text)
		}
	}
	for _, c := range e.Children {
		var p pattern
		var err error
		switch {
		case c.Is("NamePattern"):
			p.re, err = plugin.CompilePython(c.Text)
		case c.Is("NameRange"):
			p, err = nameRange(c.Text)
		default:
			continue
		}
		if err != nil {
			env.Report(problem.New(c.Pos, "bad-regex", fmt.Sprintf("the pattern %q cannot be used: %v", c.Text, err), ""))
			continue
		}
		p.groups = groups
		g.patterns = append(g.patterns, p)
	}
}

var rangePart = regexp.MustCompile(`\[\[[\d\-,]+\]\]`)

// nameRange compiles text with [[1-3,7]] parts: anchored at the start only, what
// is around the parts is a regular expression.
func nameRange(text string) (pattern, error) {
	if strings.Contains(text, `\`) {
		return pattern{}, fmt.Errorf("a NameRange holds no backslash")
	}
	// Bcfg2 finds the parts by matching the text with itself, so that what is
	// around them must be as good as literal.
	var p pattern
	self, err := plugin.CompilePython("^(?:" + rangePart.ReplaceAllLiteralString(text, `\[\[([\d\-,]+)\]\]`) + ")")
	if err != nil {
		return pattern{}, err
	}
	if self.NumSubexp() != len(rangePart.FindAllString(text, -1)) || !self.MatchString(text) {
		return pattern{}, errors.New("what is around the numbers is too complex")
	}
	for _, part := range rangePart.FindAllString(text, -1) {
		var spans []span
		for s := range strings.SplitSeq(strings.Trim(part, "[]"), ",") {
			from, to, isSpan := strings.Cut(s, "-")
			if !isSpan {
				to = from
			}
			a, err := strconv.Atoi(from)
			if err != nil {
				return pattern{}, fmt.Errorf("%q is no range", s)
			}
			b, err := strconv.Atoi(to)
			if err != nil {
				return pattern{}, fmt.Errorf("%q is no range", s)
			}
			spans = append(spans, span{a, b})
		}
		p.ranges = append(p.ranges, spans)
	}
	p.re, err = plugin.CompilePython("^(?:" + rangePart.ReplaceAllLiteralString(text, `(\d+)`) + ")")
	return p, err
}

// Name is the plugin's name.
func (g *GroupPatterns) Name() string { return "GroupPatterns" }

// Groups gives the groups of every pattern that the host's name matches.
func (g *GroupPatterns) Groups(h *host.Host) ([]host.Grant, *problem.Problem) {
	var out []host.Grant
	for i := range g.patterns {
		out = append(out, g.patterns[i].match(h.Name)...)
	}
	return out, nil
}

func (p *pattern) match(name string) []host.Grant {
	m := p.re.FindStringSubmatchIndex(name)
	if m == nil {
		return nil
	}
	if p.ranges != nil {
		for i, spans := range p.ranges {
			n, err := strconv.Atoi(name[m[2*i+2]:m[2*i+3]])
			if err != nil || !within(spans, n) {
				return nil
			}
		}
		return p.groups
	}
	out := slices.Clone(p.groups)
	for i := 1; i < len(m)/2; i++ {
		if m[2*i] < 0 {
			return nil // a capture that took no part voids the pattern
		}
		for j := range out {
			out[j].Group = strings.ReplaceAll(out[j].Group, "$"+strconv.Itoa(i), name[m[2*i]:m[2*i+1]])
		}
	}
	return out
}

func within(spans []span, n int) bool {
	for _, s := range spans {
		if s.from <= n && n <= s.to {
			return true
		}
	}
	return false
}
