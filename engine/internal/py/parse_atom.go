// SPDX-License-Identifier: Apache-2.0

package py

import (
	"math/big"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
)

func (p *parser) atom() expr {
	l := line(p.tok.line)
	switch p.tok.kind {
	case number:
		return &constant{l, p.number(p.advance().s)}
	case text:
		return p.texts()
	case name:
		switch p.tok.s {
		case "None":
			p.advance()
			return &constant{l, starlark.None}
		case "True", "False":
			return &constant{l, starlark.Bool(p.advance().s == "True")}
		}
		return &nameRef{l, p.ident()}
	case op:
		switch p.tok.s {
		case "(":
			return p.parenthesis()
		case "[":
			return p.list()
		case "{":
			return p.braces()
		case "`":
			p.advance()
			x := p.exprList()
			p.expect("`")
			return &backquoted{l, x}
		case "...":
			p.advance()
			return &constant{l, ellipsis}
		}
	}
	p.fail("invalid syntax: an expression expected, not %s", p.found())
	return nil
}

// maxDigits bounds the digits of a number.
const maxDigits = 4300

func (p *parser) number(s string) starlark.Value {
	s = strings.ReplaceAll(strings.ToLower(s), "_", "")
	if len(s) > maxDigits {
		p.fail("too long a number")
	}
	hex := strings.HasPrefix(s, "0x")
	s = strings.TrimSuffix(s, "l")
	if !hex && strings.ContainsAny(s, ".e") {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil && !strings.Contains(err.Error(), "range") {
			p.fail("invalid number %s", s)
		}
		return starlark.Float(v)
	}
	base := 0
	if len(s) > 1 && s[0] == '0' && isDigit(s[1]) {
		base = 8
	}
	v, ok := new(big.Int).SetString(s, base)
	if !ok {
		p.fail("invalid number %s", s)
	}
	return starlark.MakeBigInt(v)
}

// texts joins adjacent strings.
func (p *parser) texts() expr {
	l := line(p.tok.line)
	var parts []piece
	formatted := false
	for p.tok.kind == text {
		t := p.advance()
		if strings.Contains(t.prefix, "f") {
			formatted = true
			parts = append(parts, p.pieces(t.s, strings.Contains(t.prefix, "r"), t.line)...)
			continue
		}
		parts = append(parts, piece{text: t.s})
	}
	if formatted {
		return &joined{l, parts}
	}
	var b strings.Builder
	for _, part := range parts {
		b.WriteString(part.text)
	}
	return &constant{l, starlark.String(b.String())}
}

// pieces takes an f-string apart.
func (p *parser) pieces(s string, raw bool, at int) []piece {
	var out []piece
	literal := func(t string) {
		if strings.Contains(strings.ReplaceAll(t, "}}", ""), "}") {
			p.fail("f-string: single '}' is not allowed")
		}
		t = strings.ReplaceAll(strings.ReplaceAll(t, "{{", "{"), "}}", "}")
		if !raw {
			v, err := Unescape(t)
			if err != nil {
				p.fail("%v", err)
			}
			t = v
		}
		if t != "" {
			out = append(out, piece{text: t})
		}
	}
	for {
		i := openBrace(s)
		if i < 0 {
			literal(s)
			return out
		}
		literal(s[:i])
		s = s[i+1:]
		end := fieldClose(s)
		if end < 0 {
			p.fail("f-string: '}' expected")
		}
		out = append(out, p.field(s[:end], raw, at)...)
		s = s[end+1:]
	}
}

// openBrace finds the next brace that opens a field.
func openBrace(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] == '{' {
			if i+1 < len(s) && s[i+1] == '{' {
				i++
				continue
			}
			return i
		}
	}
	return -1
}

// fieldClose finds the brace that ends a field, in which texts may hold braces.
func fieldClose(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'', '"':
			if j := strings.IndexByte(s[i+1:], c); j >= 0 {
				i += j + 1
			}
		case '{', '(', '[':
			depth++
		case '}', ')', ']':
			if depth == 0 && c == '}' {
				return i
			}
			depth--
		}
	}
	return -1
}

// field parses what stands in the braces of an f-string.
func (p *parser) field(s string, raw bool, at int) []piece {
	p.enter()
	defer p.leave()
	end := fieldSplit(s)
	code := strings.TrimRight(s[:end], " ")
	shown := strings.HasSuffix(code, "=") && !strings.HasSuffix(code, "==")
	if shown {
		code = strings.TrimSuffix(code, "=")
	}
	sub := &parser{s: newScanner(code, at, true), depth: p.depth, scope: p.scope, targets: p.targets, division: p.division}
	sub.advance()
	out := piece{x: sub.exprList()}
	if sub.tok.kind != eof {
		p.fail("f-string: invalid syntax at %s", sub.found())
	}
	out = p.fieldEnd(out, s[end:], raw, at)
	if !shown {
		return []piece{out}
	}
	if out.conv == 0 && out.format == nil {
		out.conv = 'r'
	}
	return []piece{{text: s[:end]}, out}
}

// fieldSplit finds where the expression of a field ends: at a conversion or a
// format, outside brackets and texts.
func fieldSplit(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'', '"':
			if j := strings.IndexByte(s[i+1:], c); j >= 0 {
				i += j + 1
			}
		case '{', '(', '[':
			depth++
		case '}', ')', ']':
			depth--
		case '!':
			if depth == 0 && (i+1 >= len(s) || s[i+1] != '=') {
				return i
			}
		case ':':
			if depth == 0 {
				return i
			}
		}
	}
	return len(s)
}

func (p *parser) fieldEnd(out piece, rest string, raw bool, at int) piece {
	if strings.HasPrefix(rest, "!") && len(rest) > 1 {
		out.conv = rest[1]
		rest = rest[2:]
	}
	switch {
	case rest == "":
	case rest[0] == ':':
		out.format = &joined{line(at), p.pieces(rest[1:], raw, at)}
	default:
		p.fail("f-string: invalid syntax at %q", rest)
	}
	return out
}

func (p *parser) parenthesis() expr {
	l := line(p.advance().line)
	if p.accept(")") {
		return &tupleOf{line: l}
	}
	first := p.starExpr()
	if p.isWord("for") {
		x := p.comprehension(l, '(', nil, first)
		p.expect(")")
		return x
	}
	if !p.isOp(",") {
		p.expect(")")
		return first
	}
	items := p.more(first, ")")
	return &tupleOf{l, items}
}

// more parses the rest of a display up to its bracket.
func (p *parser) more(first expr, closing string) []expr {
	items := []expr{first}
	for p.accept(",") {
		if p.isOp(closing) {
			break
		}
		items = append(items, p.starExpr())
	}
	p.expect(closing)
	return items
}

func (p *parser) list() expr {
	l := line(p.advance().line)
	if p.accept("]") {
		return &listOf{line: l}
	}
	first := p.starExpr()
	if p.isWord("for") {
		x := p.comprehension(l, '[', nil, first)
		p.expect("]")
		return x
	}
	return &listOf{l, p.more(first, "]")}
}

func (p *parser) braces() expr {
	l := line(p.advance().line)
	d := &dictOf{line: l}
	if p.accept("}") {
		return d
	}
	if !p.isOp("**") {
		first := p.starExpr()
		if !p.isOp(":") {
			if p.isWord("for") {
				x := p.comprehension(l, '{', nil, first)
				p.expect("}")
				return x
			}
			return &setOf{l, p.more(first, "}")}
		}
		p.advance()
		value := p.expr()
		if p.isWord("for") {
			x := p.comprehension(l, ':', first, value)
			p.expect("}")
			return x
		}
		d.keys, d.values = append(d.keys, first), append(d.values, value)
		if !p.accept(",") {
			p.expect("}")
			return d
		}
	}
	for !p.isOp("}") {
		var key expr
		if !p.accept("**") {
			key = p.expr()
			p.expect(":")
		}
		d.keys, d.values = append(d.keys, key), append(d.values, p.expr())
		if !p.accept(",") {
			break
		}
	}
	p.expect("}")
	return d
}
