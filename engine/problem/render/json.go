// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"io"

	"github.com/bindery/bindery/engine/problem"
)

// Finding is one problem with its line, as JSON has it.
type Finding struct {
	File     string           `json:"file,omitempty"`
	Line     int              `json:"line,omitempty"`
	Column   int              `json:"column,omitempty"`
	Severity problem.Severity `json:"severity"`
	Code     string           `json:"code"`
	Message  string           `json:"message"`
	Hint     string           `json:"hint,omitempty"`
	// Source is the line itself, with secrets masked; Caret is the column in it.
	Source string `json:"source,omitempty"`
	Caret  int    `json:"caret,omitempty"`
}

// JSON writes {"problems": […], "errors": n, "warnings": n}.
func JSON(w io.Writer, problems []*problem.Problem, source Source) error {
	doc := struct {
		Problems []Finding `json:"problems"`
		Counts
	}{Problems: []Finding{}, Counts: Count(problems)}
	for _, p := range problems {
		f := Finding{
			File: p.Pos.File, Line: p.Pos.Line, Column: p.Pos.Column,
			Severity: p.Severity, Code: p.Code, Message: p.Msg, Hint: p.Hint,
		}
		if source != nil && p.Pos.Line > 0 {
			if line, column, ok := source(p.Pos); ok {
				f.Source, f.Caret = clip(line), column
			}
		}
		doc.Problems = append(doc.Problems, f)
	}
	return encode(w, doc)
}

// clip bounds a line that is passed on.
func clip(line string) string {
	const most = 1000
	n := 0
	for i := range line {
		if n++; n > most {
			return line[:i] + "…"
		}
	}
	return line
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
