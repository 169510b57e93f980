// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"path"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/tmpl/genshi"
	"github.com/bindery/bindery/engine/internal/tmpl/render"
	"github.com/bindery/bindery/engine/internal/trail"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// StructFile is an XML file with conditions in it, as Bcfg2 calls it. One whose
// name ends in .genshi, or whose root declares Genshi's namespace, is a template
// that is rendered for each host before its conditions are looked at. It is safe
// for concurrent use.
type StructFile struct {
	// Root is the root element, of a template before it is rendered.
	Root *xmltree.Element

	nest      *Nest
	flat      []Guarded // of nest
	paths     bool
	markup    *render.Markup // nil where the file is no template
	templates *render.Renderer
	rendered  memo.Tree[document]
}

// document is what a template gives for a host.
type document struct {
	root    *xmltree.Element
	nest    *Nest
	flat    []Guarded
	problem *problem.Problem
}

// StructOptions say how a StructFile is read.
type StructOptions struct {
	// Template: it is a template, whatever it declares.
	Template bool
	// Follow: xi:include is followed. Templates have their own, from Genshi.
	Follow bool
	// Paths: Path is a condition too.
	Paths bool
}

// ReadStructFile reads a file. Problems that do not make it unusable are reported.
func ReadStructFile(env Env, file string, o StructOptions) (*StructFile, *problem.Problem) {
	root, p := xmltree.Read(env.FS, file)
	if p != nil {
		return nil, p
	}
	f := &StructFile{Root: root, paths: o.Paths, templates: env.Templates}
	if o.Template || path.Ext(file) == ".genshi" || root.Declares(genshi.Namespace) {
		if f.markup, p = env.Templates.ReadMarkup(file); p != nil {
			return nil, p
		}
		return f, nil
	}
	if o.Follow {
		doc, p := xmltree.Load(env.FS, file)
		if p != nil {
			return nil, p
		}
		for _, p := range doc.Problems {
			env.Report(p)
		}
		f.Root = doc.Root
	}
	f.nest = Compile(env.Voc, f.Root, o.Paths)
	f.flat = f.nest.Flatten()
	return f, nil
}

// With is the same file with another renderer, to which the host is another one.
func (f *StructFile) With(templates *render.Renderer) *StructFile {
	return &StructFile{Root: f.Root, nest: f.nest, flat: f.flat, paths: f.paths, markup: f.markup, templates: templates}
}

// Templated tells whether the file is rendered for each host.
func (f *StructFile) Templated() bool { return f.markup != nil }

// Document gives the root element for a host, with its conditions.
func (f *StructFile) Document(v *memo.View) (*xmltree.Element, *problem.Problem) {
	if f.markup == nil {
		return f.Root, nil
	}
	d := f.render(v)
	return d.root, d.problem
}

// Nest gives what the root element holds, with its conditions. A nil file holds
// nothing.
func (f *StructFile) Nest(v *memo.View) (*Nest, *problem.Problem) {
	if f == nil {
		return nil, nil
	}
	if f.markup == nil {
		return f.nest, nil
	}
	d := f.render(v)
	return d.nest, d.problem
}

// Flatten lists the elements with their conditions, as Nest.Flatten does.
func (f *StructFile) Flatten(v *memo.View) ([]Guarded, *problem.Problem) {
	if f == nil {
		return nil, nil
	}
	if f.markup == nil {
		return f.flat, nil
	}
	d := f.render(v)
	return d.flat, d.problem
}

func (f *StructFile) render(v *memo.View) document {
	return f.rendered.Get(v, func(v *memo.View) document {
		root, p := f.templates.Document(v, f.markup)
		if p != nil {
			return document{problem: p}
		}
		// A template may name groups that nothing else names, so they have no number.
		nest := Compile(nil, root, f.paths)
		return document{root: root, nest: nest, flat: nest.Flatten()}
	})
}

// Around notes the conditions around an element; those of a template are not known.
func (f *StructFile) Around(t *trail.Trail, it *Item) {
	if f.markup == nil {
		f.nest.Around(t, it)
	}
}
