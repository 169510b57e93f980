// SPDX-License-Identifier: Apache-2.0

package render

import (
	"slices"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

// walker gives a method that goes from an element to others, or to their texts.
func (x *element) walker(n string) method {
	switch n {
	case "getchildren", "iterchildren", "__iter__":
		return tagged(x.children)
	case "iter", "getiterator":
		return tagged(func() []*element { return append([]*element{x}, x.below()...) })
	case "iterdescendants":
		return tagged(x.below)
	case "iterancestors":
		return tagged(x.ancestors)
	case "itersiblings":
		return x.siblings
	case "getparent":
		return firstOf(func() []*element { return x.ancestors() })
	case "getnext":
		return firstOf(func() []*element { _, after := x.beside(); return after })
	case "getprevious":
		return firstOf(func() []*element { before, _ := x.beside(); return before })
	case "getroottree":
		return func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
			root := x
			for root.parent != nil {
				root = root.parent
			}
			return newObject("_ElementTree", func(_ *py.Thread, n string) (py.Value, error) {
				if n == "getroot" {
					return py.Func(n, func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) { return root, nil }), nil
				}
				return root.find(nil, n)
			}), nil
		}
	case "index":
		return x.index
	case "itertext":
		return func(th *py.Thread, _ starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
			var out []py.Value
			err := x.pieces(func(s string) { out = append(out, starlark.String(s)) })
			if err != nil {
				return nil, err
			}
			return starlark.NewList(out), th.Step(1 + len(out))
		}
	}
	return nil
}

// tagged makes a method that gives elements, of the tags that are asked for.
func tagged(list func() []*element) method {
	return func(th *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
		found := list()
		if err := th.Step(1 + len(found)); err != nil {
			return nil, err
		}
		return elementList(ofTags(found, args, kw)), nil
	}
}

// ofTags leaves those of the tags that are asked for, all where none is.
func ofTags(list []*element, args starlark.Tuple, kw []starlark.Tuple) []*element {
	for _, k := range kw {
		if k[0] == starlark.String("tag") {
			args = append(args, k[1])
		}
	}
	var tags []string
	for _, a := range args {
		if s, ok := py.Plain(a).(starlark.String); ok && s != "*" {
			tags = append(tags, string(s))
		}
	}
	if tags == nil {
		return list
	}
	return slices.DeleteFunc(list, func(e *element) bool { return !slices.Contains(tags, e.e.Tag) })
}

// firstOf makes a method that gives the first of elements, None where there is none.
func firstOf(list func() []*element) method {
	return func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
		if found := list(); len(found) > 0 {
			return found[0], nil
		}
		return starlark.None, nil
	}
}

// ancestors are what an element is in, the nearest first.
func (x *element) ancestors() []*element {
	var out []*element
	for p := x.parent; p != nil; p = p.parent {
		out = append(out, p)
	}
	return out
}

// beside are the elements before and behind an element, the nearest first.
func (x *element) beside() (before, after []*element) {
	if x.parent == nil {
		return nil, nil
	}
	list := x.parent.children()
	at := slices.IndexFunc(list, func(e *element) bool { return e.e == x.e })
	before = slices.Clone(list[:at])
	slices.Reverse(before)
	return before, list[at+1:]
}

func (x *element) siblings(_ *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
	before, after := x.beside()
	list := after
	kw = slices.DeleteFunc(slices.Clone(kw), func(k starlark.Tuple) bool {
		if k[0] == starlark.String("preceding") && bool(k[1].Truth()) {
			list = before
		}
		return k[0] == starlark.String("preceding")
	})
	return elementList(ofTags(list, args, kw)), nil
}

func (x *element) index(_ *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
	if len(args) == 1 {
		if o, ok := args[0].(*element); ok {
			if at := slices.IndexFunc(x.children(), func(e *element) bool { return e.e == o.e }); at >= 0 {
				return starlark.MakeInt(at), nil
			}
		}
	}
	return nil, py.Fail("ValueError", "Element is not a child of this node.")
}

// pieces visits the texts of an element and of all below it, in order.
func (x *element) pieces(visit func(string)) error {
	s, err := x.content()
	if err != nil {
		return err
	}
	if s != "" {
		visit(s)
	}
	children := x.children()
	for _, child := range x.e.Children {
		if len(children) > 0 && children[0].e == child {
			if err := children[0].pieces(visit); err != nil {
				return err
			}
			children = children[1:]
		}
		if child.Tail != "" {
			visit(child.Tail)
		}
	}
	return nil
}
