// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl/genshi"
	"github.com/bindery/bindery/engine/internal/vault"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/secret"
)

// property is one file of Properties.
type property struct {
	name string
	// file is where it stands below the repository.
	file string
	data string
	// root is that of an XML file.
	root *xmltree.Element
	// markup is set where the file is a template, of which root is the source.
	markup *Markup
	// automatch: what templates see is already matched for the host.
	automatch bool
	// sealed: the file is encrypted as a whole, and open gives what it is.
	sealed bool
	open   func() (*property, *problem.Problem)
}

// maxProperty bounds a file of Properties in bytes.
const maxProperty = 16 << 20

// ReadProperties reads the files of Properties, before anything is rendered.
// automatch holds for those that do not say otherwise. What cannot be read is
// reported and not there. A file that is encrypted has the name of what is in it,
// and is opened when a template reads it.
func (r *Renderer) ReadProperties(files []string, automatch bool, report func(*problem.Problem)) {
	for _, file := range files {
		name, _ := secret.Plain(file)
		ext := path.Ext(name)
		if ext != ".xml" && ext != ".json" && ext != ".yaml" && ext != ".yml" {
			if ext != ".xsd" {
				report(problem.Warn(problem.Pos{File: file}, "unknown-properties-file", "the name is none of a Properties file; the file is ignored", "name it .xml, .json or .yaml"))
			}
			continue
		}
		part, fsys := r.sources.Part()
		plain, _ := secret.Plain(strings.TrimPrefix(file, "Properties/"))
		r.parts[plain] = append(r.parts[plain], part)
		p, bad := r.readProperty(fsys, file, automatch, report)
		if bad == nil && r.properties[p.name] != nil {
			bad = problem.Warn(problem.Pos{File: file}, "duplicate-properties-file", fmt.Sprintf("%s gives %s already; this file is ignored", r.properties[p.name].file, p.name), "remove one of them")
		}
		if bad != nil {
			report(bad)
			continue
		}
		r.properties[p.name] = p
	}
}

func (r *Renderer) readProperty(fsys fs.FS, name string, automatch bool, report func(*problem.Problem)) (*property, *problem.Problem) {
	data, bad := file.Read(fsys, name, maxProperty)
	if bad != nil {
		return nil, bad
	}
	plain, sealed := secret.Plain(name)
	p := &property{file: name, name: strings.TrimPrefix(plain, "Properties/"), data: string(data), automatch: automatch}
	if sealed || secret.IsSOPS(name, data) {
		p.sealed = true
		p.open = sync.OnceValues(func() (*property, *problem.Problem) { return r.opened(p, data) })
		return p, nil
	}
	p.open = func() (*property, *problem.Problem) { return p, nil }
	if path.Ext(name) != ".xml" {
		return p, nil
	}
	root, bad := xmltree.Read(fsys, name)
	if bad != nil {
		return nil, bad
	}
	if root.Declares(genshi.Namespace) {
		p.take(root)
		p.markup, bad = r.ReadMarkup(name)
		return p, bad
	}
	doc, bad := xmltree.Load(fsys, name)
	if bad != nil {
		return nil, bad
	}
	for _, found := range doc.Problems {
		report(found)
	}
	p.take(doc.Root)
	return p, nil
}

// take makes a document the content.
func (p *property) take(root *xmltree.Element) {
	p.root = root
	if _, ok := root.Lookup("automatch"); ok {
		p.automatch = root.True("automatch")
	}
}

// filled is a file that is a template, rendered for the host of the template that
// reads it and on its budget.
func (r *Renderer) filled(th *py.Thread, v *memo.View, p *property) (*property, error) {
	if err := th.Enter(); err != nil {
		return nil, err
	}
	defer th.Leave()
	names := map[string]py.Value{"metadata": r.metadata(v), "repo": starlark.String(Repo)}
	root, bad := p.markup.t.RenderTree(th, names, included(r, v, "markup", genshi.ParseMarkup))
	if bad != nil {
		return nil, &py.Fatal{Err: bad}
	}
	out := *p
	out.root = root
	out.open = func() (*property, *problem.Problem) { return &out, nil }
	return &out, nil
}

// opened is what an encrypted file holds. Includes in it are not followed.
func (r *Renderer) opened(p *property, data []byte) (*property, *problem.Problem) {
	data, bad := r.vault.File(p.file, data)
	if bad != nil {
		return nil, bad
	}
	out := *p
	out.data = string(data)
	if path.Ext(p.name) == ".xml" {
		root, bad := xmltree.Parse(p.file, data)
		if bad != nil {
			return nil, problem.New(bad.Pos, bad.Code, "what is encrypted in it is no XML", "")
		}
		out.take(root)
	}
	return &out, nil
}

// document is what the elements of one file have in common.
type document struct {
	v     *memo.View
	vault *vault.Vault
	lax   bool
}

func (r *Renderer) document(v *memo.View, p *property) *document {
	return &document{v: v, vault: r.vault, lax: vault.Lax(p.root)}
}

// reading opens a file for a computation, which it taints where the file was
// encrypted as a whole.
func (p *property) reading(v *memo.View) (*property, error) {
	out, bad := p.open()
	if bad != nil {
		return nil, &py.Fatal{Err: bad}
	}
	if p.sealed {
		v.Taint()
	}
	return out, nil
}

// propertySet is metadata.Properties.
func (r *Renderer) propertySet(v *memo.View) py.Value {
	return newMapping(&mapping{
		kind: "Properties", hint: "write the file into Properties", names: func() []string {
			v.Use(r.sources.Whole) // which of them can be read
			return slices.Sorted(maps.Keys(r.properties))
		},
		get: func(th *py.Thread, name string) (py.Value, error) {
			p := r.properties[name]
			v.Trail().Read("Properties/" + name)
			if parts := r.parts[name]; parts != nil {
				v.Use(parts...)
			} else {
				v.Use(r.sources.File(path.Join("Properties", name)))
			}
			if p == nil {
				return nil, nil
			}
			if p.markup != nil {
				var err error
				if p, err = r.filled(th, v, p); err != nil {
					return nil, err
				}
			}
			if path.Ext(name) == ".xml" && (p.automatch || p.sealed) {
				// An encrypted file may say itself that it is matched.
				p, err := p.reading(v)
				if err != nil {
					return nil, err
				}
				if p.automatch {
					return newElement(matched(v, p.root), r.document(v, p)), nil
				}
			}
			return r.propertyFile(v, p), nil
		},
	})
}

// propertyFile is what a template gets for the file.
func (r *Renderer) propertyFile(v *memo.View, p *property) py.Value {
	return newObject("PropertyFile", func(th *py.Thread, n string) (py.Value, error) {
		switch n {
		case "name":
			return starlark.String(Repo + "/Properties/" + p.name), nil
		case "write":
			return nil, &py.Raised{Class: "NotSupported", Msg: "templates write no files: write() of Properties/" + p.name, Hint: "commit the file instead"}
		case "data", "json", "yaml", "xdata", "Match", "XMLMatch":
			opened, err := p.reading(v)
			if err != nil {
				return nil, err
			}
			return r.propertyMember(v, th, opened, n)
		}
		return nil, nil
	})
}

func (r *Renderer) propertyMember(v *memo.View, th *py.Thread, p *property, n string) (py.Value, error) {
	ext := path.Ext(p.name)
	switch {
	case n == "data":
		return starlark.String(p.data), nil
	case n == "json" && ext == ".json":
		return th.JSON(p.data)
	case n == "yaml" && (ext == ".yaml" || ext == ".yml"):
		return yamlValue(th, p.data)
	case p.root == nil:
		return nil, nil
	case n == "xdata":
		return newElement(p.root, r.document(v, p)), nil
	case n == "Match":
		return p.matching(v, n, func(host *memo.View) py.Value {
			var out []*element
			for _, e := range dissolved(host, p.root.Children) {
				out = append(out, newElement(e, r.document(v, p)))
			}
			return elementList(out)
		}), nil
	case n == "XMLMatch":
		return p.matching(v, n, func(host *memo.View) py.Value { return newElement(matched(host, p.root), r.document(v, p)) }), nil
	}
	return nil, nil
}

// matching is a method whose argument is the metadata of a host.
func (p *property) matching(v *memo.View, n string, match func(v *memo.View) py.Value) py.Value {
	return py.Func(n, func(_ *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
		if len(args) != 1 {
			return nil, py.Fail("TypeError", "%s() takes the metadata", n)
		}
		if m, ok := args[0].(*hostData); ok {
			return match(m.v), nil
		}
		return match(v), nil
	})
}

// Holds tests a Group or Client element; condition is false for any other one.
func Holds(v *memo.View, e *xmltree.Element) (condition, ok bool) {
	name, named := e.Lookup("name")
	switch {
	case e.Is("Group"):
		ok = v.In(name)
	case e.Is("Client"):
		ok = v.Is(name)
	default:
		return false, true
	}
	return true, named && ok != e.True("negate")
}

// dissolved gives elements with the conditions among them dissolved in place.
func dissolved(v *memo.View, list []*xmltree.Element) []*xmltree.Element {
	var out []*xmltree.Element
	for _, e := range list {
		if e.Kind != xmltree.Node {
			continue
		}
		condition, ok := Holds(v, e)
		switch {
		case condition && ok:
			out = append(out, dissolved(v, e.Children)...)
		case !condition:
			copied := *e
			copied.Children = dissolved(v, e.Children)
			out = append(out, &copied)
		}
	}
	return out
}

// matched gives a document with its conditions dissolved: what they hold stands
// behind the other children.
func matched(v *memo.View, root *xmltree.Element) *xmltree.Element {
	copied := *root
	copied.Children = nil
	var moved []*xmltree.Element
	var walk func(list []*xmltree.Element, to *[]*xmltree.Element)
	walk = func(list []*xmltree.Element, to *[]*xmltree.Element) {
		for _, e := range list {
			if e.Kind != xmltree.Node {
				continue
			}
			condition, ok := Holds(v, e)
			switch {
			case condition && ok:
				walk(e.Children, &moved)
			case !condition:
				*to = append(*to, matched(v, e))
			}
		}
	}
	walk(root.Children, &copied.Children)
	copied.Children = append(copied.Children, moved...)
	return &copied
}
