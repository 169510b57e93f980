// SPDX-License-Identifier: Apache-2.0

package review

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/review/hostset"
	"github.com/bindery/bindery/engine/review/redaction"
)

// Impacts are the kinds of Impact, in the order in which they are shown. A row stands
// only where something is behind it.
func Impacts() []string {
	return []string{
		"package-removed", "package-downgraded", "path-deleted", "path-removed", "user-removed", "service-stopped",
		"service-removed", reboots, stops, restarts, reloads, runs, "secret", "rights", "probe", "fixed",
	}
}

type impactRow struct {
	subjects map[string]bool
	hosts    members
}

// impact sums up over all changes. Hosts that keep their last good configuration
// are left out, because nothing happens on them yet, and so are new ones, where
// everything is new.
func (c *comparison) impact(ctx context.Context) ([]Impact, error) {
	rows := map[string]*impactRow{}
	x := newEffects()
	aside := union(c.held, c.added)
	for _, p := range c.pairs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if p.kind == EntryFailed {
			continue
		}
		row := func(kind, subject string, hosts members) {
			if hosts = without(hosts, aside); len(hosts) == 0 {
				return
			}
			r := rows[kind]
			if r == nil {
				r = &impactRow{subjects: map[string]bool{}}
				rows[kind] = r
			}
			r.subjects[redaction.Name(subject)] = true
			r.hosts = append(r.hosts, hosts...)
		}
		kinds := []string{removal(p)}
		d := detail{}
		if p.kind == EntryModified && !c.secretPair(p) {
			d.attrs = attrs(p.change.Old, p.change.New, anyAttr)
			d.access, d.order = accessDiffers(p.change.Old, p.change.New), orderOnly(p)
		}
		switch {
		case p.key.Tag == redaction.ProbeTag:
			kinds = append(kinds, "probe")
		case c.secretPair(p) && redaction.Fingerprint(c.in.Key, p.change.Old) != redaction.Fingerprint(c.in.Key, p.change.New):
			kinds = append(kinds, "secret")
		case p.kind == EntryFixed:
			kinds = append(kinds, "fixed")
		case rights(p, d):
			kinds = append(kinds, "rights")
		}
		for _, k := range kinds {
			if k != "" {
				row(k, p.key.Name, p.hosts)
			}
		}
		for e, hosts := range x.pair(p) {
			row(e.verb, e.name, hosts)
		}
	}
	return c.impactRows(rows), nil
}

func (c *comparison) impactRows(rows map[string]*impactRow) []Impact {
	var out []Impact
	for _, k := range Impacts() {
		if r := rows[k]; r != nil {
			subjects := slices.SortedFunc(maps.Keys(r.subjects), hostset.Compare)
			out = append(out, Impact{k, subjects, c.hosts(union(r.hosts))})
		}
	}
	return out
}

// compareVersions compares runs of digits by value and the rest by bytes; "~"
// sorts before everything, as in Debian and RPM.
func compareVersions(a, b string) int {
	epoch := func(s string) (string, string) {
		if e, rest, ok := strings.Cut(s, ":"); ok {
			return e, rest
		}
		return "0", s
	}
	ea, ra := epoch(a)
	eb, rb := epoch(b)
	tilde := func(s string) string { return strings.ReplaceAll(s, "~", "\x01") + "\x02" }
	return cmp.Or(hostset.Compare(ea, eb), hostset.Compare(tilde(ra), tilde(rb)))
}
