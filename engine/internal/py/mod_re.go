// SPDX-License-Identifier: Apache-2.0

package py

import (
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// placeholder is what string.Template fills.
var placeholder = regexp.MustCompile(`\$(?:\$|[_a-zA-Z][_a-zA-Z0-9]*|\{[_a-zA-Z][_a-zA-Z0-9]*\})`)

// noLower is a repetition without lower bound, which RE2 takes for text.
var noLower = regexp.MustCompile(`\{,(\d+)\}`)

// maxPattern bounds a regular expression.
const maxPattern = 10_000

// flags of regular expressions, with what they are inside one.
var reFlags = map[string]int{"IGNORECASE": 2, "I": 2, "LOCALE": 4, "L": 4, "MULTILINE": 8, "M": 8, "DOTALL": 16, "S": 16, "UNICODE": 32, "U": 32, "VERBOSE": 64, "X": 64}

// compileRegexp makes Go's expression of Python's.
func (th *Thread) compileRegexp(expr string, flags int) (*regexp.Regexp, error) {
	if len(expr) > maxPattern {
		return nil, &Limit{th.line, "too long a regular expression"}
	}
	if err := th.Step(1 + len(expr)/4); err != nil {
		return nil, err
	}
	if flags&64 != 0 {
		expr = verbose(expr)
	}
	expr = strings.ReplaceAll(expr, `\Z`, `\z`)
	expr = noLower.ReplaceAllString(expr, "{0,$1}")
	inline := ""
	for _, f := range []struct {
		bit  int
		flag string
	}{{2, "i"}, {8, "m"}, {16, "s"}} {
		if flags&f.bit != 0 {
			inline += f.flag
		}
	}
	if inline != "" {
		expr = "(?" + inline + ")" + expr
	}
	re, err := regexp.Compile(expr)
	if err == nil {
		return re, nil
	}
	if _, ok := err.(*syntax.Error); ok && beyond(expr) {
		return nil, refused("write it without look-around and back references", "the regular expression %s cannot be evaluated: %v", quote(expr), err)
	}
	return nil, Fail("ValueError", "invalid regular expression: %v", err)
}

// beyond tells whether an expression has what RE2 cannot express.
func beyond(expr string) bool {
	for _, s := range []string{"(?=", "(?!", "(?<=", "(?<!", "(?P=", "(?(", "(?#"} {
		if strings.Contains(expr, s) {
			return true
		}
	}
	for i := 0; i+1 < len(expr); i++ {
		if expr[i] == '\\' {
			if i++; expr[i] >= '1' && expr[i] <= '9' {
				return true
			}
		}
	}
	return false
}

// verbose takes blanks and comments out of an expression.
func verbose(expr string) string {
	var b strings.Builder
	class := false
	for i := 0; i < len(expr); i++ {
		switch c := expr[i]; {
		case c == '\\' && i+1 < len(expr):
			b.WriteString(expr[i : i+2])
			i++
		case class:
			class = c != ']'
			b.WriteByte(c)
		case c == '[':
			class = true
			b.WriteByte(c)
		case c == '#':
			for i+1 < len(expr) && expr[i+1] != '\n' {
				i++
			}
		case strings.IndexByte(" \t\r\n\f\v", c) < 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// reEngine makes the values of the module.
type reEngine struct{ pattern, match *Class }

func reModule(th *Thread) map[string]Value {
	object := th.py.classes["object"]
	e := &reEngine{
		pattern: newClass("SRE_Pattern", nil, object),
		match:   newClass("SRE_Match", nil, object),
	}
	out := map[string]Value{"error": th.py.classes["ValueError"]}
	for n, bit := range reFlags {
		out[n] = starlark.MakeInt(bit)
	}
	for _, n := range []string{"match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"} {
		out[n] = Func(n, func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
			if len(args) == 0 {
				return nil, Fail("TypeError", "%s() takes at least 2 arguments", n)
			}
			rest, flags, err := takeFlags(n, args[1:], kw)
			if err != nil {
				return nil, err
			}
			re, err := e.regexpOf(th, args[0], flags)
			if err != nil {
				return nil, err
			}
			return e.run(th, n, re, rest, kw)
		})
	}
	out["compile"] = Func("compile", func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		var p Value
		flags := 0
		if err := starlark.UnpackArgs("compile", args, kw, "pattern", &p, "flags?", &flags); err != nil {
			return nil, Fail("TypeError", "%v", err)
		}
		re, err := e.regexpOf(th, p, flags)
		if err != nil {
			return nil, err
		}
		return e.object(re, p), nil
	})
	out["escape"] = Func("escape", func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		s, err := textArg(th, "escape", args, 0)
		var b strings.Builder
		for _, r := range s {
			if r < 0x80 && r != '_' && !isDigit(byte(r)) && (r|32 < 'a' || r|32 > 'z') {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
		return starlark.String(b.String()), err
	})
	return out
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

func (e *reEngine) regexpOf(th *Thread, v Value, flags int) (*regexp.Regexp, error) {
	if o, ok := v.(*Instance); ok {
		if re, ok := o.base.(*compiled); ok {
			return re.re, nil
		}
	}
	s, err := textArg(th, "compile", starlark.Tuple{v}, 0)
	if err != nil {
		return nil, err
	}
	return th.compileRegexp(s, flags)
}

// compiled is an expression as a value.
type compiled struct {
	Namespace
	re *regexp.Regexp
}

func (e *reEngine) object(re *regexp.Regexp, pattern Value) *Instance {
	o := &Instance{Class: e.pattern, base: &compiled{re: re}, attrs: map[string]Value{"pattern": pattern}}
	for _, n := range []string{"match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"} {
		o.attrs[n] = Func(n, func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
			return e.run(th, n, re, args, kw)
		})
	}
	return o
}

// run does one operation of an expression.
func (e *reEngine) run(th *Thread, n string, re *regexp.Regexp, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	if n == "sub" || n == "subn" {
		return e.sub(th, n, re, args, kw)
	}
	s, err := textArg(th, n, args, 0)
	if err != nil {
		return nil, err
	}
	if err := th.Step(1 + len(s)/8); err != nil {
		return nil, err
	}
	switch n {
	case "match", "search", "fullmatch":
		return e.one(n, re, s)
	case "split":
		return e.split(th, re, s, args, kw)
	}
	found := re.FindAllStringSubmatchIndex(s, maxBytes/entry)
	if err := th.Grow(entry * len(found)); err != nil {
		return nil, err
	}
	out := make([]Value, len(found))
	for i, loc := range found {
		if n == "finditer" {
			out[i] = e.result(re, s, loc)
			continue
		}
		out[i] = whatFound(s, loc)
	}
	if n == "finditer" {
		return iterOver(out), nil
	}
	return starlark.NewList(out), nil
}

// one finds one match: anywhere, at the start, or of the whole text.
func (e *reEngine) one(n string, re *regexp.Regexp, s string) (Value, error) {
	around := map[string][2]string{"match": {`\A(?:`, `)`}, "fullmatch": {`\A(?:`, `)\z`}}
	if ends, ok := around[n]; ok {
		anchored, err := regexp.Compile(ends[0] + re.String() + ends[1])
		if err != nil {
			return nil, Fail("ValueError", "invalid regular expression: %v", err)
		}
		re = anchored
	}
	loc := re.FindStringSubmatchIndex(s)
	if loc == nil {
		return starlark.None, nil
	}
	return e.result(re, s, loc), nil
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

func (e *reEngine) split(th *Thread, re *regexp.Regexp, s string, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	most := 0
	if len(args) > 1 {
		n, err := starlark.AsInt32(args[1])
		if err != nil {
			return nil, err
		}
		most = n
	}
	for _, k := range kw {
		if k[0] == starlark.String("maxsplit") {
			n, err := starlark.AsInt32(k[1])
			if err != nil {
				return nil, err
			}
			most = n
		}
	}
	var out []Value
	last := 0
	found := re.FindAllStringSubmatchIndex(s, maxBytes/entry)
	if err := th.Grow(entry * len(found)); err != nil {
		return nil, err
	}
	for _, loc := range found {
		if loc[0] == loc[1] {
			continue
		}
		if most > 0 && len(out)/(len(loc)/2) >= most {
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

func (e *reEngine) sub(th *Thread, n string, re *regexp.Regexp, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
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
	found := re.FindAllStringSubmatchIndex(s, maxBytes/entry)
	if err := th.Grow(entry * len(found)); err != nil {
		return nil, err
	}
	for _, loc := range found {
		if count > 0 && done >= count {
			break
		}
		b.WriteString(s[last:loc[0]])
		with, err := e.replacement(th, re, repl, s, loc)
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
func (e *reEngine) replacement(th *Thread, re *regexp.Regexp, repl Value, s string, loc []int) (string, error) {
	if th.callable(repl) {
		v, err := th.Call(repl, starlark.Tuple{e.result(re, s, loc)}, nil)
		if err != nil {
			return "", err
		}
		return th.Str(v)
	}
	t, err := textArg(th, "sub", starlark.Tuple{repl}, 0)
	if err != nil || !strings.Contains(t, `\`) {
		return t, err
	}
	var b strings.Builder
	for i := 0; i < len(t); i++ {
		if t[i] != '\\' || i+1 >= len(t) {
			b.WriteByte(t[i])
			continue
		}
		i++
		name := ""
		switch c := t[i]; {
		case isDigit(c):
			name = t[i : i+1]
			if i+1 < len(t) && isDigit(t[i+1]) {
				name = t[i : i+2]
				i++
			}
		case c == 'g' && i+1 < len(t) && t[i+1] == '<' && strings.IndexByte(t[i:], '>') > 0:
			end := i + strings.IndexByte(t[i:], '>')
			name = t[i+2 : end]
			i = end
		default:
			if out, ok := simple[c]; ok && c != '\'' && c != '"' {
				b.WriteString(out)
			} else {
				b.WriteString(t[i-1 : i+1])
			}
			continue
		}
		g, err := groupIndex(re, starlark.String(name))
		if err != nil {
			return "", err
		}
		if loc[2*g] >= 0 {
			b.WriteString(s[loc[2*g]:loc[2*g+1]])
		}
	}
	return b.String(), nil
}

// groupIndex finds a group by number or name.
func groupIndex(re *regexp.Regexp, v Value) (int, error) {
	g := -1
	switch x := numeric(v).(type) {
	case starlark.Int:
		n, ok := x.Int64()
		if ok && n <= int64(re.NumSubexp()) {
			g = int(n)
		}
	case starlark.String:
		if n, err := strconv.Atoi(string(x)); err == nil && n <= re.NumSubexp() {
			g = n
		} else {
			g = re.SubexpIndex(string(x))
		}
	}
	if g < 0 {
		return 0, Fail("IndexError", "no such group")
	}
	return g, nil
}

// result makes the object of a match.
func (e *reEngine) result(re *regexp.Regexp, s string, loc []int) *Instance {
	position := func(i int) func(int) Value {
		return func(g int) Value {
			if loc[2*g+i] < 0 {
				return starlark.MakeInt(-1)
			}
			return starlark.MakeInt(utf8.RuneCountInString(s[:loc[2*g+i]]))
		}
	}
	byGroup := func(n string, of func(g int) Value) Value {
		return Func(n, func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			if len(args) == 0 {
				return of(0), nil
			}
			out := make(starlark.Tuple, len(args))
			for i, a := range args {
				g, err := groupIndex(re, a)
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
	groups := func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		out := starlark.Tuple{}
		for g := 1; g < len(loc)/2; g++ {
			v := groupAt(s, loc, g)
			if v == starlark.None && len(args) > 0 {
				v = args[0]
			}
			out = append(out, v)
		}
		return out, nil
	}
	named := func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) {
		d := new(starlark.Dict)
		for g, n := range re.SubexpNames() {
			if n != "" {
				if err := d.SetKey(starlark.String(n), groupAt(s, loc, g)); err != nil {
					return nil, err
				}
			}
		}
		return d, nil
	}
	group := byGroup("group", func(g int) Value { return groupAt(s, loc, g) })
	return &Instance{Class: e.match, attrs: map[string]Value{
		"group": group, "groups": Func("groups", groups), "groupdict": Func("groupdict", named), "string": starlark.String(s),
		"start": byGroup("start", position(0)), "end": byGroup("end", position(1)),
		"span": byGroup("span", func(g int) Value { return starlark.Tuple{position(0)(g), position(1)(g)} }),
	}}
}
