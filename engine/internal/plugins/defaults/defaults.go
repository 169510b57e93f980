// SPDX-License-Identifier: Apache-2.0

// Package defaults is Bcfg2's Defaults: after an entry was bound, the one rule of
// the highest priority whose pattern matches fills in what is missing. It must not
// know how entries are bound.
package defaults

import (
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
)

// Defaults is safe for concurrent use.
type Defaults struct{ dir *plugin.PrioDir }

var _ plugin.Finisher = (*Defaults)(nil)

// New reads the directory.
func New(env plugin.Env) *Defaults {
	return &Defaults{plugin.NewPrioDir(env, "Defaults", plugin.PrioOptions{
		Regex: true, ReplaceName: env.Conf.True("defaults", "replace_name", false),
	})}
}

// Finish applies the rule for the entry, if there is exactly one.
func (f *Defaults) Finish(v *memo.View, d *plugin.Draft) {
	rule, ok := f.dir.Find(v, d.Key())
	if !ok || rule.Bad != nil || rule.Tie != "" {
		return
	}
	bound := d.BoundAt
	plugin.Apply(v, d, rule)
	if bound.File != "" {
		d.BoundAt = bound
	}
}
