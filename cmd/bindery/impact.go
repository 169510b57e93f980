// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/hostset"
)

type impactOptions struct {
	comparisonOptions
	format string
}

func newImpactCommand(s streams) *cobra.Command {
	var o impactOptions
	cmd := &cobra.Command{
		Use:   "impact (--git URL BASE..HEAD | --spec DIR [--base REV] | --spec-dirs BASE HEAD)",
		Short: "List the hosts that a change affects, and by which files",
		Long: `Impact builds every host of two specifications, as diff does, and lists the hosts
that get something else: which entries differ, and which of the changed files each
difference goes back to. It follows the chain that "bindery explain" shows, on both
sides. Hosts that are affected alike are listed once.

Where no changed file is on the chain of an entry, the difference comes from what its
template asks about other hosts, or from --as-if and --set.
` + exitHelp + `
1 means that head has errors that base has not, that hosts no longer build, or that an
assertion does not hold.`,
		Example: `  bindery impact --git . main..HEAD
  bindery impact --spec . --group web
  bindery impact --git . main...feature --format json`,
		Args: o.args,
		RunE: func(cmd *cobra.Command, args []string) error { return runImpact(cmd.Context(), &o, args, s) },
	}
	o.AddFlags(cmd)
	cmd.Flags().StringVar(&o.format, "format", "text", "text or json")
	return cmd
}

// affected are hosts that a change affects alike.
type affected struct {
	Hosts []string `json:"hosts"`
	// Change is set where the host itself comes or goes.
	Change  review.Kind `json:"change,omitempty"`
	Files   []string    `json:"files,omitempty"`
	Entries []touched   `json:"entries,omitempty"`
}

// touched is an entry that a host gets otherwise, and the changed files behind that.
type touched struct {
	Entry string      `json:"entry"`
	Kind  review.Kind `json:"kind"`
	Files []string    `json:"files"`
}

func runImpact(ctx context.Context, o *impactOptions, args []string, s streams) error {
	if o.format != "text" && o.format != "json" {
		return fmt.Errorf("--format is text or json, not %q", o.format)
	}
	c, err := o.compare(ctx, args, s.Err)
	if err != nil {
		return err
	}
	list, err := c.affected(ctx, s.Err)
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	if o.format == "json" {
		err = printJSON(s.Out, struct {
			Verdict review.Verdict `json:"verdict"`
			Hosts   int            `json:"hosts"`
			Impact  []affected     `json:"impact"`
		}{c.report.Verdict, len(c.report.Hosts), list})
	} else {
		err = writeImpact(s.Out, c.report, list)
	}
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	if !c.report.Verdict.OK {
		return quietly(exitFindings)
	}
	return nil
}

// affected finds the reasons of every host, and joins hosts with equal ones.
func (c *compared) affected(ctx context.Context, progress io.Writer) ([]affected, error) {
	entries := map[string][]part{}
	for i := range c.report.Changes {
		for j := range c.report.Changes[i].Variants {
			for _, h := range c.report.Changes[i].Variants[j].Names {
				entries[h] = append(entries[h], part{i, j})
			}
		}
	}
	t := tracer{compared: c, changed: map[string]bool{}, known: map[likeness][]string{}}
	for _, f := range git.Changed(c.snapshots[0], c.snapshots[1]) {
		t.changed[f] = true
	}
	hosts := c.report.Hosts
	found := make([]affected, len(hosts))
	bar := newProgress(progress, "reasons", len(hosts))
	defer bar.stop()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range hosts {
		g.Go(func() error {
			defer bar.add(1)
			var err error
			found[i], err = t.host(ctx, name, entries[name])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return joined(found), nil
}

// joined puts hosts together that are affected alike.
func joined(found []affected) []affected {
	index := map[string]int{}
	out := []affected{}
	for _, a := range found {
		key := fmt.Sprintf("%q %q %q", a.Change, a.Files, a.Entries)
		at, ok := index[key]
		if !ok {
			at = len(out)
			index[key] = at
			out = append(out, affected{Change: a.Change, Files: a.Files, Entries: a.Entries})
		}
		out[at].Hosts = append(out[at].Hosts, a.Hosts...)
	}
	for i := range out {
		slices.SortFunc(out[i].Hosts, hostset.Compare)
	}
	slices.SortStableFunc(out, func(a, b affected) int { return len(b.Hosts) - len(a.Hosts) })
	return out
}

// part is a variant of a change, by their places in the report.
type part struct{ change, variant int }

// likeness is what hosts have in common whose entry changes alike for the same reasons.
type likeness struct {
	part
	groups string
}

// tracer follows entries back to the files of the change.
type tracer struct {
	*compared
	changed map[string]bool

	mu    sync.Mutex
	known map[likeness][]string
}

func (t *tracer) host(ctx context.Context, name string, changes []part) (affected, error) {
	out := affected{Hosts: []string{name}}
	was, is := slices.Contains(t.old.spec.Hosts(), name), slices.Contains(t.now.spec.Hosts(), name)
	if was != is {
		out.Change = review.EntryAdded
		if was {
			out.Change = review.EntryRemoved
		}
		for _, f := range slices.Sorted(maps.Keys(t.changed)) {
			if strings.HasPrefix(f, "Metadata/") {
				out.Files = append(out.Files, f)
			}
		}
		return out, nil
	}
	for _, p := range changes {
		ch := &t.report.Changes[p.change]
		files, err := t.alike(ctx, name, ch.Entry, likeness{p, t.groups[name]})
		if err != nil {
			return out, err
		}
		out.Entries = append(out.Entries, touched{Entry: ch.Entry.Tag + ":" + ch.Entry.Name, Kind: ch.Kind, Files: files})
	}
	return out, nil
}

// alike looks at one of the hosts that are in the same groups and get the same change,
// unless something on the way is for single hosts.
func (t *tracer) alike(ctx context.Context, host string, entry config.Key, like likeness) ([]string, error) {
	t.mu.Lock()
	files, ok := t.known[like]
	t.mu.Unlock()
	if ok {
		return files, nil
	}
	files, own, err := t.files(ctx, host, entry)
	if err == nil && !own {
		t.mu.Lock()
		t.known[like] = files
		t.mu.Unlock()
	}
	return files, err
}

// files are the changed files on the way to an entry, on either side, and whether
// something there is for single hosts.
func (t *tracer) files(ctx context.Context, host string, entry config.Key) (files []string, own bool, err error) {
	found := map[string]bool{}
	for _, side := range []*opened{t.old, t.now} {
		list, refused, err := side.spec.Explain(ctx, side.inputs([]string{host})[0], entry.Tag, entry.Name, 0)
		if err != nil {
			return nil, false, err
		}
		if refused != nil {
			found[refused.Pos.File] = true
		}
		for _, e := range list {
			for _, l := range e.Links {
				// What was not chosen on either side has no part in it.
				if l.State == "" || l.State == "chosen" {
					found[l.Pos.File] = true
				}
				own = own || strings.HasPrefix(l.For, "host ")
			}
			if e.Problem != nil {
				found[e.Problem.Pos.File] = true
			}
		}
	}
	files = []string{}
	for _, f := range slices.Sorted(maps.Keys(found)) {
		if t.changed[f] {
			files = append(files, f)
		}
	}
	return files, own, nil
}

func writeImpact(w io.Writer, r *review.Report, list []affected) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n", r.Verdict.Title)
	for _, a := range list {
		fmt.Fprintf(&b, "\n%s\n", printable(strings.Join(hostset.Fold(a.Hosts), ", ")))
		if a.Change != "" {
			fmt.Fprintf(&b, "  %-9s the host itself%s\n", a.Change, by(a.Files))
		}
		for _, e := range a.Entries {
			fmt.Fprintf(&b, "  %-9s %s%s\n", e.Kind, printable(e.Entry), by(e.Files))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func by(files []string) string {
	if len(files) == 0 {
		return ""
	}
	return "  by " + printable(strings.Join(files, ", "))
}
