// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/vault"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/secret"
)

// bound is an entry that went through binding, with the cause if it failed.
type bound struct {
	entry   *config.Entry
	problem *problem.Problem
	// notes are findings besides.
	notes []*problem.Problem
	// dropped entries are not delivered.
	dropped bool
	// own: only this host can have it. uses is what it is made of; tainted: of a
	// secret too.
	own, tainted bool
	uses         []*memo.Part
}

// origin is what an entry has of its structure.
type origin struct {
	// own: the structure was made for this host alone.
	own bool
	// sensitive: a secret was read to make it, and any entry may hold it.
	sensitive bool
}

// entry binds one abstract entry for the host of v. Hosts that answer the
// questions of binding alike share the result, unless nobody else has the entry.
func (s *Spec) entry(v *memo.View, a plugin.Abstract, from origin) (b *bound) {
	if a.Item == nil {
		d := *a.Draft
		d.Attrs = slices.Clone(d.Attrs)
		d.Sensitive = d.Sensitive || from.sensitive
		v.Apart(func() { b = s.complete(v, &d) })
		return b
	}
	if from.own {
		v.Apart(func() { b = s.drafted(v, a.Item, from) })
		return b
	}
	known, ok := s.entries.Load(a.Item)
	if !ok {
		known, _ = s.entries.LoadOrStore(a.Item, &item{})
	}
	it := known.(*item)
	return it.tree.Get(v, func(v *memo.View) *bound {
		b := s.drafted(v, a.Item, from)
		b.uses, b.tainted = s.sources.Uses(v), v.Tainted()
		if b.own = v.Own(); b.own {
			it.share(b.entry)
		}
		return b
	})
}

// item is what an element of a structure was bound to.
type item struct {
	tree memo.Tree[*bound]
	// attrs are those of entries that are for one host alone each: mostly alike.
	attrs atomic.Pointer[[][]config.Attr]
}

// maxAttrs is how many different attributes of one element are looked through.
const maxAttrs = 16

// share gives an entry that nobody has yet the attributes of another one, if they
// are equal.
func (it *item) share(e *config.Entry) {
	for {
		seen := it.attrs.Load()
		var list [][]config.Attr
		if seen != nil {
			list = *seen
		}
		for _, attrs := range list {
			if slices.Equal(attrs, e.Attrs) {
				e.Attrs = attrs
				return
			}
		}
		if len(list) == maxAttrs {
			return
		}
		e.Attrs = slices.Clip(slices.Clone(e.Attrs)) // without what it might have grown by
		more := append(slices.Clip(list), e.Attrs)
		if it.attrs.CompareAndSwap(seen, &more) {
			return
		}
	}
}

func (s *Spec) drafted(v *memo.View, item *plugin.Item, from origin) *bound {
	d := plugin.NewDraft(v, item)
	d.Sensitive = from.sensitive
	return s.complete(v, d)
}

// complete binds a draft and makes the final entry of it.
func (s *Spec) complete(v *memo.View, d *plugin.Draft) *bound {
	var p *problem.Problem
	if tag, ok := strings.CutPrefix(d.Tag, "Bound"); ok {
		d.Tag = tag
		if d.BoundAt.File == "" {
			d.BoundAt = d.NamedAt
		}
	} else {
		p = s.guard(v, d, s.bind)
	}
	if p == nil {
		p = s.guard(v, d, s.reveal)
	}
	if p == nil {
		p = s.guard(v, d, s.finish)
	}
	p = vault.Withhold(v, p)
	d.Sensitive = d.Sensitive || v.Tainted() || d.Tag == "Path" && s.listedSecret(d.Name())
	if depth(d.Children) > maxDepth {
		d.Children = nil
		p = problem.New(d.At, "entry-too-deep", fmt.Sprintf("%s %s holds elements nested more than %d deep", d.Tag, d.Name(), maxDepth), "")
	}
	failure, marked := d.Remove("failure")
	switch {
	case p != nil && p.Code == codeNoGenerator:
		failure = "no matching generator"
	case p != nil:
		failure = "bind error: " + p.Msg
	case marked:
		// Bcfg2's clients take the attribute for a failure wherever it comes from.
		p = problem.New(d.At, "marked-as-failed", fmt.Sprintf("%s %s has the attribute failure, which marks it as failed", d.Tag, d.Name()), "remove the attribute")
		if failure == "" || d.Sensitive {
			failure = p.Msg
		}
	}
	oneMode(d)
	return &bound{problem: p, notes: d.Notes, dropped: d.Dropped, entry: config.NewEntry(config.Entry{
		Tag: d.Tag, Attrs: d.Attrs, Text: d.Text, Children: sortNodes(d.Children), Failure: failure,
		Sensitive: d.Sensitive, NamedAt: d.NamedAt, BoundAt: d.BoundAt,
	})}
}

// listedSecret tells whether bindery.yaml says that the content of a path is secret.
func (s *Spec) listedSecret(name string) bool {
	return slices.ContainsFunc(s.sensitive, func(pattern string) bool {
		if below, ok := strings.CutSuffix(pattern, "/"); ok {
			parts := strings.Count(below, "/")
			if dirs := strings.Split(name, "/"); len(dirs) > parts+1 {
				hit, err := path.Match(below, strings.Join(dirs[:parts+1], "/"))
				return err == nil && hit
			}
			return false
		}
		hit, err := path.Match(pattern, name)
		return err == nil && hit
	})
}

// guard runs a step of binding. A mistake in the code of a plugin costs the one
// entry, not the hosts and entries beside it.
func (s *Spec) guard(v *memo.View, d *plugin.Draft, step func(*memo.View, *plugin.Draft) *problem.Problem) (p *problem.Problem) {
	defer func() {
		if cause := recover(); cause != nil {
			p = problem.New(d.At, "internal-error", fmt.Sprintf("%s %s could not be bound because of a mistake in Bindery: %v", d.Tag, d.Name(), cause), "please report it")
		}
	}()
	return step(v, d)
}

// reveal opens the texts that are marked as encrypted in the specification. Content
// of a file whose info.xml has the attribute is plain already.
func (s *Spec) reveal(v *memo.View, d *plugin.Draft) (p *problem.Problem) {
	if key, ok := d.Lookup("encrypted"); ok && secret.FormOf([]byte(d.Text)) != secret.None {
		if d.Text, p = s.vault.Text(v, key, d.Text, d.At, false); p != nil {
			return p
		}
	}
	d.Children, p = s.revealed(v, d, d.Children)
	return p
}

// revealed copies what it changes: children may be shared.
func (s *Spec) revealed(v *memo.View, d *plugin.Draft, nodes []*config.Node) ([]*config.Node, *problem.Problem) {
	for i, n := range nodes {
		var p *problem.Problem
		changed := *n
		if key := n.Get("encrypted"); key != "" {
			if changed.Text, p = s.vault.Text(v, key, n.Text, d.At, false); p != nil {
				return nodes, p
			}
		}
		if changed.Children, p = s.revealed(v, d, n.Children); p != nil {
			return nodes, p
		}
		if v.Tainted() {
			nodes = slices.Clone(nodes)
			nodes[i] = &changed
		}
	}
	return nodes, nil
}

func (s *Spec) finish(v *memo.View, d *plugin.Draft) *problem.Problem {
	for _, f := range s.plugins.Finishers {
		f.Finish(v, d)
	}
	return nil
}

// maxDepth bounds the elements in an entry, because readers of configurations do.
const maxDepth = 60

func depth(nodes []*config.Node) int {
	deepest := 0
	for _, n := range nodes {
		deepest = max(deepest, 1+depth(n.Children))
	}
	return deepest
}

// oneMode delivers perms, the spelling of mode before 1.3, as mode. Where both
// are there, mode counts unless it is the default that nobody asked for.
func oneMode(d *plugin.Draft) {
	if d.Tag != "Path" {
		return
	}
	perms, ok := d.Remove("perms")
	if mode := d.Get("mode"); ok && (mode == "" || mode == "644") {
		d.Set("mode", perms)
	}
}

// sortNodes orders children by name at every level, nameless ones first, as the
// server does before it sends a configuration.
func sortNodes(nodes []*config.Node) []*config.Node {
	if len(nodes) == 0 {
		return nil
	}
	slices.SortStableFunc(nodes, func(a, b *config.Node) int { return cmp.Compare(a.Get("name"), b.Get("name")) })
	for _, n := range nodes {
		n.Children = sortNodes(n.Children)
	}
	return nodes
}

const codeNoGenerator = "no-generator"

// bind finds the generator for an entry and lets it complete the entry. An entry
// with altsrc is bound under that name first; where its generator fails, it is
// bound under its own, and the attribute realname stays.
func (s *Spec) bind(v *memo.View, d *plugin.Draft) *problem.Problem {
	altsrc, ok := d.Remove("altsrc")
	if !ok {
		p, _ := s.generate(v, d)
		return p
	}
	name := d.Name()
	d.Set("name", altsrc)
	d.Set("realname", name)
	p, served := s.generate(v, d)
	d.Set("name", name)
	if p == nil {
		d.Remove("realname")
		return nil
	}
	if !served || vault.Closed(p) {
		return p
	}
	p, _ = s.generate(v, d)
	return p
}

// generate asks the generators by name. served is false where none, or more than
// one, would serve the entry.
func (s *Spec) generate(v *memo.View, d *plugin.Draft) (p *problem.Problem, served bool) {
	found := s.generators(v, d.Key())
	for _, g := range s.plugins.Sourced {
		v.Use(g.Part(d.Key()))
	}
	switch len(found) {
	case 0:
		return problem.New(d.At, codeNoGenerator, fmt.Sprintf("no generator has %s %s", d.Tag, d.Name()), s.hintFor(d)), false
	case 1:
		return found[0].Bind(v, d), true
	}
	return problem.New(d.At, "ambiguous-generator", fmt.Sprintf("%s %s is served by %s and %s", d.Tag, d.Name(), found[0].Name(), found[1].Name()), "take it out of one of them"), false
}

// generators are those that would serve an entry.
func (s *Spec) generators(v *memo.View, n plugin.Name) []plugin.Generator {
	if fallback := s.plugins.Fallback; fallback != nil && fallback.Takes(n) {
		if found := s.appliers(v, n); len(found) > 0 {
			return found
		}
		return []plugin.Generator{fallback}
	}
	if found := s.listing(n); len(found) > 0 {
		return found
	}
	return s.handling(v, n)
}

func (s *Spec) hintFor(d *plugin.Draft) string {
	off := func(name string) bool { return !slices.Contains(s.names, name) }
	switch {
	case d.Tag == "Path" && strings.HasPrefix(d.Name(), "/etc/ssh/ssh_host_") && off("SSHbase"):
		return "SSHbase is off; bindery keys ssh --host NAME makes the key, in SSHbase/"
	case d.Tag == "Package" && off("Packages") && off("Pkgmgr"):
		return "Packages is off: add Packages/sources.xml, or a rule to Rules, or write BoundPackage"
	case d.Tag == "Path":
		return fmt.Sprintf("add the file below Cfg%s/, or a rule to Rules", d.Name())
	case d.Tag == "Bundle":
		return ""
	}
	return "add a rule to Rules, or write Bound" + d.Tag
}

// appliers are the generators that really serve an entry for the host, which may
// go before a fallback.
func (s *Spec) appliers(v *memo.View, n plugin.Name) []plugin.Generator {
	var out []plugin.Generator
	for _, g := range s.plugins.Generators {
		if !g.Lists(n) && !g.Handles(v, n) {
			continue
		}
		if a, ok := g.(plugin.Applier); !ok || a.Applies(v, n) {
			out = append(out, g)
		}
	}
	return out
}

func (s *Spec) listing(n plugin.Name) []plugin.Generator {
	var out []plugin.Generator
	for _, g := range s.plugins.Generators {
		if g.Lists(n) {
			out = append(out, g)
		}
	}
	return out
}

func (s *Spec) handling(v *memo.View, n plugin.Name) []plugin.Generator {
	var out []plugin.Generator
	for _, g := range s.plugins.Generators {
		if g.Handles(v, n) {
			out = append(out, g)
		}
	}
	if f := s.plugins.Fallback; f != nil && f.Handles(v, n) {
		out = append(out, f)
	}
	return out
}
