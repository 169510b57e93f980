// SPDX-License-Identifier: Apache-2.0

// Package genshi reads and renders Genshi's templates: of text in the new syntax
// ({% if x %}) and in the old (#if x), and of markup. It must not know where templates come from
// nor what they are rendered for.
package genshi

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Template is a parsed template. It is immutable and safe for concurrent use.
type Template struct {
	File string
	body []node
	// long is how long the last result was: the next one will be as long.
	long atomic.Int64
	// source is what a template of markup was read from.
	source *xmltree.Source
}

// node is a piece of a template.
type node interface {
	render(r *renderer) error
}

// textNode is literal text. gone are the offsets behind newlines that a backslash
// took away.
type textNode struct {
	text string
	line int
	gone []int
}

type exprNode struct {
	line int
	x    *py.Expression
}

// block is a directive with what it encloses.
type block struct {
	line      int
	directive directive
	body      []node
}

type codeNode struct {
	line    int
	program *py.Program
}

type includeNode struct {
	line int
	name []node
}

// reader builds the tree of a template.
type reader struct {
	file string
	out  []node
	// open are the directives that no end has closed yet, by depth; an end too
	// many makes the depth negative.
	open  map[int]*pending
	depth int
}

type pending struct {
	line  int
	d     directive
	start int
}

// errSyntax is what cannot be read, at its line.
type errSyntax struct {
	line int
	err  error
}

func (e *errSyntax) Error() string { return e.err.Error() }

func problemOf(file string, err error) *problem.Problem {
	var s *errSyntax
	if errors.As(err, &s) {
		return tmpl.Syntax(file, s.line, s.err)
	}
	return tmpl.Syntax(file, 0, err)
}

// Parse reads a template in the new syntax.
func Parse(file, src string) (*Template, *problem.Problem) {
	src = strings.ToValidUTF8(src, "�")
	r := &reader{file: file, open: map[int]*pending{}}
	pos, line := 0, 1
	for {
		start, end, word, value, ok := nextDirective(src, pos)
		if !ok {
			break
		}
		if err := r.escaped(src[pos:start], line); err != nil {
			return nil, problemOf(file, err)
		}
		line += strings.Count(src[pos:start], "\n")
		at := line + strings.Count(src[start:start+strings.Index(src[start:end], value)], "\n")
		if err := r.command(word, value, at); err != nil {
			return nil, problemOf(file, err)
		}
		line += strings.Count(src[start:end], "\n")
		pos = end
	}
	if err := r.escaped(src[pos:], line); err != nil {
		return nil, problemOf(file, err)
	}
	return &Template{File: file, body: r.out}, nil
}

var directiveHead = regexp.MustCompile(`^\s*(\w+)\s*`)

// nextDirective finds the next {% word … %} or {# … #}; a comment has no word.
func nextDirective(src string, pos int) (start, end int, word, value string, ok bool) {
	for i := pos; ; i++ {
		k := strings.IndexByte(src[i:], '{')
		if k < 0 || i+k+1 >= len(src) {
			return 0, 0, "", "", false
		}
		i += k
		if i > 0 && src[i-1] == '\\' {
			continue
		}
		rest := src[i+2:]
		switch src[i+1] {
		case '#':
			if n := strings.Index(rest, "#}"); n >= 0 {
				return i, i + n + 4, "", "", true
			}
		case '%':
			n := strings.Index(rest, "%}")
			if n < 0 {
				continue
			}
			m := directiveHead.FindStringSubmatchIndex(rest[:n])
			if m == nil {
				continue
			}
			return i, i + n + 4, rest[m[2]:m[3]], strings.TrimSpace(rest[m[1]:n]), true
		}
	}
}

// unescape resolves backslashes in text: before a newline, a backslash, {% and {#.
// gone are the offsets in the result at which a newline vanished.
func unescape(s string) (out string, gone []int) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			switch next := s[i+1:]; {
			case next[0] == '\n':
				gone = append(gone, b.Len())
				i++
				continue
			case next[0] == '\\':
				b.WriteByte('\\')
				i++
				continue
			case strings.HasPrefix(next, "{%"), strings.HasPrefix(next, "{#"):
				b.WriteString(next[:2])
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), gone
}

// command handles a directive by its word.
func (r *reader) command(word, value string, line int) error {
	switch word {
	case "":
	case "include":
		name, err := interpolate(value, line)
		if err != nil {
			return err
		}
		r.out = append(r.out, &includeNode{line, name})
	case "python":
		program, err := py.Parse(dedent(value), line)
		if err != nil {
			return &errSyntax{line, err}
		}
		if value == "" {
			return &errSyntax{line, errors.New("an empty python block")}
		}
		r.out = append(r.out, &codeNode{line, program})
	case "end":
		r.end()
	default:
		if word == "match" {
			return &errSyntax{line, errors.New("\"match\" is a directive of markup alone")}
		}
		d, err := newDirective(word, value, line)
		if err != nil {
			return &errSyntax{line, err}
		}
		r.open[r.depth] = &pending{line, d, len(r.out)}
		r.depth++
	}
	return nil
}

// end closes the innermost open directive. One that is never closed is dropped,
// and what it holds stays.
func (r *reader) end() {
	r.depth--
	p := r.open[r.depth]
	if p == nil {
		return
	}
	delete(r.open, r.depth)
	body := append([]node{}, r.out[p.start:]...)
	r.out = append(r.out[:p.start], &block{p.line, p.d, body})
}

// text adds text with the expressions in it.
func (r *reader) text(s string, line int) error {
	nodes, err := interpolate(s, line)
	r.out = append(r.out, nodes...)
	return err
}

// escaped adds text with backslashes and expressions in it.
func (r *reader) escaped(s string, line int) error {
	s, gone := unescape(s)
	nodes, err := interpolate(s, line, gone...)
	r.out = append(r.out, nodes...)
	return err
}

func isStart(c byte) bool { return c == '_' || c|32 >= 'a' && c|32 <= 'z' }

func isNameChar(c byte) bool { return isStart(c) || c == '.' || c >= '0' && c <= '9' }

// interpolation is text being taken apart.
type interpolation struct {
	s    string
	line int
	pos  int // up to where s is in out
	out  []node
	gone []int
}

// emit adds the text up to an offset.
func (i *interpolation) emit(to int) {
	if to > i.pos {
		n := &textNode{text: i.s[i.pos:to], line: i.lineAt(i.pos)}
		for _, off := range i.gone {
			if off > i.pos && off < to {
				n.gone = append(n.gone, off-i.pos)
			}
		}
		i.out = append(i.out, n)
	}
	i.pos = to
}

func (i *interpolation) lineAt(off int) int {
	line := i.line + strings.Count(i.s[:off], "\n")
	for _, g := range i.gone {
		if g <= off {
			line++
		}
	}
	return line
}

// expression adds the expression between two offsets.
func (i *interpolation) expression(from, to int) error {
	chunk := i.s[from:to]
	if chunk == "" {
		return nil
	}
	trimmed := strings.TrimLeft(chunk, " \t\r\n")
	l := i.lineAt(to - len(trimmed))
	x, err := py.ParseExpression(strings.TrimSpace(trimmed), l)
	if err != nil {
		return &errSyntax{l, err}
	}
	i.out = append(i.out, &exprNode{l, x})
	return nil
}

// interpolate takes text apart at $name and ${expression}.
func interpolate(s string, line int, gone ...int) ([]node, error) {
	i := &interpolation{s: s, line: line, gone: gone}
	for at := 0; at < len(s); {
		k := strings.IndexByte(s[at:], '$')
		if k < 0 || at+k == len(s)-1 {
			break
		}
		at += k
		switch next := s[at+1]; {
		case next == '{':
			i.emit(at)
			n := py.Enclosed(s[at+2:], '}')
			if n < 0 {
				return nil, &errSyntax{i.lineAt(at), errors.New("${ without a matching }")}
			}
			if err := i.expression(at+2, at+2+n); err != nil {
				return nil, err
			}
			at += n + 3
			i.pos = at
		case isStart(next):
			i.emit(at)
			end := at + 1
			for end < len(s) && isNameChar(s[end]) {
				end++
			}
			if err := i.expression(at+1, end); err != nil {
				return nil, err
			}
			at, i.pos = end, end
		case next == '$':
			i.emit(at)
			i.pos = at + 1
			at += 2
		default:
			at++
		}
	}
	i.emit(len(s))
	return i.out, nil
}

// dedent makes a program of what stands in a python block: the first line has no
// indentation, the others lose what is common to them.
func dedent(src string) string {
	lines := strings.Split(strings.ReplaceAll(src, "\r\n", "\n"), "\n")
	rest := lines[1:]
	least := -1
	for i, l := range rest {
		body := strings.TrimLeft(l, " \t")
		if body == "" {
			rest[i] = ""
			continue
		}
		width := 0
		for _, c := range l[:len(l)-len(body)] {
			if width++; c == '\t' {
				width += (8 - width%8) % 8
			}
		}
		rest[i] = strings.Repeat(" ", width) + body
		if least < 0 || width < least {
			least = width
		}
	}
	pad := ""
	first := true
	for i, l := range rest {
		if l == "" {
			continue
		}
		l = l[least:]
		if first && strings.HasSuffix(strings.TrimSpace(lines[0]), ":") && l[0] != ' ' {
			pad = "    "
		}
		first = false
		rest[i] = pad + l
	}
	return strings.Join(lines, "\n") + "\n"
}

// newDirective reads a directive's arguments.
func newDirective(word, value string, line int) (directive, error) {
	test := func(optional bool) (*py.Expression, error) {
		if value == "" && optional {
			return nil, nil
		}
		return py.ParseExpression(value, line)
	}
	switch word {
	case "if":
		x, err := test(false)
		return &ifDirective{x}, err
	case "for":
		target, over, err := py.ParseFor(value, line)
		return &forDirective{target, over}, err
	case "choose":
		x, err := test(true)
		return &chooseDirective{x}, err
	case "when":
		x, err := test(true)
		return &whenDirective{x}, err
	case "otherwise":
		return otherwiseDirective{}, nil
	case "with":
		targets, values, err := py.ParseAssignments(value, line)
		return &withDirective{targets, values}, err
	case "match":
		p, err := parsePaths(value)
		return &matchDirective{p}, err
	case "def":
		s, err := py.ParseSignature(value, line)
		return &defDirective{s}, err
	}
	return nil, fmt.Errorf("%q is no directive", word)
}
