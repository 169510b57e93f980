// SPDX-License-Identifier: Apache-2.0

// Package lint looks for what is wrong, or surprising, in a specification before
// any host is built: checks over the files, one check per file of this package.
// It reads the tree only; it must not bind entries, know hosts' facts, or print.
package lint

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/bindery/bindery/engine/problem"
)

// maxFindings bounds what one run says, for each severity: warnings must not hide
// an error.
const maxFindings = 5000

// checks lists every look at the tree, in the order in which they run.
func checks() []func(*tree) {
	return []func(*tree){
		(*tree).names, (*tree).symlinks, (*tree).sizes, (*tree).submodules,
		(*tree).malformed, (*tree).schemas, (*tree).xinclude,
		(*tree).duplicateGroup, (*tree).defaultGroup, (*tree).cyclicGroups, (*tree).groupNames, (*tree).clientsInClients,
		(*tree).duplicateClient, (*tree).profiles, (*tree).clientOptions,
		(*tree).unknownGroup, (*tree).clientNames,
		(*tree).bundleFiles, (*tree).bundles, (*tree).altsrc, (*tree).packagesVersion, (*tree).entries,
		(*tree).priorities, (*tree).duplicateEntry,
		(*tree).cfgFiles, (*tree).cfgHandlers, (*tree).pubkey, (*tree).infoFiles, (*tree).infoXML, (*tree).noInfoXML, (*tree).encrypted,
		(*tree).deltas, (*tree).templates, (*tree).similar,
		(*tree).sources, (*tree).groupPatterns, (*tree).probes, (*tree).properties,
		(*tree).comments,
	}
}

// Config says what to look at.
type Config struct {
	// Plugins are the plugins that are on; nil: those whose directory exists.
	Plugins []string
	// Conf holds sections and options of bcfg2.conf.
	Conf map[string]map[string]string
	// YAML tells where and why data is not YAML; 0 where the place is not known.
	YAML func(data []byte) (line, column int, err error)
	// Template tells why a file cannot be read as a template; nil: nobody can tell.
	Template func(file string) *problem.Problem
}

// Linter looks at one specification. It is not safe for concurrent use.
type Linter struct {
	tree *tree
	// wrong is what is wrong with the settings of lint themselves.
	wrong []*problem.Problem
}

// New reads the tree. The error is only about a tree that cannot be read at all, or
// a cancelled ctx.
func New(ctx context.Context, fsys fs.FS, cfg Config) (*Linter, error) {
	t, err := load(ctx, fsys, cfg)
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	l := &Linter{tree: t}
	t.severities, l.wrong = readSeverities(cfg.Conf)
	return l, nil
}

// Check gives everything found, by position. Settle is to have it next.
func (l *Linter) Check(ctx context.Context) ([]*problem.Problem, error) {
	t := l.tree
	for _, check := range checks() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		check(t)
	}
	for severity, n := range t.said {
		if n > maxFindings {
			more := problem.Warn(problem.Pos{}, "too-many-findings", fmt.Sprintf("%d more of severity %s are not shown", n-maxFindings, severity), "")
			more.Severity = severity
			t.found = append(t.found, more)
		}
	}
	return problem.Sort(t.found), nil
}
