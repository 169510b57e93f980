// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

type filterFunc = func(r *renderer, v py.Value, args called) (py.Value, error)

// filterTable gives the filters by name.
func filterTable() map[string]filterFunc {
	out := map[string]filterFunc{
		"abs": ofPython("abs"), "default": filterDefault, "d": filterDefault, "attr": filterAttr, "float": filterFloat, "int": filterInt, "round": filterRound,
		"list": filterList, "length": filterLength, "count": filterLength, "first": filterFirst, "last": filterLast, "items": filterItems,
		"join": filterJoin, "reverse": filterReverse, "sum": filterSum, "batch": filterBatch, "slice": filterSlice,
		"sort": filterSort, "dictsort": filterDictsort, "groupby": filterGroupby, "unique": filterUnique, "min": extreme("min"), "max": extreme("max"),
		"map": filterMap, "select": choose(true, false), "reject": choose(false, false), "selectattr": choose(true, true), "rejectattr": choose(false, true),
		"tojson": filterJSON, "pprint": filterPprint, "xmlattr": filterXMLAttr, "urlencode": filterURL,
		"format": filterFormat, "replace": filterReplace, "indent": filterIndent, "truncate": filterTruncate, "wordwrap": filterWrap,
		"center": filterCenter, "trim": filterTrim, "filesizeformat": filterSize, "urlize": filterUrlize,
		"random": func(*renderer, py.Value, called) (py.Value, error) {
			return nil, refused("the filter random", "a configuration must not depend on chance")
		},
		"escape": filterEscape, "e": filterEscape,
		"forceescape": func(r *renderer, v py.Value, _ called) (py.Value, error) {
			s, err := r.str(v)
			return newMarkup(escape(s)), err
		},
		"safe": func(r *renderer, v py.Value, _ called) (py.Value, error) {
			s, err := r.str(v)
			return newMarkup(s), err
		},
		"string": func(r *renderer, v py.Value, _ called) (py.Value, error) {
			if _, safe := v.(*markup); safe {
				return v, nil
			}
			s, err := r.str(v)
			return starlark.String(s), err
		},
		"wordcount": func(r *renderer, v py.Value, _ called) (py.Value, error) {
			s, err := r.str(v)
			return starlark.MakeInt(len(words.FindAllString(s, -1))), err
		},
	}
	for n, change := range map[string]func(string) string{
		"upper": strings.ToUpper, "lower": strings.ToLower, "capitalize": capitalize, "title": title, "striptags": striptags,
	} {
		out[n] = func(r *renderer, v py.Value, args called) (py.Value, error) {
			if err := unpack(n, args.plain, args.named); err != nil {
				return nil, err
			}
			return r.changed(v, change)
		}
	}
	return out
}

// changed is a text with a change; markup stays markup.
func (r *renderer) changed(v py.Value, change func(string) string) (py.Value, error) {
	s, err := r.str(v)
	if err != nil {
		return nil, err
	}
	out := change(s)
	if err := r.th.Grow(len(out)); err != nil {
		return nil, err
	}
	if _, safe := v.(*markup); safe {
		return newMarkup(out), nil
	}
	return starlark.String(out), nil
}

// ofPython is a function of Python as a filter.
func ofPython(n string) filterFunc {
	return func(r *renderer, v py.Value, args called) (py.Value, error) {
		if u, ok := v.(*undefined); ok {
			return nil, u.fail()
		}
		return r.th.Call(r.th.Builtin(n), append(starlark.Tuple{v}, args.plain...), args.named)
	}
}

func filterEscape(r *renderer, v py.Value, _ called) (py.Value, error) {
	if _, safe := v.(*markup); safe {
		return v, nil
	}
	s, err := r.str(v)
	return newMarkup(escape(s)), err
}

func filterDefault(r *renderer, v py.Value, args called) (py.Value, error) {
	var deflt, boolean py.Value = starlark.String(""), starlark.False
	if err := unpack("default", args.plain, args.named, "default_value?", &deflt, "boolean?", &boolean); err != nil {
		return nil, err
	}
	if isUndefined(v) {
		return deflt, nil
	}
	if ok, err := r.th.Truth(boolean); err != nil || !ok {
		return v, err
	}
	ok, err := r.th.Truth(v)
	if !ok {
		v = deflt
	}
	return v, err
}

func filterAttr(r *renderer, v py.Value, args called) (py.Value, error) {
	var n string
	if err := unpack("attr", args.plain, args.named, "name", &n); err != nil {
		return nil, err
	}
	x, err := r.th.Attr(v, n)
	if err != nil && absent(err, "AttributeError") {
		return newUndefined("'" + r.describe(v) + "' has no attribute '" + n + "'"), nil
	}
	return x, err
}

func filterFloat(r *renderer, v py.Value, args called) (py.Value, error) {
	var deflt py.Value = starlark.Float(0)
	if err := unpack("float", args.plain, args.named, "default?", &deflt); err != nil {
		return nil, err
	}
	if isUndefined(v) {
		return nil, v.(*undefined).fail()
	}
	x, err := r.th.Call(r.th.Builtin("float"), starlark.Tuple{v}, nil)
	if absent(err, "TypeError", "ValueError") {
		return deflt, nil
	}
	return x, err
}

func filterInt(r *renderer, v py.Value, args called) (py.Value, error) {
	var deflt py.Value = starlark.MakeInt(0)
	base := 10
	if err := unpack("int", args.plain, args.named, "default?", &deflt, "base?", &base); err != nil {
		return nil, err
	}
	if isUndefined(v) {
		return nil, v.(*undefined).fail()
	}
	if s, ok := py.Plain(v).(starlark.String); ok {
		if base < 2 && base != 0 || base > 36 || len(s) > 4096 {
			return deflt, nil
		}
		text := strings.ToLower(strings.TrimSpace(string(s)))
		prefix := map[int]string{2: "0b", 8: "0o", 16: "0x"}[base]
		if bare := strings.TrimPrefix(text, prefix); base != 10 && prefix != "" {
			text = bare
		}
		if i, ok := new(big.Int).SetString(text, base); ok {
			return starlark.MakeBigInt(i), nil
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return deflt, nil
		}
		v = starlark.Float(f)
	}
	x, err := r.th.Call(r.th.Builtin("int"), starlark.Tuple{v}, nil)
	if absent(err, "TypeError", "ValueError") {
		return deflt, nil
	}
	return x, err
}

func filterRound(r *renderer, v py.Value, args called) (py.Value, error) {
	precision, method := 0, "common"
	if err := unpack("round", args.plain, args.named, "precision?", &precision, "method?", &method); err != nil {
		return nil, err
	}
	if method != "common" && method != "ceil" && method != "floor" {
		return nil, py.Fail("FilterArgumentError", "method must be common, ceil or floor")
	}
	x, err := r.th.Binary("*", starlark.Float(1), v)
	if err != nil {
		return nil, err
	}
	f := float64(x.(starlark.Float))
	if precision > 300 || precision < -300 {
		return nil, py.Fail("OverflowError", "precision is too large")
	}
	scale := math.Pow10(precision)
	switch method {
	case "ceil":
		return starlark.Float(math.Ceil(f*scale) / scale), nil
	case "floor":
		return starlark.Float(math.Floor(f*scale) / scale), nil
	}
	if i, ok := v.(starlark.Int); ok && precision >= 0 {
		return i, nil
	}
	if precision >= 0 {
		rounded, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', precision, 64), 64)
		return starlark.Float(rounded), err
	}
	rounded := math.RoundToEven(f*scale) / scale
	if _, ok := v.(starlark.Int); ok {
		return starlark.NumberToInt(starlark.Float(rounded))
	}
	return starlark.Float(rounded), nil
}

func filterLength(r *renderer, v py.Value, _ called) (py.Value, error) {
	n, err := r.th.Length(v)
	return starlark.MakeInt(n), err
}

func filterList(r *renderer, v py.Value, _ called) (py.Value, error) {
	items, err := r.th.List(v)
	return starlark.NewList(items), err
}

func filterFirst(r *renderer, v py.Value, _ called) (py.Value, error) {
	var first py.Value = newUndefined("No first item, sequence was empty.")
	err := r.th.Each(v, func(item py.Value) (bool, error) {
		first = item
		return false, nil
	})
	return first, err
}

func filterLast(r *renderer, v py.Value, _ called) (py.Value, error) {
	items, err := r.th.List(v)
	if err != nil || len(items) == 0 {
		return newUndefined("No last item, sequence was empty."), err
	}
	return items[len(items)-1], nil
}

func filterItems(r *renderer, v py.Value, _ called) (py.Value, error) {
	if isUndefined(v) {
		return starlark.NewList(nil), nil
	}
	fn, err := r.th.Attr(v, "items")
	if err != nil {
		return nil, py.Fail("TypeError", "Can only get item pairs from a mapping.")
	}
	return r.th.Call(fn, nil, nil)
}

func filterReverse(r *renderer, v py.Value, _ called) (py.Value, error) {
	items, err := r.th.List(v)
	if err != nil {
		return nil, err
	}
	for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
		items[i], items[j] = items[j], items[i]
	}
	if !isString(v) {
		return starlark.NewList(items), nil
	}
	var b strings.Builder
	for _, c := range items {
		b.WriteString(string(c.(starlark.String)))
	}
	return starlark.String(b.String()), nil
}

func filterJSON(r *renderer, v py.Value, args called) (py.Value, error) {
	var indent py.Value = starlark.None
	if err := unpack("tojson", args.plain, args.named, "indent?", &indent); err != nil {
		return nil, err
	}
	if u, ok := v.(*undefined); ok {
		return nil, py.Fail("TypeError", "Object of type Undefined is not JSON serializable: %s", u.why)
	}
	json, err := r.th.Import("json")
	if err != nil {
		return nil, err
	}
	dumps, err := r.th.Attr(json, "dumps")
	if err != nil {
		return nil, err
	}
	kw := []starlark.Tuple{{starlark.String("sort_keys"), starlark.True}}
	if indent != starlark.None {
		kw = append(kw, starlark.Tuple{starlark.String("indent"), indent})
	}
	out, err := r.th.Call(dumps, starlark.Tuple{v}, kw)
	if err != nil {
		return nil, err
	}
	s, err := r.th.Str(out)
	return newMarkup(strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`, "'", `\u0027`).Replace(s)), err
}

func filterPprint(r *renderer, v py.Value, _ called) (py.Value, error) {
	s, err := r.th.Repr(v)
	return starlark.String(s), err
}
