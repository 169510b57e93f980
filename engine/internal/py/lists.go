// SPDX-License-Identifier: Apache-2.0

package py

import (
	"slices"

	"go.starlark.net/starlark"
)

func listMethods() map[string]method {
	return map[string]method{
		"append": listAppend, "extend": listExtend, "insert": listInsert, "pop": listPop, "remove": listRemove,
		"sort": listSort, "reverse": listReverse, "index": seqIndex, "count": seqCount, "copy": listCopy,
		"clear": func(_ *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			return starlark.None, self.(*starlark.List).Clear()
		},
	}
}

func tupleMethods() map[string]method {
	return map[string]method{"index": seqIndex, "count": seqCount}
}

func one(n string, args starlark.Tuple) (Value, error) {
	if len(args) != 1 {
		return nil, Fail("TypeError", "%s() takes exactly one argument (%d given)", n, len(args))
	}
	return args[0], nil
}

func listAppend(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	v, err := one("append", args)
	if err != nil {
		return nil, err
	}
	if err := th.Grow(slot); err != nil {
		return nil, err
	}
	return starlark.None, self.(*starlark.List).Append(v)
}

func listExtend(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	v, err := one("extend", args)
	if err != nil {
		return nil, err
	}
	items, err := th.list(v)
	if err != nil {
		return nil, err
	}
	return starlark.None, th.extend(self.(*starlark.List), items)
}

func listInsert(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var i int
	var v Value
	if err := starlark.UnpackPositionalArgs("insert", args, kw, 2, &i, &v); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	l := self.(*starlark.List)
	if i < 0 {
		i = max(i+l.Len(), 0)
	}
	if err := th.Step(1 + l.Len()/4); err != nil {
		return nil, err
	}
	return starlark.None, replace(l, slices.Insert(elements(l), min(i, l.Len()), v))
}

func listPop(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var at Value = starlark.MakeInt(-1)
	if err := starlark.UnpackPositionalArgs("pop", args, kw, 0, &at); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	l := self.(*starlark.List)
	if l.Len() == 0 {
		return nil, Fail("IndexError", "pop from empty list")
	}
	i, err := th.index(at, l.Len(), "pop")
	if err != nil {
		return nil, err
	}
	if err := th.Step(1 + l.Len()/16); err != nil {
		return nil, err
	}
	v := l.Index(i)
	return v, replace(l, slices.Delete(elements(l), i, i+1))
}

func (th *Thread) position(self, v Value) (int, error) {
	at, i := -1, 0
	err := th.each(self, func(item Value) (bool, error) {
		ok, err := th.Equal(item, v)
		if ok {
			at = i
		}
		i++
		return !ok, err
	})
	return at, err
}

func listRemove(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	v, err := one("remove", args)
	if err != nil {
		return nil, err
	}
	i, err := th.position(self, v)
	if err != nil {
		return nil, err
	}
	if i < 0 {
		return nil, Fail("ValueError", "list.remove(x): x not in list")
	}
	l := self.(*starlark.List)
	return starlark.None, replace(l, slices.Delete(elements(l), i, i+1))
}

func listSort(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var compare, key Value = starlark.None, starlark.None
	var reverse Value = starlark.False
	if err := starlark.UnpackArgs("sort", args, kw, "cmp?", &compare, "key?", &key, "reverse?", &reverse); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	l := self.(*starlark.List)
	items := elements(l)
	if err := th.sort(items, key, compare, bool(reverse.Truth())); err != nil {
		return nil, err
	}
	return starlark.None, replace(l, items)
}

func listReverse(th *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	items := elements(self.(*starlark.List))
	slices.Reverse(items)
	if err := th.Step(len(items) / 2); err != nil {
		return nil, err
	}
	return starlark.None, replace(self.(*starlark.List), items)
}

func listCopy(th *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	items := elements(self.(*starlark.List))
	return starlark.NewList(items), th.Grow(slot * len(items))
}

func seqIndex(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) == 0 {
		return nil, Fail("TypeError", "index() takes at least 1 argument")
	}
	i, err := th.position(self, args[0])
	if err == nil && i < 0 {
		var r string
		if r, err = th.Repr(args[0]); err == nil {
			err = Fail("ValueError", "%s is not in list", r)
		}
	}
	return starlark.MakeInt(i), err
}

func seqCount(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	v, err := one("count", args)
	if err != nil {
		return nil, err
	}
	n := 0
	err = th.each(self, func(item Value) (bool, error) {
		ok, err := th.Equal(item, v)
		if ok {
			n++
		}
		return true, err
	})
	return starlark.MakeInt(n), err
}

func dictMethods() map[string]method {
	view := func(of func(d *starlark.Dict) []Value) method {
		return func(th *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			items := of(self.(*starlark.Dict))
			return starlark.NewList(items), th.Grow(slot * len(items))
		}
	}
	keys := view(func(d *starlark.Dict) []Value { return d.Keys() })
	values := view(func(d *starlark.Dict) []Value {
		var out []Value
		for _, item := range d.Items() {
			out = append(out, item[1])
		}
		return out
	})
	items := view(func(d *starlark.Dict) []Value {
		var out []Value
		for _, item := range d.Items() {
			out = append(out, item)
		}
		return out
	})
	return map[string]method{
		"keys": keys, "iterkeys": keys, "viewkeys": keys, "values": values, "itervalues": values, "viewvalues": values,
		"items": items, "iteritems": items, "viewitems": items,
		"get": dictGet, "setdefault": dictSetdefault, "pop": dictPop, "popitem": dictPopitem, "update": dictUpdate, "copy": dictCopy,
		"has_key": func(th *Thread, self Value, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			k, err := one("has_key", args)
			if err != nil {
				return nil, err
			}
			ok, err := th.contains(self, k)
			return starlark.Bool(ok), err
		},
		"clear": func(_ *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			return starlark.None, self.(*starlark.Dict).Clear()
		},
	}
}

func dictGet(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var k Value
	var deflt Value = starlark.None
	if err := starlark.UnpackArgs("get", args, kw, "key", &k, "default?", &deflt); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	v, ok, err := th.lookup(self.(*starlark.Dict), k)
	if !ok && err == nil {
		v = deflt
	}
	return v, err
}

func dictSetdefault(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var k Value
	var deflt Value = starlark.None
	if err := starlark.UnpackPositionalArgs("setdefault", args, kw, 1, &k, &deflt); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	d := self.(*starlark.Dict)
	v, ok, err := th.lookup(d, k)
	if err != nil || ok {
		return v, err
	}
	return deflt, th.setKey(d, k, deflt)
}

func dictPop(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var k, deflt Value
	if err := starlark.UnpackPositionalArgs("pop", args, kw, 1, &k, &deflt); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	v, ok, err := th.remove(self.(*starlark.Dict), k)
	switch {
	case err != nil || ok:
		return v, err
	case deflt != nil:
		return deflt, nil
	}
	return nil, th.keyError(k)
}

func dictPopitem(_ *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	d := self.(*starlark.Dict)
	items := d.Items()
	if len(items) == 0 {
		return nil, Fail("KeyError", "'popitem(): dictionary is empty'")
	}
	last := items[len(items)-1]
	_, _, err := d.Delete(last[0])
	return last, err
}

func dictUpdate(th *Thread, self Value, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	d := self.(*starlark.Dict)
	for _, a := range args {
		if err := th.update(d, a); err != nil {
			return nil, err
		}
	}
	for _, k := range kw {
		if err := th.setKey(d, k[0], k[1]); err != nil {
			return nil, err
		}
	}
	return starlark.None, nil
}

func dictCopy(th *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	d := new(starlark.Dict)
	return d, th.update(d, self)
}

// numberMethods are the few that int and float have.
func numberMethods() map[string]method {
	return map[string]method{
		"bit_length": func(_ *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			return starlark.MakeInt(bits(self)), nil
		},
		"is_integer": func(_ *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			f, _ := starlark.AsFloat(self)
			return starlark.Bool(f == float64(int64(f))), nil
		},
	}
}

// iterMethods are those of iterators.
func iterMethods() map[string]method {
	next := func(_ *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		v, ok, err := self.(*Iter).Next()
		if err == nil && !ok {
			err = Fail("StopIteration", "")
		}
		return v, err
	}
	return map[string]method{"next": next, "__next__": next, "__iter__": func(_ *Thread, self Value, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		return self, nil
	}}
}
