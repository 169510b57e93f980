// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/engine/problem"
)

// Policy is what bindery.yaml says about applying. It travels in the signed bundle.
type Policy struct {
	// Mode is "apply" (default) or "report": plan and report, never apply.
	Mode string `json:"mode" yaml:"mode"`
	// Report names what is only reported where the mode is "apply".
	Report Reported `json:"report,omitzero" yaml:"report"`
	// Removal bounds what one run may take away.
	Removal Removal `json:"removal,omitzero" yaml:"removal"`
	// Confirm is how soon after a change a host must reach its source of releases,
	// such as 5m: one that does not takes the change back. Default: it need not.
	Confirm time.Duration `json:"confirm,omitempty" yaml:"confirm"`
	// Health are checks by the bundle after whose changes they are made. Where one
	// stays bad, the host takes the run back.
	Health map[string]Health `json:"health,omitempty" yaml:"health"`
	// Windows are the times in which hosts may be changed; a host that none is about
	// may always be. Outside of them it plans and reports.
	Windows []Window `json:"windows,omitempty" yaml:"windows"`
	// Schedule says how often hosts run whose own settings do not. The first that is
	// about a host counts.
	Schedule []Pace `json:"schedule,omitempty" yaml:"schedule"`
}

// Reported names what is only reported.
type Reported struct {
	// Hosts are those that change nothing.
	Hosts []string `json:"hosts,omitempty" yaml:"hosts"`
	// Groups are those whose hosts change nothing.
	Groups []string `json:"groups,omitempty" yaml:"groups"`
	// Bundles are those of which no entry is changed, on any host.
	Bundles []string `json:"bundles,omitempty" yaml:"bundles"`
}

// Removal bounds what one run may take away: paths and packages. More is left, and
// reported.
type Removal struct {
	// Max is how many things. Default: 100. -1: any number.
	Max int `json:"max,omitempty" yaml:"max"`
	// Percent is how many of a hundred entries of a host may be such that
	// something is taken away for them. Default: any.
	Percent int `json:"percent,omitempty" yaml:"percent"`
}

// Health says when a host is well after a change of one bundle.
type Health struct {
	// Grace is how long checks may take to become good. Default: 30s.
	Grace time.Duration `json:"grace,omitempty" yaml:"grace"`
	// Checks must all be good.
	Checks []Check `json:"checks" yaml:"checks"`
}

// Check is one question; exactly one of Unit, TCP, HTTP and Command is given.
type Check struct {
	// Unit is a unit of systemd that must be active.
	Unit string `json:"unit,omitempty" yaml:"unit"`
	// TCP is host:port that must accept a connection.
	TCP string `json:"tcp,omitempty" yaml:"tcp"`
	// HTTP is an address that must answer with Status.
	HTTP string `json:"http,omitempty" yaml:"http"`
	// Status is the answer to HTTP. Default: any of 200 to 299.
	Status int `json:"status,omitempty" yaml:"status"`
	// Command is a program with its arguments that must end with 0.
	Command []string `json:"command,omitempty" yaml:"command"`
}

// For is the policy of one host: where it or one of its groups is only reported,
// the mode says so.
func (p Policy) For(host string, groups []string) Policy {
	same := func(name string) bool { return strings.EqualFold(name, host) }
	if slices.ContainsFunc(p.Report.Hosts, same) || slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(p.Report.Groups, g) }) {
		p.Mode = ModeReport
	}
	p.Report.Hosts, p.Report.Groups = nil, nil
	p.timed(host, groups)
	return p
}

// Bounds of what a policy may ask for.
const (
	maxWait   = time.Hour
	minBack   = 30 * time.Second
	maxChecks = 50
)

// check completes the policy. Of what is wrong the careful meaning is taken, which
// is that nothing is applied.
func (p *Policy) check(report func(*problem.Problem)) {
	bad := func(what, hint string) {
		report(problem.New(problem.Pos{File: settingsFile}, "bad-setting", what, hint))
		p.Mode = ModeReport
	}
	switch p.Mode {
	case "":
		p.Mode = ModeApply
	case ModeApply, ModeReport:
	default:
		bad(fmt.Sprintf("policy.mode is %q", p.Mode), "write apply or report")
	}
	if p.Removal.Max < -1 {
		bad(fmt.Sprintf("policy.removal.max is %d", p.Removal.Max), "write how many things a run may take away, or -1")
	}
	if p.Removal.Percent < 0 || p.Removal.Percent > 100 {
		bad(fmt.Sprintf("policy.removal.percent is %d", p.Removal.Percent), "write a number from 1 to 100")
	}
	if p.Confirm != 0 && (p.Confirm < minBack || p.Confirm > maxWait) {
		bad(fmt.Sprintf("policy.confirm is %s", p.Confirm), fmt.Sprintf("write a time from %s to %s", minBack, maxWait))
	}
	p.checkTimes(bad)
	for _, bundle := range slices.Sorted(maps.Keys(p.Health)) {
		h := p.Health[bundle]
		at := "policy.health." + bundle
		if h.Grace < 0 || h.Grace > maxWait {
			bad(fmt.Sprintf("%s.grace is %s", at, h.Grace), fmt.Sprintf("write a time up to %s", maxWait))
		}
		if len(h.Checks) == 0 || len(h.Checks) > maxChecks {
			bad(at+" has no checks, or too many", fmt.Sprintf("write from 1 to %d", maxChecks))
		}
		for i, c := range h.Checks {
			if what := c.wrong(); what != "" {
				bad(fmt.Sprintf("%s.checks[%d]: %s", at, i, what), "write one of unit, tcp, http and command")
			}
		}
	}
}

func (c Check) wrong() string {
	given := 0
	for _, there := range []bool{c.Unit != "", c.TCP != "", c.HTTP != "", len(c.Command) > 0} {
		if there {
			given++
		}
	}
	if given != 1 {
		return fmt.Sprintf("it asks %d things, and not one", given)
	}
	switch {
	case c.Status != 0 && (c.HTTP == "" || c.Status < 100 || c.Status > 599):
		return fmt.Sprintf("status %d is no answer of a server", c.Status)
	case strings.HasPrefix(c.Unit, "-"):
		return "the unit is no name of one"
	case len(c.Command) > 0 && !strings.HasPrefix(c.Command[0], "/"):
		return "the command does not begin with a slash"
	case c.TCP != "":
		if i := strings.LastIndexByte(c.TCP, ':'); i < 0 || i == len(c.TCP)-1 {
			return "tcp is not host:port"
		}
	case c.HTTP != "":
		u, err := url.Parse(c.HTTP)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
			return "http is no plain address with http or https"
		}
	}
	return ""
}

// known warns of hosts, groups and bundles that a policy names and nobody knows: what
// was meant to be only reported would be applied, and what was meant to be checked
// would not be. At finds the place of what stands at a path in the file.
func (p *Policy) known(hosts, groups []string, bundle func(string) bool, at func(...any) problem.Pos, report func(*problem.Problem)) {
	warn := func(what, name string, path ...any) {
		report(problem.Warn(at(path...), "bad-setting", fmt.Sprintf("policy.%s: nobody knows %q", what, name), "correct the name, or take it out"))
	}
	host := func(name string) bool {
		return slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, name) })
	}
	group := func(name string) bool { return slices.Contains(groups, name) }
	each := func(names []string, ok func(string) bool, what string, path ...any) {
		for i, name := range names {
			if !ok(name) {
				warn(what, name, append(path, i)...)
			}
		}
	}
	each(p.Report.Hosts, host, "report.hosts", "policy", "report", "hosts")
	each(p.Report.Groups, group, "report.groups", "policy", "report", "groups")
	each(p.Report.Bundles, bundle, "report.bundles", "policy", "report", "bundles")
	for i, w := range p.Windows {
		each(w.Hosts, host, "windows.hosts", "policy", "windows", i, "hosts")
		each(w.Groups, group, "windows.groups", "policy", "windows", i, "groups")
	}
	for i, s := range p.Schedule {
		each(s.Hosts, host, "schedule.hosts", "policy", "schedule", i, "hosts")
		each(s.Groups, group, "schedule.groups", "policy", "schedule", i, "groups")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Health)) {
		if !bundle(name) {
			warn("health", name, "policy", "health", name)
		}
	}
}
