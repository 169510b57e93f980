// SPDX-License-Identifier: Apache-2.0

// Package lint looks for what is wrong, or surprising, in a specification before
// any host is built: it runs the checks of its sub-packages over one tree, and gives
// what they find the severity that the site asks for. It must not know any single
// check, bind entries, know hosts' facts, or print.
package lint

import (
	"context"
	"fmt"
	"io/fs"
	"slices"

	"github.com/bindery/bindery/engine/internal/lint/content"
	"github.com/bindery/bindery/engine/internal/lint/structure"
	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/lint/verdict"
	"github.com/bindery/bindery/engine/problem"
)

// Config says what to look at.
type Config = tree.Config

// look is a tree as this package reads it.
type look struct{ *tree.Tree }

// checks lists every look at the tree, in the order in which they run.
func checks(t *tree.Tree) []func() {
	return slices.Concat(content.Files(t), structure.Checks(t), content.Checks(t))
}

// Linter looks at one specification. It is not safe for concurrent use.
type Linter struct {
	tree look
	// wrong is what is wrong with the settings of lint themselves.
	wrong []*problem.Problem
}

// New reads the tree. The error is only about a tree that cannot be read at all, or
// a cancelled ctx.
func New(ctx context.Context, fsys fs.FS, cfg Config) (*Linter, error) {
	t, err := tree.Load(ctx, fsys, cfg)
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	l := &Linter{tree: look{t}}
	t.Severities, l.wrong = verdict.Read(cfg.Conf)
	return l, nil
}

// Check gives everything found, by position. Settle is to have it next.
func (l *Linter) Check(ctx context.Context) ([]*problem.Problem, error) {
	t := l.tree
	for _, check := range checks(t.Tree) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		check()
	}
	for severity, n := range t.Said {
		if n > tree.MaxFindings {
			more := problem.Warn(problem.Pos{}, "too-many-findings", fmt.Sprintf("%d more of severity %s are not shown", n-tree.MaxFindings, severity), "")
			more.Severity = severity
			t.Found = append(t.Found, more)
		}
	}
	return problem.Sort(t.Found), nil
}
