// SPDX-License-Identifier: Apache-2.0

// Package lint looks for what is wrong, or surprising, in a specification before
// any host is built: checks over the files, one check per file of this package.
// It reads the tree only; it must not bind entries, know hosts' facts, or print.
package lint

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"slices"

	"github.com/bindery/bindery/engine/problem"
)

// maxFindings bounds what one run says, for each severity: warnings must not hide
// an error.
const maxFindings = 5000

// Rule is one code that lint may report, and what it means.
type Rule struct {
	Code string
	Doc  string
}

// check is one look at the tree.
type check struct {
	rules []Rule
	run   func(*tree)
}

// checks lists every check, in the order in which they run.
func checks() []check {
	return []check{
		checkNames(), checkSymlinks(), checkSizes(), checkSubmodules(),
		checkXML(), checkSchema(), checkXInclude(),
		checkDuplicateGroup(), checkDefaultGroup(), checkCyclicGroups(), checkGroupNames(), checkNestedClients(),
		checkDuplicateClient(), checkProfiles(), checkClientOptions(),
		checkUnknownGroup(), checkClientNames(),
		checkBundleFiles(), checkBundles(), checkAltsrc(), checkPackagesVersion(), checkEntries(),
		checkPriorities(), checkDuplicateEntry(),
		checkCfgFiles(), checkCfgHandlers(), checkInfoFiles(), checkInfoXML(), checkEncrypted(),
		checkSources(), checkGroupPatterns(), checkProbes(), checkProperties(),
	}
}

// Rules lists every code that lint may report, sorted.
func Rules() []Rule {
	out := []Rule{{"too-many-findings", "More is wrong than is listed."}}
	for _, c := range checks() {
		out = append(out, c.rules...)
	}
	slices.SortFunc(out, func(a, b Rule) int { return cmp.Compare(a.Code, b.Code) })
	return out
}

// Config says what to look at.
type Config struct {
	// Plugins are the plugins that are on; nil: those whose directory exists.
	Plugins []string
	// Conf holds sections and options of bcfg2.conf.
	Conf map[string]map[string]string
	// YAML tells where and why data is not YAML; 0 where the place is not known.
	YAML func(data []byte) (line, column int, err error)
}

// Run reads the tree and gives everything found, by position. The error is only
// about a tree that cannot be read at all, or a cancelled ctx.
func Run(ctx context.Context, fsys fs.FS, cfg Config) ([]*problem.Problem, error) {
	t, err := load(ctx, fsys, cfg)
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	for _, c := range checks() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c.run(t)
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
