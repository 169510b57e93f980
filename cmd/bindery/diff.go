// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/markdown"
	"github.com/bindery/bindery/engine/review/page"
	"github.com/bindery/bindery/engine/review/terminal"
)

type diffOptions struct {
	specOptions
	base     string // --spec-dirs
	url      string // --git
	format   string
	context  int
	exitCode bool
	host     []string
}

func newDiffCommand(s streams) *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff (--spec-dirs BASE HEAD | --git URL BASE..HEAD)",
		Short: "Show what a change does to every host",
		Long: `Diff builds every host of two specifications and shows what differs: which hosts
change, how, and what follows from it. Equal changes are shown once, with the
hosts that have them.

BASE..HEAD compares two commits as they are; BASE...HEAD compares HEAD with what
it was branched from. Secrets are shown as fingerprints, which can be compared
within one run only.

With --format html it is one page that needs nothing else, with every change whole:
it can be searched by host, kind and text, and printed.

The JSON form holds "hosts", exactly the hosts whose configuration differs, and
"changes": per entry what changed and on which hosts.
` + exitHelp + `
1 means that head has errors that base has not; with --exit-code also that a host
changes or fails.`,
		Example: `  bindery diff --git . main..HEAD
  bindery diff --git https://git.example.org/site.git main...feature --format markdown
  bindery diff --git . main...feature --format html > review.html
  bindery diff --spec-dirs /srv/spec /home/me/spec --host web1.example.org --context 0`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runDiff(cmd.Context(), &o, args[0], s) },
	}
	o.AddFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.base, "spec-dirs", "", "compare two `folders`: this one is the base, the argument is the head")
	f.StringVar(&o.url, "git", "", "compare two revisions, BASE..HEAD, of the repository at this `URL` or path")
	f.StringVar(&o.format, "format", "text", "text, markdown, json or html")
	f.IntVar(&o.context, "context", 3, "equal lines around each change in text, 0 to 3")
	f.BoolVar(&o.exitCode, "exit-code", false, "exit 1 if any host changes or fails, too")
	f.StringArrayVar(&o.host, "host", nil, "compare this host only; may be repeated")
	cmd.MarkFlagsMutuallyExclusive("spec-dirs", "git")
	cmd.MarkFlagsOneRequired("spec-dirs", "git")
	return cmd
}

func runDiff(ctx context.Context, o *diffOptions, arg string, s streams) error {
	switch {
	case !slices.Contains([]string{"text", "markdown", "json", "html"}, o.format):
		return fmt.Errorf("--format is text, markdown, json or html, not %q", o.format)
	case o.context < 0 || o.context > 3:
		return fmt.Errorf("--context is 0 to 3, not %d", o.context)
	}
	start := time.Now()
	base, head, err := o.snapshots(ctx, arg)
	if err != nil {
		return err
	}
	r, err := o.compare(ctx, base, head, start, s.Err)
	if err != nil {
		return err
	}
	if err := o.write(s.Out, r); err != nil {
		return withCode(exitUnavailable, err)
	}
	if r.Verdict.State == review.Invalid || o.exitCode && (len(r.Hosts) > 0 || !r.Verdict.OK) {
		return quietly(exitFindings)
	}
	return nil
}

// snapshots reads the two trees.
func (o *diffOptions) snapshots(ctx context.Context, arg string) (base, head *git.Snapshot, err error) {
	if o.url != "" {
		return o.revisions(ctx, arg)
	}
	if base, err = git.Dir(ctx, o.base, 0); err == nil {
		head, err = git.Dir(ctx, arg, 0)
	}
	return base, head, withCode(exitUnavailable, err)
}

func (o *diffOptions) revisions(ctx context.Context, arg string) (base, head *git.Snapshot, err error) {
	from, to, ok := strings.Cut(arg, "..")
	to, forked := strings.CutPrefix(to, ".")
	if !ok || from == "" || to == "" {
		return nil, nil, fmt.Errorf("%q is not BASE..HEAD", arg)
	}
	m, done, err := openRepository(ctx, o.url, from, to)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	if forked {
		if from, err = forkPoint(ctx, m, from, to); err != nil {
			return nil, nil, withCode(exitUnavailable, err)
		}
	}
	if base, err = snapshot(ctx, m, from); err == nil {
		head, err = snapshot(ctx, m, to)
	}
	return base, head, err
}

func forkPoint(ctx context.Context, m *git.Mirror, from, to string) (string, error) {
	a, err := m.Resolve(ctx, from)
	if err != nil {
		return "", err
	}
	b, err := m.Resolve(ctx, to)
	if err != nil {
		return "", err
	}
	point, err := m.MergeBase(ctx, a, b)
	if err == nil && point == "" {
		err = errors.New(from + " and " + to + " have no common ancestor")
	}
	return point, err
}

func (o *diffOptions) compare(ctx context.Context, base, head *git.Snapshot, start time.Time, progress io.Writer) (*review.Report, error) {
	o.clients = append(o.clients, o.host...)
	old, err := openSpec(ctx, base, &o.specOptions)
	if err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	now, err := openSpec(ctx, head, &o.specOptions)
	if err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	opts, err := o.engineOptions()
	if err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, withCode(exitUnavailable, err)
	}
	in := review.Input{
		Key: key, Problems: now.problems, BaseProblems: old.problems,
		Meta: review.Meta{Base: base.Commit(), Head: head.Commit(), Files: len(git.Changed(base, head))},
	}
	if len(now.spec.Hosts()) == 0 && len(old.spec.Hosts()) > 0 && len(now.problems) > 0 {
		return review.Unreadable(in.Meta, now.problems), nil
	}
	hosts := map[string]*review.Host{}
	oldNames, names := o.pick(old.spec.Hosts()), o.pick(now.spec.Hosts())
	bar := newProgress(progress, "hosts", len(oldNames)+len(names))
	defer bar.stop()
	now.last = map[string]*engine.Result{}
	err = buildAll(ctx, old, oldNames, bar, func(r *engine.Result) {
		hostOf(hosts, r.Host).Base = sideOf(r)
		now.last[r.Host] = r
	})
	if err == nil {
		err = buildAll(ctx, now, names, bar, func(r *engine.Result) {
			h := hostOf(hosts, r.Host)
			h.Head, h.Groups = sideOf(r), r.Groups
			h.NoFacts = len(r.Probes) > 0 && now.facts[r.Host].Probes == nil
		})
	}
	if err != nil {
		return nil, withCode(exitUnavailable, err)
	}
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		h := hosts[name]
		h.Addresses = addresses(opts.Names, name)
		in.Hosts = append(in.Hosts, *h)
	}
	in.Meta.Built, in.Meta.Took = len(names)+len(oldNames), time.Since(start)
	r, err := review.New(in)
	return r, withCode(exitUnavailable, err)
}

// pick keeps the hosts that --host names.
func (o *diffOptions) pick(hosts []string) []string {
	if len(o.host) == 0 {
		return hosts
	}
	return slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return !slices.Contains(o.host, h) })
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
	out := &review.Side{Config: r.Config, Refused: r.Refused}
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

func (o *diffOptions) write(w io.Writer, r *review.Report) error {
	var text string
	switch o.format {
	case "json":
		data, err := r.JSON()
		if err != nil {
			return err
		}
		text = string(data)
	case "html":
		pages, err := page.New()
		if err != nil {
			return err
		}
		return pages.Write(w, r)
	case "markdown":
		text = markdown.New(r, markdown.Options{}).Body
	default:
		text = terminal.New(r, terminal.Options{Color: isTerminal(w) && os.Getenv("NO_COLOR") == "", Context: o.context})
	}
	_, err := io.WriteString(w, text)
	return err
}
