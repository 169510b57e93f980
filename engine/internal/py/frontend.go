// SPDX-License-Identifier: Apache-2.0

package py

import "go.starlark.net/starlark"

// What follows is for languages whose expressions are not Python's own.

// Binary gives x op y, of an operator of arithmetic.
func (th *Thread) Binary(o string, x, y Value) (Value, error) { return th.binary(o, x, y) }

// Unary gives op x.
func (th *Thread) Unary(o string, x Value) (Value, error) { return th.unary(o, x) }

// Compare evaluates one operator of a comparison, "in" and "is" among them.
func (th *Thread) Compare(o string, x, y Value) (bool, error) { return th.compare(o, x, y) }

// Length is len() of a value.
func (th *Thread) Length(v Value) (int, error) { return th.length(v) }

// Sort sorts by what key gives for an item, keeping the order of equal ones.
func (th *Thread) Sort(items []Value, key Value, reverse bool) error {
	return th.sort(items, key, nil, reverse)
}

// Slice is the index lo:hi:step; None is what is left out.
func Slice(lo, hi, step Value) Value { return &sliceValue{lo, hi, step} }

// SetItems lists a set in its order.
func SetItems(s *starlark.Set) []Value { return setItems(s) }

// Builtin gives a built-in name of Python; nil where there is none.
func (th *Thread) Builtin(name string) Value { return th.py.builtins[name] }

// Import loads a module of the language.
func (th *Thread) Import(name string) (Value, error) {
	outer, _, err := th.importModule(name)
	return outer, err
}
