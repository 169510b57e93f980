// SPDX-License-Identifier: Apache-2.0

package py

import (
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// Item is v[index].
func (th *Thread) Item(v, index Value) (Value, error) {
	if m := own(v, "__getitem__"); m != nil {
		return th.Call(m, starlark.Tuple{v, index}, nil)
	}
	base := native(v)
	if s, ok := index.(*sliceValue); ok {
		if o, is := base.(Object); is {
			if m, err := o.Member(th, "__getitem__"); m != nil || err != nil {
				if err != nil {
					return nil, err
				}
				return th.Call(m, starlark.Tuple{index}, nil)
			}
		}
		return th.cut(base, s)
	}
	switch x := base.(type) {
	case *starlark.Dict:
		out, ok, err := th.lookup(x, index)
		if ok || err != nil {
			return out, err
		}
		if m := own(v, "__missing__"); m != nil {
			return th.Call(m, starlark.Tuple{v, index}, nil)
		}
		return nil, th.keyError(index)
	case starlark.String:
		i, err := th.index(index, utf8.RuneCountInString(string(x)), "string")
		if err != nil {
			return nil, err
		}
		if err := th.Step(len(x) / 16); err != nil {
			return nil, err
		}
		from := offset(string(x), i)
		_, n := utf8.DecodeRuneInString(string(x)[from:])
		return x[from : from+n], nil
	case *starlark.List:
		i, err := th.index(index, x.Len(), "list")
		if err != nil {
			return nil, err
		}
		return x.Index(i), nil
	case starlark.Tuple:
		i, err := th.index(index, len(x), "tuple")
		if err != nil {
			return nil, err
		}
		return x[i], nil
	}
	if o, ok := v.(Object); ok {
		if m, err := o.Member(th, "__getitem__"); m != nil || err != nil {
			if err != nil {
				return nil, err
			}
			return th.Call(m, starlark.Tuple{index}, nil)
		}
	}
	return nil, Fail("TypeError", "'%s' object has no attribute '__getitem__'", th.typeName(v))
}

// index makes an offset into n items of a number.
func (th *Thread) index(v Value, n int, what string) (int, error) {
	i, ok := numeric(v).(starlark.Int)
	if !ok {
		return 0, Fail("TypeError", "%s indices must be integers, not %s", what, th.typeName(v))
	}
	k, ok := i.Int64()
	if ok && k < 0 {
		k += int64(n)
	}
	if !ok || k < 0 || k >= int64(n) {
		return 0, Fail("IndexError", "%s index out of range", what)
	}
	return int(k), nil
}

// offset is where the character i of a text begins.
func offset(s string, i int) int {
	for pos := range s {
		if i == 0 {
			return pos
		}
		i--
	}
	return len(s)
}

// bounds resolves a slice of n items.
func (s *sliceValue) bounds(n int) (lo, hi, step int, err error) {
	number := func(v Value, deflt int) int {
		if v == starlark.None {
			return deflt
		}
		i, ok := numeric(v).(starlark.Int)
		if !ok {
			err = Fail("TypeError", "slice indices must be integers or None")
			return 0
		}
		k, ok := i.Int64()
		if !ok || k > 1<<31 || k < -1<<31 {
			k = int64(i.Sign()) << 31
		}
		return int(k)
	}
	if step = number(s.step, 1); err == nil && step == 0 {
		return 0, 0, 0, Fail("ValueError", "slice step cannot be zero")
	}
	clamp := func(k, least, most int) int {
		if k < 0 {
			k += n
		}
		return max(least, min(k, most))
	}
	if step > 0 {
		lo, hi = clamp(number(s.lo, 0), 0, n), clamp(number(s.hi, n), 0, n)
	} else {
		lo = clamp(number(s.lo, n), -1, n-1)
		if hi = -1; s.hi != starlark.None {
			hi = clamp(number(s.hi, 0), -1, n-1)
		}
	}
	return lo, hi, step, err
}

func pick[T any](items []T, lo, hi, step int) []T {
	var out []T
	for i := lo; step > 0 && i < hi || step < 0 && i > hi; i += step {
		out = append(out, items[i])
	}
	return out
}

// cut is v[a:b:c].
func (th *Thread) cut(v Value, s *sliceValue) (Value, error) {
	switch x := v.(type) {
	case starlark.String:
		text := string(x)
		lo, hi, step, err := s.bounds(utf8.RuneCountInString(text))
		if err != nil {
			return nil, err
		}
		if err := th.Step(1 + len(text)/16); err != nil {
			return nil, err
		}
		if step == 1 {
			from := offset(text, lo)
			if hi <= lo {
				return starlark.String(""), nil
			}
			return x[from : from+offset(text[from:], hi-lo)], nil
		}
		return starlark.String(string(pick([]rune(text), lo, hi, step))), th.Grow(len(text))
	case *starlark.List:
		lo, hi, step, err := s.bounds(x.Len())
		if err != nil {
			return nil, err
		}
		return starlark.NewList(pick(elements(x), lo, hi, step)), th.Grow(slot * x.Len())
	case starlark.Tuple:
		lo, hi, step, err := s.bounds(len(x))
		if err != nil {
			return nil, err
		}
		return starlark.Tuple(pick(x, lo, hi, step)), th.Grow(slot * len(x))
	}
	return nil, Fail("TypeError", "'%s' object cannot be sliced", th.typeName(v))
}

// setItem is v[index] = x.
func (th *Thread) setItem(v, index, x Value) error {
	if m := own(v, "__setitem__"); m != nil {
		_, err := th.Call(m, starlark.Tuple{v, index, x}, nil)
		return err
	}
	switch c := native(v).(type) {
	case *starlark.Dict:
		return th.setKey(c, index, x)
	case *starlark.List:
		if s, ok := index.(*sliceValue); ok {
			return th.setSlice(c, s, x, false)
		}
		i, err := th.index(index, c.Len(), "list assignment")
		if err != nil {
			return err
		}
		return c.SetIndex(i, x)
	}
	if own(v, "__delitem__") != nil {
		return Fail("AttributeError", "__setitem__")
	}
	return Fail("TypeError", "'%s' object does not support item assignment", th.typeName(v))
}

// setSlice puts items in the place of others, or, del, nothing.
func (th *Thread) setSlice(l *starlark.List, s *sliceValue, x Value, del bool) error {
	items, err := th.list(x)
	if err != nil {
		return err
	}
	lo, hi, step, err := s.bounds(l.Len())
	if err != nil {
		return err
	}
	if err := th.Step(l.Len() / 2); err != nil {
		return err
	}
	old := elements(l)
	if step != 1 && del {
		gone := map[int]bool{}
		for i := lo; step > 0 && i < hi || step < 0 && i > hi; i += step {
			gone[i] = true
		}
		var kept []Value
		for i, v := range old {
			if !gone[i] {
				kept = append(kept, v)
			}
		}
		return replace(l, kept)
	}
	if step != 1 {
		for i := lo; step > 0 && i < hi || step < 0 && i > hi; i += step {
			if len(items) == 0 {
				return Fail("ValueError", "attempt to assign too few values to an extended slice")
			}
			old[i] = items[0]
			items = items[1:]
		}
		if len(items) > 0 {
			return Fail("ValueError", "attempt to assign too many values to an extended slice")
		}
		return replace(l, old)
	}
	out := append(append(append([]Value{}, old[:lo]...), items...), old[max(lo, hi):]...)
	return replace(l, out)
}

// replace gives a list other items.
func replace(l *starlark.List, items []Value) error {
	if err := l.Clear(); err != nil {
		return err
	}
	for _, v := range items {
		if err := l.Append(v); err != nil {
			return err
		}
	}
	return nil
}

func (th *Thread) extend(l *starlark.List, items []Value) error {
	if err := th.Grow(slot * len(items)); err != nil {
		return err
	}
	for _, v := range items {
		if err := l.Append(v); err != nil {
			return err
		}
	}
	return nil
}

// delItem is del v[index].
func (th *Thread) delItem(v, index Value) error {
	if m := own(v, "__delitem__"); m != nil {
		_, err := th.Call(m, starlark.Tuple{v, index}, nil)
		return err
	}
	switch c := native(v).(type) {
	case *starlark.Dict:
		_, ok, err := th.remove(c, index)
		if err == nil && !ok {
			err = th.keyError(index)
		}
		return err
	case *starlark.List:
		if s, ok := index.(*sliceValue); ok {
			return th.setSlice(c, s, starlark.Tuple{}, true)
		}
		i, err := th.index(index, c.Len(), "list assignment")
		if err != nil {
			return err
		}
		if err := th.Step(c.Len() / 2); err != nil {
			return err
		}
		old := elements(c)
		return replace(c, append(old[:i:i], old[i+1:]...))
	}
	if own(v, "__setitem__") != nil {
		return Fail("AttributeError", "__delitem__")
	}
	return Fail("TypeError", "'%s' object doesn't support item deletion", th.typeName(v))
}

// setKey puts a value into a dictionary.
func (th *Thread) setKey(d *starlark.Dict, k, v Value) error {
	if err := th.Grow(entry); err != nil {
		return err
	}
	k, err := th.canonical(k)
	if err != nil {
		return err
	}
	if err := d.SetKey(keyOf(d, k), v); err != nil {
		return Fail("TypeError", "unhashable type: '%s'", th.typeName(k))
	}
	return nil
}

// update puts what a mapping, or pairs, hold into a dictionary.
func (th *Thread) update(d *starlark.Dict, from Value) error {
	if src, ok := native(from).(*starlark.Dict); ok {
		for _, item := range src.Items() {
			if err := th.setKey(d, item[0], item[1]); err != nil {
				return err
			}
		}
		return nil
	}
	if own(from, "keys") != nil {
		items, err := th.method(from, "items")
		if err != nil {
			return err
		}
		from = items
	}
	if o, ok := from.(Object); ok {
		keys, err := o.Member(th, "items")
		if err != nil {
			return err
		}
		if keys != nil {
			if from, err = th.Call(keys, nil, nil); err != nil {
				return err
			}
		}
	}
	return th.each(from, func(item Value) (bool, error) {
		pair, err := th.list(item)
		if err != nil {
			return false, err
		}
		if len(pair) != 2 {
			return false, Fail("ValueError", "dictionary update sequence element has length %d; 2 is required", len(pair))
		}
		return true, th.setKey(d, pair[0], pair[1])
	})
}
