// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/trail"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// PrioDir is a directory of rule files with priorities, as Rules and Defaults
// have it.
type PrioDir struct {
	plugin string
	files  []*prioFile
	listed map[Name]bool
	opts   PrioOptions
}

// PrioOptions say how a PrioDir is read.
type PrioOptions struct {
	// Regex: names are patterns too.
	Regex bool
	// ReplaceName: %{name} in the value of an attribute is the entry's name.
	ReplaceName bool
}

// Name is the tag and the name of an entry. Named is false for one without name.
type Name struct {
	Tag, Name string
	Named     bool
}

type prioFile struct {
	name     string
	priority int
	// template is set where the rules are made for each host.
	template *StructFile
	rules    ruleSet
	made     memo.Tree[ruleSet]
}

// ruleSet is the rules of a file. bad says why there are none.
type ruleSet struct {
	bad      *problem.Problem
	exact    map[Name][]Guarded
	patterns map[string][]pattern // by tag, in the order in which later ones win
}

type pattern struct {
	text string
	re   *regexp.Regexp // nil: does not compile
	at   problem.Pos
	err  error
	rule Guarded
}

// NewPrioDir reads the files *.xml below dir. A file that is not well-formed is
// reported and left out.
func NewPrioDir(env Env, dir string, opts PrioOptions) *PrioDir {
	d := &PrioDir{plugin: dir, listed: map[Name]bool{}, opts: opts}
	for _, name := range Walk(env, dir) {
		if path.Ext(name) != ".xml" {
			continue
		}
		doc, p := ReadStructFile(env, name, StructOptions{})
		if p != nil {
			env.Report(p)
			continue
		}
		d.files = append(d.files, d.load(env, name, doc))
	}
	slices.SortStableFunc(d.files, func(a, b *prioFile) int { return b.priority - a.priority })
	return d
}

func (d *PrioDir) load(env Env, name string, doc *StructFile) *prioFile {
	f := &prioFile{name: name, priority: Priority(env, doc.Root)}
	if doc.Templated() {
		f.template = doc
		return f
	}
	f.rules = d.sort(doc.nest, env.Report)
	for n := range f.rules.exact {
		d.listed[n] = true
	}
	return f
}

// sort orders the rules of a file by what they are for.
func (d *PrioDir) sort(nest *Nest, report func(*problem.Problem)) ruleSet {
	f := ruleSet{exact: map[Name][]Guarded{}, patterns: map[string][]pattern{}}
	for _, g := range nest.Flatten() {
		if g.Element.Space == xmltree.NSXInclude {
			report(problem.New(g.Element.Pos, "xinclude-not-followed", "xi:include is not followed in "+d.plugin+"; what it names is missing", "move the rules into a file of their own in "+d.plugin))
			continue
		}
		n := nameOf(g.Element)
		f.exact[n] = append(f.exact[n], g)
		if d.opts.Regex && n.Named {
			p := pattern{text: n.Name, rule: g, at: g.Element.AttrPos("name")}
			if _, p.err = CompilePython(n.Name); p.err == nil {
				p.re, p.err = CompilePython("^(?:" + n.Name + `$)`)
			}
			if p.err != nil {
				report(problem.New(p.at, "bad-regex", fmt.Sprintf("the name is no regular expression that can be used here: %v", p.err), "write it without look-around and back-references"))
			}
			f.patterns[n.Tag] = append(f.patterns[n.Tag], p)
		}
	}
	return f
}

// of gives the rules of a file for a host. Patterns of a template that cannot be
// used are found where they stand in the way.
func (d *PrioDir) of(v *memo.View, f *prioFile) ruleSet {
	if f.template == nil {
		return f.rules
	}
	return f.made.Get(v, func(v *memo.View) ruleSet {
		nest, p := f.template.Nest(v)
		if p != nil {
			return ruleSet{bad: p}
		}
		return d.sort(nest, func(*problem.Problem) {})
	})
}

func nameOf(e *xmltree.Element) Name {
	n, ok := e.Lookup("name")
	return Name{Qualified(e.Space, e.Tag), n, ok}
}

// Priority reads the priority of a root element, like Python's int: -1 where it
// is missing or no number.
func Priority(env Env, root *xmltree.Element) int {
	text, ok := root.Lookup("priority")
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil && !errors.Is(err, strconv.ErrRange) { // Python's numbers have no range
		what := fmt.Sprintf("priority %q is no whole number; -1 is taken", text)
		if !ok {
			what = "there is no priority; -1 is taken"
		}
		env.Report(problem.Warn(root.AttrPos("priority"), "bogus-priority", what, `give the root element priority="0"`))
		return -1
	}
	return n
}

// CompilePython compiles a regular expression written for Python's re. What RE2
// cannot express is an error.
func CompilePython(expr string) (*regexp.Regexp, error) {
	expr = strings.ReplaceAll(expr, `\Z`, `\z`)
	return regexp.Compile(noLower.ReplaceAllString(expr, "{0,$1}"))
}

// noLower is a repetition without lower bound, which RE2 takes for text.
var noLower = regexp.MustCompile(`\{,(\d+)\}`)

// Lists tells whether any file names the entry, for whichever host.
func (d *PrioDir) Lists(n Name) bool { return d.listed[n] }

// Names lists the names of a tag that some file names outside all conditions,
// sorted.
func (d *PrioDir) Names(tag string) []string {
	names := map[string]bool{}
	for _, f := range d.files {
		for n, rules := range f.rules.exact {
			if n.Tag == tag && n.Named && len(rules[0].conds) == 0 {
				names[n.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Handles tells whether any file would match the entry, with the other spelling
// of a Path's trailing slash and with patterns. A template that fails may hold
// anything.
func (d *PrioDir) Handles(v *memo.View, n Name) bool {
	for _, f := range d.files {
		if rules := d.of(v, f); rules.bad != nil || rules.handles(n) {
			return true
		}
	}
	return false
}

func (f *ruleSet) handles(n Name) bool {
	if len(f.exact[n]) > 0 || n.Tag == "Path" && len(f.exact[otherSlash(n)]) > 0 {
		return true
	}
	for _, p := range f.patterns[n.Tag] {
		if p.re == nil || p.re.MatchString(n.Name) {
			return true
		}
	}
	return false
}

// otherSlash is the name without its final slashes, or with one if it has none.
func otherSlash(n Name) Name {
	if strings.HasSuffix(n.Name, "/") {
		n.Name = strings.TrimRight(n.Name, "/")
	} else {
		n.Name += "/"
	}
	return n
}

// Rule is what a directory says about an entry for a host.
type Rule struct {
	Guarded
	File     string
	Priority int
	// Tie is another file of the same priority that says something too.
	Tie string
	// Bad is a pattern that does not compile, or a template that fails, and stands
	// in the way.
	Bad *problem.Problem

	replaceName bool
}

// Find returns the rule for an entry: of the file with the highest priority that
// has one for the host. In a file the exact name wins over patterns, and the last
// one over those before it; conditions count as standing behind what stands
// directly in the file.
func (d *PrioDir) Find(v *memo.View, n Name) (Rule, bool) {
	r, ok := d.choose(v, n)
	if ok && v.Trail() != nil && r.Element != nil {
		d.explain(v, n, r)
	}
	return r, ok
}

// explain notes the rule that was chosen, and the others for the entry.
func (d *PrioDir) explain(v *memo.View, n Name, r Rule) {
	r.Explain(v, trail.Rule)
	for _, f := range d.files {
		rules := d.of(v.Aside(), f)
		for _, g := range rules.candidates(n) {
			state := trail.Other
			switch {
			case g.Element == r.Element:
				continue
			case g.Holds(v.Aside(), ""):
				state = trail.Beaten
			}
			v.Trail().Add(trail.Step{Kind: trail.Rule, Pos: g.Element.Pos, Text: g.Element.Tag, For: g.whom(f.priority), State: state})
		}
	}
}

// whom says in words when a rule counts.
func (g *Guarded) whom(priority int) string {
	out := fmt.Sprintf("priority %d", priority)
	for _, c := range g.conds {
		out += ", in " + c.String()
	}
	return out
}

// candidates are the rules of a file that say something about an entry for some host.
func (f *ruleSet) candidates(n Name) []Guarded {
	out := slices.Clone(f.exact[n])
	if n.Tag == "Path" {
		out = append(out, f.exact[otherSlash(n)]...)
	}
	for _, p := range f.patterns[n.Tag] {
		if p.re != nil && p.text != n.Name && p.re.MatchString(n.Name) {
			out = append(out, p.rule)
		}
	}
	return out
}

func (d *PrioDir) choose(v *memo.View, n Name) (Rule, bool) {
	var found *Rule
	for _, f := range d.files {
		if found != nil && f.priority < found.Priority {
			break
		}
		rules := d.of(v, f)
		if rules.bad != nil && found == nil {
			return Rule{Bad: rules.bad}, true
		}
		g, bad := rules.find(v, n)
		if bad != nil && found == nil {
			return Rule{Bad: problem.New(bad.at, "bad-regex", fmt.Sprintf("the pattern %q cannot be used: %v", bad.text, bad.err), "")}, true
		}
		if g == nil {
			continue
		}
		if found != nil {
			found.Tie = f.name
			return *found, true
		}
		found = &Rule{Guarded: *g, File: f.name, Priority: f.priority, replaceName: d.opts.ReplaceName}
	}
	if found == nil {
		return Rule{}, false
	}
	return *found, true
}

func (f *ruleSet) find(v *memo.View, n Name) (*Guarded, *pattern) {
	names := []Name{n}
	if n.Tag == "Path" && n.Named {
		names = append(names, otherSlash(n))
	}
	for _, n := range names {
		list := f.exact[n]
		for i := len(list) - 1; i >= 0; i-- {
			if list[i].Holds(v, "") {
				return &list[i], nil
			}
		}
	}
	patterns := f.patterns[n.Tag]
	for i := len(patterns) - 1; i >= 0; i-- {
		p := &patterns[i]
		if p.re == nil {
			if p.rule.Holds(v, "") {
				return nil, p
			}
			continue
		}
		if n.Named && p.re.MatchString(n.Name) && p.rule.Holds(v, "") {
			return &p.rule, nil
		}
	}
	return nil, nil
}

// Apply gives an entry what a rule says and the entry does not: attributes it
// lacks, the rule's text if there is any, and the rule's children.
func Apply(v *memo.View, d *Draft, r Rule) {
	e := r.Element
	for _, a := range e.Attrs {
		value := a.Value
		if r.replaceName {
			value = substituteName(value, d.Name())
		}
		d.Default(Qualified(a.Space, a.Name), value)
	}
	if e.Text != "" {
		d.Text = e.Text
	}
	d.Children = append(slices.Clip(d.Children), r.Inner.Nodes(v)...)
	d.BoundAt = config.Source{File: e.Pos.File, Line: e.Pos.Line}
}

var placeholder = regexp.MustCompile(`%(?:%|[_A-Za-z][_A-Za-z0-9]*|\{[_A-Za-z][_A-Za-z0-9]*\})`)

// substituteName puts an entry's name for %{name} and %name, and % for %%; other
// placeholders stay.
func substituteName(value, name string) string {
	return placeholder.ReplaceAllStringFunc(value, func(p string) string {
		switch p {
		case "%%":
			return "%"
		case "%name", "%{name}":
			return name
		}
		return p
	})
}
