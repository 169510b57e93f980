// SPDX-License-Identifier: Apache-2.0

// Package cheetah reads and renders templates of Cheetah. A template becomes a
// program of package py that writes its text, so that blocks, loops and local
// names are those of Python. It must not know what metadata is, nor where
// templates are kept.
package cheetah

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl"
	"github.com/bindery/bindery/engine/problem"
)

// Template is a template that can be rendered. It is immutable and safe for
// concurrent use.
type Template struct {
	file    string
	src     string
	program *py.Program
	texts   []literal
	defs    []string
	// origins has for each line of the program where in the template it is from.
	origins []origin
}

// origin is a placeholder or directive: the offsets of its text.
type origin struct{ start, end int }

// misread leaves the compiler from any depth.
type misread struct {
	at        int
	msg, hint string
}

// Parse reads a template. file is how problems name it.
func Parse(file, src string) (*Template, *problem.Problem) {
	if len(src) > tmpl.MaxTemplate {
		return nil, problem.New(problem.Pos{File: file}, "template-syntax", "the template cannot be used: it is too large", "")
	}
	if !utf8.ValidString(src) {
		at := invalid(src)
		return nil, problem.New(position(file, src, at), "template-encoding",
			fmt.Sprintf("the template cannot be used: byte 0x%02x is not UTF-8", src[at]), "save the file as UTF-8")
	}
	c := newCompiler(src)
	if err := c.compile(); err != nil {
		return nil, problem.New(position(file, src, err.at), "template-syntax", "the template cannot be used: "+err.msg, err.hint)
	}
	t := &Template{file: file, src: src, texts: c.texts, defs: c.defs}
	code := c.program(t)
	program, err := py.Parse(code, 1)
	if err != nil {
		return nil, t.unreadable(err)
	}
	t.program = program
	return t, nil
}

// invalid is the offset of the first byte that is not UTF-8.
func invalid(src string) int {
	for i, r := range src {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(src[i:]); size == 1 {
				return i
			}
		}
	}
	return 0
}

// position is the place of an offset.
func position(file, src string, at int) problem.Pos {
	before := src[:min(at, len(src))]
	bol := strings.LastIndexByte(before, '\n') + 1
	return problem.Pos{File: file, Line: strings.Count(before, "\n") + 1, Column: utf8.RuneCountInString(before[bol:]) + 1}
}

// at gives the place and the text that a line of the program is from.
func (t *Template) at(line int) (problem.Pos, string) {
	if line < 1 || line > len(t.origins) {
		return problem.Pos{File: t.file}, ""
	}
	o := t.origins[line-1]
	return position(t.file, t.src, o.start), strings.TrimSpace(t.src[o.start:o.end])
}

// unreadable is the problem of Python that is none.
func (t *Template) unreadable(err error) *problem.Problem {
	var s *py.SyntaxError
	if !errors.As(err, &s) {
		return tmpl.Syntax(t.file, 0, err)
	}
	pos, text := t.at(s.Line)
	return problem.New(pos, "template-syntax", fmt.Sprintf("the template cannot be used: %s in %s", s.Msg, shown(text)),
		"a dollar or hash sign that is just text is written \\$ or \\#")
}

// failure is the problem of an error while rendering.
func (t *Template) failure(err error) *problem.Problem {
	p := tmpl.Failure(t.file, 0, err)
	if p.Pos.File != t.file {
		return p
	}
	var raised *py.Raised
	if errors.As(err, &raised) && raised.Class == "NameError" && p.Hint == "" {
		p.Hint = "names of the template need a dollar sign in directives too, such as $metadata"
	}
	pos, text := t.at(p.Pos.Line)
	p.Pos = pos
	if text != "" {
		p.Msg += " in " + shown(text)
	}
	return p
}

// maxShown bounds how much of an expression a message shows.
const maxShown = 60

func shown(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	text = strings.TrimSpace(text)
	if r := []rune(text); len(r) > maxShown {
		text = string(r[:maxShown]) + "…"
	}
	return "\"" + text + "\""
}
