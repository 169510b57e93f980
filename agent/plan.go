// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"slices"
	"strings"

	"github.com/bindery/bindery/agent/choice"
	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/action"
	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/engine/textdiff"
)

// Line is what a run knows of one entry.
type Line struct {
	Key    config.Key `json:"key"`
	Bundle string     `json:"bundle,omitempty"`
	// State is how the entry is at the end of the run.
	State driver.State `json:"state"`
	// Reason says why it is not correct.
	Reason string `json:"reason,omitempty"`
	// Unverified are aspects that could not be looked at.
	Unverified []string `json:"unverified,omitempty"`
	// Extra are things that are there and should not be.
	Extra []string `json:"extra,omitempty"`
	// Changed tells that the run altered something, or ran the action; Was is
	// what was wrong before.
	Changed bool   `json:"changed,omitempty"`
	Was     string `json:"was,omitempty"`
	// Cause is CauseDrift or CauseRelease where it was not as it should be.
	Cause string `json:"cause,omitempty"`
	// Diff is what would change in a file's text, or was changed, unless it is
	// secret.
	Diff string `json:"diff,omitempty"`
	// Due is what a run would do with an action, or with a service that is right.
	// Only a dry run tells it.
	Due string `json:"due,omitempty"`
}

// Good tells whether nothing needs to be said of the entry.
func (l *Line) Good() bool { return l.State == driver.Correct && len(l.Unverified) == 0 }

// entry is one entry under way.
type entry struct {
	config.Keyed
	out     driver.Outcome
	err     error
	changed bool
	was     []string
	// cause is why it was not as it should be when the run began.
	cause string
	// diff is what was changed in a text.
	diff string
	// due is what a run would do with it besides making it true.
	due string
	// tried tells that it was told to become true in this run.
	tried bool
	// left tells why it must not be touched. spared tells why it is not made true,
	// though it has its part in what happens to its bundle.
	left, spared string
	// blocked is why nothing of its bundle may be changed any more. foreseen tells that
	// it was right, and is wrong only once its target is made anew.
	blocked  string
	foreseen bool
	// changedAt and startedAt are the steps of the run in which it was changed
	// last, and a service started; untold is why it could not be restarted.
	changedAt, startedAt int
	untold               error
}

func (e *entry) action() bool { return slices.Contains(action.Tags(), e.Entry.Tag) }

// wrong tells whether the entry is work that a driver can do.
func (e *entry) wrong() bool {
	return e.left == "" && e.spared == "" && (e.out.State == driver.Incorrect || e.out.State == driver.Missing)
}

// run is one configuration being looked at and made true.
type run struct {
	*Agent
	o Options
	// bundle is what is enforced.
	bundle  *release.Bundle
	entries []*entry
	// bundles hold the entries of each structure, in document order.
	bundles []*bundle
	paths   *driver.Paths
	// step counts what was worked on.
	step int
	// surplus is what there is and nobody asks for.
	surplus []Surplus
	// things and removing are what entries take away, and how many entries do.
	things, removing int
	// phases and took tell what took how long, by phase and by bundle.
	phases, took *spans
	// settled is the file of what was good when it was looked at last.
	settled []byte
	// record is where changes are written down, nil where there are none.
	record *journal.Run
}

type bundle struct {
	*config.Bundle
	entries []*entry
	// follows names the bundles whose changes count as changes of this one.
	follows []string
	// owed tells that it was modified by a run that came to no end.
	owed bool
}

func (b *bundle) modified() bool {
	return b.owed || slices.ContainsFunc(b.entries, func(e *entry) bool { return e.changed })
}

// reach lists a bundle and those whose changes count as its own.
func (r *run) reach(b *bundle) []*bundle {
	seen := map[string]bool{}
	out := []*bundle{b}
	for i := 0; i < len(out); i++ {
		for _, other := range r.bundles {
			name := other.Name()
			if other != b && !other.Independent() && !seen[name] && slices.Contains(out[i].follows, name) {
				seen[name] = true
				out = append(out, other)
			}
		}
	}
	return out
}

// stirred tells whether a bundle was modified, or one that it follows.
func (r *run) stirred(b *bundle) bool {
	return slices.ContainsFunc(r.reach(b), (*bundle).modified)
}

func (a *Agent) newRun(b *release.Bundle, o Options) *run {
	o.Choice.Lists = choice.Lists{Whitelist: b.Manifest.Policy.Whitelist, Blacklist: b.Manifest.Policy.Blacklist}
	r := &run{Agent: a, o: o, bundle: b, paths: driver.NewPaths(b.Config)}
	for _, k := range b.Config.Keyed() {
		if n := len(r.bundles); n == 0 || r.bundles[n-1].Bundle != k.Bundle {
			r.bundles = append(r.bundles, &bundle{Bundle: k.Bundle})
		}
		last := r.bundles[len(r.bundles)-1]
		if k.Entry.Tag == "Bundle" {
			last.follows = append(last.follows, k.Entry.Name())
			continue
		}
		e := &entry{Keyed: k}
		r.entries = append(r.entries, e)
		last.entries = append(last.entries, e)
	}
	return r
}

// driver finds who handles an entry, nil if nobody does.
func (r *run) driver(e *entry) driver.Driver {
	if e.action() {
		return r.actions
	}
	return r.drivers[driver.Kind{Tag: e.Entry.Tag, Type: e.Entry.Type()}]
}

// bound tells whether an entry can be looked at; otherwise it is left, and why is
// noted.
func (r *run) bound(e *entry) bool {
	switch {
	case e.Entry.Failure != "":
		e.left = "the controller could not bind it: " + e.Entry.Failure
		e.out = driver.Outcome{State: driver.Incorrect}
	case r.driver(e) == nil:
		e.left = r.undriven(driver.Kind{Tag: e.Entry.Tag, Type: e.Entry.Type()})
		e.out = driver.Outcome{State: driver.NotVerified}
	default:
		return true
	}
	return false
}

func (r *run) item(e *entry) driver.Item {
	return driver.Item{Key: e.Key, Entry: e.Entry, Paths: r.paths, Quick: r.o.Quick, Asked: r.o.Ask != nil}
}

// softly are the aspects that a tree without privilege cannot have right: they do
// not make an entry unknown.
var softly = []string{"owner", "group"}

// lines tells what is known of each entry now.
func (r *run) lines() []Line {
	out := make([]Line, 0, len(r.entries))
	for _, e := range r.entries {
		out = append(out, e.line())
	}
	return out
}

func (e *entry) line() Line {
	l := Line{
		Key: e.Key, Bundle: e.Bundle.Name(), State: e.out.State, Unverified: e.out.Unverified, Extra: e.out.Extra,
		Changed: e.changed, Was: strings.Join(e.was, "; "), Reason: e.reason(), Diff: e.diff, Cause: e.cause, Due: e.due,
	}
	hard := slices.ContainsFunc(l.Unverified, func(a string) bool { return !slices.Contains(softly, a) })
	if l.State == driver.Correct && hard {
		l.State = driver.NotVerified
		l.Reason = strings.Join(l.Unverified, ", ") + " cannot be looked at"
	}
	if e.untold != nil && l.State == driver.Correct {
		l.State = driver.Incorrect
	}
	if l.State != driver.Correct {
		l.Diff = diff(e.Entry, &e.out)
	}
	return l
}

func (e *entry) reason() string {
	var parts []string
	for _, why := range []string{e.left, e.spared} {
		if why != "" {
			parts = append(parts, why)
		}
	}
	parts = append(parts, e.out.Reasons...)
	for _, err := range []error{e.err, e.untold} {
		if err != nil && !slices.Contains(parts, err.Error()) {
			parts = append(parts, err.Error())
		}
	}
	return strings.Join(parts, "; ")
}

// diff shows what would change in a text. Drivers give no content of secret
// entries; the entry is asked once more, because the cost of a mistake is high.
func diff(e *config.Entry, out *driver.Outcome) string {
	if e.Secret() || out.New == nil || textdiff.Binary(out.Old) || textdiff.Binary(out.New) {
		return ""
	}
	return textdiff.Unified("on the host", "configured", out.Old, out.New, 3)
}

// when reads an action's timing; one that is malformed was found by the check.
func when(e *entry) action.Timing {
	t, err := action.When(e.Entry)
	if err != nil {
		return action.Timing{}
	}
	return t
}
