// SPDX-License-Identifier: Apache-2.0

package review

import (
	"context"
	"slices"

	"github.com/bindery/bindery/engine/assertion"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review/hostset"
)

// maxViolations is how many parts of one finding are kept.
const maxViolations = 200

// Findings holds the assertions of an Input against its hosts, and gives warnings about
// those that are about no host. It does not need the key but for sets.
func Findings(ctx context.Context, in Input) ([]Finding, []*problem.Problem, error) {
	if in.Assertions.Len()+in.BaseAssertions.Len() == 0 {
		return nil, nil, nil
	}
	hosts := slices.Clone(in.Hosts)
	slices.SortFunc(hosts, func(a, b Host) int { return hostset.Compare(a.Name, b.Name) })
	given := assertion.Input{Head: in.Assertions, Base: in.BaseAssertions, Hosts: make([]assertion.Host, len(hosts))}
	for i, h := range hosts {
		given.Hosts[i] = assertion.Host{
			Name: h.Name, Groups: h.Groups, BaseGroups: h.BaseGroups,
			Base: h.Base.config(), Head: h.Head.config(), InBase: h.Base != nil, InHead: h.Head != nil,
		}
	}
	result, err := assertion.Check(ctx, given)
	if err != nil || len(result.Findings) == 0 {
		return nil, result.Idle, err
	}
	n := newFinder(hosts)
	out := make([]Finding, len(result.Findings))
	for i, f := range result.Findings {
		out[i] = n.finding(f, in)
	}
	return out, result.Idle, nil
}

// finder names sets of hosts.
type finder struct {
	namer *hostset.Namer
	index map[string]int32
}

func newFinder(hosts []Host) finder {
	names, groups := make([]string, len(hosts)), make([][]string, len(hosts))
	n := finder{index: map[string]int32{}}
	for i, h := range hosts {
		names[i], groups[i], n.index[h.Name] = h.Name, h.Groups, int32(i)
	}
	n.namer = hostset.NewNamer(names, groups)
	return n
}

func (n finder) hosts(names []string) Hosts {
	m := make(members, len(names))
	for i, name := range names {
		m[i] = n.index[name]
	}
	return hostsOf(n.namer.Set(m))
}

func (n finder) finding(f assertion.Finding, in Input) Finding {
	out := Finding{
		Problem: f.Problem, Assertion: f.Name, Hash: f.Hash, Approvals: f.Approvals, ApprovedBy: in.Approvals[f.Hash], Hosts: n.hosts(f.Hosts),
	}
	kept := f.Violations[:min(len(f.Violations), maxViolations)]
	out.Omitted = len(f.Violations) - len(kept)
	for _, v := range kept {
		out.Violations = append(out.Violations, Violation{ID: v.ID, Entry: v.Entry, Says: v.Says, Hosts: n.hosts(v.Hosts)})
	}
	if len(f.Changes) > 0 && in.Key != nil {
		out.set = NewSet(in.Key)
		for _, c := range f.Changes {
			for _, h := range c.Hosts {
				out.set.Add(h, c.Changes)
			}
		}
		out.set.release()
	}
	return out
}

// Approved tells whether enough people approved a finding.
func (f *Finding) Approved() bool { return len(f.ApprovedBy) >= f.Approvals }

// Set returns the changes that a finding about the size of a change counts, nil for
// others. It is there only where the report was made.
func (f *Finding) Set() *Set { return f.set }

// Lasting tells whether a finding is about what hosts get, and not about how many of
// them a change reaches.
func (f *Finding) Lasting() bool { return len(f.Violations) > 0 }

// unapproved counts the findings that nobody has approved, or too few.
func (r *Report) unapproved() int {
	n := 0
	for i := range r.Findings {
		if !r.Findings[i].Approved() {
			n++
		}
	}
	return n
}
