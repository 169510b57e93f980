// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/secret"
)

// LintHosts builds hosts and tells what is wrong with any of them: entries that
// cannot be bound, hosts that are refused or get nothing, packages that no source
// has, and what happened on the way. What several hosts share is said once, with
// their number. Entries that ignore_entries in [bcfg2_test] of bcfg2.conf names,
// as Tag:name with wildcards, are left out.
func (s *Spec) LintHosts(ctx context.Context, in []Input) ([]*problem.Problem, error) {
	results, err := s.All(ctx, in)
	if err != nil {
		return nil, err
	}
	hosts := map[problem.Problem][]string{}
	note := func(host string, p *problem.Problem) {
		if p == nil {
			return
		}
		if known := hosts[*p]; len(known) == 0 || known[len(known)-1] != host {
			hosts[*p] = append(known, host)
		}
	}
	ignored := s.ignoredEntries()
	for _, r := range results {
		note(r.Host, r.Refused)
		for _, f := range r.Failures {
			if !ignored(f.Tag, f.Name) {
				note(r.Host, f.Problem)
			}
		}
		for _, p := range r.Problems {
			note(r.Host, p)
		}
		for _, p := range contents(r, ignored) {
			note(r.Host, p)
		}
	}
	var out []*problem.Problem
	for p, names := range hosts {
		if p.Code == secret.CodeNoKey {
			p.Severity = problem.Warning // whose key is missing is not the specification's fault
		}
		p.Msg += " (" + names[0]
		if n := len(names) - 1; n > 0 {
			p.Msg += fmt.Sprintf(" and %d more", n)
		}
		p.Msg += ")"
		out = append(out, &p)
	}
	return problem.Sort(out), nil
}

// ignoredEntries tells which entries nobody wants to hear of.
func (s *Spec) ignoredEntries() func(tag, name string) bool {
	patterns := strings.FieldsFunc(s.conf["bcfg2_test"]["ignore_entries"], func(r rune) bool { return strings.ContainsRune(", \n\t", r) })
	return func(tag, name string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			wantTag, wantName, _ := strings.Cut(p, ":")
			// A slash is a letter like others there.
			flat := strings.NewReplacer("/", "\x01")
			fits, err := path.Match(flat.Replace(wantName), flat.Replace(name))
			return wantTag == tag && err == nil && fits
		})
	}
}

// contents tells what of a configuration no host can use.
func contents(r *Result, ignored func(tag, name string) bool) []*problem.Problem {
	if r.Config == nil {
		return nil
	}
	var out []*problem.Problem
	some := false
	for _, b := range r.Config.Bundles {
		some = some || b.Tag == "Bundle"
		for _, e := range b.Entries {
			if e.Tag == "Package" && e.Type() == "unknown" && e.Failure == "" && !ignored(e.Tag, e.Name()) {
				out = append(out, problem.New(problem.Pos{File: e.NamedAt.File, Line: e.NamedAt.Line}, "package-type-unknown",
					fmt.Sprintf("no package source has %s", e.Name()), "correct the name, or add a source for the host"))
			}
		}
	}
	if !some {
		out = append(out, problem.New(problem.Pos{File: host.GroupsFile}, "host-without-content", "a host gets no bundle", "give one of its groups a bundle"))
	}
	return out
}
