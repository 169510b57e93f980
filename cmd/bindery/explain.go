// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/problem"
)

type explainOptions struct {
	specOptions
	source sourceOptions
	line   int
	format string
}

func newExplainCommand(s streams) *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain (--spec DIR | --git URL [--rev REV]) HOST TAG:NAME [--line N]",
		Short: "Say why a host gets an entry, and where each of its bytes comes from",
		Long: `Explain follows one entry of one host from the metadata to its bytes: profile and
groups, the bundle and the conditions around the entry, the generator, the file or
rule that was chosen and those that it beat, what else was read, and what was asked
about the host. With --line also which line of the file or template wrote a line of
the content.

From a repository (--git) every place is shown with the last commit that changed its
file. Secret contents and probe data are not shown.
` + exitHelp + `
1 means that the host has no such entry, or that it could not be bound.`,
		Example: `  bindery explain --git . web1.example.org Path:/etc/ssh/sshd_config
  bindery explain --spec . web1.example.org Path:/etc/motd --line 3
  bindery explain --git . web1.example.org Service:nginx --format json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExplain(cmd.Context(), &o, args[0], args[1], s)
		},
	}
	o.source.AddFlags(cmd)
	o.specOptions.AddFlags(cmd)
	f := cmd.Flags()
	f.IntVar(&o.line, "line", 0, "trace this `line` of the content to what wrote it")
	f.StringVar(&o.format, "format", "text", "text or json")
	return cmd
}

func runExplain(ctx context.Context, o *explainOptions, host, key string, s streams) error {
	tag, name, ok := strings.Cut(key, ":")
	switch {
	case !ok || tag == "" || name == "":
		return fmt.Errorf("an entry is named TAG:NAME, such as Path:/etc/motd, not %q", key)
	case o.format != "text" && o.format != "json":
		return fmt.Errorf("--format is text or json, not %q", o.format)
	case o.line < 0:
		return errors.New("--line counts from 1")
	}
	snap, err := o.source.open(ctx)
	if err != nil {
		return err
	}
	o.clients = append(o.clients, host)
	o.localSources = o.source.spec != ""
	op, err := openSpec(ctx, snap, &o.specOptions)
	if err != nil {
		return err
	}
	found, refused, err := op.spec.Explain(ctx, op.inputs([]string{host})[0], tag, name, o.line)
	switch {
	case err != nil:
		return withCode(exitUnavailable, err)
	case refused != nil:
		return withCode(exitFindings, refused)
	case len(found) == 0:
		return withCode(exitFindings, fmt.Errorf("%s has no %s %s; see what it has with: bindery build --host %s", host, tag, name, host))
	}
	commits, err := o.commits(ctx, found)
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	if err := writeExplanations(s.Out, o.format, found, commits); err != nil {
		return withCode(exitUnavailable, err)
	}
	for _, e := range found {
		if e.Problem != nil {
			return quietly(exitFindings)
		}
	}
	return nil
}

// commits finds who last changed each file of the chain; a folder knows no commits.
func (o *explainOptions) commits(ctx context.Context, found []*engine.Explanation) (map[string]git.Commit, error) {
	if o.source.spec != "" {
		return nil, nil
	}
	seen := map[string]bool{}
	var files []string
	add := func(p problem.Pos) {
		if p.File != "" && !seen[p.File] {
			seen[p.File] = true
			files = append(files, p.File)
		}
	}
	for _, e := range found {
		for _, l := range e.Links {
			add(l.Pos)
		}
		if e.Line != nil {
			for _, p := range e.Line.From {
				add(p)
			}
		}
	}
	m, done, err := openRepository(ctx, o.source.url, o.source.rev)
	if err != nil {
		return nil, err
	}
	defer done()
	tip, err := m.Resolve(ctx, o.source.rev)
	if err != nil {
		return nil, err
	}
	return m.LastChanges(ctx, tip, files)
}

// explained is an explanation with its commits, as JSON has it.
type explained struct {
	*engine.Explanation
	Entry   string                   `json:"entry"`
	Failure string                   `json:"failure,omitempty"`
	Secret  bool                     `json:"secret,omitempty"`
	Commits map[string]explainCommit `json:"commits,omitempty"`
}

type explainCommit struct {
	ID      string `json:"id"`
	Author  string `json:"author"`
	When    string `json:"when"`
	Subject string `json:"subject"`
}

func newExplainCommit(c git.Commit) explainCommit {
	subject, _, _ := strings.Cut(c.Message, "\n")
	return explainCommit{c.ID, c.Author, c.When.Format("2006-01-02"), subject}
}

func writeExplanations(w io.Writer, format string, found []*engine.Explanation, commits map[string]git.Commit) error {
	if format == "text" {
		for i, e := range found {
			if i > 0 {
				fmt.Fprintln(w)
			}
			if err := writeExplanation(w, e, commits); err != nil {
				return err
			}
		}
		return nil
	}
	out := make([]explained, len(found))
	for i, e := range found {
		out[i] = explained{Explanation: e, Entry: e.Entry.Tag + ":" + e.Entry.Name(), Failure: e.Entry.Failure, Secret: e.Entry.Secret()}
		for file, c := range commits {
			if out[i].Commits == nil {
				out[i].Commits = map[string]explainCommit{}
			}
			out[i].Commits[file] = newExplainCommit(c)
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func writeExplanation(w io.Writer, e *engine.Explanation, commits map[string]git.Commit) error {
	fmt.Fprintf(w, "%s %s on %s, in %s\n\n", e.Entry.Tag, printable(e.Entry.Name()), e.Host, printable(e.Structure))
	var table strings.Builder
	t := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	for _, l := range e.Links {
		row(t, l.Kind, l.Pos, label(l), commits)
	}
	if e.Line != nil {
		for _, p := range e.Line.From {
			row(t, fmt.Sprintf("line %d", e.Line.Number), p, printable(e.Line.Text), commits)
		}
		if len(e.Line.From) == 0 {
			row(t, fmt.Sprintf("line %d", e.Line.Number), problem.Pos{}, "there is no such line, or nothing says what wrote it", nil)
		}
	}
	for _, a := range e.Asked {
		row(t, "asked", problem.Pos{}, strings.TrimSpace(a.About+" "+printable(a.Name))+answered(a.Answer), nil)
	}
	if e.Problem != nil {
		row(t, "failed", e.Problem.Pos, printable(e.Problem.Msg), nil)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(table.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

func answered(a string) string {
	if a == "" {
		return ""
	}
	return ": " + printable(a)
}

// label puts a link into words.
func label(l engine.Link) string {
	out := printable(l.Text)
	if l.State != "" && l.State != "chosen" || l.Kind == "variant" {
		states := map[string]string{"chosen": "chosen", "beaten": "beaten", "other": "not for this host"}
		out = strings.TrimSpace(out + " " + states[l.State])
	}
	if l.For != "" {
		out = strings.TrimSpace(out + " (" + printable(l.For) + ")")
	}
	return out
}

func row(t io.Writer, kind string, pos problem.Pos, text string, commits map[string]git.Commit) {
	commit := ""
	if c, ok := commits[pos.File]; ok {
		x := newExplainCommit(c)
		commit = fmt.Sprintf("%.10s %s %s: %s", x.ID, x.When, printable(x.Author), printable(x.Subject))
	}
	fmt.Fprintln(t, strings.Join([]string{kind, printable(pos.String()), text, commit}, "\t"))
}
