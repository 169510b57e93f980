// SPDX-License-Identifier: Apache-2.0

// Package tmpl holds what the template languages share: how a failure of their
// Python becomes a Problem. It must not know any single language.
package tmpl

import (
	"errors"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/problem"
)

// MaxTemplate bounds the source of one template in bytes.
const MaxTemplate = 8 << 20

// Late is an object with members that a text can do without for the time being,
// because all that a template does with them is to write them.
type Late interface {
	// Later notes that a member belongs at an offset of the result, and tells whether
	// it will be put there.
	Later(member string, at int) bool
}

// MaxLate is how much a member is charged that is put in later, in bytes: what a
// budget allows must not depend on the host.
const MaxLate = 255

// Syntax is the problem of a template that cannot be read.
func Syntax(file string, line int, err error) *problem.Problem {
	msg := err.Error()
	var s *py.SyntaxError
	if errors.As(err, &s) {
		line, msg = s.Line, s.Msg
	}
	return problem.New(problem.Pos{File: file, Line: line}, "template-syntax", "the template cannot be used: "+msg, "")
}

// Failure is the problem of a template that cannot be rendered. line counts where
// the error knows none.
func Failure(file string, line int, err error) *problem.Problem {
	var p *problem.Problem
	var raised *py.Raised
	var limit *py.Limit
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &limit):
		if limit.Line > 0 {
			line = limit.Line
		}
		return problem.New(problem.Pos{File: file, Line: line}, "template-limit", limit.What, "make it do less; a template must end by itself")
	case errors.As(err, &raised):
		if raised.Line > 0 {
			line = raised.Line
		}
		if raised.File != "" {
			file = raised.File
		}
		code := "template-error"
		msg := raised.Error()
		if raised.Class == "NotSupported" {
			code, msg = "template-refused", raised.Msg
		}
		return problem.New(problem.Pos{File: file, Line: line}, code, msg, raised.Hint)
	}
	return problem.New(problem.Pos{File: file, Line: line}, "template-error", err.Error(), "")
}
