// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/vault"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// element is an element of XML, with what lxml's elements are asked for.
type element struct {
	*object
	e      *xmltree.Element
	parent *element
	doc    *document
}

// newElement makes the object of the first element of a document.
func newElement(e *xmltree.Element, doc *document) *element { return newChild(e, nil, doc) }

func newChild(e *xmltree.Element, parent *element, doc *document) *element {
	x := &element{e: e, parent: parent, doc: doc}
	x.object = newObject("_Element", x.find)
	return x
}

// content is the text of an element. One that is encrypted is opened when it is
// read, so that what stands beside it is no secret.
func (x *element) content() (string, error) {
	if x.doc.vault == nil || !vault.Encrypted(x.e) {
		return x.e.Text, nil
	}
	text, p := x.doc.vault.Text(x.doc.v, x.e.Get("encrypted"), x.e.Text, x.e.Pos, x.doc.lax)
	if p != nil {
		return "", &py.Fatal{Err: p}
	}
	return text, nil
}

// find gives a member.
func (x *element) find(_ *py.Thread, n string) (py.Value, error) {
	switch n {
	case "tag":
		return starlark.String(x.e.Tag), nil
	case "text":
		s, err := x.content()
		return text(s), err
	case "tail":
		return text(x.e.Tail), nil
	case "sourceline":
		return starlark.MakeInt(x.e.Pos.Line), nil
	case "prefix":
		return starlark.None, nil
	case "nsmap":
		d := starlark.NewDict(len(x.e.Namespaces))
		for _, n := range x.e.Namespaces {
			_ = d.SetKey(text(n.Prefix), starlark.String(n.URI)) // texts can be hashed
		}
		return d, nil
	case "attrib":
		d := starlark.NewDict(len(x.e.Attrs))
		for _, a := range x.e.Attrs {
			_ = d.SetKey(starlark.String(a.Name), starlark.String(a.Value)) // texts can be hashed
		}
		return d, nil
	}
	if fn := x.method(n); fn != nil {
		return py.Func(n, fn), nil
	}
	return nil, nil
}

func (x *element) method(n string) method {
	for _, of := range []func(string) method{x.finder, x.walker} {
		if fn := of(n); fn != nil {
			return fn
		}
	}
	switch n {
	case "get":
		return x.get
	case "xpath":
		return x.xpath
	case "keys", "items":
		return func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
			var out []py.Value
			for _, a := range x.e.Attrs {
				var v py.Value = starlark.String(a.Name)
				if n == "items" {
					v = starlark.Tuple{v, starlark.String(a.Value)}
				}
				out = append(out, v)
			}
			return starlark.NewList(out), nil
		}
	case "values":
		return func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
			var out []py.Value
			for _, a := range x.e.Attrs {
				out = append(out, starlark.String(a.Value))
			}
			return starlark.NewList(out), nil
		}
	case "__eq__":
		return func(_ *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
			if len(args) != 1 {
				return nil, py.Fail("TypeError", "__eq__() takes one argument")
			}
			o, ok := args[0].(*element)
			return starlark.Bool(ok && o.e == x.e), nil
		}
	case "__len__":
		return func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
			return starlark.MakeInt(len(x.children())), nil
		}
	case "__getitem__":
		return func(th *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
			if len(args) != 1 {
				return nil, py.Fail("TypeError", "__getitem__() takes one argument")
			}
			return th.Item(elementList(x.children()), args[0])
		}
	}
	return nil
}

// finder gives a method that follows a path.
func (x *element) finder(n string) method {
	along := func(give func(found []*element, rest starlark.Tuple) (py.Value, error)) method {
		return func(th *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
			if len(args) == 0 {
				return nil, py.Fail("TypeError", "%s() takes a path", n)
			}
			p, ok := py.Plain(args[0]).(starlark.String)
			if !ok {
				return nil, py.Fail("TypeError", "%s() takes a path", n)
			}
			found, err := x.path(th, string(p))
			if err != nil {
				return nil, err
			}
			return give(found, args[1:])
		}
	}
	switch n {
	case "find":
		return along(func(found []*element, _ starlark.Tuple) (py.Value, error) {
			if len(found) == 0 {
				return starlark.None, nil
			}
			return found[0], nil
		})
	case "findall", "iterfind":
		return along(func(found []*element, _ starlark.Tuple) (py.Value, error) { return elementList(found), nil })
	case "findtext":
		return along(func(found []*element, rest starlark.Tuple) (py.Value, error) {
			if len(found) == 0 {
				if len(rest) > 0 {
					return rest[0], nil
				}
				return starlark.None, nil
			}
			s, err := found[0].content()
			return starlark.String(s), err
		})
	}
	return nil
}

func (x *element) get(_ *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
	var key string
	var deflt py.Value = starlark.None
	if err := starlark.UnpackArgs("get", args, kw, "key", &key, "default?", &deflt); err != nil {
		return nil, py.Fail("TypeError", "%v", err)
	}
	if v, ok := x.e.Lookup(key); ok {
		return starlark.String(v), nil
	}
	return deflt, nil
}

// Truth tells whether there are children, as in lxml.
func (x *element) Truth() starlark.Bool { return len(x.children()) > 0 }

func (x *element) children() []*element {
	var out []*element
	for _, c := range x.e.Children {
		if c.Kind == xmltree.Node {
			out = append(out, newChild(c, x, x.doc))
		}
	}
	return out
}

func (x *element) below() []*element {
	var out []*element
	for _, c := range x.children() {
		out = append(append(out, c), c.below()...)
	}
	return out
}

func elementList(list []*element) *starlark.List {
	out := make([]py.Value, len(list))
	for i, x := range list {
		out[i] = x
	}
	return starlark.NewList(out)
}

// path follows a path of ElementTree: names, *, ., .., // and conditions in
// brackets.
func (x *element) path(th *py.Thread, p string) ([]*element, error) {
	at := []*element{x}
	if rest, ok := strings.CutPrefix(p, "//"); ok {
		p = ".//" + rest
	}
	deep := false
	for _, step := range splitPath(p) {
		if step == "" {
			deep = true
			continue
		}
		name, conds, _ := strings.Cut(step, "[")
		var next []*element
		for _, e := range at {
			found, err := e.step(name, conds, deep)
			if err != nil {
				return nil, err
			}
			next = append(next, found...)
			if err := th.Step(1 + len(found)); err != nil {
				return nil, err
			}
		}
		at, deep = next, false
	}
	return at, nil
}

// splitPath splits at slashes outside brackets.
func splitPath(p string) []string {
	var out []string
	depth, start := 0, 0
	for i := range len(p) {
		switch p[i] {
		case '[':
			depth++
		case ']':
			depth--
		case '/':
			if depth == 0 {
				out = append(out, p[start:i])
				start = i + 1
			}
		}
	}
	return append(out, p[start:])
}

// step finds what one part of a path names from here.
func (x *element) step(name, conds string, deep bool) ([]*element, error) {
	var from []*element
	switch {
	case name == ".":
		from = []*element{x}
	case name == "..":
		if x.parent != nil {
			from = []*element{x.parent}
		}
	case deep:
		from = x.below()
	default:
		from = x.children()
	}
	var out []*element
	for _, e := range from {
		if name == "*" || name == "." || name == ".." || e.e.Tag == name {
			out = append(out, e)
		}
	}
	for conds != "" {
		cond, rest, ok := strings.Cut(conds, "]")
		if !ok {
			return nil, py.Fail("SyntaxError", "invalid path: a bracket is open")
		}
		var err error
		if out, err = keep(out, strings.TrimSpace(cond)); err != nil {
			return nil, err
		}
		conds = strings.TrimPrefix(rest, "[")
	}
	return out, nil
}
