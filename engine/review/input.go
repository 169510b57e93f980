// SPDX-License-Identifier: Apache-2.0

package review

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/engine/assertion"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review/hostset"
	"github.com/bindery/bindery/engine/review/words"
)

// Input is two fleets and what surrounds them.
type Input struct {
	Meta Meta
	// Hosts are the hosts of either side, each once, in any order.
	Hosts []Host
	// Key makes fingerprints of secrets; at least 16 bytes that stay in the
	// program. Sets can be compared only where they were made with one key.
	Key []byte
	// Problems are what is wrong with the specification of head, BaseProblems
	// with that of base.
	Problems     []*problem.Problem
	BaseProblems []*problem.Problem
	// Assertions are those of head, BaseAssertions those of base. Without those of
	// base none is about what changes.
	Assertions, BaseAssertions *assertion.Set
	// Approvals are the people who approved findings, by hash.
	Approvals map[string][]string
}

// Host is one host on both sides.
type Host struct {
	Name string
	// Groups are those of head, BaseGroups those of base.
	Groups, BaseGroups []string
	// Addresses are the host's own, if known; they are masked where that makes
	// changes of several hosts equal.
	Addresses []string
	// IDs are what else names this host alone, such as its UUID.
	IDs []string
	// Drifted are the entries that the host said are not as they should be, Extra what it
	// has and nobody gave it.
	Drifted, Extra []config.Key
	// Base and Head are nil where the host does not exist.
	Base, Head *Side
	// NoFacts means that the host has probes and no answers yet, OldFacts that they are
	// older than FactsLife.
	NoFacts, OldFacts bool
	// Unseen means that the host has never fetched anything.
	Unseen bool
}

// Side is what one side gives a host.
type Side struct {
	// Config is nil where the host is refused.
	Config   *config.Config
	Refused  *problem.Problem
	Failures []Failure
	// Probes are what the host is asked.
	Probes []config.Probe
}

// config is nil where there is no side.
func (s *Side) config() *config.Config {
	if s == nil {
		return nil
	}
	return s.Config
}

// Failure is an entry that could not be bound, and why.
type Failure struct {
	Tag, Name string
	Problem   *problem.Problem
}

// FactsLife is how old the facts of a host may be before a report says so.
const FactsLife = 7 * 24 * time.Hour

// minKey is the shortest key that cannot be guessed.
const minKey = 16

// New compares base and head. It ends soon after the context does, with its error.
func New(ctx context.Context, in Input) (*Report, error) {
	if len(in.Key) < minKey {
		return nil, fmt.Errorf("the fingerprint key has %d bytes, at least %d are needed", len(in.Key), minKey)
	}
	in.Hosts = slices.Clone(in.Hosts)
	slices.SortFunc(in.Hosts, func(a, b Host) int { return hostset.Compare(a.Name, b.Name) })
	for i := range in.Hosts {
		if i > 0 && in.Hosts[i].Name == in.Hosts[i-1].Name {
			return nil, fmt.Errorf("host %q is listed twice", in.Hosts[i].Name)
		}
	}
	if !slices.ContainsFunc(in.Hosts, func(h Host) bool { return h.Base != nil || h.Head != nil }) && len(in.Hosts) > 0 {
		return nil, errors.New("the hosts exist on neither side")
	}
	c, err := compare(ctx, in)
	if err != nil {
		return nil, err
	}
	findings, _, err := Findings(ctx, in)
	if err != nil {
		return nil, err
	}
	digest, err := c.digest(findings)
	if err != nil {
		return nil, err
	}
	c.set.release()
	r := &Report{Meta: in.Meta, set: c.set, Digest: digest, Findings: findings}
	r.Problems = newProblems(in.Problems, in.BaseProblems)
	c.nameSets()
	c.causes(r)
	c.totals(r)
	if r.Changes, err = c.changes(ctx); err != nil {
		return nil, err
	}
	r.Totals.Drifted = c.drifted(r.Changes)
	if r.Impact, err = c.impact(ctx); err != nil {
		return nil, err
	}
	r.Verdict = verdict(r)
	if n := r.Totals.NoFacts; n > 0 {
		r.Verdict.Title += " · without the facts of " + words.Count(n, "host", "hosts")
	}
	return r, nil
}

// NotMerged is the report of a pull request that does not merge: with the files
// in conflict, or with none where the forge has not made the merge and this
// program cannot.
func NotMerged(meta Meta, conflicts []string) *Report {
	r := &Report{Meta: meta, Files: slices.Clone(conflicts)}
	r.Verdict = verdict(r)
	if len(conflicts) == 0 {
		r.Verdict = Verdict{State: Unmergeable, Title: "cannot be merged here yet, so nothing was built"}
	}
	return r
}

// Unbuilt is the report of a head from a stranger: what is wrong with it on the
// face of it, and nothing that its templates would give.
func Unbuilt(meta Meta, base, head []*problem.Problem) *Report {
	r := &Report{Meta: meta, Problems: newProblems(head, base)}
	r.Verdict = Verdict{State: Untrusted, Title: "from a fork, so it was read and not built"}
	if n := len(r.Problems); n > 0 {
		r.Verdict.Title += ": " + words.Count(n, "new error", "new errors") + " in the specification"
	}
	return r
}

// Unreadable is the report of a head whose specification cannot be used at all.
func Unreadable(meta Meta, problems []*problem.Problem) *Report {
	r := &Report{Meta: meta, Problems: newProblems(problems, nil)}
	r.Verdict = Verdict{
		State: Invalid,
		Title: words.Count(len(r.Problems), "error", "errors") + " in the specification, so nothing was built",
	}
	return r
}

// newProblems keeps the errors that base does not have. Lines move with every
// edit, so they do not count.
func newProblems(head, base []*problem.Problem) []*problem.Problem {
	type same struct{ file, code, msg string }
	old := map[same]int{}
	for _, p := range base {
		old[same{p.Pos.File, p.Code, p.Msg}]++
	}
	var out []*problem.Problem
	for _, p := range head {
		k := same{p.Pos.File, p.Code, p.Msg}
		if p.Severity != problem.Error {
			continue
		}
		if old[k] > 0 {
			old[k]--
			continue
		}
		out = append(out, p)
	}
	return problem.Sort(out)
}

func verdict(r *Report) Verdict {
	affected := r.Totals.Changed + r.Totals.Failed
	switch {
	case len(r.Files) > 0:
		return Verdict{State: Conflict, Title: "does not merge: " + words.Count(len(r.Files), "file is", "files are") + " in conflict"}
	case r.Totals.Failed > 0:
		verb := "do"
		if r.Totals.Failed == 1 {
			verb = "does"
		}
		return Verdict{State: Failed, Title: words.Number(r.Totals.Failed) + " of " + words.Count(affected, "affected host", "affected hosts") +
			" " + verb + " not build, so the required check fails"}
	case len(r.Problems) > 0:
		return Verdict{State: Invalid, Title: words.Count(len(r.Problems), "new error", "new errors") + " in the specification, so the required check fails"}
	case r.unapproved() > 0:
		n := r.unapproved()
		return Verdict{State: Unapproved, Title: words.Count(n, "assertion does", "assertions do") + " not hold, so the required check fails until " +
			words.Verb(n, "it is", "they are") + " approved"}
	case r.Totals.Hosts+r.Totals.Removed == 0:
		return Verdict{State: Clean, OK: true, Title: "No host is affected, for neither side has any: the root of the repository must be the specification"}
	case affected == 0 && r.Totals.Added+r.Totals.Removed == 0:
		return Verdict{State: Clean, OK: true, Title: "No host is affected"}
	}
	parts := []string{words.Count(affected, "host changes", "hosts change")}
	if affected == 0 {
		parts = nil
	}
	if n := r.Totals.Added; n > 0 {
		parts = append(parts, words.Count(n, "host is", "hosts are")+" added")
	}
	if n := r.Totals.Removed; n > 0 {
		parts = append(parts, words.Count(n, "host is", "hosts are")+" removed")
	}
	if len(r.Known) > 0 {
		parts = append(parts, "nothing new fails")
	} else {
		parts = append(parts, "all build")
	}
	if n := len(r.Findings); n > 0 {
		parts = append(parts, words.Count(n, "broken assertion was", "broken assertions were")+" approved")
	}
	return Verdict{State: Changed, OK: true, Title: strings.Join(parts, ", ")}
}
