// SPDX-License-Identifier: Apache-2.0

package py

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// reEngine makes the values of the module.
type reEngine struct {
	pattern, match *Class
	known          map[string]*compiled
}

// operations are the functions of the module that an expression has as methods.
var operations = []string{"match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"}

func reModule(th *Thread) map[string]Value {
	object := th.py.classes["object"]
	e := &reEngine{pattern: newClass("SRE_Pattern", nil, object), match: newClass("SRE_Match", nil, object), known: map[string]*compiled{}}
	e.match.attrs["__getitem__"] = Func("__getitem__", func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		if len(args) != 2 {
			return nil, Fail("TypeError", "__getitem__() takes one argument")
		}
		return th.method(args[0], "group", args[1])
	})
	out := map[string]Value{"error": th.py.classes["error"], "Pattern": e.pattern, "Match": e.match, "purge": Func("purge", biNothing)}
	for n, bit := range reFlags {
		out[n] = starlark.MakeInt(bit)
	}
	for _, n := range operations {
		out[n] = Func(n, func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
			if len(args) == 0 {
				return nil, Fail("TypeError", "%s() takes at least 2 arguments", n)
			}
			rest, flags, err := takeFlags(n, args[1:], kw)
			if err != nil {
				return nil, err
			}
			c, err := e.expression(th, args[0], flags)
			if err != nil {
				return nil, err
			}
			return e.run(th, n, c, rest, kw)
		})
	}
	out["compile"] = Func("compile", func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		var p Value
		flags := 0
		if err := starlark.UnpackArgs("compile", args, kw, "pattern", &p, "flags?", &flags); err != nil {
			return nil, Fail("TypeError", "%v", err)
		}
		c, err := e.expression(th, p, flags)
		if err != nil {
			return nil, err
		}
		return e.object(c), nil
	})
	out["escape"] = Func("escape", reEscape)
	return out
}

// reEscape puts a backslash before all that is no letter or digit, as 2.7 does.
func reEscape(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	s, err := textArg(th, "escape", args, 0)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == 0:
			b.WriteString(`\000`)
			continue
		case r < 0x80 && !isDigit(byte(r)) && (r|32 < 'a' || r|32 > 'z'):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return starlark.String(b.String()), th.Grow(b.Len())
}

// takeFlags finds the flags among the arguments of a function of the module.
func takeFlags(n string, args starlark.Tuple, kw []starlark.Tuple) (starlark.Tuple, int, error) {
	at := map[string]int{"match": 1, "search": 1, "fullmatch": 1, "findall": 1, "finditer": 1, "split": 2, "sub": 3, "subn": 3}[n]
	var v Value
	if len(args) > at {
		v, args = args[at], args[:at]
	}
	for _, k := range kw {
		if k[0] == starlark.String("flags") {
			v = k[1]
		}
	}
	if v == nil {
		return args, 0, nil
	}
	flags, err := starlark.AsInt32(v)
	return args, flags, err
}

// expression gives what is compiled of a text, or is compiled already.
func (e *reEngine) expression(th *Thread, v Value, flags int) (*compiled, error) {
	if c, ok := native(v).(*compiled); ok {
		return c, nil
	}
	s, err := textArg(th, "compile", starlark.Tuple{v}, 0)
	if err != nil {
		return nil, err
	}
	key := strconv.Itoa(flags) + " " + s
	if c := e.known[key]; c != nil {
		return c, nil
	}
	c, err := th.compileRegexp(s, flags)
	if err != nil {
		return nil, err
	}
	e.known[key] = c
	return c, th.Grow(empty + 32*len(s))
}

func (e *reEngine) object(c *compiled) *Instance {
	if c.object != nil {
		return c.object
	}
	named := new(starlark.Dict)
	for g, n := range c.names {
		if n != "" {
			_ = named.SetKey(starlark.String(n), starlark.MakeInt(g)) // texts can be hashed
		}
	}
	c.object = &Instance{Class: e.pattern, base: c, attrs: map[string]Value{
		"pattern": c.pattern, "flags": starlark.MakeInt(c.flags), "groups": starlark.MakeInt(len(c.groups) - 1), "groupindex": named,
	}}
	for _, n := range operations {
		c.object.attrs[n] = Func(n, func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
			return e.run(th, n, c, args, kw)
		})
	}
	return c.object
}

// window is the part of a text that is searched.
func (e *reEngine) window(n string, c *compiled, s string, args starlark.Tuple) (from, to int, err error) {
	to = len(s)
	if len(args) < 2 || n == "split" {
		return 0, to, nil
	}
	var at [2]int
	for i := range at {
		at[i] = utf8.RuneCountInString(s)
		if i+1 >= len(args) {
			continue
		}
		k, err := starlark.AsInt32(args[i+1])
		if err != nil {
			return 0, 0, Fail("TypeError", "%s() takes numbers as positions", n)
		}
		at[i] = max(0, min(k, at[i]))
	}
	if at[0] > 0 && (strings.ContainsAny(c.text, "^") || strings.Contains(c.text, `\b`) || strings.Contains(c.text, `\B`) || strings.Contains(c.text, `\A`)) {
		return 0, 0, refused("slice the text", "the regular expression %s looks at what is before position %d", quote(string(c.pattern)), at[0])
	}
	for i, k := range at {
		at[i] = byteAt(s, k)
	}
	return at[0], max(at[0], at[1]), nil
}

// byteAt is where in bytes a character of a text is.
func byteAt(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// run does one operation of an expression.
func (e *reEngine) run(th *Thread, n string, c *compiled, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	if n == "sub" || n == "subn" {
		return e.sub(th, n, c, args, kw)
	}
	for _, k := range kw {
		if len(args) == 0 && k[0] == starlark.String("string") {
			args = starlark.Tuple{k[1]}
		}
	}
	s, err := textArg(th, n, args, 0)
	if err != nil {
		return nil, err
	}
	if err := th.Step(1 + len(s)/8); err != nil {
		return nil, err
	}
	from, to, err := e.window(n, c, s, args)
	if err != nil {
		return nil, err
	}
	switch n {
	case "match", "search", "fullmatch":
		return e.one(n, c, s, from, to)
	case "split":
		return e.split(th, c, s, args, kw)
	}
	found, err := c.every(th, s, from, to)
	if err != nil {
		return nil, err
	}
	out := make([]Value, len(found))
	for i, loc := range found {
		if n == "finditer" {
			out[i] = e.result(c, s, loc)
			continue
		}
		out[i] = whatFound(s, loc)
	}
	if n == "finditer" {
		return iterOver(out), nil
	}
	return starlark.NewList(out), nil
}

// every finds all matches in a part of a text.
func (c *compiled) every(th *Thread, s string, from, to int) ([][]int, error) {
	found := c.re.FindAllStringSubmatchIndex(s[from:to], maxBytes/entry)
	for i, loc := range found {
		found[i] = moved(c.located(s[from:to], loc), from)
	}
	return found, th.Grow(entry * len(found))
}

// moved counts positions from the start of a whole text.
func moved(loc []int, by int) []int {
	for i := range loc {
		if loc[i] >= 0 {
			loc[i] += by
		}
	}
	return loc
}

// one finds one match: anywhere, at the start, or of the whole text.
func (e *reEngine) one(n string, c *compiled, s string, from, to int) (Value, error) {
	re := c.re
	if n != "search" {
		var err error
		if re, err = c.anchored(n == "fullmatch"); err != nil {
			return nil, err
		}
	}
	loc := re.FindStringSubmatchIndex(s[from:to])
	if loc == nil {
		return starlark.None, nil
	}
	return e.result(c, s, moved(c.located(s[from:to], loc), from)), nil
}

// whatFound is an item of findall: the match, its group or its groups.
func whatFound(s string, loc []int) Value {
	if len(loc) == 2 {
		return starlark.String(s[loc[0]:loc[1]])
	}
	groups := make(starlark.Tuple, 0, len(loc)/2-1)
	for g := 2; g < len(loc); g += 2 {
		text := ""
		if loc[g] >= 0 {
			text = s[loc[g]:loc[g+1]]
		}
		groups = append(groups, starlark.String(text))
	}
	if len(groups) == 1 {
		return groups[0]
	}
	return groups
}

func (e *reEngine) split(th *Thread, c *compiled, s string, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var most Value = starlark.MakeInt(0)
	if len(args) > 1 {
		most = args[1]
	}
	for _, k := range kw {
		if k[0] == starlark.String("maxsplit") {
			most = k[1]
		}
	}
	limit, err := starlark.AsInt32(numeric(most))
	if err != nil {
		return nil, Fail("TypeError", "maxsplit must be a number")
	}
	found, err := c.every(th, s, 0, len(s))
	if err != nil {
		return nil, err
	}
	var out []Value
	last := 0
	for _, loc := range found {
		// 2.7 does not split where there is nothing.
		if loc[0] == loc[1] {
			continue
		}
		if limit > 0 && len(out)/(len(loc)/2) >= limit {
			break
		}
		out = append(out, starlark.String(s[last:loc[0]]))
		for g := 2; g < len(loc); g += 2 {
			out = append(out, groupAt(s, loc, g/2))
		}
		last = loc[1]
	}
	out = append(out, starlark.String(s[last:]))
	return starlark.NewList(out), th.Grow(slot * len(out))
}

func groupAt(s string, loc []int, g int) Value {
	if loc[2*g] < 0 {
		return starlark.None
	}
	return starlark.String(s[loc[2*g]:loc[2*g+1]])
}
