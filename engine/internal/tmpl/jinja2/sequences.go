// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

// getter follows an attribute with dots; numbers in it are indexes. Without one it
// gives the value itself.
func (r *renderer) getter(attribute, deflt py.Value, fold bool) (func(py.Value) (py.Value, error), error) {
	var parts []py.Value
	switch a := py.Plain(attribute).(type) {
	case nil, starlark.NoneType:
	case starlark.String:
		for _, part := range strings.Split(string(a), ".") {
			if n, err := strconv.Atoi(part); err == nil {
				parts = append(parts, starlark.MakeInt(n))
			} else {
				parts = append(parts, starlark.String(part))
			}
		}
	default:
		parts = []py.Value{a}
	}
	return func(v py.Value) (py.Value, error) {
		for _, part := range parts {
			var err error
			if v, err = r.item(v, part); err != nil {
				return nil, err
			}
			if isUndefined(v) && deflt != nil && deflt != starlark.None {
				v = deflt
			}
		}
		if s, ok := py.Plain(v).(starlark.String); ok && fold {
			v = starlark.String(strings.ToLower(string(s)))
		}
		return v, r.th.Step(1)
	}, nil
}

// by makes a key for sorting of a getter.
func by(get func(py.Value) (py.Value, error)) py.Value {
	return py.Func("key", func(_ *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) { return get(args[0]) })
}

func filterSort(r *renderer, v py.Value, args called) (py.Value, error) {
	var reverse, sensitive, attribute py.Value = starlark.False, starlark.False, starlark.None
	if err := unpack("sort", args.plain, args.named, "reverse?", &reverse, "case_sensitive?", &sensitive, "attribute?", &attribute); err != nil {
		return nil, err
	}
	items, err := r.th.List(v)
	if err != nil {
		return nil, err
	}
	// Several attributes with commas are compared one after the other.
	var gets []func(py.Value) (py.Value, error)
	list := []py.Value{attribute}
	if s, ok := attribute.(starlark.String); ok {
		list = nil
		for _, a := range strings.Split(string(s), ",") {
			list = append(list, starlark.String(a))
		}
	}
	for _, a := range list {
		get, err := r.getter(a, nil, !bool(sensitive.Truth()))
		if err != nil {
			return nil, err
		}
		gets = append(gets, get)
	}
	key := by(func(v py.Value) (py.Value, error) {
		out := make(starlark.Tuple, len(gets))
		for i, get := range gets {
			if out[i], err = get(v); err != nil {
				return nil, err
			}
		}
		return out, nil
	})
	return starlark.NewList(items), r.th.Sort(items, key, bool(reverse.Truth()))
}

func filterDictsort(r *renderer, v py.Value, args called) (py.Value, error) {
	var sensitive, reverse py.Value = starlark.False, starlark.False
	field := "key"
	if err := unpack("dictsort", args.plain, args.named, "case_sensitive?", &sensitive, "by?", &field, "reverse?", &reverse); err != nil {
		return nil, err
	}
	if field != "key" && field != "value" {
		return nil, py.Fail("FilterArgumentError", `You can only sort by either "key" or "value"`)
	}
	pairs, err := filterItems(r, v, called{})
	if err != nil {
		return nil, err
	}
	items, err := r.th.List(pairs)
	if err != nil {
		return nil, err
	}
	get, err := r.getter(starlark.MakeInt(map[string]int{"key": 0, "value": 1}[field]), nil, !bool(sensitive.Truth()))
	if err != nil {
		return nil, err
	}
	return starlark.NewList(items), r.th.Sort(items, by(get), bool(reverse.Truth()))
}

// grouped is one group of groupby: a pair with names.
type grouped struct {
	*object
	pair starlark.Tuple
}

// Plain is the pair.
func (g *grouped) Plain() py.Value { return g.pair }

func (g *grouped) String() string { return g.pair.String() }

func filterGroupby(r *renderer, v py.Value, args called) (py.Value, error) {
	var attribute, deflt, sensitive py.Value = starlark.None, starlark.None, starlark.False
	if err := unpack("groupby", args.plain, args.named, "attribute", &attribute, "default?", &deflt, "case_sensitive?", &sensitive); err != nil {
		return nil, err
	}
	get, err := r.getter(attribute, deflt, !bool(sensitive.Truth()))
	if err != nil {
		return nil, err
	}
	shown, err := r.getter(attribute, deflt, false)
	if err != nil {
		return nil, err
	}
	items, err := r.th.List(v)
	if err != nil {
		return nil, err
	}
	if err := r.th.Sort(items, by(get), false); err != nil {
		return nil, err
	}
	var out []py.Value
	var last py.Value
	var group *starlark.List
	for _, item := range items {
		key, err := get(item)
		if err != nil {
			return nil, err
		}
		same := false
		if last != nil {
			if same, err = r.th.Equal(last, key); err != nil {
				return nil, err
			}
		}
		if !same {
			group = starlark.NewList(nil)
			label, err := shown(item)
			if err != nil {
				return nil, err
			}
			g := &grouped{pair: starlark.Tuple{label, group}}
			g.object = newObject("tuple", func(n string) (py.Value, error) {
				return map[string]py.Value{"grouper": g.pair[0], "list": g.pair[1]}[n], nil
			})
			out = append(out, g)
			last = key
		}
		if err := group.Append(item); err != nil {
			return nil, err
		}
	}
	return starlark.NewList(out), nil
}

func filterUnique(r *renderer, v py.Value, args called) (py.Value, error) {
	var sensitive, attribute py.Value = starlark.False, starlark.None
	if err := unpack("unique", args.plain, args.named, "case_sensitive?", &sensitive, "attribute?", &attribute); err != nil {
		return nil, err
	}
	get, err := r.getter(attribute, nil, !bool(sensitive.Truth()))
	if err != nil {
		return nil, err
	}
	seen := starlark.NewSet(0)
	var out []py.Value
	err = r.th.Each(v, func(item py.Value) (bool, error) {
		key, err := get(item)
		if err != nil {
			return false, err
		}
		known, err := seen.Has(py.Plain(key))
		if err != nil {
			return false, py.Fail("TypeError", "%v", err)
		}
		if !known {
			out = append(out, item)
		}
		return true, seen.Insert(py.Plain(key))
	})
	return starlark.NewList(out), err
}

// extreme is min or max.
func extreme(n string) filterFunc {
	return func(r *renderer, v py.Value, args called) (py.Value, error) {
		var sensitive, attribute py.Value = starlark.False, starlark.None
		if err := unpack(n, args.plain, args.named, "case_sensitive?", &sensitive, "attribute?", &attribute); err != nil {
			return nil, err
		}
		get, err := r.getter(attribute, nil, !bool(sensitive.Truth()))
		if err != nil {
			return nil, err
		}
		items, err := r.th.List(v)
		if err != nil || len(items) == 0 {
			return newUndefined("No aggregated item, sequence was empty."), err
		}
		return r.th.Call(r.th.Builtin(n), starlark.Tuple{starlark.NewList(items)}, []starlark.Tuple{{starlark.String("key"), by(get)}})
	}
}

func filterSum(r *renderer, v py.Value, args called) (py.Value, error) {
	var attribute, start py.Value = starlark.None, starlark.MakeInt(0)
	if err := unpack("sum", args.plain, args.named, "attribute?", &attribute, "start?", &start); err != nil {
		return nil, err
	}
	get, err := r.getter(attribute, nil, false)
	if err != nil {
		return nil, err
	}
	err = r.th.Each(v, func(item py.Value) (bool, error) {
		x, err := get(item)
		if err == nil {
			start, err = r.arithmetic("+", start, x)
		}
		return true, err
	})
	return start, err
}

func filterJoin(r *renderer, v py.Value, args called) (py.Value, error) {
	// The separator may be markup, so it is not taken apart.
	var sep, attribute py.Value = starlark.String(""), starlark.None
	safe := len(args.plain) > 0 && isMarkup(args.plain[0])
	if err := unpack("join", args.plain, args.named, "d?", &sep, "attribute?", &attribute); err != nil {
		return nil, err
	}
	get, err := r.getter(attribute, nil, false)
	if err != nil {
		return nil, err
	}
	var items []py.Value
	err = r.th.Each(v, func(item py.Value) (bool, error) {
		x, err := get(item)
		items = append(items, x)
		safe = safe || isMarkup(x)
		return true, err
	})
	if err != nil {
		return nil, err
	}
	escaping := r.escaping && safe
	between, err := r.str(sep)
	if err != nil {
		return nil, err
	}
	if escaping && !(len(args.plain) > 0 && isMarkup(args.plain[0])) {
		between = escape(between)
	}
	var b strings.Builder
	for i, x := range items {
		s, err := r.str(x)
		if err != nil {
			return nil, err
		}
		if escaping && !isMarkup(x) {
			s = escape(s)
		}
		if i > 0 {
			s = between + s
		}
		if err := r.th.Grow(len(s)); err != nil {
			return nil, err
		}
		b.WriteString(s)
	}
	if escaping {
		return newMarkup(b.String()), nil
	}
	return starlark.String(b.String()), nil
}

func isMarkup(v py.Value) bool { _, ok := v.(*markup); return ok }

func filterBatch(r *renderer, v py.Value, args called) (py.Value, error) {
	var count, fill py.Value = nil, starlark.None
	if err := unpack("batch", args.plain, args.named, "linecount", &count, "fill_with?", &fill); err != nil {
		return nil, err
	}
	n, err := whole("linecount", count)
	if err != nil {
		return nil, err
	}
	items, err := r.th.List(v)
	if err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, py.Fail("ValueError", "linecount must be positive")
	}
	var out []py.Value
	for len(items) > 0 {
		row := append([]py.Value{}, items[:min(n, len(items))]...)
		items = items[len(row):]
		if fill != starlark.None && len(row) < n {
			if err := r.th.Grow(16 * n); err != nil {
				return nil, err
			}
			for len(row) < n {
				row = append(row, fill)
			}
		}
		out = append(out, starlark.NewList(row))
	}
	return starlark.NewList(out), nil
}

func filterSlice(r *renderer, v py.Value, args called) (py.Value, error) {
	var slices, fill py.Value = nil, starlark.None
	if err := unpack("slice", args.plain, args.named, "slices", &slices, "fill_with?", &fill); err != nil {
		return nil, err
	}
	n, err := whole("slices", slices)
	if err != nil {
		return nil, err
	}
	items, err := r.th.List(v)
	if err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, py.Fail("ZeroDivisionError", "slices must be positive")
	}
	if err := r.th.Grow(64 * n); err != nil {
		return nil, err
	}
	each, extra := len(items)/n, len(items)%n
	var out []py.Value
	for i := range n {
		take := each
		if i < extra {
			take++
		}
		row := append([]py.Value{}, items[:take]...)
		items = items[take:]
		if fill != starlark.None && i >= extra {
			row = append(row, fill)
		}
		out = append(out, starlark.NewList(row))
	}
	return starlark.NewList(out), nil
}

// filterMap applies a filter to every item, or takes an attribute of it.
func filterMap(r *renderer, v py.Value, args called) (py.Value, error) {
	var change func(py.Value) (py.Value, error)
	if len(args.plain) == 0 {
		var attribute, deflt py.Value = nil, starlark.None
		if err := unpack("map", nil, args.named, "attribute", &attribute, "default?", &deflt); err != nil {
			return nil, py.Fail("FilterArgumentError", "map requires a filter argument")
		}
		var err error
		if change, err = r.getter(attribute, deflt, false); err != nil {
			return nil, err
		}
	} else {
		n, err := r.str(args.plain[0])
		if err != nil {
			return nil, err
		}
		change = func(item py.Value) (py.Value, error) { return r.filter(n, item, called{args.plain[1:], args.named}) }
	}
	var out []py.Value
	err := r.th.Each(v, func(item py.Value) (bool, error) {
		x, err := change(item)
		out = append(out, x)
		return true, err
	})
	return starlark.NewList(out), err
}

// choose is select and its like: keep says what becomes of items that pass a test.
func choose(keep, attribute bool) filterFunc {
	return func(r *renderer, v py.Value, args called) (py.Value, error) {
		rest := args.plain
		var of py.Value = starlark.None
		if attribute {
			if len(rest) == 0 {
				return nil, py.Fail("FilterArgumentError", "Missing parameter for attribute name")
			}
			of, rest = rest[0], rest[1:]
		}
		get, err := r.getter(of, nil, false)
		if err != nil {
			return nil, err
		}
		holds := r.th.Truth
		if len(rest) > 0 {
			n, err := r.str(rest[0])
			if err != nil {
				return nil, err
			}
			holds = func(x py.Value) (bool, error) { return r.test(n, x, called{rest[1:], args.named}) }
		}
		var out []py.Value
		err = r.th.Each(v, func(item py.Value) (bool, error) {
			x, err := get(item)
			if err != nil {
				return false, err
			}
			ok, err := holds(x)
			if ok == keep {
				out = append(out, item)
			}
			return true, err
		})
		return starlark.NewList(out), err
	}
}
