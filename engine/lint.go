// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"io/fs"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/lint"
	"github.com/bindery/bindery/engine/internal/lint/source"
	"github.com/bindery/bindery/engine/internal/schema"
	"github.com/bindery/bindery/engine/problem"
)

// Lint looks for everything that is wrong with a specification, or surprising,
// by position: what Open says, the checks over its files, and what the tree itself
// says of names that it cannot give, where it has a method Problems as snapshots
// have. No host is built.
func Lint(ctx context.Context, fsys fs.FS, opts Options) ([]*problem.Problem, error) {
	spec, err := Open(ctx, fsys, opts)
	if err != nil {
		return nil, err
	}
	return spec.Lint(ctx)
}

// Lint is the function Lint for a specification that is open already.
func (s *Spec) Lint(ctx context.Context) ([]*problem.Problem, error) {
	return s.lint(ctx, nil, false)
}

// LintBuilt is Lint together with LintHosts for the hosts in.
func (s *Spec) LintBuilt(ctx context.Context, in []Input) ([]*problem.Problem, error) {
	more, err := s.LintHosts(ctx, in)
	if err != nil {
		return nil, err
	}
	return s.lint(ctx, more, true)
}

func (s *Spec) lint(ctx context.Context, more []*problem.Problem, built bool) ([]*problem.Problem, error) {
	var others []*problem.Problem
	if tree, ok := s.fsys.(interface{ Problems() []*problem.Problem }); ok {
		others = append(others, tree.Problems()...)
	}
	others = append(others, s.Problems()...)
	others = append(others, s.templates.CheckHelpers()...)
	l, err := lint.New(ctx, s.sources.Tree, lint.Config{Plugins: s.Plugins(), Conf: s.conf, YAML: notYAML, Template: s.templates.Check})
	if err != nil {
		return nil, err
	}
	found, err := l.Check(ctx)
	if err != nil {
		return nil, err
	}
	return l.Settle(append(merge(found, others), more...), built), nil
}

// merge joins what the checks found with what others said before them. Of the same
// code on the same line the check's is kept; what only follows from another is left
// out: a file that cannot be read because the tree refused it, an attribute whose
// absence has its own code.
func merge(found, others []*problem.Problem) []*problem.Problem {
	type place struct {
		file, code string
		line       int
	}
	checked := map[place]bool{}
	explained := map[problem.Pos]bool{}
	for _, p := range found {
		checked[place{p.Pos.File, p.Code, p.Pos.Line}] = true
	}
	var out []*problem.Problem
	for _, p := range others {
		explained[p.Pos] = true
		if !checked[place{p.Pos.File, p.Code, p.Pos.Line}] {
			out = append(out, p)
		}
	}
	for _, p := range found {
		if p.Code != "unreadable-file" && p.Code != schema.MissingAttribute || !explained[p.Pos] {
			out = append(out, p)
		}
	}
	return problem.Sort(out)
}

// Source shows lines of a specification to people, with secrets masked: the line
// of a position, and the column in what is shown of it. It is false where the
// line must not be shown. The function is not safe for concurrent use.
func Source(fsys fs.FS) func(pos problem.Pos) (line string, column int, ok bool) {
	return source.New(fsys).Line
}

// notYAML tells where and why data is not YAML.
func notYAML(data []byte) (line, column int, err error) {
	if line := file.TooDeep(data); line > 0 {
		return line, 1, errors.New("it is nested too deeply")
	}
	_, err = parser.ParseBytes(data, 0)
	if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
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
