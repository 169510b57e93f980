// SPDX-License-Identifier: Apache-2.0

package review

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review/hostset"
	"github.com/bindery/bindery/engine/review/redaction"
)

// effect is something that a host does because an entry of a bundle changed.
type effect struct{ verb, name string }

const (
	restarts = "restart"
	reloads  = "reload"
	runs     = "run"
)

func (e effect) String() string { return e.verb + " " + redaction.Name(e.name) }

// effects remembers what follows from a change, per bundle.
type effects struct{ memo map[*config.Bundle][]effect }

func newEffects() *effects { return &effects{map[*config.Bundle][]effect{}} }

// bundle lists what happens on a host when an entry of the bundle was changed:
// its services that are on restart, unless they say otherwise, and its actions
// run. Entries of an Independent do not depend on each other.
func (x *effects) bundle(b *config.Bundle) []effect {
	if b.Independent() {
		return nil
	}
	if out, ok := x.memo[b]; ok {
		return out
	}
	var out []effect
	for _, e := range b.Entries {
		if e.Failure != "" {
			continue
		}
		switch {
		case e.Tag == "Service" && e.Get("status") == "on" && e.Get("restart") != "false" && e.Get("restart") != "interactive":
			verb := restarts
			if e.Get("target") == "reload" {
				verb = reloads
			}
			out = append(out, effect{verb, e.Name()})
		case e.Tag == "Action" && e.Get("when") != "always":
			out = append(out, effect{runs, e.Name()})
		}
	}
	x.memo[b] = out
	return out
}

// pair lists what follows from one pair, and where: something must be changed on
// the host for that, so an entry that goes or fails has no effect.
func (x *effects) pair(p *pair) map[effect]members {
	if p.change.New == nil || p.kind == EntryFailed || p.kind == EntryMoved {
		return nil
	}
	if p.change.New.Tag == "Action" {
		return nil // a changed action changes nothing on the host by itself
	}
	out := map[effect]members{}
	for b, hosts := range p.bundles {
		for _, e := range x.bundle(b) {
			out[e] = append(out[e], hosts...)
		}
	}
	return out
}

// of lists what follows from a change: restarts, then reloads, then actions.
func (x *effects) of(pairs []*pair) []string {
	all := map[effect]bool{}
	for _, p := range pairs {
		for e := range x.pair(p) {
			all[e] = true
		}
	}
	rank := map[string]int{restarts: 0, reloads: 1, runs: 2}
	var out []string
	for _, e := range slices.SortedFunc(maps.Keys(all), func(a, b effect) int {
		return cmp.Or(cmp.Compare(rank[a.verb], rank[b.verb]), hostset.Compare(a.name, b.name))
	}) {
		out = append(out, e.String())
	}
	return out
}

func severity(p *pair, d detail, x *effects) Severity {
	switch {
	case p.kind == EntryFailed:
		return Failing
	case removal(p) != "":
		return Removal
	case p.key.Tag == redaction.ProbeTag && p.kind == EntryRemoved:
		return Content
	case d.secrets != nil, rights(p, d):
		return Sensitive
	}
	out := Metadata
	if len(d.hunks) > 0 || len(d.notes) > 0 || p.kind == EntryAdded || p.kind == EntryFixed {
		out = Content
	}
	for e := range x.pair(p) {
		switch e.verb {
		case restarts:
			out = min(out, Restart)
		case reloads:
			out = min(out, Reload)
		}
	}
	return out
}

// rights tells whether a change lets others read, write or log in: owner, group
// or mode of a path that stays, or an account.
func rights(p *pair, d detail) bool {
	if p.kind == EntryModified && strings.HasPrefix(p.key.Tag, "POSIX") {
		return true
	}
	return p.kind == EntryModified && p.key.Tag == "Path" && slices.ContainsFunc(d.attrs, func(a AttrChange) bool {
		return a.Name == "owner" || a.Name == "group" || a.Name == "mode"
	})
}

// removal names what goes away, "" if nothing does.
func removal(p *pair) string {
	old, now := p.change.Old, p.change.New
	switch {
	case p.kind == EntryRemoved && old != nil && old.Failure == "":
		return map[string]string{
			"Package": "package-removed", "Path": "path-removed", "Service": "service-removed",
			"POSIXUser": "user-removed", "POSIXGroup": "user-removed",
		}[p.key.Tag]
	case now == nil || now.Failure != "":
		return ""
	case now.Tag == "Path" && now.Type() == "nonexistent" && (old == nil || old.Type() != "nonexistent"):
		return "path-deleted"
	case now.Tag == "Service" && now.Get("status") != "on" && now.Get("status") != "ignore" && old != nil && old.Get("status") == "on":
		return "service-stopped"
	case now.Tag == "Package" && old != nil && older(now.Get("version"), old.Get("version")):
		return "package-downgraded"
	}
	return ""
}

// older compares versions as people do, after an epoch. Words such as "auto"
// are no versions.
func older(now, old string) bool {
	number := func(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }
	return number(now) && number(old) && compareVersions(now, old) < 0
}
