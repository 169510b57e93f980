// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/review"
)

// comparisonOptions say what is compared: which trees, on which hosts, and under which
// suppositions.
type comparisonOptions struct {
	specOptions
	revisionOptions
	host, group []string
	asIf, set   []string
	approve     approved
}

// approved are the hashes of findings that --approve names, once for each approval.
type approved []string

// AddFlags declares --approve, for commands whose findings count.
func (a *approved) AddFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar((*[]string)(a), "approve", nil, "a finding's `hash`: one approval of it; may be repeated, also with the same hash where more are needed")
}

// byHash gives each approval its hash, as a review has them.
func (a approved) byHash() map[string][]string {
	out := map[string][]string{}
	for _, hash := range a {
		out[hash] = append(out[hash], "--approve")
	}
	return out
}

// AddFlags declares the flags.
func (o *comparisonOptions) AddFlags(cmd *cobra.Command) {
	o.revisionOptions.AddFlags(cmd)
	o.specOptions.AddFlags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.host, "host", nil, "compare this host only; may be repeated")
	f.StringArrayVar(&o.group, "group", nil, "compare hosts of this group only, on either side; may be repeated")
	f.StringArrayVar(&o.asIf, "as-if", nil, "build the head as if a host were in a group, `HOST:group+=NAME`, or were not, HOST:group-=NAME; without HOST: all hosts. May be repeated")
	f.StringArrayVar(&o.set, "set", nil, "build the head as if a host answered a probe so, `HOST:PROBE=VALUE`; without HOST: all hosts. May be repeated")
}

// compared is a report with the two sides that it was made of.
type compared struct {
	report    *review.Report
	old, now  *opened
	snapshots [2]*git.Snapshot
	// groups are those of each host, on both sides.
	groups map[string]string
}

// compare builds both sides and makes the report. Notes are for standard error.
func (o *comparisonOptions) compare(ctx context.Context, args []string, notes io.Writer) (*compared, error) {
	start := time.Now()
	base, head, err := o.revisionOptions.snapshots(ctx, args)
	if err != nil {
		return nil, err
	}
	o.clients = append(o.clients, o.host...)
	c := &compared{snapshots: [2]*git.Snapshot{base, head}, groups: map[string]string{}}
	if c.old, err = openSpec(ctx, base, &o.specOptions); err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	if c.now, err = openSpec(ctx, head, &o.specOptions); err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	meta := review.Meta{Base: base.Commit(), Head: head.Commit(), Files: len(git.Changed(base, head)), Supposed: slices.Concat(o.asIf, o.set)}
	if f := c.now.exported; f != nil {
		meta.Facts = "facts of " + f.Taken.Format("2006-01-02 15:04 UTC")
		if f.Redacted {
			meta.Facts += ", redacted"
		}
	}
	if len(c.now.spec.Hosts()) == 0 && len(c.old.spec.Hosts()) > 0 && len(c.now.problems) > 0 {
		c.report = review.Unreadable(meta, c.now.problems)
		return c, nil
	}
	if c.now.supposed, err = o.suppositions(c.now.spec.Hosts()); err != nil {
		return nil, err
	}
	in, err := o.hosts(ctx, c, start, notes)
	if err != nil {
		return nil, err
	}
	c.now.supposed.tell(notes, c.now.spec.Groups(), in.Hosts)
	meta.Took = time.Since(start)
	meta.Built, in.Meta = in.Meta.Built, meta
	in.Key = make([]byte, 32)
	if _, err := rand.Read(in.Key); err != nil {
		return nil, withCode(exitUnavailable, err)
	}
	c.report, err = review.New(ctx, *in)
	return c, withCode(exitUnavailable, err)
}

// hosts builds the hosts of both sides.
func (o *comparisonOptions) hosts(ctx context.Context, c *compared, start time.Time, notes io.Writer) (*review.Input, error) {
	opts, err := o.engineOptions()
	if err != nil {
		return nil, err
	}
	in := &review.Input{
		Problems: c.now.problems, BaseProblems: c.old.problems,
		Assertions: c.now.spec.Assertions(), BaseAssertions: c.old.spec.Assertions(), Approvals: o.approve.byHash(),
	}
	hosts := map[string]*review.Host{}
	wanted := map[string]bool{}
	asked := map[string]bool{}
	oldNames, names := o.pick(c.old.spec.Hosts()), o.pick(c.now.spec.Hosts())
	bar := newProgress(notes, "hosts", len(oldNames)+len(names))
	defer bar.stop()
	c.now.last = map[string]*engine.Result{}
	err = buildAll(ctx, c.old, oldNames, bar, func(r *engine.Result) {
		h := hostOf(hosts, r.Host)
		h.Base, h.BaseGroups = sideOf(r), r.Groups
		wanted[r.Host] = o.wants(r.Groups)
		c.groups[r.Host] = strings.Join(r.Groups, " ")
		c.now.last[r.Host] = r
	})
	if err == nil {
		err = buildAll(ctx, c.now, names, bar, func(r *engine.Result) {
			h := hostOf(hosts, r.Host)
			h.Head, h.Groups = sideOf(r), r.Groups
			h.NoFacts = len(r.Probes) > 0 && c.now.facts[r.Host].Probes == nil
			h.OldFacts = c.now.stale(r.Host, start)
			h.Addresses, h.IDs = r.Addresses, []string{r.UUID}
			wanted[r.Host] = wanted[r.Host] || o.wants(r.Groups)
			c.groups[r.Host] += "\x00" + strings.Join(r.Groups, " ")
			for _, p := range r.Probes {
				asked[p.Key()] = true
			}
		})
	}
	if err != nil {
		return nil, withCode(exitUnavailable, err)
	}
	if err := c.now.supposed.check(asked, hosts); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		h := hosts[name]
		if slices.Contains(o.clients, name) && unknown(h.Base) && unknown(h.Head) {
			return nil, fmt.Errorf("neither side knows the host %s: %w", name, h.Head.Refused)
		}
		if !wanted[name] {
			continue
		}
		h.Addresses = append(addresses(opts.Names, name), h.Addresses...)
		in.Hosts = append(in.Hosts, *h)
	}
	if len(o.group) > 0 && len(in.Hosts) == 0 {
		return nil, fmt.Errorf("no host is in a group of --group, on either side")
	}
	in.Meta.Built = len(names) + len(oldNames)
	return in, nil
}

// unknown tells whether a side has nothing for a host because nothing lists it.
func unknown(s *review.Side) bool {
	return s != nil && s.Refused != nil && s.Refused.Code == "unknown-host"
}

// pick keeps the hosts that --host names.
func (o *comparisonOptions) pick(hosts []string) []string {
	if len(o.host) == 0 {
		return hosts
	}
	return slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return !slices.Contains(o.host, h) })
}

// wants tells whether --group names one of these.
func (o *comparisonOptions) wants(groups []string) bool {
	return len(o.group) == 0 || slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(o.group, g) })
}

func buildAll(ctx context.Context, op *opened, hosts []string, bar *bar, each func(*engine.Result)) error {
	for part := range slices.Chunk(hosts, chunk) {
		results, err := op.spec.All(ctx, op.inputs(part))
		if err != nil {
			return err
		}
		for _, r := range results {
			each(r)
		}
		bar.add(len(part))
	}
	return nil
}

func hostOf(hosts map[string]*review.Host, name string) *review.Host {
	h := hosts[name]
	if h == nil {
		h = &review.Host{Name: name}
		hosts[name] = h
	}
	return h
}

// sideOf is what a review needs of a result.
func sideOf(r *engine.Result) *review.Side {
	out := &review.Side{Config: r.Config, Refused: r.Refused, Probes: r.Probes}
	for _, f := range r.Failures {
		out.Failures = append(out.Failures, review.Failure{Tag: f.Tag, Name: f.Name, Problem: f.Problem})
	}
	return out
}

func addresses(names map[string][]string, host string) []string {
	var out []string
	for _, ip := range slices.Sorted(maps.Keys(names)) {
		if slices.Contains(names[ip], host) {
			out = append(out, ip)
		}
	}
	return out
}

// stale tells whether a host gave its facts too long ago for them to be trusted.
func (o *opened) stale(host string, now time.Time) bool {
	if o.exported == nil {
		return false
	}
	at, ok := o.exported.Answered[host]
	return ok && now.Sub(at) > review.FactsLife
}
