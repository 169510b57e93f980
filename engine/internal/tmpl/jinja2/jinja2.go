// SPDX-License-Identifier: Apache-2.0

// Package jinja2 reads and renders templates of Jinja2, as Bcfg2 1.4 had them: no
// autoescape, the last newline stays, undefined names are empty. It must not know
// what metadata is, nor where templates are kept.
package jinja2

import (
	"fmt"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl"
	"github.com/bindery/bindery/engine/problem"
)

// Template is a template that can be rendered. It is immutable and safe for
// concurrent use.
type Template struct {
	File   string
	body   []node
	blocks map[string]*blockNode
	*language
}

// language is what expressions may name.
type language struct {
	filters map[string]filterFunc
	tests   map[string]testFunc
}

// Load finds the template that another one names. A file that does not exist is no
// template and no problem.
type Load func(file string) (*Template, *problem.Problem)

// Parse reads a template. file is how problems name it.
func Parse(file, src string) (t *Template, p *problem.Problem) {
	if len(src) > tmpl.MaxTemplate {
		return nil, problem.New(problem.Pos{File: file}, "template-syntax", "the template cannot be used: it is too large", "")
	}
	if !utf8.ValidString(src) {
		return nil, problem.New(problem.Pos{File: file}, "template-encoding", "the template cannot be used: it is not UTF-8", "save the file as UTF-8")
	}
	defer func() {
		if r := recover(); r != nil {
			failed, ok := r.(misread)
			if !ok {
				panic(r)
			}
			t, p = nil, tmpl.Syntax(file, failed.line, fmt.Errorf("%s", failed.msg))
		}
	}()
	t = &Template{File: file, blocks: map[string]*blockNode{}, language: &language{filterTable(), testTable()}}
	parser := &parser{tokens: lex(src), blocks: t.blocks, language: t.language}
	t.body, _ = parser.body("", 1)
	return t, nil
}

// Render gives the text of the template.
func (t *Template) Render(th *py.Thread, names map[string]py.Value, load Load) (string, *problem.Problem) {
	r := &renderer{th: th, load: load, t: t, language: t.language}
	r.globals = r.builtins()
	c := newContext(nil)
	c.given = names
	if err := r.template(t, c); err != nil {
		return "", tmpl.Failure(r.t.File, 0, err)
	}
	return r.out.String(), nil
}
