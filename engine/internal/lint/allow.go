// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/lint/verdict"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// allowance is a comment of a file that takes findings of a code as they are.
type allowance struct {
	pos    problem.Pos
	code   string
	reason string
	// from and to are where it holds; both without line: everywhere in the file.
	from, to problem.Pos
	used     bool
}

var (
	allowInXML  = regexp.MustCompile(`(?s)<!--\s*bindery:allow\b(.*?)-->`)
	allowInText = regexp.MustCompile(`(?m)^.*?(?:#|//|;|--|/\*|")\s*bindery:allow\b(.*)$`)
)

// Settle gives findings the severities that the settings ask for, and leaves out
// those that the files themselves allow. Errors that stop something stay. built
// tells whether hosts were built, so that what only a build finds was looked for.
func (l *Linter) Settle(found []*problem.Problem, built bool) []*problem.Problem {
	out := slices.Clone(l.wrong)
	allowed := l.tree.allowances()
	for _, p := range found {
		severity := l.tree.Severities.Of(p)
		if severity == verdict.Silent || allows(allowed, p) {
			continue
		}
		q := *p
		q.Severity = severity
		out = append(out, &q)
	}
	for _, list := range allowed {
		for _, a := range list {
			if p := a.judge(built); p != nil && l.tree.Severities.Of(p) != verdict.Silent {
				out = append(out, p)
			}
		}
	}
	return problem.Sort(out)
}

// allows tells whether a comment takes a finding away.
func allows(all map[string][]*allowance, p *problem.Problem) bool {
	taken := false
	for _, a := range all[p.Pos.File] {
		if a.code != p.Code || !a.covers(p.Pos) {
			continue
		}
		a.used = true
		taken = taken || a.reason != "" && !verdict.Stops(p)
		if verdict.Stops(p) {
			a.code = refusedCode + a.code
		}
	}
	return taken
}

// refusedCode marks the code of an allowance that cannot be granted.
const refusedCode = "!"

func (a *allowance) covers(pos problem.Pos) bool {
	if a.from.Line == 0 {
		return true
	}
	before := func(x, y problem.Pos) bool {
		return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column)) <= 0
	}
	return pos.Line > 0 && before(a.from, pos) && before(pos, a.to)
}

// judge tells what is wrong with an allowance itself.
func (a *allowance) judge(built bool) *problem.Problem {
	code, refused := strings.CutPrefix(a.code, refusedCode)
	switch {
	case code == "":
		return problem.Warn(a.pos, "allow-without-reason", "the comment allows nothing", "write bindery:allow CODE and a reason")
	case refused:
		return problem.Warn(a.pos, "allow-refused", code+" stops something here, and cannot be allowed", "mend it, and remove the comment")
	case a.reason == "":
		return problem.Warn(a.pos, "allow-without-reason", "the comment does not say why, and does not hold", "write the reason behind "+code)
	case !a.used && (built || !OnlyBuilt(code)):
		return problem.Warn(a.pos, "allow-unused", "the comment allows "+code+", which is not found where it holds", "remove the comment")
	}
	return nil
}

// OnlyBuilt tells whether a finding is only made by a build of hosts.
func OnlyBuilt(code string) bool {
	return slices.Contains([]string{
		"category-conflict", "secret-key-missing", "no-package-source", "empty-key", "external-data-missing", "host-without-content", "key-locked", "key-not-bound", "no-group-in-category",
		"no-package-configuration", "old-signature", "package-type-unknown", "predefined-group", "undefined-group",
	}, code)
}

// allowances reads the comments of all files, by file.
func (t look) allowances() map[string][]*allowance {
	out := map[string][]*allowance{}
	for _, f := range t.Files {
		if tree.Ignored(path.Base(f.Name)) || !f.Mode.IsRegular() {
			continue
		}
		if d := t.ByName[f.Name]; d != nil {
			if d.Allows {
				data, _ := t.Read(f) // it was read before
				out[f.Name] = inXML(d.Root, f.Name, string(data))
			}
			continue
		}
		if !t.Allows(f) {
			continue
		}
		data, _ := t.Head(f) // it was read before
		head := string(data)
		pattern := allowInText
		if path.Ext(f.Name) == ".xml" {
			pattern = allowInXML
		}
		for _, m := range pattern.FindAllStringSubmatchIndex(head, -1) {
			a := parseAllowance(head[m[2]:m[3]])
			a.pos = tree.Position(f.Name, []byte(head), m[0])
			out[f.Name] = append(out[f.Name], a)
		}
	}
	return out
}

// inXML reads the comments of a document. One inside the root element holds for the
// element behind it, one outside for the file.
func inXML(root *xmltree.Element, name, text string) []*allowance {
	inside := map[int][]*allowance{}
	var visit func(x *xmltree.Element)
	visit = func(x *xmltree.Element) {
		for i, c := range x.Children {
			if c.Kind != xmltree.Comment || !strings.HasPrefix(strings.TrimSpace(c.Text), "bindery:allow") {
				visit(c)
				continue
			}
			a := parseAllowance(strings.TrimPrefix(strings.TrimSpace(c.Text), "bindery:allow"))
			a.pos, a.from, a.to = c.Pos, c.Pos, c.Pos
			if next := slices.IndexFunc(x.Children[i:], func(e *xmltree.Element) bool { return e.Kind == xmltree.Node }); next >= 0 {
				a.from, a.to = extent(x.Children[i+next])
			}
			inside[c.Pos.Line] = append(inside[c.Pos.Line], a)
		}
	}
	visit(root)
	var out []*allowance
	for _, m := range allowInXML.FindAllStringSubmatchIndex(text, -1) {
		pos := tree.Position(name, []byte(text), m[0])
		if list := inside[pos.Line]; len(list) > 0 {
			out = append(out, list[0])
			inside[pos.Line] = list[1:]
			continue
		}
		a := parseAllowance(text[m[2]:m[3]])
		a.pos = pos
		out = append(out, a)
	}
	return out
}

// extent is from where to where the elements and attributes of an element stand.
func extent(x *xmltree.Element) (from, to problem.Pos) {
	from, to = x.Pos, x.Pos
	later := func(line, column int) {
		if line > to.Line || line == to.Line && column > to.Column {
			to.Line, to.Column = line, column
		}
	}
	x.Walk(func(e *xmltree.Element) bool {
		later(e.Pos.Line, e.Pos.Column)
		for i := range e.Attrs {
			later(e.Attrs[i].Line, e.Attrs[i].Column)
		}
		return true
	})
	return from, to
}

// parseAllowance reads "CODE reason".
func parseAllowance(text string) *allowance {
	text = strings.TrimSuffix(strings.TrimSpace(text), "*/")
	code, reason, _ := strings.Cut(strings.TrimSpace(text), " ")
	return &allowance{code: code, reason: strings.Trim(strings.TrimSpace(reason), "#-\" ")}
}
