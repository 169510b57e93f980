// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/plugins/bundler"
	"github.com/bindery/bindery/engine/internal/plugins/decisions"
	"github.com/bindery/bindery/engine/internal/vault"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// boundStructure is a structure with all its entries bound.
type boundStructure struct {
	// listed is the name under which the structure was asked for, title that which it
	// has: both are looked at for every host.
	listed, title string

	bundle   *config.Bundle
	failures []Failure
	notes    []*problem.Problem
	// abstract is the structure before binding.
	abstract *plugin.Structure
	required []bundler.Required
	// lost is why the structure cannot be delivered at all.
	lost *problem.Problem
	// uses is what the structure is made of. kept holds all entries, where they
	// stand, of a structure that some make one for this host alone.
	uses []*memo.Part
	kept []*bound
}

type probeSet struct {
	probes   []config.Probe
	problems []*problem.Problem
}

// Build computes one host.
func (s *Spec) Build(ctx context.Context, in Input) (*Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h, refused := s.resolve(in)
	if refused != nil {
		return &Result{Host: in.Host, Refused: refused}, nil
	}
	v := memo.NewView(h)
	r := &Result{Host: in.Host, Profile: h.Profile, Groups: h.Names, Problems: h.Findings()}
	if c := h.Client; c != nil {
		r.Addresses, r.UUID = c.Addresses, c.UUID
	}
	k := &basis{host: h, rest: s.sources.Rest, secrets: s.secrets}
	structures := s.assembled(v, k, s.past(in.Last, h), r)
	if s.sources.Revision != nil {
		r.basis = k
	}
	r.Config = &config.Config{Host: h.Name, Bundles: make([]*config.Bundle, 0, len(structures))}
	for _, b := range structures {
		if b.lost != nil {
			r.Problems = append(r.Problems, b.lost)
			continue
		}
		r.Config.Bundles = append(r.Config.Bundles, b.bundle)
		r.Failures = append(r.Failures, b.failures...)
		r.Problems = append(r.Problems, b.notes...)
	}
	asked := s.ask(v)
	r.Probes = asked.probes
	r.Problems = append(r.Problems, asked.problems...)
	if d := s.plugins.Decisions; d != nil {
		listed := s.decisions.Get(v, func(v *memo.View) *decisionSet {
			white, found := d.List(v, decisions.Whitelist)
			black, more := d.List(v, decisions.Blacklist)
			return &decisionSet{Decisions{Whitelist: white, Blacklist: black}, append(found, more...)}
		})
		r.Decisions = &listed.lists
		r.Problems = append(r.Problems, listed.problems...)
	}
	return r, nil
}

// resolve finds a host and the groups that it is in.
func (s *Spec) resolve(in Input) (*host.Host, *problem.Problem) { return s.resolveFor(in, 0) }

// resolveFor finds a host for the sake of a question that is nested that deep.
func (s *Spec) resolveFor(in Input, nested int) (*host.Host, *problem.Problem) {
	h, refused := s.meta.Resolve(in.Host, in.Profile, in.Leave...)
	if refused != nil {
		return nil, refused
	}
	if len(in.Join) > 0 {
		joined := make([]host.Grant, len(in.Join))
		for i, g := range in.Join {
			joined[i].Group = g
		}
		s.meta.Extend(h, joined)
		if h.Refused() != nil {
			return nil, h.Refused()
		}
	}
	h.Probes, h.External, h.Nested = in.Probes, in.External, nested
	for _, c := range s.plugins.Connectors {
		groups, p := c.Groups(h)
		switch {
		case p != nil && p.Severity == problem.Error:
			return nil, p
		case p != nil:
			h.Notes = append(h.Notes, p)
		}
		s.meta.Extend(h, groups)
		if h.Refused() != nil {
			return nil, h.Refused()
		}
	}
	return h, nil
}

// assembled gives all structures of the host in their order, as far as possible
// from what it got before.
func (s *Spec) assembled(v *memo.View, k *basis, p *past, r *Result) []*boundStructure {
	var ok bool
	if k.fixed, ok = p.structures(); !ok {
		k.fixed = s.fixed(v)
	}
	if s.plugins.Bundler != nil {
		k.bundles = s.bundled(v, p, k.host.Bundles, r)
	}
	if p.completed(k.fixed, k.bundles) {
		k.all, k.notes, k.uses = p.all, p.notes, p.uses
	} else {
		k.all = slices.Concat(k.fixed, k.bundles)
		if s.plugins.Bundler != nil {
			sortStructures(k.all)
		}
		s.completed(v, k)
	}
	r.Problems = append(r.Problems, k.notes...)
	return k.all
}

// completed adds what plugins make of all structures together.
func (s *Spec) completed(v *memo.View, k *basis) {
	if len(s.plugins.Completers) == 0 {
		return
	}
	v = v.Inner()
	list := k.all
	have := make([]*plugin.Structure, len(list))
	for i, b := range list {
		have[i] = b.abstract
	}
	for _, c := range s.plugins.Completers {
		var st *plugin.Structure
		var found []*problem.Problem
		sensitive := v.Apart(func() { st, found = c.Complete(v, have) })
		k.notes = append(k.notes, found...)
		if st != nil {
			st = tainted(st, sensitive)
			have = append(have, st)
			list = append(list, s.structure(v, s.dissolved(v, st), nil))
		}
	}
	sortStructures(list)
	k.all, k.uses = list, s.sources.Uses(v)
}

// tainted gives a structure that says that it is made of secrets, if it is. The one
// given may be shared with other hosts, and stays as it is.
func tainted(st *plugin.Structure, sensitive bool) *plugin.Structure {
	if !sensitive || st.Sensitive {
		return st
	}
	one := *st
	one.Sensitive = true
	return &one
}

func sortStructures(list []*boundStructure) {
	slices.SortStableFunc(list, func(a, b *boundStructure) int { return strings.Compare(a.title, b.title) })
}

// fixed gives the structures that do not come from the host's list of bundles.
func (s *Spec) fixed(v *memo.View) []*boundStructure {
	var out []*boundStructure
	for i, p := range s.plugins.Structures {
		out = append(out, s.structures[i].Get(v, func(v *memo.View) []*boundStructure {
			var list []*boundStructure
			var made []*plugin.Structure
			sensitive := v.Apart(func() { made = p.Structures(v) })
			for _, st := range made {
				list = append(list, s.structure(v, s.dissolved(v, tainted(st, sensitive)), nil))
			}
			for _, b := range list {
				b.uses = s.sources.Uses(v)
			}
			return list
		})...)
	}
	return out
}

// bundled gives the host's bundles and what they require.
func (s *Spec) bundled(v *memo.View, p *past, names []string, r *Result) []*boundStructure {
	out := make([]*boundStructure, 0, len(names))
	var required []bundler.Required
	for _, name := range names {
		b := s.bundle(v, p, name)
		if b == nil {
			r.Problems = append(r.Problems, s.plugins.Bundler.Missing(bundler.Required{Name: name, At: s.meta.ListedAt(name)}))
			continue
		}
		out = append(out, b)
		required = append(required, b.required...)
	}
	return s.required(v, p, names, out, r, required)
}

// required adds bundles that others ask for, each once.
func (s *Spec) required(v *memo.View, p *past, names []string, out []*boundStructure, r *Result, queue []bundler.Required) []*boundStructure {
	if len(queue) == 0 {
		return out
	}
	seen := map[string]bool{}
	for _, name := range names {
		seen[name] = true
	}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		if seen[next.Name] {
			continue
		}
		seen[next.Name] = true
		b := s.bundle(v, p, next.Name)
		if b == nil {
			r.Problems = append(r.Problems, s.plugins.Bundler.Missing(next))
			continue
		}
		out = append(out, b)
		queue = append(queue, b.required...)
	}
	return out
}

// bundle gives one bundle for the host, nil where it does not exist.
func (s *Spec) bundle(v *memo.View, p *past, name string) *boundStructure {
	tree := s.bundles[name]
	if tree == nil {
		return nil
	}
	old, holds := p.bundle(name)
	if holds {
		return old
	}
	return tree.Get(v, func(v *memo.View) *boundStructure {
		var a *abstract
		v.Apart(func() { a = s.abstract(v, name) })
		b := s.structure(v, a.structure, old)
		b.required, b.uses = a.required, s.sources.Uses(v)
		return b
	})
}

// abstract is a bundle before binding, with the bundles that it requires. Hosts
// share it whose entries are their own.
type abstract struct {
	structure *plugin.Structure
	required  []bundler.Required
}

func (s *Spec) abstract(v *memo.View, name string) *abstract {
	return s.abstracts[name].Get(v, func(v *memo.View) *abstract {
		st, required := s.plugins.Bundler.Structure(v, name)
		return &abstract{s.dissolved(v, tainted(st, v.Tainted())), required}
	})
}

// dissolved is a structure with its globs resolved.
func (s *Spec) dissolved(v *memo.View, st *plugin.Structure) *plugin.Structure {
	out := *st
	out.Entries = s.globbed(v, slices.Clip(st.Entries))
	return &out
}

// structure binds every entry of a structure and orders them by name. old is what
// it was for this host before, nil for nothing.
func (s *Spec) structure(v *memo.View, st *plugin.Structure, old *boundStructure) *boundStructure {
	out := &boundStructure{abstract: st, listed: st.Name}
	if vault.Closed(st.Lost) {
		lost := *st.Lost
		lost.Msg = fmt.Sprintf("bundle %s cannot be given: %s", st.Name, lost.Msg)
		out.lost = &lost
		return out
	}
	if st.Lost != nil {
		out.lost = problem.New(st.Lost.Pos, "structure-lost", fmt.Sprintf("bundle %s cannot be given: %s", st.Name, st.Lost.Msg), st.Lost.Hint)
		return out
	}
	if p := nothingBound(st); p != nil {
		out.lost = p
		return out
	}
	// The elements of a bundle that is made for this host alone are seen once.
	from := origin{own: v.Own(), sensitive: st.Sensitive}
	all, taken := s.boundEntries(v, st, old, from)
	if taken && !v.Own() {
		all, _ = s.boundEntries(v, st, nil, from) // to be shared, it must tell what it depends on
	}
	entries := make([]*config.Entry, 0, len(all))
	for _, b := range all {
		out.notes = append(out.notes, b.notes...)
		if b.dropped {
			continue
		}
		entries = append(entries, b.entry)
		if b.problem != nil {
			out.failures = append(out.failures, Failure{Tag: b.entry.Tag, Name: b.entry.Name(), Problem: b.problem})
		}
	}
	slices.SortStableFunc(entries, func(a, b *config.Entry) int { return cmp.Compare(a.Name(), b.Name()) })
	out.bundle = config.NewBundle(st.Tag, slices.Clone(st.Attrs), entries)
	out.title = out.bundle.Name()
	if s.sources.Revision != nil && v.Own() && !from.own {
		out.kept = all
	}
	return out
}

// boundEntries binds the entries of a structure, or takes them over from what it
// was before, and tells whether it did.
func (s *Spec) boundEntries(v *memo.View, st *plugin.Structure, old *boundStructure, from origin) (all []*bound, taken bool) {
	all = make([]*bound, len(st.Entries))
	old = old.lasting(s.sources, st)
	for i, a := range st.Entries {
		if all[i] = old.entry(s.sources, i, a); all[i] == nil {
			all[i] = s.entry(v, a, from)
			continue
		}
		taken = true
		v.Use(all[i].uses...)
		if all[i].own {
			v.Alone()
		}
		if all[i].tainted {
			v.Taint()
		}
	}
	return all, taken
}

// nothingBound is why a structure is lost that has an element whose name is just
// its prefix.
func nothingBound(st *plugin.Structure) *problem.Problem {
	for _, a := range st.Entries {
		if a.Item != nil && boundToNothing(a.Item.Element) {
			e := a.Item.Element
			return problem.New(e.Pos, "structure-lost", fmt.Sprintf("an element called just %s: %s %s is left out", e.Tag, st.Tag, st.Name), "write what is bound: BoundPath, BoundPackage …")
		}
	}
	return nil
}

// boundToNothing tells whether no name is left of an element without its prefix.
func boundToNothing(e *xmltree.Element) bool {
	tag, ok := strings.CutPrefix(e.Tag, "Bound")
	return ok && e.Space == "" && !xmltree.IsName(tag)
}

// globbed replaces every Path with a glob by one Path for each matching path that
// a generator knows. Nothing but the name is given to them.
func (s *Spec) globbed(v *memo.View, entries []plugin.Abstract) []plugin.Abstract {
	isGlob := func(a plugin.Abstract) bool {
		if a.Item == nil || !a.Item.Element.Is("Path") {
			return false
		}
		_, ok := a.Item.Element.Lookup("glob")
		return ok
	}
	if !slices.ContainsFunc(entries, isGlob) {
		return entries
	}
	for _, g := range s.plugins.Sourced {
		v.Use(g.Part(plugin.Name{Tag: "Path"})) // which others there are
	}
	var out []plugin.Abstract
	for _, a := range entries {
		if !isGlob(a) {
			out = append(out, a)
			continue
		}
		e := a.Item.Element
		for _, name := range s.paths() {
			if config.Match(e.Get("glob"), name) {
				out = append(out, plugin.Abstract{Draft: &plugin.Draft{
					Tag: "Path", Attrs: []config.Attr{{Name: "name", Value: name}}, NamedAt: plugin.SourceOf(e), At: e.Pos,
				}})
			}
		}
	}
	return out
}

// listPaths lists the paths that generators know, each by every generator.
func (s *Spec) listPaths() []string {
	var out []string
	for _, g := range s.plugins.Generators {
		if l, ok := g.(plugin.Lister); ok {
			out = append(out, l.Names("Path")...)
		}
	}
	return out
}

// decisionSet is what Decisions says for a host.
type decisionSet struct {
	lists    Decisions
	problems []*problem.Problem
}

// ask gives the probes of the host.
func (s *Spec) ask(v *memo.View) *probeSet {
	return s.probes.Get(v, func(v *memo.View) *probeSet {
		set := &probeSet{}
		for _, a := range s.plugins.Askers {
			probes, found := a.Ask(v)
			set.probes = append(set.probes, probes...)
			set.problems = append(set.problems, found...)
		}
		slices.SortStableFunc(set.probes, func(a, b config.Probe) int { return cmp.Compare(a.Name, b.Name) })
		return set
	})
}

// All computes many hosts in parallel; results are in the order of inputs.
func (s *Spec) All(ctx context.Context, in []Input) ([]*Result, error) {
	out := make([]*Result, len(in))
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(in)) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(in) {
					return nil
				}
				r, err := s.Build(ctx, in[i])
				if err != nil {
					return err
				}
				out[i] = r
			}
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("build hosts: %w", err)
	}
	return out, nil
}
