// SPDX-License-Identifier: Apache-2.0

package py

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is what a token is.
type kind uint8

const (
	eof kind = iota
	name
	number
	text
	op
	newline
	indent
	dedent
)

// token is a piece of source. end is the offset behind it.
type token struct {
	kind       kind
	s          string // as written; for text the value
	prefix     string // of text, in lower case
	line       int
	start, end int
}

// SyntaxError is source that cannot be read.
type SyntaxError struct {
	Line int
	Msg  string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Msg) }

// maxIndents bounds how deep blocks nest.
const maxIndents = 64

// scanner cuts source into tokens.
type scanner struct {
	src     string
	pos     int
	line    int
	depth   int // of brackets
	indents []int
	fresh   bool // at the start of a line
	pending int  // dedents still to be given
	ended   bool
}

// newScanner makes a scanner. What is enclosed in brackets has no lines and no
// indentation.
func newScanner(src string, line int, enclosed bool) *scanner {
	s := &scanner{src: src, line: line, indents: []int{0}, fresh: true}
	if enclosed {
		s.depth, s.fresh = 1, false
	}
	return s
}

// newExpression makes a scanner for an expression, which is one line.
func newExpression(src string, line int) *scanner {
	return &scanner{src: src, line: line, indents: []int{0}}
}

func (s *scanner) fail(format string, args ...any) error {
	return &SyntaxError{Line: s.line, Msg: fmt.Sprintf(format, args...)}
}

// next gives the next token.
func (s *scanner) next() (token, error) {
	if s.fresh && s.depth == 0 {
		if t, ok, err := s.indentation(); ok || err != nil {
			return t, err
		}
	}
	if s.pending > 0 {
		s.pending--
		return token{kind: dedent, line: s.line, start: s.pos, end: s.pos}, nil
	}
	if err := s.blanks(); err != nil {
		return token{}, err
	}
	if s.pos >= len(s.src) {
		return s.finish(), nil
	}
	start := s.pos
	c := s.src[s.pos]
	switch {
	case c == '\n':
		s.pos++
		t := token{kind: newline, s: "\n", line: s.line, start: start, end: s.pos}
		s.line++
		s.fresh = true
		return t, nil
	case c >= '0' && c <= '9', c == '.' && s.pos+1 < len(s.src) && isDigit(s.src[s.pos+1]):
		return s.number(), nil
	case c == '"' || c == '\'':
		return s.text("")
	}
	if r, _ := utf8.DecodeRuneInString(s.src[s.pos:]); r == '_' || unicode.IsLetter(r) {
		return s.name()
	}
	return s.operator()
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// finish closes the last line and all blocks.
func (s *scanner) finish() token {
	t := token{kind: eof, line: s.line, start: s.pos, end: s.pos}
	if s.depth == 0 && !s.ended {
		s.ended = true
		s.pending = len(s.indents) - 1
		s.indents = s.indents[:1]
		t.kind = newline
	}
	return t
}

// indentation measures a new line and tells whether a block begins or ends there.
func (s *scanner) indentation() (token, bool, error) {
	for {
		width, i := 0, s.pos
		for ; i < len(s.src); i++ {
			switch s.src[i] {
			case ' ':
				width++
				continue
			case '\t':
				width += 8 - width%8
				continue
			case '\f', '\r':
				continue
			}
			break
		}
		if i < len(s.src) && s.src[i] == '#' {
			for i < len(s.src) && s.src[i] != '\n' {
				i++
			}
		}
		if i < len(s.src) && s.src[i] == '\n' {
			s.pos = i + 1
			s.line++
			continue
		}
		s.pos = i
		s.fresh = false
		if i >= len(s.src) {
			return token{}, false, nil
		}
		return s.block(width)
	}
}

func (s *scanner) block(width int) (token, bool, error) {
	top := s.indents[len(s.indents)-1]
	if width == top {
		return token{}, false, nil
	}
	if width > top {
		if len(s.indents) >= maxIndents {
			return token{}, true, s.fail("too many nested blocks")
		}
		s.indents = append(s.indents, width)
		return token{kind: indent, line: s.line, start: s.pos, end: s.pos}, true, nil
	}
	for s.indents[len(s.indents)-1] > width {
		s.indents = s.indents[:len(s.indents)-1]
		s.pending++
	}
	if s.indents[len(s.indents)-1] != width {
		return token{}, true, s.fail("unindent does not match any outer indentation level")
	}
	return token{}, false, nil
}

// blanks skips what separates tokens.
func (s *scanner) blanks() error {
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\f':
			s.pos++
		case c == '\n' && s.depth > 0:
			s.pos++
			s.line++
		case c == '#':
			for s.pos < len(s.src) && s.src[s.pos] != '\n' {
				s.pos++
			}
		case c == '\\':
			rest := strings.TrimPrefix(s.src[s.pos+1:], "\r")
			if !strings.HasPrefix(rest, "\n") {
				return s.fail("unexpected character after line continuation character")
			}
			s.pos = len(s.src) - len(rest) + 1
			s.line++
		default:
			return nil
		}
	}
	return nil
}

func (s *scanner) number() token {
	start := s.pos
	digits := func(ok func(byte) bool) {
		for s.pos < len(s.src) && (ok(s.src[s.pos]) || s.src[s.pos] == '_') {
			s.pos++
		}
	}
	hex := func(c byte) bool { return isDigit(c) || c|32 >= 'a' && c|32 <= 'f' }
	if s.src[s.pos] == '0' && s.pos+1 < len(s.src) && strings.IndexByte("xXoObB", s.src[s.pos+1]) >= 0 {
		s.pos += 2
		digits(hex)
	} else {
		digits(isDigit)
		if s.pos < len(s.src) && s.src[s.pos] == '.' {
			s.pos++
			digits(isDigit)
		}
		if rest := s.src[s.pos:]; rest != "" && rest[0]|32 == 'e' {
			n := 1
			if len(rest) > 1 && (rest[1] == '+' || rest[1] == '-') {
				n = 2
			}
			if len(rest) > n && isDigit(rest[n]) {
				s.pos += n
				digits(isDigit)
			}
		}
	}
	if s.pos < len(s.src) && s.src[s.pos]|32 == 'l' {
		s.pos++
	}
	return token{kind: number, s: s.src[start:s.pos], line: s.line, start: start, end: s.pos}
}

func (s *scanner) name() (token, error) {
	start := s.pos
	for s.pos < len(s.src) {
		r, n := utf8.DecodeRuneInString(s.src[s.pos:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		s.pos += n
	}
	word := s.src[start:s.pos]
	if s.pos < len(s.src) && (s.src[s.pos] == '"' || s.src[s.pos] == '\'') && len(word) <= 2 {
		prefix := strings.ToLower(word)
		if strings.Trim(prefix, "rubf") == "" {
			t, err := s.text(prefix)
			t.start = start
			return t, err
		}
	}
	return token{kind: name, s: word, line: s.line, start: start, end: s.pos}, nil
}

// text reads a string; the value of an f-string stays as written.
func (s *scanner) text(prefix string) (token, error) {
	t := token{kind: text, prefix: prefix, line: s.line, start: s.pos}
	quote := s.src[s.pos : s.pos+1]
	triple := strings.HasPrefix(s.src[s.pos:], strings.Repeat(quote, 3))
	if triple {
		quote = strings.Repeat(quote, 3)
	}
	s.pos += len(quote)
	raw := strings.Contains(prefix, "r")
	start := s.pos
	for {
		if s.pos >= len(s.src) || !triple && s.src[s.pos] == '\n' {
			return t, s.fail("unterminated string")
		}
		if strings.HasPrefix(s.src[s.pos:], quote) {
			break
		}
		if s.src[s.pos] == '\n' {
			s.line++
		}
		if s.src[s.pos] == '\\' && s.pos+1 < len(s.src) {
			s.pos++
			if s.src[s.pos] == '\n' {
				s.line++
			}
		}
		s.pos++
	}
	body := s.src[start:s.pos]
	s.pos += len(quote)
	t.end, t.s = s.pos, body
	if raw || strings.Contains(prefix, "f") {
		return t, nil
	}
	value, err := Unescape(body)
	if err != nil {
		return t, s.fail("%v", err)
	}
	t.s = value
	return t, nil
}

// operators, longest first.
var operators = []string{
	"**=", "//=", ">>=", "<<=", "...",
	"**", "//", ">>", "<<", "<=", ">=", "==", "!=", "<>", "->", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", ":=", "@=",
	"+", "-", "*", "/", "%", "&", "|", "^", "~", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", ";", "@", "=", "`",
}

func (s *scanner) operator() (token, error) {
	rest := s.src[s.pos:]
	for _, o := range operators {
		if !strings.HasPrefix(rest, o) {
			continue
		}
		t := token{kind: op, s: o, line: s.line, start: s.pos}
		s.pos += len(o)
		t.end = s.pos
		switch o {
		case "(", "[", "{":
			s.depth++
		case ")", "]", "}":
			if s.depth > 0 {
				s.depth--
			}
		}
		return t, nil
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return token{}, s.fail("unexpected character %q", r)
}

// Enclosed finds the end of the expression that begins at src[0] and ends at the
// bracket close, by Python's tokens: brackets in strings do not count. It gives
// the offset of that bracket, -1 where there is none.
func Enclosed(src string, closing byte) int {
	s := newScanner(src, 1, true)
	depth := 0
	for {
		t, err := s.next()
		if err != nil || t.kind == eof {
			return -1
		}
		s.depth = max(s.depth, 1)
		if t.kind != op {
			continue
		}
		switch t.s {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			if depth == 0 && t.s[0] == closing {
				return t.start
			}
			depth--
		}
	}
}
