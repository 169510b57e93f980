// SPDX-License-Identifier: Apache-2.0

// Package rules is Bcfg2's Rules: literal entries of any kind in files with
// priorities, chosen by name, group and client. It must not know other generators.
package rules

import (
	"fmt"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

// Rules is safe for concurrent use.
type Rules struct{ dir *plugin.PrioDir }

var (
	_ plugin.Generator = (*Rules)(nil)
	_ plugin.Applier   = (*Rules)(nil)
	_ plugin.Lister    = (*Rules)(nil)
)

// New reads the directory.
func New(env plugin.Env) *Rules {
	return &Rules{plugin.NewPrioDir(env, "Rules", plugin.PrioOptions{
		Regex: env.Conf.True("rules", "regex", false), ReplaceName: env.Conf.True("rules", "replace_name", false),
	})}
}

// Name is the plugin's name.
func (r *Rules) Name() string { return "Rules" }

// Lists tells whether a rule has exactly this name, for whichever host.
func (r *Rules) Lists(n plugin.Name) bool {
	return r.dir.Lists(n)
}

// Names lists the names that have a rule without condition, sorted.
func (r *Rules) Names(tag string) []string { return r.dir.Names(tag) }

// Handles tells whether a rule would match but for its conditions.
func (r *Rules) Handles(v *memo.View, n plugin.Name) bool {
	return r.dir.Handles(v, n)
}

// Applies tells whether a rule matches for the host.
func (r *Rules) Applies(v *memo.View, n plugin.Name) bool {
	_, ok := r.dir.Find(v, n)
	return ok
}

// Bind gives the entry what its rule says.
func (r *Rules) Bind(v *memo.View, d *plugin.Draft) *problem.Problem {
	name := d.Name()
	rule, ok := r.dir.Find(v, d.Key())
	switch {
	case !ok:
		return problem.New(d.At, "no-rule", fmt.Sprintf("Rules has %s %s, but not for this host", d.Tag, name), "add a rule for the host's groups")
	case rule.Bad != nil:
		return rule.Bad
	case rule.Tie != "":
		return problem.New(rule.Element.Pos, "rules-conflict", fmt.Sprintf("%s %s is given by %s and %s with the same priority %d", d.Tag, name, rule.File, rule.Tie, rule.Priority), "give one of the files a higher priority")
	}
	plugin.Apply(v, d, rule)
	return nil
}
