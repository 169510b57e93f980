// SPDX-License-Identifier: Apache-2.0

package review

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/problem"
)

// TextOptions are for the terminal.
type TextOptions struct {
	// Color asks for ANSI colours.
	Color bool
	// Context is how many equal lines stand around a change, at most 3.
	Context int
}

const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
	bold   = "1"
	dim    = "2"
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

// Text writes the whole report for a terminal, nothing of it cut. What comes
// from a host or a repository cannot move the cursor.
func (r *Report) Text(o TextOptions) string {
	t := &textView{color: o.Color}
	tone := green
	if !r.Verdict.OK {
		tone = red
	}
	t.line(0, t.paint(bold+";"+tone, r.Verdict.Title+"."))
	t.numbers(r)
	t.errors(r)
	for i := range r.Changes {
		t.change(&r.Changes[i], o)
	}
	return t.String()
}

func (t *textView) numbers(r *Report) {
	n := r.Totals
	if n.Hosts+n.Removed == 0 {
		return
	}
	for _, row := range []struct {
		words string
		n     int
	}{
		{"changed", n.Changed},
		{"failing", n.Failed},
		{"added", n.Added},
		{"removed", n.Removed},
		{"unaffected", n.Unaffected},
		{"order or wording only", n.Equivalent},
		{"facts missing", n.NoFacts},
	} {
		if row.n > 0 {
			t.line(2, fmt.Sprintf("%7s  %s", number(row.n), row.words))
		}
	}
	for _, im := range r.Impact {
		_, words := im.words()
		subjects := visible(strings.Join(im.Subjects[:min(len(im.Subjects), 5)], ", "), false)
		if more := len(im.Subjects) - 5; more > 0 {
			subjects += ", +" + number(more) + " more"
		}
		t.line(2, fmt.Sprintf("%7s  %s: %s", number(im.Hosts.Len()), words, subjects))
	}
	for _, h := range []struct {
		words string
		hosts *Hosts
	}{{"added", r.Added}, {"removed", r.Removed}, {"keep their last good configuration", r.Held}} {
		if h.hosts != nil {
			t.line(2, t.paint(yellow, h.words+": ")+visible(h.hosts.Label, false))
		}
	}
}

func (t *textView) errors(r *Report) {
	for _, f := range r.Files {
		t.line(2, t.paint(red, "conflict: ")+visible(f, false))
	}
	for _, p := range r.Problems {
		t.problem(p)
	}
	for i := range r.Errors {
		c := &r.Errors[i]
		t.problem(c.Problem)
		t.line(4, count(c.Hosts.Len(), "host", "hosts")+": "+visible(c.Hosts.Label, false))
		if len(c.Entries) > 0 {
			t.line(4, visible(strings.Join(c.Entries, ", "), false))
		}
	}
	if n := len(r.Known); n > 0 {
		t.line(2, t.paint(dim, count(n, "older failure is", "older failures are")+" in base too; what changes in such entries is not seen"))
	}
}

func (t *textView) problem(p *problem.Problem) {
	t.line(0, "")
	where := ""
	if p.Pos.File != "" {
		where = t.paint(bold, visible(p.Pos.String(), false)) + ": "
	}
	t.line(0, where+t.paint(red, "error: ")+visible(p.Msg, false))
	if p.Hint != "" {
		t.line(4, visible(p.Hint, false))
	}
}

func (t *textView) change(ch *Change, o TextOptions) {
	icon, words := ch.said()
	before, after, _ := strings.Cut(words, "\x00")
	t.line(0, "")
	about := ""
	if len(ch.Effects) > 0 {
		about += ", " + visible(strings.Join(ch.Effects, ", "), false)
	}
	if ch.From.File != "" {
		about += ", from " + visible(ch.From.File, false)
		if ch.From.Line > 0 {
			about += ":" + strconv.Itoa(ch.From.Line)
		}
	}
	t.line(0, icon+" "+t.paint(bold, visible(before+ch.Entry.Name+after, false))+t.paint(dim, about))
	for i := range ch.Variants {
		t.variant(ch, &ch.Variants[i], o)
	}
}

func (t *textView) variant(ch *Change, v *Variant, o TextOptions) {
	who := count(v.Hosts.Len(), "host", "hosts") + ": " + visible(v.Hosts.Label, false)
	if v.Masked {
		who += " (each host's own name is shown as " + hostMask + ")"
	}
	if v.Context {
		who += " (unchanged lines differ, one host's are shown)"
	}
	t.line(2, t.paint(cyan, who))
	rows, _ := v.rows(ch, shape{context: o.Context, lines: 1 << 30})
	for _, r := range rows {
		switch r.op {
		case '@':
			t.line(4, t.paint(cyan, r.text))
		case '-':
			t.line(4, t.paint(red, "-"+r.text))
		case '+':
			t.line(4, t.paint(green, "+"+r.text))
		default:
			t.line(4, " "+r.text)
		}
	}
	for _, n := range v.Notes {
		t.line(4, visible(n, false))
	}
	if ch.Secret {
		t.line(4, t.paint(dim, secretNote(ch, v)))
	}
}

// JSON writes the Report as it is typed here, in one stable form. Lists are
// never null.
func (r *Report) JSON() ([]byte, error) {
	out := *r
	if out.Hosts == nil {
		out.Hosts = []string{}
	}
	if out.Impact == nil {
		out.Impact = []Impact{}
	}
	if out.Errors == nil {
		out.Errors = []Cause{}
	}
	if out.Changes == nil {
		out.Changes = []Change{}
	}
	data, err := json.MarshalIndent(&out, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write report: %w", err)
	}
	return append(data, '\n'), nil
}

// MarshalText gives the severity its name, so that the JSON needs no table.
func (s Severity) MarshalText() ([]byte, error) {
	names := [...]string{"failure", "removal", "sensitive", "restart", "reload", "content", "metadata"}
	if s < 0 || int(s) >= len(names) {
		return nil, fmt.Errorf("severity %d is unknown", int(s))
	}
	return []byte(names[s]), nil
}
