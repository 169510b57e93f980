// SPDX-License-Identifier: Apache-2.0

package py

import (
	"cmp"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// compare evaluates one operator of a comparison.
func (th *Thread) compare(o string, a, b Value) (bool, error) {
	switch o {
	case "==":
		return th.Equal(a, b)
	case "!=":
		if m := own(a, "__ne__"); m != nil {
			return th.asked(m, a, b)
		}
		ok, err := th.Equal(a, b)
		return !ok, err
	case "is":
		return identical(a, b), nil
	case "is not":
		return !identical(a, b), nil
	case "in":
		return th.contains(b, a)
	case "not in":
		ok, err := th.contains(b, a)
		return !ok, err
	}
	if s, ok := native(a).(*starlark.Set); ok {
		if t, ok := native(b).(*starlark.Set); ok {
			return subsets(o, s, t), nil
		}
	}
	swapped := map[string]string{"<": ">", ">": "<", "<=": ">=", ">=": "<="}
	names := map[string]string{"<": "__lt__", ">": "__gt__", "<=": "__le__", ">=": "__ge__"}
	if v, err := th.offered(own(a, names[o]), a, b); v != nil || err != nil {
		return th.decided(v, err)
	}
	if v, err := th.offered(own(b, names[swapped[o]]), b, a); v != nil || err != nil {
		return th.decided(v, err)
	}
	if isNaN(a) || isNaN(b) {
		return false, nil
	}
	n, err := th.order(a, b)
	switch o {
	case "<":
		return n < 0, err
	case ">":
		return n > 0, err
	case "<=":
		return n <= 0, err
	}
	return n >= 0, err
}

func (th *Thread) asked(m Value, a, b Value) (bool, error) {
	v, err := th.Call(m, starlark.Tuple{a, b}, nil)
	if err != nil {
		return false, err
	}
	return th.Truth(v)
}

// decided is the truth of what a special method gave.
func (th *Thread) decided(v Value, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	return th.Truth(v)
}

func identical(a, b Value) bool {
	switch x := a.(type) {
	case starlark.String, starlark.Int, starlark.Bool, starlark.Float, starlark.NoneType:
		return a.Type() == b.Type() && safeEqual(a, b)
	case starlark.Tuple:
		y, ok := b.(starlark.Tuple)
		return ok && len(x) == len(y) && (len(x) == 0 || &x[0] == &y[0])
	}
	if _, ok := b.(starlark.Tuple); ok {
		return false
	}
	return a == b
}

func isNaN(v Value) bool {
	f, ok := v.(starlark.Float)
	return ok && f != f
}

func safeEqual(a, b Value) bool {
	ok, err := starlark.Equal(a, b)
	return err == nil && ok
}

// Equal tells whether two values are equal in Python.
func (th *Thread) Equal(a, b Value) (bool, error) {
	if v, err := th.offered(own(a, "__eq__"), a, b); v != nil || err != nil {
		return th.decided(v, err)
	}
	if v, err := th.offered(own(b, "__eq__"), b, a); v != nil || err != nil {
		return th.decided(v, err)
	}
	if m := own(a, "__cmp__"); m != nil {
		n, err := th.order(a, b)
		return n == 0, err
	}
	if err := th.Step(1); err != nil {
		return false, err
	}
	x, y := numeric(a), numeric(b)
	switch p := x.(type) {
	case starlark.Int, starlark.Float:
		return isNumber(y) && !isNaN(x) && safeEqual(x, y), nil
	case starlark.String:
		q, ok := y.(starlark.String)
		if ok && len(p) == len(q) && len(p) > chunk {
			if err := th.Step(len(p) / chunk); err != nil {
				return false, err
			}
		}
		return ok && p == q, nil
	case starlark.NoneType:
		return y == starlark.None, nil
	case *starlark.List:
		if q, ok := y.(*starlark.List); ok {
			return th.equalItems(elements(p), elements(q))
		}
		return false, nil
	case starlark.Tuple:
		if q, ok := y.(starlark.Tuple); ok {
			return th.equalItems(p, q)
		}
		return false, nil
	case *starlark.Dict:
		q, ok := y.(*starlark.Dict)
		return ok && th.equalDicts(p, q), nil
	case *starlark.Set:
		q, ok := y.(*starlark.Set)
		return ok && p.Len() == q.Len() && subsets("<=", p, q), nil
	}
	if o, ok := a.(Object); ok {
		m, err := o.Member(th, "__eq__")
		if m != nil && err == nil {
			v, err := th.Call(m, starlark.Tuple{b}, nil)
			return err == nil && bool(v.Truth()), err
		}
	}
	return identical(a, b), nil
}

func (th *Thread) equalItems(a, b []Value) (bool, error) {
	if len(a) != len(b) {
		return false, nil
	}
	if err := th.enter(); err != nil {
		return false, err
	}
	defer func() { th.depth-- }()
	for i := range a {
		if ok, err := th.Equal(a[i], b[i]); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func (th *Thread) equalDicts(a, b *starlark.Dict) bool {
	if a.Len() != b.Len() || th.enter() != nil {
		return false
	}
	defer func() { th.depth-- }()
	for _, item := range a.Items() {
		v, ok, err := b.Get(keyOf(b, item[0]))
		if err != nil || !ok {
			return false
		}
		if same, err := th.Equal(item[1], v); err != nil || !same {
			return false
		}
	}
	return true
}

// rank orders values of different types as 2.7 does: None, numbers, then by the
// name of the type.
func (th *Thread) rank(v Value) string {
	switch numeric(v).(type) {
	case starlark.NoneType:
		return ""
	case starlark.Int, starlark.Float:
		return " "
	}
	return th.typeName(native(v))
}

// order compares any two values: negative, 0 or positive.
func (th *Thread) order(a, b Value) (int, error) {
	if m := own(a, "__cmp__"); m != nil {
		v, err := th.Call(m, starlark.Tuple{a, b}, nil)
		if err != nil {
			return 0, err
		}
		n, err := starlark.NumberToInt(numeric(v))
		return n.Sign(), err
	}
	if m := own(a, "__lt__"); m != nil {
		less, err := th.asked(m, a, b)
		if err != nil || less {
			return -1, err
		}
		if m := own(b, "__lt__"); m != nil {
			more, err := th.asked(m, b, a)
			if err != nil || more {
				return 1, err
			}
		}
		return 0, nil
	}
	if err := th.Step(1); err != nil {
		return 0, err
	}
	if p, q := th.rank(a), th.rank(b); p != q {
		return strings.Compare(p, q), nil
	}
	switch x := numeric(a).(type) {
	case starlark.String:
		return strings.Compare(string(x), string(numeric(b).(starlark.String))), nil
	case starlark.Int, starlark.Float:
		return orderNumbers(x, numeric(b))
	case *starlark.List:
		return th.orderItems(elements(x), elements(native(b).(*starlark.List)))
	case starlark.Tuple:
		return th.orderItems(x, native(b).(starlark.Tuple))
	case *starlark.Dict:
		return th.orderDicts(x, native(b).(*starlark.Dict))
	}
	if o, ok := a.(Object); ok {
		if m, err := o.Member(th, "__cmp__"); m != nil && err == nil {
			v, err := th.Call(m, starlark.Tuple{b}, nil)
			if err != nil {
				return 0, err
			}
			n, err := starlark.NumberToInt(v)
			return n.Sign(), err
		}
	}
	return 0, nil
}

// orderNumbers compares numbers. What is none is neither less nor more.
func orderNumbers(a, b Value) (int, error) {
	if isNaN(a) || isNaN(b) {
		return 0, nil
	}
	if less, err := starlark.Compare(tokenLess, a, b); err != nil || less {
		return -1, err
	}
	if safeEqual(a, b) {
		return 0, nil
	}
	return 1, nil
}

func (th *Thread) orderDicts(a, b *starlark.Dict) (int, error) {
	if n := cmp.Compare(a.Len(), b.Len()); n != 0 {
		return n, nil
	}
	flat := func(d *starlark.Dict) []Value {
		var out []Value
		for _, item := range sortedDict(d).Items() {
			out = append(out, item)
		}
		return out
	}
	return th.orderItems(flat(a), flat(b))
}

func (th *Thread) orderItems(a, b []Value) (int, error) {
	if err := th.enter(); err != nil {
		return 0, err
	}
	defer func() { th.depth-- }()
	for i := range min(len(a), len(b)) {
		ok, err := th.Equal(a[i], b[i])
		if err != nil {
			return 0, err
		}
		if !ok {
			return th.order(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b)), nil
}

// sort orders values by a key, keeping the order of equal ones.
func (th *Thread) sort(items []Value, key, compare Value, reverse bool) error {
	keys := items
	if key != nil && key != starlark.None {
		keys = make([]Value, len(items))
		for i, v := range items {
			k, err := th.Call(key, starlark.Tuple{v}, nil)
			if err != nil {
				return err
			}
			keys[i] = k
		}
	}
	index := make([]int, len(items))
	for i := range index {
		index[i] = i
	}
	var failed error
	slices.SortStableFunc(index, func(i, j int) int {
		if failed != nil {
			return 0
		}
		var n int
		if compare != nil && compare != starlark.None {
			v, err := th.Call(compare, starlark.Tuple{keys[i], keys[j]}, nil)
			if failed = err; err == nil {
				var num starlark.Int
				num, failed = starlark.NumberToInt(numeric(v))
				n = num.Sign()
			}
		} else {
			n, failed = th.order(keys[i], keys[j])
		}
		if reverse {
			return -n
		}
		return n
	})
	sorted := make([]Value, len(items))
	for i, j := range index {
		sorted[i] = items[j]
	}
	copy(items, sorted)
	return failed
}
