// SPDX-License-Identifier: Apache-2.0

package py

import (
	"slices"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

const tokenLess = syntax.LT

// each calls visit with the items of a value until it says false.
func (th *Thread) each(v Value, visit func(Value) (bool, error)) error {
	step := func(item Value) (bool, error) {
		if err := th.Step(1); err != nil {
			return false, err
		}
		return visit(item)
	}
	switch x := v.(type) {
	case *starlark.List:
		for i := 0; i < x.Len(); i++ {
			if more, err := step(x.Index(i)); err != nil || !more {
				return err
			}
		}
		return nil
	case *Iter:
		for {
			item, ok, err := x.Next()
			if err != nil || !ok {
				return err
			}
			if more, err := step(item); err != nil || !more {
				return err
			}
		}
	case starlark.String:
		for s := string(x); s != ""; {
			_, n := utf8.DecodeRuneInString(s)
			if more, err := step(starlark.String(s[:n])); err != nil || !more {
				return err
			}
			s = s[n:]
		}
		return nil
	case *Instance, Object:
		return th.eachObject(v, visit)
	default:
		items, ok := plain(v)
		if ok {
			for _, item := range items {
				if more, err := step(item); err != nil || !more {
					return err
				}
			}
			return nil
		}
	}
	return Fail("TypeError", "'%s' object is not iterable", th.typeName(v))
}

// eachObject is each over what its class, or Go code, makes iterable.
func (th *Thread) eachObject(v Value, visit func(Value) (bool, error)) error {
	switch x := v.(type) {
	case *Instance:
		if it, err := th.iterOf(x); it != nil || err != nil {
			if err != nil {
				return err
			}
			return th.each(it, visit)
		}
		if x.base != nil {
			return th.each(x.base, visit)
		}
	case Standin:
		return th.each(x.Plain(), visit)
	case Object:
		m, err := x.Member(th, "__iter__")
		if err != nil {
			return err
		}
		if m != nil {
			items, err := th.Call(m, nil, nil)
			if err != nil {
				return err
			}
			return th.each(items, visit)
		}
	}
	return Fail("TypeError", "'%s' object is not iterable", th.typeName(v))
}

// plain lists the items of a value that does not change meanwhile.
func plain(v Value) ([]Value, bool) {
	switch x := v.(type) {
	case starlark.Tuple:
		return x, true
	case *starlark.Dict:
		return x.Keys(), true
	case *starlark.Set:
		return setItems(x), true
	}
	return nil, false
}

// iterOf gives the iterator of an object, nil where its class has none.
func (th *Thread) iterOf(o *Instance) (*Iter, error) {
	source := Value(o)
	if m := o.Class.find("__iter__"); m != nil {
		v, err := th.Call(m, starlark.Tuple{o}, nil)
		if err != nil {
			return nil, err
		}
		if source = v; v != Value(o) {
			return th.iter(v)
		}
	}
	for _, n := range []string{"next", "__next__"} {
		if m := o.Class.find(n); m != nil {
			return &Iter{Next: func() (Value, bool, error) {
				v, err := th.Call(m, starlark.Tuple{source}, nil)
				if r, ok := err.(*Raised); ok && r.Class == "StopIteration" {
					return nil, false, nil
				}
				return v, err == nil, err
			}}, nil
		}
	}
	m := o.Class.find("__getitem__")
	if m == nil || o.base != nil {
		return nil, nil
	}
	i := 0
	return &Iter{Next: func() (Value, bool, error) {
		v, err := th.Call(m, starlark.Tuple{o, starlark.MakeInt(i)}, nil)
		i++
		if r, ok := err.(*Raised); ok && r.Class == "IndexError" {
			return nil, false, nil
		}
		return v, err == nil, err
	}}, nil
}

// iter gives an iterator over a value.
func (th *Thread) iter(v Value) (*Iter, error) {
	switch x := v.(type) {
	case *Iter:
		return x, nil
	case *Instance:
		if it, err := th.iterOf(x); it != nil || err != nil {
			return it, err
		}
	}
	if l, ok := native(v).(*starlark.List); ok {
		i := -1
		return &Iter{Next: func() (Value, bool, error) {
			if i++; i >= l.Len() {
				return nil, false, nil
			}
			return l.Index(i), true, th.Step(1)
		}}, nil
	}
	items, err := th.list(v)
	if err != nil {
		return nil, err
	}
	return iterOver(items), nil
}

func iterOver(items []Value) *Iter {
	return &Iter{Next: func() (Value, bool, error) {
		if len(items) == 0 {
			return nil, false, nil
		}
		v := items[0]
		items = items[1:]
		return v, true, nil
	}}
}

// list gives the items of anything iterable. The caller may change the result.
func (th *Thread) list(v Value) ([]Value, error) {
	var out []Value
	err := th.each(v, func(item Value) (bool, error) {
		out = append(out, item)
		return true, th.Grow(slot)
	})
	return out, err
}

// List gives the items of anything iterable.
func (th *Thread) List(v Value) ([]Value, error) { return th.list(v) }

// length is len() of a value.
func (th *Thread) length(v Value) (int, error) {
	if m := own(v, "__len__"); m != nil {
		n, err := th.Call(m, starlark.Tuple{v}, nil)
		if err != nil {
			return 0, err
		}
		return starlark.AsInt32(n)
	}
	switch x := native(v).(type) {
	case starlark.String:
		return utf8.RuneCountInString(string(x)), th.Step(1 + len(x)/chunk)
	case starlark.Sequence:
		return x.Len(), nil
	}
	if o, ok := v.(Object); ok {
		if m, err := o.Member(th, "__len__"); m != nil || err != nil {
			if err != nil {
				return 0, err
			}
			n, err := th.Call(m, nil, nil)
			if err != nil {
				return 0, err
			}
			return starlark.AsInt32(n)
		}
	}
	return 0, Fail("TypeError", "object of type '%s' has no len()", th.typeName(v))
}

// contains is "x in v".
func (th *Thread) contains(v, x Value) (bool, error) {
	if m := own(v, "__contains__"); m != nil {
		return th.asked(m, v, x)
	}
	if o, ok := v.(Object); ok {
		if m, err := o.Member(th, "__contains__"); m != nil || err != nil {
			if err != nil {
				return false, err
			}
			out, err := th.Call(m, starlark.Tuple{x}, nil)
			if err != nil {
				return false, err
			}
			return bool(out.Truth()), nil
		}
	}
	switch c := native(v).(type) {
	case starlark.String:
		s, ok := native(x).(starlark.String)
		if !ok {
			return false, Fail("TypeError", "'in <string>' requires string as left operand, not %s", th.typeName(x))
		}
		return strings.Contains(string(c), string(s)), th.Step(1 + len(c)/chunk)
	case *starlark.Dict:
		_, ok, err := th.lookup(c, x)
		return ok, err
	case *starlark.Set:
		k, err := th.canonical(x)
		if err != nil {
			return false, err
		}
		return has(c, k)
	}
	found := false
	err := th.each(v, func(item Value) (bool, error) {
		ok, err := th.Equal(item, x)
		found = found || ok
		return !ok, err
	})
	return found, err
}

// setItems lists a set: texts by the alphabet, so that the order is nobody's
// accident; anything else as it was put in.
func setItems(s *starlark.Set) []Value {
	var out []Value
	it := s.Iterate()
	defer it.Done()
	texts := true
	var v Value
	for it.Next(&v) {
		_, ok := v.(starlark.String)
		texts = texts && ok
		out = append(out, v)
	}
	if texts {
		slices.SortFunc(out, func(a, b Value) int {
			return strings.Compare(string(a.(starlark.String)), string(b.(starlark.String)))
		})
	}
	return out
}
