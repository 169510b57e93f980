// SPDX-License-Identifier: Apache-2.0

package render

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// property is one file of Properties.
type property struct {
	name string
	data string
	// root is that of an XML file.
	root *xmltree.Element
	// automatch: what templates see is already matched for the host.
	automatch bool
	// encrypted is the first encrypted element, which cannot be read.
	encrypted *xmltree.Element
}

// maxProperty bounds a file of Properties in bytes.
const maxProperty = 16 << 20

// ReadProperties reads the files of Properties, before anything is rendered.
// automatch holds for those that do not say otherwise. What cannot be read is
// reported and not there.
func (r *Renderer) ReadProperties(files []string, automatch bool, report func(*problem.Problem)) {
	for _, name := range files {
		ext := path.Ext(name)
		if ext != ".xml" && ext != ".json" && ext != ".yaml" && ext != ".yml" {
			if ext != ".xsd" {
				report(problem.Warn(problem.Pos{File: name}, "unknown-properties-file", "the name is none of a Properties file; the file is ignored", "name it .xml, .json or .yaml"))
			}
			continue
		}
		p, bad := readProperty(r.fsys, name, automatch, report)
		if bad != nil {
			report(bad)
			continue
		}
		r.properties[p.name] = p
	}
}

func readProperty(fsys fs.FS, name string, automatch bool, report func(*problem.Problem)) (*property, *problem.Problem) {
	data, bad := file.Read(fsys, name, maxProperty)
	if bad != nil {
		return nil, bad
	}
	p := &property{name: strings.TrimPrefix(name, "Properties/"), data: string(data)}
	if path.Ext(name) != ".xml" {
		return p, nil
	}
	doc, bad := xmltree.Load(fsys, name)
	if bad != nil {
		return nil, bad
	}
	for _, found := range doc.Problems {
		report(found)
	}
	p.root, p.automatch = doc.Root, automatch
	if _, ok := doc.Root.Lookup("automatch"); ok {
		p.automatch = doc.Root.True("automatch")
	}
	doc.Root.Walk(func(e *xmltree.Element) bool {
		if _, ok := e.Lookup("encrypted"); ok && p.encrypted == nil {
			p.encrypted = e
		}
		return true
	})
	return p, nil
}

// propertySet is metadata.Properties.
func (r *Renderer) propertySet(v *memo.View) py.Value {
	return newMapping(&mapping{
		kind: "Properties", hint: "write the file into Properties", names: func() []string { return slices.Sorted(maps.Keys(r.properties)) },
		get: func(_ *py.Thread, name string) (py.Value, error) {
			p := r.properties[name]
			switch {
			case p == nil:
				return nil, nil
			case p.encrypted != nil:
				return nil, &py.Raised{
					Class: "NotSupported", Msg: "Properties/" + name + " has encrypted values, which this version does not read",
					File: p.encrypted.Pos.File, Line: p.encrypted.Pos.Line,
				}
			case p.automatch:
				return newElement(matched(v, p.root), nil), nil
			}
			return p.object(v), nil
		},
	})
}

// object is what a template gets for the file.
func (p *property) object(v *memo.View) py.Value {
	return newObject("PropertyFile", func(th *py.Thread, n string) (py.Value, error) {
		ext := path.Ext(p.name)
		switch {
		case n == "data":
			return starlark.String(p.data), nil
		case n == "name":
			return starlark.String(Repo + "/Properties/" + p.name), nil
		case n == "json" && ext == ".json":
			return th.JSON(p.data)
		case n == "yaml" && (ext == ".yaml" || ext == ".yml"):
			return yamlValue(th, p.data)
		case n == "write":
			return nil, &py.Raised{Class: "NotSupported", Msg: "templates write no files: write() of Properties/" + p.name, Hint: "commit the file instead"}
		case p.root == nil:
			return nil, nil
		case n == "xdata":
			return newElement(p.root, nil), nil
		case n == "Match":
			return p.matching(v, n, func(v *memo.View) py.Value {
				var out []*element
				for _, e := range dissolved(v, p.root.Children) {
					out = append(out, newElement(e, nil))
				}
				return elementList(out)
			}), nil
		case n == "XMLMatch":
			return p.matching(v, n, func(v *memo.View) py.Value { return newElement(matched(v, p.root), nil) }), nil
		}
		return nil, nil
	})
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
