// SPDX-License-Identifier: Apache-2.0

// Package svcmgr is Bcfg2's Svcmgr: rules for services, in files with priorities,
// as before Rules took them in. What they say goes over what the entry says. It
// must not know other generators.
package svcmgr

import (
	"fmt"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

// Svcmgr is safe for concurrent use.
type Svcmgr struct{ dir *plugin.PrioDir }

var _ plugin.Generator = (*Svcmgr)(nil)

// New reads the directory.
func New(env plugin.Env) *Svcmgr {
	return &Svcmgr{plugin.NewPrioDir(env, "Svcmgr", plugin.PrioOptions{})}
}

// Name is the plugin's name.
func (s *Svcmgr) Name() string { return "Svcmgr" }

// Lists tells whether a file has exactly this service, for whichever host.
func (s *Svcmgr) Lists(n plugin.Name) bool { return n.Tag == "Service" && s.dir.Lists(n) }

// Handles is always false: all services are listed.
func (s *Svcmgr) Handles(*memo.View, plugin.Name) bool { return false }

// Bind gives the service what its rule says.
func (s *Svcmgr) Bind(v *memo.View, d *plugin.Draft) *problem.Problem {
	rule, ok := s.dir.Find(v, d.Key())
	switch {
	case !ok:
		return problem.New(d.At, "no-rule", fmt.Sprintf("Svcmgr has Service %s, but not for this host", d.Name()), "add it for the host's groups")
	case rule.Tie != "":
		return problem.New(rule.Element.Pos, "rules-conflict", fmt.Sprintf("Service %s is given by %s and %s with the same priority %d", d.Name(), rule.File, rule.Tie, rule.Priority), "give one of the files a higher priority")
	}
	for _, a := range plugin.Attributes(rule.Element) {
		d.Set(a.Name, a.Value)
	}
	plugin.Apply(v, d, rule)
	return nil
}
