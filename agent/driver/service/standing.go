// SPDX-License-Identifier: Apache-2.0

package service

import (
	"fmt"
	"strings"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/self"
)

// Found is how a service stands.
type Found struct {
	// There tells that the manager knows it.
	There bool
	// Enabled tells that it starts with the host, Fixed that nothing can be done
	// about that, Unset that the manager was never told either way.
	Enabled, Fixed, Unset bool
	// Running tells that it runs, Passing that it is of a kind that ends by itself.
	Running, Passing bool
	// Unseen tells that whether it runs cannot be looked at.
	Unseen bool
	// Boot and Runs are the manager's own words, where it has some.
	Boot, Runs string
}

// What is written down of a service: whether it starts with the host, and whether
// it runs.
const (
	enabled  = "enabled"
	disabled = "disabled"
	running  = "running"
	stopped  = "stopped"
	unset    = "unset"
)

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// Words are what is written down of it.
func (f Found) Words() string {
	boot := either(f.There && f.Enabled, enabled, disabled)
	switch {
	case f.Unset:
		boot = unset
	case f.There && f.Fixed && f.Boot != "":
		boot = f.Boot
	}
	return boot + " " + either(f.There && f.Running, running, stopped)
}

// Plan is what is to be done with a service.
type Plan struct{ Enable, Disable, Start, Stop bool }

// Verbs are the plan's steps, in their order.
func (p Plan) Verbs() []string {
	var out []string
	for _, v := range []struct {
		is   bool
		verb string
	}{{p.Enable, "enable"}, {p.Disable, "disable"}, {p.Stop, "stop"}, {p.Start, "start"}} {
		if v.is {
			out = append(out, v.verb)
		}
	}
	return out
}

// Judge compares a service with what is wanted. That something can be neither
// enabled nor disabled is right either way: nothing could be done about it.
func (w Wanted) Judge(f Found, r *driver.Result) (p Plan) {
	if w.Boot == Ignore && !w.Checked {
		return p
	}
	if w.Parameters != "" {
		r.Unverified = append(r.Unverified, "parameters")
	}
	if f.Unseen && w.Checked && w.Running != Ignore {
		r.Unverified = append(r.Unverified, "status")
	}
	if !f.There {
		if w.Boot == On || w.Checked && w.Running == On {
			r.State = driver.Missing
			r.Reasons = append(r.Reasons, "there is no such service")
		}
		return p
	}
	wrong := func(is, without, should string) {
		if is == "" {
			is = without
		}
		r.State = driver.Incorrect
		r.Reasons = append(r.Reasons, fmt.Sprintf("is %s, should %s", is, should))
	}
	switch {
	case w.Boot == On && !f.Enabled && !f.Fixed:
		wrong(f.Boot, disabled, "be enabled")
		p.Enable = true
	case w.Boot == Off && f.Enabled && !f.Fixed:
		wrong(f.Boot, enabled, "be disabled")
		p.Disable = true
	}
	// Without a look at whether it runs, that is still seen to when the rest is
	// wrong.
	if f.Unseen || !w.Checked && !p.Enable && !p.Disable {
		return p
	}
	switch {
	case w.Running == On && !f.Running && !f.Passing:
		wrong(f.Runs, stopped, "run")
		p.Start = true
	case w.Running == Off && f.Running:
		wrong(f.Runs, running, "not run")
		p.Stop = true
	}
	return p
}

// Back tells what brings a service back to how it stood. One that ran before and
// runs now is told to read its files again.
func Back(p driver.Passage, now string, r driver.Restoration) (verbs, kept []string) {
	if p.After != nil && !between(now, p.State, *p.After) && !r.Force {
		if r.Ending {
			return nil, nil // the other call says it
		}
		return nil, []string{p.Name + ": it was changed since, and is " + now}
	}
	if self.Service(p.Name) {
		// Told again or stopped it would end the undo that does so.
		if r.Ending || now == p.State {
			return nil, nil
		}
		return nil, []string{p.Name + ": " + self.ErrStop.Error()}
	}
	boot, runs, _ := strings.Cut(p.State, " ")
	isBoot, isRuns, _ := strings.Cut(now, " ")
	switch {
	case r.Ending && runs == stopped && isRuns == running:
		verbs = append(verbs, "stop")
	case !r.Ending && runs == running && isRuns == stopped:
		verbs = append(verbs, "start")
	case !r.Ending && runs == running:
		verbs = append(verbs, Reread)
	}
	switch {
	case r.Ending && boot == disabled && isBoot == enabled:
		verbs = append(verbs, "disable")
	case r.Ending && boot == unset && isBoot != unset:
		verbs = append(verbs, Forget)
	case !r.Ending && boot == enabled && (isBoot == disabled || isBoot == unset):
		verbs = append([]string{"enable"}, verbs...)
	}
	return verbs, nil
}

// between tells whether each part of how a service stands is as it was before or as it was
// left: files that came back may have enabled it by themselves, as where a mask went.
func between(now, before, after string) bool {
	boot, runs, _ := strings.Cut(now, " ")
	wasBoot, wasRuns, _ := strings.Cut(before, " ")
	leftBoot, leftRuns, _ := strings.Cut(after, " ")
	return (boot == wasBoot || boot == leftBoot) && (runs == wasRuns || runs == leftRuns)
}

// Reread is the verb of Back for a service that shall read its files again.
const Reread = "reload-or-restart"

// Forget is the verb of Back for a service whose manager shall know nothing of whether
// it starts with the host, as before.
const Forget = "forget"
