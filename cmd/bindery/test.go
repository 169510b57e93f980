// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/assertion"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/problem/render"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/words"
)

type testOptions struct {
	specOptions
	source  sourceOptions
	base    string
	approve approved
	format  string
}

func newTestCommand(s streams) *cobra.Command {
	var o testOptions
	cmd := &cobra.Command{
		Use:   "test (--spec DIR | --git URL [--rev REV]) [--base REV]",
		Short: "Hold every host against the assertions of the specification",
		Long: `Test builds every host and holds it against the assertions in tests/*.yaml: that an
entry is there, or has an attribute or a line, on the hosts of a group.

With --base, the assertions about changes count too: that nothing is lost, that no
more than so many hosts change. What base breaks already is not told again then, and
assertions that base has and the change takes away still count.

What does not hold is a finding with a hash, which stands for all that it says. With
--approve HASH it is no reason to fail; once it says anything else it has another
hash. A pull request shows the same findings with the same hashes.
` + exitHelp + `
1 means that an assertion cannot be read, or does not hold and is not approved.`,
		Example: `  bindery test --spec .
  bindery test --spec . --base origin/main --probe-data facts.json
  bindery test --git https://git.example.org/site.git --rev feature --base main
  bindery test --spec . --approve 0f7be1a2c3d4e5f60718293a4b5c6d7e
  bindery test --spec . --format sarif > assertions.sarif`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runTest(cmd.Context(), &o, s) },
	}
	o.source.AddFlags(cmd)
	o.specOptions.AddFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.base, "base", "", "also hold the change since this `revision` against assertions")
	o.approve.AddFlags(cmd)
	f.StringVar(&o.format, "format", "text", "text, json, sarif or github")
	return cmd
}

// tested is what came of holding hosts against assertions.
type tested struct {
	// Assertions and Hosts count what was looked at.
	Assertions int `json:"assertions"`
	Hosts      int `json:"hosts"`
	// Refused hosts have no configuration, so nothing is said of them.
	Refused int `json:"hosts_refused"`
	// Findings are the assertions that do not hold.
	Findings []finding `json:"findings"`
	// Problems are assertions that cannot be read, and those that are about no host.
	Problems []*problem.Problem `json:"problems"`
}

// finding is an assertion that does not hold.
type finding struct {
	review.Finding
	// Approved tells whether --approve names it.
	Approved bool `json:"approved"`
}

func runTest(ctx context.Context, o *testOptions, s streams) error {
	if !slices.Contains([]string{"text", "json", "sarif", "github"}, o.format) {
		return fmt.Errorf("--format is text, json, sarif or github, not %q", o.format)
	}
	base, head, err := o.snapshots(ctx)
	if err != nil {
		return err
	}
	found, err := o.test(ctx, base, head, s.Err)
	if err != nil {
		return err
	}
	for _, hash := range o.approve {
		if !slices.ContainsFunc(found.Findings, func(f finding) bool { return f.Hash == hash }) {
			fmt.Fprintf(s.Err, "bindery: no finding has the hash %q of --approve\n", hash)
		}
	}
	if err := o.write(s, head, found); err != nil {
		return withCode(exitUnavailable, err)
	}
	open := func(f finding) bool { return !f.Approved }
	if problem.Errors(found.Problems) > 0 || slices.ContainsFunc(found.Findings, open) {
		return quietly(exitFindings)
	}
	return nil
}

// snapshots reads the tree, and what it is compared with where that is asked for.
func (o *testOptions) snapshots(ctx context.Context) (base, head *git.Snapshot, err error) {
	if o.base == "" {
		head, err = o.source.open(ctx)
		return nil, head, err
	}
	if o.source.spec != "" {
		r := revisionOptions{spec: o.source.spec, base: o.base}
		return r.workingTree(ctx)
	}
	m, done, err := openRepository(ctx, o.source.url)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	if base, err = snapshot(ctx, m, o.base); err == nil {
		head, err = snapshot(ctx, m, o.source.rev)
	}
	return base, head, err
}

// test builds the hosts of both sides and holds them against the assertions.
func (o *testOptions) test(ctx context.Context, base, head *git.Snapshot, progress io.Writer) (*tested, error) {
	op, err := openSpec(ctx, head, &o.specOptions)
	if err != nil {
		return nil, err
	}
	in := review.Input{Assertions: op.spec.Assertions()}
	hosts := map[string]*review.Host{}
	names := op.spec.Hosts()
	bar := newProgress(progress, "hosts", len(names))
	defer bar.stop()
	if base != nil {
		old, err := openSpec(ctx, base, &o.specOptions)
		if err != nil {
			return nil, fmt.Errorf("base: %w", err)
		}
		in.BaseAssertions = old.spec.Assertions()
		op.last = map[string]*engine.Result{}
		err = buildAll(ctx, old, old.spec.Hosts(), bar, func(r *engine.Result) {
			h := hostOf(hosts, r.Host)
			h.Base, h.BaseGroups = sideOf(r), r.Groups
			op.last[r.Host] = r
		})
		if err != nil {
			return nil, withCode(exitUnavailable, err)
		}
	}
	out := &tested{Assertions: in.Assertions.Len(), Hosts: len(names), Findings: []finding{}, Problems: []*problem.Problem{}}
	err = buildAll(ctx, op, names, bar, func(r *engine.Result) {
		h := hostOf(hosts, r.Host)
		h.Head, h.Groups = sideOf(r), r.Groups
		if r.Refused != nil {
			out.Refused++
		}
	})
	if err != nil {
		return nil, withCode(exitUnavailable, err)
	}
	for _, h := range hosts {
		in.Hosts = append(in.Hosts, *h)
	}
	findings, idle, err := review.Findings(ctx, in)
	if err != nil {
		return nil, withCode(exitUnavailable, err)
	}
	given := o.approve.byHash()
	for _, f := range findings {
		out.Findings = append(out.Findings, finding{f, len(given[f.Hash]) >= f.Approvals})
	}
	for _, p := range op.problems {
		if p.Code == assertion.CodeBad {
			out.Problems = append(out.Problems, p)
		}
	}
	out.Problems = problem.Sort(append(out.Problems, idle...))
	return out, nil
}

// write shows what was found in the format asked for.
func (o *testOptions) write(s streams, head *git.Snapshot, t *tested) error {
	source := render.Source(engine.Source(head))
	lint := lintOptions{source: o.source}
	switch o.format {
	case "json":
		enc := json.NewEncoder(s.Out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(t)
	case "sarif":
		rules, err := meanings()
		if err != nil {
			return err
		}
		return render.SARIF(s.Out, t.failures(), render.Tool{Name: "bindery", Rules: rules, Prefix: lint.prefix()}, source)
	case "github":
		return render.GitHub(s.Out, t.failures(), lint.prefix())
	}
	text := render.TextConfig{Source: source, Colour: colour(s.Out)}
	if err := render.Text(s.Out, t.Problems, text); err != nil {
		return err
	}
	failed := 0
	for _, f := range t.Findings {
		if err := render.Text(s.Out, []*problem.Problem{f.Problem}, text); err != nil {
			return err
		}
		f.details(s.Out)
		if !f.Approved {
			failed++
		}
	}
	summary := words.Count(t.Assertions, "assertion", "assertions") + ", " + words.Count(t.Hosts, "host", "hosts") + ": " + words.Number(failed) + " failed"
	if n := len(t.Findings) - failed; n > 0 {
		summary += ", " + words.Number(n) + " approved"
	}
	if t.Refused > 0 {
		summary += "; " + words.Count(t.Refused, "host is", "hosts are") + " refused and not looked at"
	}
	_, err := fmt.Fprintln(s.Out, summary)
	return err
}

// failures are what programs are told: everything but what is approved.
func (t *tested) failures() []*problem.Problem {
	out := slices.Clone(t.Problems)
	for _, f := range t.Findings {
		if f.Approved {
			continue
		}
		p := *f.Problem
		p.Msg += ", on " + f.Label
		p.Hint = strings.TrimPrefix(p.Hint+"; its hash is "+f.Hash, "; ")
		out = append(out, &p)
	}
	return problem.Sort(out)
}

// maxViolations is how many parts of a finding are listed.
const maxViolations = 20

// details lists the hosts of a finding, its parts and its hash.
func (f *finding) details(w io.Writer) {
	fmt.Fprintf(w, "  %s: %s\n", words.Count(len(f.Names), "host", "hosts"), words.Visible(f.Label, false))
	for i, v := range f.Violations {
		if i == maxViolations {
			fmt.Fprintf(w, "  and %s more\n", words.Number(len(f.Violations)-i+f.Omitted))
			break
		}
		fmt.Fprintf(w, "  - %s\n", words.Visible(v.Entry+": "+v.Says+" ("+v.Label+")", false))
	}
	said := "approve it by its hash"
	switch {
	case f.Approved:
		said = "approved"
	case f.Approvals > 1:
		said = fmt.Sprintf("%d people approve it by its hash", f.Approvals)
	}
	fmt.Fprintf(w, "  %s: %s\n\n", said, f.Hash)
}
