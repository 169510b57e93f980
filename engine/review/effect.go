// SPDX-License-Identifier: Apache-2.0

package review

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review/hostset"
	"github.com/bindery/bindery/engine/review/redaction"
)

// effect is something that a host does because an entry of a bundle changed.
type effect struct{ verb, name string }

const (
	reboots  = "reboot"
	stops    = "stop"
	restarts = "restart"
	reloads  = "reload"
	runs     = "run"
)

// rebooting are commands that start a host anew. Nothing else in a configuration says
// that: a new kernel is installed, and waits.
var rebooting = regexp.MustCompile(`(?:^|[\s;&|(/])(?:reboot|shutdown\s+(?:\S+\s+)*-\S*r\S*|(?:tel)?init\s+6|systemctl\s+(?:\S+\s+)*(?:soft-reboot|kexec))(?:$|[\s;&|)])`)

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
		case e.Tag == "Service":
			if verb := service(e); verb != "" {
				out = append(out, effect{verb, e.Name()})
			}
		case acts(e) && e.Get("when") != "always":
			verb := runs
			if rebooting.MatchString(cmp.Or(e.Get("command"), e.Name())) {
				verb = reboots
			}
			out = append(out, effect{verb, e.Name()})
		}
	}
	x.memo[b] = out
	return out
}

// acts tells whether an entry is a command. That of PostInstall is its name.
func acts(e *config.Entry) bool { return e.Tag == "Action" || e.Tag == "PostInstall" }

// service says what happens to a service when its bundle was changed, "" for nothing.
// One that is off is stopped already, unless the host drifted.
func service(e *config.Entry) string {
	no := func(attribute string) bool { return e.Get(attribute) == "false" || e.Get(attribute) == "interactive" }
	if e.Get("status") != "on" || no("restart") || no("install") {
		return ""
	}
	target := e.Get("target")
	if mode := e.Get("mode"); mode != "" && e.Get("restart")+e.Get("install")+e.Get("bootstatus") == "" {
		// Bcfg2 had one word for all this before 1.3.
		switch mode {
		case "manual", "interactive_only":
			return ""
		case "custom":
		default:
			target = ""
		}
	}
	switch target {
	case "reload":
		return reloads
	case "stop":
		return stops
	case "start":
		return "" // it runs
	}
	return restarts
}

// pair lists what follows from one pair, and where: something must be changed on
// the host for that, so an entry that goes or fails has no effect.
func (x *effects) pair(p *pair) map[effect]members {
	if p.change.New == nil || p.kind == EntryFailed || p.kind == EntryMoved {
		return nil
	}
	if acts(p.change.New) {
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

// of lists what follows from a change, the gravest first.
func (x *effects) of(pairs []*pair) []string {
	all := map[effect]bool{}
	for _, p := range pairs {
		for e := range x.pair(p) {
			all[e] = true
		}
	}
	rank := map[string]int{reboots: 0, stops: 1, restarts: 2, reloads: 3, runs: 4}
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
	case d.order:
		return Order
	case d.secrets != nil, rights(p, d):
		return Sensitive
	}
	out := Metadata
	if len(d.hunks) > 0 || len(d.notes) > 0 || p.kind == EntryAdded || p.kind == EntryFixed {
		out = Content
	}
	for e := range x.pair(p) {
		switch e.verb {
		case reboots:
			out = min(out, Reboot)
		case restarts, stops:
			out = min(out, Restart)
		case reloads:
			out = min(out, Reload)
		}
	}
	return out
}

// rights tells whether a change lets others read, write or log in: owner, group, mode,
// access list or context of a path that stays, or an account.
func rights(p *pair, d detail) bool {
	if p.kind == EntryModified && strings.HasPrefix(p.key.Tag, "POSIX") && !d.order {
		return true
	}
	if p.kind != EntryModified || p.key.Tag != "Path" {
		return false
	}
	return d.access || slices.ContainsFunc(d.attrs, func(a AttrChange) bool {
		return a.Name == "owner" || a.Name == "group" || a.Name == "mode" || a.Name == "secontext"
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
	case now.Tag == "Service" && now.Get("status") == "off" && now.Get("install") != "false" && (old == nil || old.Get("status") != "off"):
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
