// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is what a token is.
type kind uint8

const (
	eof        kind = iota
	data            // text outside of tags
	blockBegin      // {%
	blockEnd        // %}
	varBegin        // {{
	varEnd          // }}
	name
	number
	text
	op
)

// token is a piece of a template.
type token struct {
	kind kind
	s    string // of text its value
	line int
}

// misread leaves the lexer and the parser from any depth.
type misread struct {
	line int
	msg  string
}

func failAt(line int, format string, args ...any) {
	panic(misread{line, fmt.Sprintf(format, args...)})
}

// lexer cuts a template into tokens.
type lexer struct {
	src  string
	pos  int
	line int
	out  []token
}

var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// lex gives the tokens of a template. Whitespace that a "-" takes is gone.
func lex(src string) []token {
	l := &lexer{src: newlines.Replace(src), line: 1}
	for l.pos < len(l.src) {
		l.outside()
	}
	l.add(eof, "")
	return l.out
}

func (l *lexer) add(k kind, s string) { l.out = append(l.out, token{k, s, l.line}) }

// skip moves on and counts lines.
func (l *lexer) skip(n int) {
	l.line += strings.Count(l.src[l.pos:l.pos+n], "\n")
	l.pos += n
}

func (l *lexer) skipSpace() {
	rest := l.src[l.pos:]
	l.skip(len(rest) - len(strings.TrimLeftFunc(rest, unicode.IsSpace)))
}

// outside reads text up to the next tag, and the tag.
func (l *lexer) outside() {
	rest := l.src[l.pos:]
	n := -1
	for i := 0; ; {
		k := strings.IndexByte(rest[i:], '{')
		if k < 0 || i+k+1 >= len(rest) {
			break
		}
		if c := rest[i+k+1]; c == '{' || c == '%' || c == '#' {
			n = i + k
			break
		}
		i += k + 1
	}
	if n < 0 {
		l.text(rest)
		return
	}
	before, opening := rest[:n], rest[n:n+2]
	after := rest[n+2:]
	if strings.HasPrefix(after, "-") {
		before = strings.TrimRightFunc(before, unicode.IsSpace)
	}
	if before != "" {
		l.add(data, before)
	}
	l.skip(n + 2)
	if strings.HasPrefix(after, "-") || strings.HasPrefix(after, "+") {
		l.skip(1)
	}
	switch opening {
	case "{#":
		l.comment()
	case "{%":
		if !l.raw() {
			l.add(blockBegin, "")
			l.inside("%}", blockEnd)
		}
	default:
		l.add(varBegin, "")
		l.inside("}}", varEnd)
	}
}

func (l *lexer) text(s string) {
	if s != "" {
		l.add(data, s)
	}
	l.skip(len(s))
}

func (l *lexer) comment() {
	n := strings.Index(l.src[l.pos:], "#}")
	if n < 0 {
		failAt(l.line, "the comment {# is not closed")
	}
	strip := n > 0 && l.src[l.pos+n-1] == '-'
	l.skip(n + 2)
	if strip {
		l.skipSpace()
	}
}

var (
	rawBegin = regexp.MustCompile(`^\s*raw\s*(-?)%\}`)
	rawEnd   = regexp.MustCompile(`\{%([-+]?)\s*endraw\s*([-+]?)%\}`)
)

// raw reads {% raw %} … {% endraw %}; the cursor is behind the "{%".
func (l *lexer) raw() bool {
	m := rawBegin.FindStringSubmatch(l.src[l.pos:])
	if m == nil {
		return false
	}
	line := l.line
	l.skip(len(m[0]))
	if m[1] != "" {
		l.skipSpace()
	}
	loc := rawEnd.FindStringSubmatchIndex(l.src[l.pos:])
	if loc == nil {
		failAt(line, "raw has no endraw")
	}
	rest := l.src[l.pos:]
	body := rest[:loc[0]]
	if rest[loc[2]:loc[3]] == "-" {
		body = strings.TrimRightFunc(body, unicode.IsSpace)
	}
	if body != "" {
		l.add(data, body)
	}
	strip := rest[loc[4]:loc[5]] == "-"
	l.skip(loc[1])
	if strip {
		l.skipSpace()
	}
	return true
}

var (
	floatPattern = regexp.MustCompile(`^(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?[eE][+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)`)
	intPattern   = regexp.MustCompile(`^(?:0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|[1-9](?:_?\d)*|0(?:_?0)*)`)
	namePattern  = regexp.MustCompile(`^[\pL\pN_]+`)
	operators    = []string{"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"}
)

// inside reads the tokens of a tag up to its end.
func (l *lexer) inside(end string, k kind) {
	start := l.line
	var open []string
	for {
		l.skipSpace()
		rest := l.src[l.pos:]
		if rest == "" {
			failAt(start, "the tag is not closed: %s is missing", end)
		}
		if len(open) == 0 {
			bare := strings.TrimPrefix(rest, "-")
			if bare == rest && k == blockEnd {
				bare = strings.TrimPrefix(rest, "+")
			}
			if strings.HasPrefix(bare, end) {
				l.add(k, "")
				l.skip(len(rest) - len(bare) + 2)
				if strings.HasPrefix(rest, "-") {
					l.skipSpace()
				}
				return
			}
		}
		l.token(rest, &open)
	}
}

// token reads one token of an expression.
func (l *lexer) token(rest string, open *[]string) {
	afterDot := len(l.out) > 0 && l.out[len(l.out)-1].kind == op && l.out[len(l.out)-1].s == "."
	if m := floatPattern.FindString(rest); m != "" && !afterDot {
		l.add(number, m)
		l.skip(len(m))
		return
	}
	if m := intPattern.FindString(rest); m != "" {
		l.add(number, m)
		l.skip(len(m))
		return
	}
	if m := namePattern.FindString(rest); m != "" {
		if first, _ := utf8.DecodeRuneInString(m); unicode.IsDigit(first) {
			failAt(l.line, "%q is no name", m)
		}
		l.add(name, m)
		l.skip(len(m))
		return
	}
	if rest[0] == '"' || rest[0] == '\'' {
		l.quoted(rest)
		return
	}
	for _, o := range operators {
		if !strings.HasPrefix(rest, o) {
			continue
		}
		switch o {
		case "(", "[", "{":
			*open = append(*open, map[string]string{"(": ")", "[": "]", "{": "}"}[o])
		case ")", "]", "}":
			n := len(*open)
			if n == 0 {
				failAt(l.line, "unexpected %q", o)
			}
			if want := (*open)[n-1]; want != o {
				failAt(l.line, "unexpected %q, expected %q", o, want)
			}
			*open = (*open)[:n-1]
		}
		l.add(op, o)
		l.skip(len(o))
		return
	}
	r, _ := utf8.DecodeRuneInString(rest)
	failAt(l.line, "unexpected char %q", r)
}

// quoted reads a string.
func (l *lexer) quoted(rest string) {
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case rest[0]:
			l.add(text, unescape(rest[1:i], l.line))
			l.skip(i + 1)
			return
		}
	}
	failAt(l.line, "a string is not closed")
}
