// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"context"
	"errors"
	"io/fs"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"github.com/bindery/bindery/engine/internal/lint"
	"github.com/bindery/bindery/engine/problem"
)

// Lint looks for everything that is wrong with a specification, or surprising:
// the checks over its files, by position. No host is built.
func Lint(ctx context.Context, fsys fs.FS, opts Options) ([]*problem.Problem, error) {
	return lint.Run(ctx, fsys, lint.Config{Plugins: opts.Plugins, Conf: opts.Conf, YAML: notYAML})
}

// LintRules tells what the codes of Lint mean.
func LintRules() map[string]string {
	out := map[string]string{}
	for _, r := range lint.Rules() {
		out[r.Code] = r.Doc
	}
	return out
}

// Source shows lines of a specification to people, with secrets masked: the line
// of a position, and the column in what is shown of it. It is false where the
// line must not be shown. The function is not safe for concurrent use.
func Source(fsys fs.FS) func(pos problem.Pos) (line string, column int, ok bool) {
	return lint.NewSource(fsys).Line
}

// maxYAMLDepth bounds nesting: the time of the parser grows with its square.
const maxYAMLDepth = 500

// tooDeep gives the first line that nests deeper than is parsed, 0 for none.
// Brackets and dashes in quotes count too; so many never stand open there.
func tooDeep(data []byte) int {
	open, line := 0, 0
	for text := range bytes.Lines(data) {
		line++
		for _, b := range text {
			switch b {
			case '[', '{':
				open++
			case ']', '}':
				open = max(0, open-1)
			}
			if open > maxYAMLDepth {
				return line
			}
		}
		if bytes.Count(text, []byte("- ")) > maxYAMLDepth || len(text)-len(bytes.TrimLeft(text, " ")) > maxYAMLDepth {
			return line
		}
	}
	return 0
}

// notYAML tells where and why data is not YAML.
func notYAML(data []byte) (line, column int, err error) {
	if line := tooDeep(data); line > 0 {
		return line, 1, errors.New("it is nested too deeply")
	}
	_, err = parser.ParseBytes(data, 0)
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) {
		if at := syntax.GetToken(); at != nil && at.Position != nil {
			line, column = at.Position.Line, at.Position.Column
		}
		// The message alone: what the error prints is the file's own lines.
		return line, column, errors.New(syntax.GetMessage())
	}
	if err != nil {
		return 0, 0, errors.New("it cannot be parsed")
	}
	return 0, 0, nil
}
