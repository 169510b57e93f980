// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/trail"
	"github.com/bindery/bindery/engine/problem"
)

// Link is one link of the chain from the metadata to the bytes of an entry.
type Link struct {
	// Kind is profile, group, bundle, required, structure, condition, generator,
	// variant, rule, info or read.
	Kind string `json:"kind"`
	// Pos is where it stands; empty for what no file says.
	Pos problem.Pos `json:"pos,omitzero"`
	// Text is what stands there, or what it gives.
	Text string `json:"text,omitempty"`
	// For says whom a variant is for, or why the link holds.
	For string `json:"for,omitempty"`
	// State of a variant or a rule: chosen, beaten, or other for those of other hosts.
	State string `json:"state,omitempty"`
}

// Line is where one line of an entry's content comes from.
type Line struct {
	Number int `json:"number"`
	// Text is the line; empty where the entry is secret.
	Text string `json:"text,omitempty"`
	// From are the places in templates, or in the file, that wrote it.
	From []problem.Pos `json:"from"`
}

// Asked is one question about the host that was put, and its answer where it is no
// secret.
type Asked = memo.Asked

// Explanation is how one entry of one host comes about.
type Explanation struct {
	Host    string `json:"host"`
	Profile string `json:"profile"`
	// Structure is the bundle, as the configuration has it: TAG NAME.
	Structure string `json:"structure"`
	// Entry is the literal entry.
	Entry *config.Entry `json:"-"`
	Links []Link        `json:"links"`
	// Asked are the questions about the host that its bytes depend on.
	Asked []Asked `json:"asked"`
	Line  *Line   `json:"line,omitempty"`
	// Problem is why the entry could not be bound.
	Problem *problem.Problem `json:"problem,omitempty"`
}

// Explain says of every entry of that tag and name how it comes to the host. line
// is a line of the content that is to be traced to what wrote it, 0 for none.
func (s *Spec) Explain(ctx context.Context, in Input, tag, name string, line int) ([]*Explanation, *problem.Problem, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	h, refused := s.resolve(in)
	if refused != nil {
		return nil, refused, nil
	}
	x := &explainer{s: s, in: in, h: h, tag: tag, name: name, line: line}
	x.search()
	return x.found, nil, ctx.Err()
}

type explainer struct {
	s         *Spec
	in        Input
	h         *host.Host
	tag, name string
	line      int
	found     []*Explanation
}

// search looks for the entry in every structure of the host.
func (x *explainer) search() {
	s, v := x.s, memo.NewView(x.h)
	r := &Result{}
	for _, b := range s.assembled(v, &basis{host: x.h}, nil, r) {
		if b.lost != nil {
			continue
		}
		for i, a := range b.abstract.Entries {
			if x.meant(a) {
				x.found = append(x.found, x.explain(b, i))
			}
		}
	}
}

// meant tells whether an abstract entry is the one that was asked for.
func (x *explainer) meant(a plugin.Abstract) bool {
	n := a.Key()
	return strings.TrimPrefix(n.Tag, "Bound") == x.tag && n.Name == x.name
}

// explain binds one entry again and takes notes.
func (x *explainer) explain(b *boundStructure, i int) *Explanation {
	e := &Explanation{Host: x.h.Name, Profile: x.h.Profile, Structure: strings.TrimSpace(b.bundle.Tag + " " + b.bundle.Name())}
	around := trail.New()
	v := memo.NewExplained(x.h, around)
	st, a := b.abstract, b.abstract.Entries[i]
	if bundles := x.s.plugins.Bundler; bundles != nil && bundles.Templated(st.Name) {
		again, _ := bundles.Structure(v, st.Name)
		a = x.s.globbed(v, again.Entries)[i]
	} else if bundles != nil {
		bundles.Around(around, st.Name, a.Item)
	}
	inner := trail.New()
	bv := memo.NewExplained(x.h, inner)
	bound := x.s.entry(bv, a, origin{own: true, sensitive: st.Sensitive})
	e.Entry, e.Problem = bound.entry, bound.problem
	e.Asked = distinct(append(v.Asked(x.s.voc.Name), bv.Asked(x.s.voc.Name)...))
	x.metadata(e)
	x.bundle(e, st)
	e.links(around.Steps())
	e.Links = append(e.Links, Link{Kind: "entry", Pos: at(bound.entry.NamedAt), Text: bound.entry.Tag + " " + bound.entry.Name()})
	if g := x.generator(bv, a); g != "" {
		e.Links = append(e.Links, Link{Kind: "generator", Text: g})
	}
	e.links(inner.Steps())
	if x.line > 0 {
		e.Line = x.origin(e, inner)
	}
	return e
}

func at(s config.Source) problem.Pos { return problem.Pos{File: s.File, Line: s.Line} }

func (e *Explanation) links(steps []trail.Step) {
	for _, s := range steps {
		e.Links = append(e.Links, Link{Kind: string(s.Kind), Pos: s.Pos, Text: s.Text, For: s.For, State: string(s.State)})
	}
}

func distinct(list []Asked) []Asked {
	var out []Asked
	for _, a := range list {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// metadata says where the profile comes from, and each group that was asked for
// and that the host is in.
func (x *explainer) metadata(e *Explanation) {
	profile := Link{Kind: "profile", Text: x.h.Profile}
	if r, ok := x.s.meta.Why(x.h, x.h.Profile); ok {
		profile.Pos, profile.For = r.Pos, r.By
	}
	e.Links = append(e.Links, profile)
	for _, a := range e.Asked {
		if a.About == "group" && a.Answer == "yes" && a.Name != x.h.Profile {
			e.Links = append(e.Links, x.group(a.Name))
		}
	}
}

// group says why the host is in a group.
func (x *explainer) group(name string) Link {
	if r, ok := x.s.meta.Why(x.h, name); ok {
		return Link{Kind: "group", Pos: r.Pos, Text: name, For: r.By}
	}
	for _, c := range x.s.plugins.Connectors {
		given, _ := c.Groups(x.h)
		if slices.ContainsFunc(given, func(g host.Grant) bool { return g.Group == name }) {
			return Link{Kind: "group", Text: name, For: c.Name()}
		}
	}
	return Link{Kind: "group", Text: name}
}

// bundle says why the host has a structure.
func (x *explainer) bundle(e *Explanation, st *plugin.Structure) {
	reasons := x.s.meta.Lists(x.h, st.Name)
	for _, r := range reasons {
		e.Links = append(e.Links, Link{Kind: "bundle", Pos: r.Pos, Text: st.Name, For: r.By})
		for _, l := range e.Links {
			if l.Kind == "group" && "group "+l.Text == r.By || l.Kind == "profile" && "group "+l.Text == r.By {
				r.By = ""
			}
		}
		if g, ok := strings.CutPrefix(r.By, "group "); ok {
			e.Links = append(e.Links, x.group(g))
		}
	}
	if len(reasons) > 0 || x.s.plugins.Bundler == nil {
		return
	}
	v := memo.NewView(x.h)
	for _, name := range x.s.plugins.Bundler.Names() {
		b := x.s.bundle(v, nil, name)
		for _, r := range b.required {
			if r.Name == st.Name && len(x.s.meta.Lists(x.h, name)) > 0 {
				e.Links = append(e.Links, Link{Kind: "required", Pos: r.At, Text: st.Name, For: "bundle " + name})
			}
		}
	}
}

// generator names what binds the entry.
func (x *explainer) generator(v *memo.View, a plugin.Abstract) string {
	n := a.Key()
	if strings.HasPrefix(n.Tag, "Bound") {
		return "bound in the bundle itself"
	}
	if a.Item != nil {
		if source, ok := a.Item.Element.Lookup("altsrc"); ok {
			n.Name = source
		}
	}
	found := x.s.generators(v, n)
	if len(found) != 1 {
		return ""
	}
	if n.Name != x.name {
		return fmt.Sprintf("%s, under the name of altsrc: %s", found[0].Name(), n.Name)
	}
	return found[0].Name()
}

// origin traces a line of the content to what wrote it.
func (x *explainer) origin(e *Explanation, t *trail.Trail) *Line {
	text, err := e.Entry.Content()
	lines := strings.SplitAfter(string(text), "\n")
	if err != nil || x.line > len(lines) {
		return &Line{Number: x.line}
	}
	out := &Line{Number: x.line}
	if !e.Entry.Secret() {
		out.Text = strings.TrimRight(lines[x.line-1], "\r\n")
	}
	from := len(strings.Join(lines[:x.line-1], ""))
	to := from + len(lines[x.line-1])
	pos, total := 0, 0
	for _, m := range t.Marks() {
		total += m.Len
	}
	if total != len(text) {
		if e.Entry.BoundAt.Line == 0 && len(t.Marks()) == 0 && e.Entry.BoundAt.File != "" {
			out.From = []problem.Pos{{File: e.Entry.BoundAt.File, Line: x.line}}
		}
		return out
	}
	for _, m := range t.Marks() {
		if p := (problem.Pos{File: m.File, Line: m.Line}); pos < to && pos+m.Len > from && !slices.Contains(out.From, p) {
			out.From = append(out.From, p)
		}
		pos += m.Len
	}
	slices.SortStableFunc(out.From, func(a, b problem.Pos) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return out
}
