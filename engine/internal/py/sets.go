// SPDX-License-Identifier: Apache-2.0

package py

import (
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// set makes a set and counts what it takes.
func (th *Thread) set(items []Value) (*starlark.Set, error) {
	if err := th.Grow(empty + entry*len(items)); err != nil {
		return nil, err
	}
	for i := range items {
		k, err := th.canonical(items[i])
		if err != nil {
			return nil, err
		}
		if _, ok := k.(*Instance); ok && k != items[i] {
			items = slices.Clone(items)
			items[i] = k
		}
	}
	return newSet(items)
}

func newSet(items []Value) (*starlark.Set, error) {
	s := starlark.NewSet(len(items))
	for _, v := range items {
		if err := insert(s, v); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// combine is an operator on sets.
func combine(o string, a, b *starlark.Set) (*starlark.Set, error) {
	var out []Value
	keep := func(from, other *starlark.Set, want bool) {
		for _, v := range setItems(from) {
			if ok, _ := has(other, v); ok == want {
				out = append(out, v)
			}
		}
	}
	switch o {
	case "&":
		keep(a, b, true)
	case "-":
		keep(a, b, false)
	case "^":
		keep(a, b, false)
		keep(b, a, false)
	default:
		out = append(setItems(a), setItems(b)...)
	}
	return newSet(out)
}

// refill gives a set the members of another.
func refill(s, from *starlark.Set) error {
	items := setItems(from)
	if err := s.Clear(); err != nil {
		return err
	}
	for _, v := range items {
		if err := s.Insert(v); err != nil {
			return err
		}
	}
	return nil
}

// subsets compares two sets.
func subsets(o string, a, b *starlark.Set) bool {
	within := func(x, y *starlark.Set) bool {
		return !slices.ContainsFunc(setItems(x), func(v Value) bool { ok, _ := has(y, v); return !ok })
	}
	switch o {
	case "<=":
		return within(a, b)
	case "<":
		return a.Len() < b.Len() && within(a, b)
	case ">=":
		return within(b, a)
	}
	return b.Len() < a.Len() && within(b, a)
}

// sortedDict gives a dictionary its keys in the order of the alphabet, where Go's
// maps would give it any.
func sortedDict(d *starlark.Dict) *starlark.Dict {
	items := d.Items()
	slices.SortStableFunc(items, func(a, b starlark.Tuple) int {
		return strings.Compare(keyText(a[0]), keyText(b[0]))
	})
	out := starlark.NewDict(len(items))
	for _, item := range items {
		_ = out.SetKey(item[0], item[1])
	}
	return out
}

func keyText(v Value) string {
	if s, ok := v.(starlark.String); ok {
		return string(s)
	}
	return v.String()
}

// setMany is a method that combines a set with others.
func setMany(o string) method {
	return func(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		out := self.(*starlark.Set)
		if len(args) == 0 {
			return combine("|", out, out)
		}
		for _, a := range args {
			items, err := th.list(a)
			if err != nil {
				return nil, err
			}
			other, err := th.set(items)
			if err != nil {
				return nil, err
			}
			if out, err = combine(o, out, other); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

// setInPlace is one that changes the set.
func setInPlace(o string) method {
	return func(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		out, err := setMany(o)(th, self, args, kw)
		if err != nil {
			return nil, err
		}
		return starlark.None, refill(self.(*starlark.Set), out.(*starlark.Set))
	}
}

// setTest is one that compares.
func setTest(o string) method {
	return func(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		if len(args) != 1 {
			return nil, Fail("TypeError", "expected one argument")
		}
		items, err := th.list(args[0])
		if err != nil {
			return nil, err
		}
		other, err := newSet(items)
		if err != nil {
			return nil, err
		}
		if o == "disjoint" {
			common, err := combine("&", self.(*starlark.Set), other)
			return starlark.Bool(err == nil && common.Len() == 0), err
		}
		return starlark.Bool(subsets(o, self.(*starlark.Set), other)), nil
	}
}

func setMethods() map[string]method {
	m := map[string]method{
		"union": setMany("|"), "intersection": setMany("&"), "difference": setMany("-"), "symmetric_difference": setMany("^"), "copy": setMany("|"),
		"update": setInPlace("|"), "intersection_update": setInPlace("&"), "difference_update": setInPlace("-"), "symmetric_difference_update": setInPlace("^"),
		"issubset": setTest("<="), "issuperset": setTest(">="), "isdisjoint": setTest("disjoint"),
	}
	m["add"], m["discard"], m["remove"] = setAdd, setDiscard, setRemove
	m["clear"] = func(_ *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		return starlark.None, self.(*starlark.Set).Clear()
	}
	m["pop"] = func(_ *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		s := self.(*starlark.Set)
		if s.Len() == 0 {
			return nil, Fail("KeyError", "'pop from an empty set'")
		}
		v := setItems(s)[0]
		_, err := s.Delete(v)
		return v, err
	}
	return m
}

func setAdd(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) != 1 {
		return nil, Fail("TypeError", "add() takes exactly one argument")
	}
	v, err := th.canonical(args[0])
	if err != nil {
		return nil, err
	}
	if err := insert(self.(*starlark.Set), v); err != nil {
		return nil, err
	}
	return starlark.None, th.Grow(entry)
}

func setDiscard(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) != 1 {
		return nil, Fail("TypeError", "discard() takes exactly one argument")
	}
	s := self.(*starlark.Set)
	v, err := th.canonical(args[0])
	if err == nil {
		_, err = s.Delete(memberOf(s, v))
	}
	return starlark.None, err
}

func setRemove(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) != 1 {
		return nil, Fail("TypeError", "remove() takes exactly one argument")
	}
	s := self.(*starlark.Set)
	v, err := th.canonical(args[0])
	if err != nil {
		return nil, err
	}
	found, err := s.Delete(memberOf(s, v))
	if err == nil && !found {
		err = th.keyError(args[0])
	}
	return starlark.None, err
}
