// SPDX-License-Identifier: Apache-2.0

// Package problem is what a wrong specification is reported as: a position, a
// stable code, a sentence and a hint. Commands, comments and lint all show the
// same value. It must not know who found the problem or how it is printed.
package problem

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Severity says whether a Problem stops something.
type Severity string

const (
	// Error is a Problem that makes something of the specification unusable.
	Error Severity = "error"
	// Warning is a Problem that leaves the result defined, but surprising.
	Warning Severity = "warning"
)

// Pos is a place in the specification. Line and Column are 1-based, Column
// counts characters; both are 0 where only the file is known.
type Pos struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String gives file:line:column, without the parts that are not known.
func (p Pos) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(p.Line))
		if p.Column > 0 {
			b.WriteByte(':')
			b.WriteString(strconv.Itoa(p.Column))
		}
	}
	return b.String()
}

// Problem is one finding. It is an error too, so that a parser can return it.
type Problem struct {
	Pos      Pos      `json:"pos"`
	Severity Severity `json:"severity"`
	// Code is stable and lower-case with dashes, such as "unknown-group".
	Code string `json:"code"`
	Msg  string `json:"message"`
	// Hint says what to do next; it may be empty.
	Hint string `json:"hint,omitempty"`
}

// Error gives "file:line:column: message".
func (p *Problem) Error() string {
	if p.Pos.File == "" {
		return p.Msg
	}
	return p.Pos.String() + ": " + p.Msg
}

// New makes a Problem of severity Error.
func New(pos Pos, code, msg, hint string) *Problem {
	return &Problem{Pos: pos, Severity: Error, Code: code, Msg: msg, Hint: hint}
}

// Warn makes a Problem of severity Warning.
func Warn(pos Pos, code, msg, hint string) *Problem {
	return &Problem{Pos: pos, Severity: Warning, Code: code, Msg: msg, Hint: hint}
}

// Compare orders Problems by file, line, column, code and message.
func Compare(a, b *Problem) int {
	return cmp.Or(
		cmp.Compare(a.Pos.File, b.Pos.File),
		cmp.Compare(a.Pos.Line, b.Pos.Line),
		cmp.Compare(a.Pos.Column, b.Pos.Column),
		cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.Msg, b.Msg),
	)
}

// Sort orders problems by position and drops exact repetitions. It works in
// place and returns the shortened slice.
func Sort(problems []*Problem) []*Problem {
	slices.SortStableFunc(problems, Compare)
	return slices.CompactFunc(problems, func(a, b *Problem) bool { return *a == *b })
}

// Errors counts the problems of severity Error.
func Errors(problems []*Problem) int {
	n := 0
	for _, p := range problems {
		if p.Severity == Error {
			n++
		}
	}
	return n
}
