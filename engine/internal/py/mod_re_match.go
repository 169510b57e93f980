// SPDX-License-Identifier: Apache-2.0

package py

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

func (e *reEngine) sub(th *Thread, n string, c *compiled, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var repl, text Value
	count := 0
	var flags Value
	if err := starlark.UnpackArgs(n, args, kw, "repl", &repl, "string", &text, "count?", &count, "flags?", &flags); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	s, err := textArg(th, n, starlark.Tuple{text}, 0)
	if err != nil {
		return nil, err
	}
	if err := th.Step(1 + len(s)/8); err != nil {
		return nil, err
	}
	var b strings.Builder
	last, done := 0, 0
	found, err := c.every(th, s, 0, len(s))
	if err != nil {
		return nil, err
	}
	for _, loc := range found {
		if count > 0 && done >= count {
			break
		}
		b.WriteString(s[last:loc[0]])
		with, err := e.replacement(th, c, repl, s, loc)
		if err != nil {
			return nil, err
		}
		b.WriteString(with)
		if err := th.Grow(len(with)); err != nil {
			return nil, err
		}
		last = loc[1]
		done++
	}
	b.WriteString(s[last:])
	out := starlark.String(b.String())
	if n == "subn" {
		return starlark.Tuple{out, starlark.MakeInt(done)}, th.Grow(len(out))
	}
	return out, th.Grow(len(out))
}

// replacement is what a match becomes.
func (e *reEngine) replacement(th *Thread, c *compiled, repl Value, s string, loc []int) (string, error) {
	if th.callable(repl) {
		v, err := th.Call(repl, starlark.Tuple{e.result(c, s, loc)}, nil)
		if err != nil {
			return "", err
		}
		return th.Str(v)
	}
	t, err := textArg(th, "sub", starlark.Tuple{repl}, 0)
	if err != nil || !strings.Contains(t, `\`) {
		return t, err
	}
	return c.expand(t, s, loc)
}

// expand fills the groups of a match into a text.
func (c *compiled) expand(t, s string, loc []int) (string, error) {
	var b strings.Builder
	for i := 0; i < len(t); i++ {
		if t[i] != '\\' || i+1 >= len(t) {
			b.WriteByte(t[i])
			continue
		}
		i++
		name := ""
		switch k := t[i]; {
		case isDigit(k):
			name = t[i : i+1]
			if i+1 < len(t) && isDigit(t[i+1]) {
				name = t[i : i+2]
				i++
			}
		case k == 'g' && i+1 < len(t) && t[i+1] == '<' && strings.IndexByte(t[i:], '>') > 0:
			end := i + strings.IndexByte(t[i:], '>')
			name = t[i+2 : end]
			i = end
		default:
			if out, ok := simple[k]; ok && k != '\'' && k != '"' {
				b.WriteString(out)
			} else {
				b.WriteString(t[i-1 : i+1])
			}
			continue
		}
		var of Value = starlark.String(name)
		if n, err := strconv.Atoi(name); err == nil {
			of = starlark.MakeInt(n)
		}
		g, err := c.index(of)
		if err != nil {
			return "", Fail("error", "invalid group reference %s", name)
		}
		if loc[2*g] >= 0 {
			b.WriteString(s[loc[2*g]:loc[2*g+1]])
		}
	}
	return b.String(), nil
}

// found is a match: of an expression, in a text, where.
type found struct {
	c   *compiled
	s   string
	loc []int
}

// at is where a group begins or ends in characters, -1 where it is not there.
func (m *found) at(g, end int) Value {
	if m.loc[2*g+end] < 0 {
		return starlark.MakeInt(-1)
	}
	return starlark.MakeInt(utf8.RuneCountInString(m.s[:m.loc[2*g+end]]))
}

// byGroup makes a method that tells something of groups, without arguments of all.
func (m *found) byGroup(n string, of func(g int) Value) Value {
	return Func(n, func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		if len(args) == 0 {
			return of(0), nil
		}
		out := make(starlark.Tuple, len(args))
		for i, a := range args {
			g, err := m.c.index(a)
			if err != nil {
				return nil, err
			}
			out[i] = of(g)
		}
		if len(out) == 1 {
			return out[0], nil
		}
		return out, nil
	})
}

// group is the text of a group, or what stands for one that is not there.
func (m *found) group(g int, missing starlark.Tuple) Value {
	v := groupAt(m.s, m.loc, g)
	if v == starlark.None && len(missing) > 0 {
		return missing[0]
	}
	return v
}

func (m *found) groups(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	out := starlark.Tuple{}
	for g := 1; g < len(m.loc)/2; g++ {
		out = append(out, m.group(g, args))
	}
	return out, nil
}

func (m *found) groupdict(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	d := new(starlark.Dict)
	for g, n := range m.c.names {
		if n == "" {
			continue
		}
		if err := d.SetKey(starlark.String(n), m.group(g, args)); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (m *found) expand(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	t, err := textArg(th, "expand", args, 0)
	if err != nil {
		return nil, err
	}
	out, err := m.c.expand(t, m.s, m.loc)
	return starlark.String(out), err
}

// result makes the object of a match.
func (e *reEngine) result(c *compiled, s string, loc []int) *Instance {
	m := &found{c, s, loc}
	lastIndex, lastName := lastGroup(c, loc)
	return &Instance{Class: e.match, attrs: map[string]Value{
		"re": e.object(c), "string": starlark.String(s), "lastindex": lastIndex, "lastgroup": lastName,
		"expand": Func("expand", m.expand), "groups": Func("groups", m.groups), "groupdict": Func("groupdict", m.groupdict),
		"group": m.byGroup("group", func(g int) Value { return m.group(g, nil) }),
		"start": m.byGroup("start", func(g int) Value { return m.at(g, 0) }),
		"end":   m.byGroup("end", func(g int) Value { return m.at(g, 1) }),
		"span":  m.byGroup("span", func(g int) Value { return starlark.Tuple{m.at(g, 0), m.at(g, 1)} }),
	}}
}

// lastGroup is the group that ended last, None for none, and its name.
func lastGroup(c *compiled, loc []int) (index, name Value) {
	last := 0
	for g := 1; g < len(loc)/2; g++ {
		if loc[2*g] >= 0 && (last == 0 || loc[2*g+1] > loc[2*last+1]) {
			last = g
		}
	}
	if last == 0 {
		return starlark.None, starlark.None
	}
	if c.names[last] == "" {
		return starlark.MakeInt(last), starlark.None
	}
	return starlark.MakeInt(last), starlark.String(c.names[last])
}
