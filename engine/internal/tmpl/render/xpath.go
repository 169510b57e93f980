// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"slices"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl/xpath"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// xpath is lxml's xpath(): elements and texts in a list, or one text, number or bool.
func (x *element) xpath(th *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
	var path string
	var names *starlark.Dict
	var own, values []starlark.Tuple
	for _, pair := range kw {
		if pair[0] == starlark.String("namespaces") {
			own = append(own, pair)
			continue
		}
		values = append(values, pair)
	}
	if err := starlark.UnpackArgs("xpath", args, own, "_path", &path, "namespaces?", &names); err != nil {
		return nil, py.Fail("TypeError", "%v", err)
	}
	q := xpath.Question{Path: path, Names: map[string]string{}, Values: map[string]any{}, Step: th.Step}
	for _, pair := range values {
		name, _ := starlark.AsString(pair[0])
		if err := variable(q.Values, name, py.Plain(pair[1])); err != nil {
			return nil, err
		}
	}
	if names != nil {
		for _, item := range names.Items() {
			prefix, _ := starlark.AsString(item[0])
			q.Names[prefix], _ = starlark.AsString(item[1])
		}
	}
	for e := x; e != nil; e = e.parent {
		q.At = append(q.At, e.e)
	}
	slices.Reverse(q.At)
	q.Text = func(e *xmltree.Element) (string, error) {
		return newElement(e, x.doc).content()
	}
	a, err := xpath.Ask(q)
	var wrong *xpath.Error
	switch {
	case errors.As(err, &wrong):
		return nil, py.Fail("XPathEvalError", "%v", wrong)
	case err != nil:
		return nil, err
	}
	return x.answer(th, a)
}

// variable notes what stands for $name in a path.
func variable(values map[string]any, name string, v py.Value) error {
	switch v := v.(type) {
	case starlark.String:
		values[name] = string(v)
	case starlark.Bool:
		values[name] = bool(v)
	case starlark.Int, starlark.Float:
		f, _ := starlark.AsFloat(v)
		values[name] = f
	default:
		return py.Fail("TypeError", "a path takes texts, numbers and bools for $%s", name)
	}
	return nil
}

// answer makes values of what a path gave.
func (x *element) answer(th *py.Thread, a xpath.Answer) (py.Value, error) {
	switch v := a.Value.(type) {
	case string:
		return starlark.String(v), th.Grow(len(v))
	case float64:
		return starlark.Float(v), nil
	case bool:
		return starlark.Bool(v), nil
	}
	out := make([]py.Value, len(a.Nodes))
	for i, n := range a.Nodes {
		out[i] = starlark.String(n.Text)
		if n.Element != nil {
			out[i] = x.found(n)
		}
		if err := th.Grow(len(n.Text)); err != nil {
			return nil, err
		}
	}
	return starlark.NewList(out), nil
}

// found makes the object of an element with those around it.
func (x *element) found(n *xpath.Node) *element {
	if n.Parent == nil {
		return newElement(n.Element, x.doc)
	}
	return newChild(n.Element, x.found(n.Parent), x.doc)
}
