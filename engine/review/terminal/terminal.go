// SPDX-License-Identifier: Apache-2.0

// Package terminal writes a report for people at a terminal. Nothing of it is cut, and
// what comes from a host or a repository cannot move the cursor. The package must not
// know whether there is a terminal.
package terminal

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/layout"
	"github.com/bindery/bindery/engine/review/words"
)

// Options are for the terminal.
type Options struct {
	// Color asks for ANSI colours.
	Color bool
	// Context is how many equal lines stand around a change, at most 3.
	Context int
}

const (
	red     = "31"
	green   = "32"
	yellow  = "33"
	cyan    = "36"
	bold    = "1"
	dim     = "2"
	reverse = "7"
)

type textView struct {
	strings.Builder
	color bool
}

func (t *textView) paint(code, s string) string {
	if !t.color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *textView) line(indent int, s string) {
	t.WriteString(strings.Repeat(" ", indent) + s + "\n")
}

// New writes the whole report.
func New(r *review.Report, o Options) string {
	t := &textView{color: o.Color}
	tone := green
	if !r.Verdict.OK {
		tone = red
	}
	t.line(0, t.paint(bold+";"+tone, r.Verdict.Title+"."))
	if r.Meta.Facts != "" {
		t.line(2, t.paint(dim, words.Visible(r.Meta.Facts, false)))
	}
	for _, x := range r.Meta.Supposed {
		t.line(2, t.paint(yellow, "as if ")+words.Visible(x, false))
	}
	t.numbers(r)
	t.errors(r)
	for i := range r.Changes {
		t.change(&r.Changes[i], o)
	}
	return t.String()
}

func (t *textView) numbers(r *review.Report) {
	n := r.Totals
	if n.Hosts+n.Removed == 0 {
		return
	}
	for _, row := range []struct {
		what string
		n    int
	}{
		{"changed", n.Changed},
		{"failing", n.Failed},
		{"added", n.Added},
		{"removed", n.Removed},
		{"unaffected", n.Unaffected},
		{"order or wording only", n.Equivalent},
		{"facts missing", n.NoFacts},
		{"facts older than 7 days", n.OldFacts},
		{"never seen", n.Unseen},
		{"already drifted on touched entries", n.Drifted},
	} {
		if row.n > 0 {
			t.line(2, fmt.Sprintf("%7s  %s", words.Number(row.n), row.what))
		}
	}
	for _, im := range r.Impact {
		_, what := layout.Impact(im.Kind)
		subjects := words.Visible(strings.Join(im.Subjects[:min(len(im.Subjects), 5)], ", "), false)
		if more := len(im.Subjects) - 5; more > 0 {
			subjects += ", +" + words.Number(more) + " more"
		}
		t.line(2, fmt.Sprintf("%7s  %s: %s", words.Number(im.Hosts.Len()), what, subjects))
	}
	for _, h := range []struct {
		what  string
		hosts *review.Hosts
	}{{"added", r.Added}, {"removed", r.Removed}, {"keep their last good configuration", r.Held}} {
		if h.hosts != nil {
			t.line(2, t.paint(yellow, h.what+": ")+words.Visible(h.hosts.Label, false))
		}
	}
}

func (t *textView) errors(r *review.Report) {
	for _, f := range r.Files {
		t.line(2, t.paint(red, "conflict: ")+words.Visible(f, false))
	}
	for _, p := range r.Problems {
		t.problem(p)
	}
	for i := range r.Errors {
		c := &r.Errors[i]
		t.problem(c.Problem)
		t.line(4, words.Count(c.Hosts.Len(), "host", "hosts")+": "+words.Visible(c.Hosts.Label, false))
		if len(c.Entries) > 0 {
			t.line(4, words.Visible(strings.Join(c.Entries, ", "), false))
		}
	}
	for i := range r.Findings {
		t.finding(&r.Findings[i])
	}
	if n := len(r.Known); n > 0 {
		t.line(2, t.paint(dim, words.Count(n, "older failure is", "older failures are")+" in base too; what changes in such entries is not seen"))
	}
}

func (t *textView) problem(p *problem.Problem) {
	t.line(0, "")
	where := ""
	if p.Pos.File != "" {
		where = t.paint(bold, words.Visible(p.Pos.String(), false)) + ": "
	}
	t.line(0, where+t.paint(red, "error: ")+words.Visible(p.Msg, false))
	if p.Hint != "" {
		t.line(4, words.Visible(p.Hint, false))
	}
}

// maxViolations is how many parts of a finding are shown.
const maxViolations = 20

func (t *textView) finding(f *review.Finding) {
	t.problem(f.Problem)
	t.line(4, words.Count(f.Hosts.Len(), "host", "hosts")+": "+words.Visible(f.Hosts.Label, false))
	for i, v := range f.Violations {
		if i == maxViolations {
			t.line(4, "and "+words.Number(len(f.Violations)-i+f.Omitted)+" more")
			break
		}
		t.line(4, "- "+words.Visible(v.Entry+": "+v.Says+" ("+v.Hosts.Label+")", false))
	}
	said := fmt.Sprintf("%d of %s, by its hash ", len(f.ApprovedBy), words.Count(f.Approvals, "approval", "approvals")) + f.Hash
	if len(f.ApprovedBy) > 0 {
		said += ": " + words.Visible(strings.Join(f.ApprovedBy, ", "), false)
	}
	t.line(4, t.paint(dim, said))
}

func (t *textView) change(ch *review.Change, o Options) {
	said := layout.Said(ch)
	t.line(0, "")
	about := ""
	if len(ch.Effects) > 0 {
		about += ", " + words.Visible(strings.Join(ch.Effects, ", "), false)
	}
	if ch.From.File != "" {
		about += ", from " + words.Visible(ch.From.File, false)
		if ch.From.Line > 0 {
			about += ":" + strconv.Itoa(ch.From.Line)
		}
	}
	t.line(0, said.Icon+" "+t.paint(bold, words.Visible(said.Before+ch.Entry.Name+said.After, false))+t.paint(dim, about))
	for i := range ch.Variants {
		t.variant(ch, &ch.Variants[i], o)
	}
	for _, n := range layout.Told(ch) {
		t.line(2, t.paint(yellow, n.Words+": ")+words.Visible(n.Hosts, false))
	}
}

func (t *textView) variant(ch *review.Change, v *review.Variant, o Options) {
	who := words.Count(v.Hosts.Len(), "host", "hosts") + ": " + words.Visible(v.Hosts.Label, false)
	if v.Masked {
		who += " (what is each host's own is shown as " + review.HostMask + " or " + review.IPMask + ")"
	}
	if v.Context {
		who += " (unchanged lines differ, one host's are shown)"
	}
	for i, s := range v.Like {
		who += words.Verb(min(i, 1)+1, ": the same, with ", " and ") + words.Visible(s.New+" for "+s.Old, false)
	}
	t.line(2, t.paint(cyan, who))
	rows, _ := layout.Rows(ch, v, layout.Shape{Context: o.Context})
	if t.color && !ch.Secret {
		layout.Mark(rows)
	}
	for _, r := range rows {
		switch r.Op {
		case '@':
			t.line(4, t.paint(cyan, r.Text))
		case '-':
			t.line(4, t.words(red, "-", r))
		case '+':
			t.line(4, t.words(green, "+", r))
		default:
			t.line(4, " "+r.Text)
		}
	}
	for _, n := range v.Notes {
		t.line(4, words.Visible(n, false))
	}
	if ch.Secret {
		t.line(4, t.paint(dim, layout.SecretNote(ch, v)))
	}
}

// words paints a line, and the words of it that changed more than the rest.
func (t *textView) words(tone, sign string, r layout.Row) string {
	if r.Spans == nil {
		return t.paint(tone, sign+r.Text)
	}
	out := t.paint(tone, sign)
	for _, s := range r.Spans {
		if s.Changed {
			out += t.paint(tone+";"+reverse, s.Text)
			continue
		}
		out += t.paint(tone, s.Text)
	}
	return out
}
