// SPDX-License-Identifier: Apache-2.0

package markdown

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/layout"
	"github.com/bindery/bindery/engine/review/words"
)

// lineLimit is how many bytes of one line are shown, restLimit how many beside the
// comment, where there is room for them.
const (
	lineLimit = 400
	restLimit = 8_000
)

// shape is how much of a change is shown.
type shape struct {
	layout.Shape
	// first shows the first variant only; the others are one line each.
	first bool
}

// shapes are the steps in which changes shrink before any is cut to one line.
var shapes = []shape{
	{Shape: layout.Shape{Context: 3, Lines: 200, Width: lineLimit}},
	{Shape: layout.Shape{Context: 1, Lines: 200, Width: lineLimit}},
	{Shape: layout.Shape{Context: 0, Lines: 200, Width: lineLimit}},
	{Shape: layout.Shape{Context: 0, Lines: 40, Width: lineLimit}},
	{Shape: layout.Shape{Context: 0, Lines: 40, Width: lineLimit}, first: true},
}

// wider are the steps of what the comment does not show whole.
var wider = append([]shape{{Shape: layout.Shape{Context: 3, Lines: 200, Width: restLimit}}}, shapes...)

// block is one change as Markdown, in its present shape.
type block struct {
	change *review.Change
	shapes []shape
	shape  int
	full   string
	line   string
	left   int // lines left out of full
	short  int // lines of full that are not whole
	as     int
	was    int // how the comment shows it
}

const (
	asFull = iota
	asLine
	asNothing
)

const (
	reviewFirst  = "#### Review these first\n"
	otherChanges = "#### Other changes\n"
	wouldGive    = "#### What the files that can be read would give; nothing of it is published\n"
)

// fit makes blocks of the changes that fit the room that there is. Less severe changes
// shrink first; cuts are made between blocks only, so every fence and fold is closed.
func (r view) fit(room int) []*block {
	blocks := make([]*block, 0, len(r.Changes))
	for i := range r.Changes {
		ch := &r.Changes[i]
		if ch.Kind == review.EntryFailed {
			continue // its cause says it
		}
		b := &block{change: ch, shapes: shapes, line: oneLine(ch)}
		if r.Verdict.State == review.Invalid {
			// Nobody has to review what cannot come about.
			b.full, b.as = b.line, asLine
		} else {
			b.render()
		}
		blocks = append(blocks, b)
	}
	steps := len(shapes)
	if r.Verdict.State == review.Invalid {
		steps = 0
	}
	shrink(blocks, room, steps)
	return blocks
}

// only is the heading above all changes, "" where each stands below its own.
func (r view) only() string {
	if r.Verdict.State == review.Invalid {
		return wouldGive
	}
	return ""
}

// shrink goes through the steps until the blocks fit.
func shrink(blocks []*block, room, steps int) {
	total := 0
	for _, b := range blocks {
		total += len(b.full)
	}
	for step := 1; step < steps && total > room; step++ {
		for i := len(blocks) - 1; i >= 0 && total > room; i-- {
			b := blocks[i]
			total -= len(b.full)
			b.shape = step
			b.render()
			total += len(b.full)
		}
	}
	if total > room {
		cutBlocks(blocks, room)
	}
}

// restBudget is for the details of a check, of which GitHub takes 65,535 characters.
const restBudget = 65_000

// rest writes what the blocks do not show whole, as far as there is room.
func (r view) rest(blocks []*block) string {
	var more []*block
	for _, b := range blocks {
		if b.as == asFull && b.left+b.short == 0 || r.Verdict.State == review.Invalid {
			continue
		}
		again := &block{change: b.change, shapes: wider, line: b.line, was: b.as}
		again.render()
		more = append(more, again)
	}
	// What is not there at all comes before what is there as a line.
	slices.SortStableFunc(more, func(a, b *block) int { return b.was - a.was })
	if len(more) == 0 {
		return ""
	}
	shrink(more, restBudget-1_000, len(wider))
	text, cut := write(more, "")
	return "What the comment does not show whole:\n\n" + text + r.cutLine(cut)
}

// cutBlocks decides which changes are one line and which are only counted. The
// line of every removal is set aside first, then two thirds of the rest go to
// changes in full, from the top.
func cutBlocks(blocks []*block, room int) {
	left := room
	for _, b := range blocks {
		b.as = asNothing
		if b.change.Severity == review.Removal && len(b.line) <= left {
			b.as = asLine
			left -= len(b.line)
		}
	}
	full := left * 2 / 3
	for _, b := range blocks {
		price := len(b.full)
		if b.as == asLine {
			price -= len(b.line)
		}
		if price > full {
			break
		}
		b.as = asFull
		full -= price
		left -= price
	}
	for _, b := range blocks {
		if b.as == asNothing && len(b.line) <= left {
			b.as = asLine
			left -= len(b.line)
		}
	}
}

// write puts the blocks below the heading of their severity, or all below one.
func write(blocks []*block, only string) (string, Cut) {
	var (
		out     strings.Builder
		cut     Cut
		heading string
	)
	for _, b := range blocks {
		text := b.full
		switch b.as {
		case asNothing:
			cut.dropped(b.change)
			if b.change.Severity == review.Removal {
				cut.Removals++
			}
			continue
		case asLine:
			cut.OneLine++
			text = b.line
		default:
			cut.Full++
			cut.Lines += b.left
			cut.Short += b.short
		}
		h := otherChanges
		if b.change.Severity <= review.Sensitive {
			h = reviewFirst
		}
		if only != "" {
			h = only
		}
		if h != heading {
			if heading != "" {
				out.WriteString("\n")
			}
			out.WriteString(h)
			heading = h
		}
		out.WriteString(text)
	}
	if len(blocks) > 0 {
		out.WriteString("\n")
	}
	return out.String(), cut
}

// title is the line that names a change. It holds no Markdown, because it stands
// inside a summary element.
func title(ch *review.Change) string {
	said := layout.Said(ch)
	var text strings.Builder
	text.WriteString(said.Icon + " <b>" + neutral(words.Visible(said.Before, false), 80) + code(ch.Entry.Name) + said.After + "</b>: ")
	if n := len(ch.Variants); n > 1 {
		text.WriteString(words.Number(n) + " variants, ")
	}
	text.WriteString(words.Count(ch.Hosts.Len(), "host", "hosts"))
	switch {
	case ch.Hosts.Label == review.AllChanged || ch.Hosts.Label == review.AllAffected:
		text.WriteString(" (" + ch.Hosts.Label + ")")
	case len(ch.Variants) == 1:
		text.WriteString(" · " + code(ch.Hosts.Label))
	}
	for i, e := range ch.Effects {
		if i == 4 {
			text.WriteString(", +" + words.Number(len(ch.Effects)-i) + " more")
			break
		}
		v, name, _ := strings.Cut(e, " ")
		text.WriteString(words.Verb(min(i, 1)+1, " · ", ", ") + v + " " + codeUpTo(name, 80))
	}
	if ch.From.File != "" {
		from := ch.From.File
		if ch.From.Line > 0 {
			from += ":" + strconv.Itoa(ch.From.Line)
		}
		text.WriteString(" · from " + code(from))
	}
	return text.String()
}

func oneLine(ch *review.Change) string { return "- " + title(ch) + "\n" }

func (b *block) render() {
	ch, s := b.change, b.shapes[b.shape]
	if ch.Severity == review.Order {
		b.full = b.line // there is nothing to be seen
		return
	}
	var out strings.Builder
	open := ""
	if ch.Severity <= review.Sensitive {
		open = " open"
	}
	out.WriteString("<details" + open + "><summary>" + title(ch) + "</summary>\n\n")
	b.left, b.short = 0, 0
	for i := range ch.Variants {
		v := &ch.Variants[i]
		if len(ch.Variants) > 1 {
			out.WriteString("**" + words.Count(v.Hosts.Len(), "host", "hosts") + "** " + code(v.Hosts.Label) + like(v) + "\n")
		}
		if i > 0 && s.first {
			rows, left := layout.Rows(ch, v, layout.Shape{Width: lineLimit})
			b.left += len(rows) + left
			continue
		}
		left, short := writeVariant(&out, ch, v, s.Shape)
		b.left, b.short = b.left+left, b.short+short
	}
	for _, n := range layout.Told(ch) {
		out.WriteString(n.Words + ": " + code(n.Hosts) + "\n")
	}
	out.WriteString("</details>\n")
	b.full = out.String()
}

// like says in words how a variant differs from the first.
func like(v *review.Variant) string {
	var parts []string
	for _, s := range v.Like {
		parts = append(parts, codeUpTo(s.New, 80)+" for "+codeUpTo(s.Old, 80))
	}
	if len(parts) == 0 {
		return ""
	}
	return ": the same, with " + strings.Join(parts, " and ")
}

// writeVariant counts the lines that it leaves out, and those that it shortens.
func writeVariant(out *strings.Builder, ch *review.Change, v *review.Variant, s layout.Shape) (left, short int) {
	rows, left := layout.Rows(ch, v, s)
	before := out.Len()
	if v.Masked {
		out.WriteString("What is each host's own is shown as " + strings.Join(masksIn(rows), " or ") + ".\n")
	}
	if v.Context {
		out.WriteString("Unchanged lines around it differ between these hosts; one of them is shown.\n")
	}
	if len(rows) > 0 {
		var text strings.Builder
		for _, r := range rows {
			if r.Op == '@' {
				text.WriteString(r.Text + "\n")
				continue
			}
			text.WriteString(string(r.Op) + r.Text + "\n")
			if r.Short {
				short++
			}
		}
		f := fence(text.String())
		if len(ch.Variants) > 1 || out.Len() > before {
			out.WriteString("\n")
		}
		fmt.Fprintf(out, "%sdiff\n%s%s\n", f, text.String(), f)
	}
	if left > 0 {
		out.WriteString("✂️ " + words.Count(left, "line is", "lines are") + " not shown.\n")
	}
	for _, n := range v.Notes {
		out.WriteString(code(n) + "\n")
	}
	if ch.Secret {
		out.WriteString(layout.SecretNote(ch, v) + "\n")
	}
	return left, short
}

// masksIn lists the masks that the rows show; one is shown, else nothing would
// have been masked, but it may stand on a line that is not shown.
func masksIn(rows []layout.Row) []string {
	var out []string
	for _, m := range []string{review.HostMask, review.IPMask} {
		if slices.ContainsFunc(rows, func(r layout.Row) bool { return strings.Contains(r.Text, m) }) {
			out = append(out, code(m))
		}
	}
	if len(out) == 0 {
		out = []string{code(review.HostMask), code(review.IPMask)}
	}
	return out
}

// cutLine always says how much of the whole is above it.
func (r view) cutLine(c Cut) string {
	total := c.Full + c.OneLine + c.Dropped
	var b strings.Builder
	fmt.Fprintf(&b, "✂️ Shown: %s of %s", words.Number(c.Full), words.Count(total, "change", "changes"))
	switch {
	case c.OneLine > 0:
		b.WriteString(" in full, " + words.Number(c.OneLine) + " as one line each")
	case c.Lines+c.Short == 0 && total > 0:
		b.WriteString(", all hunks whole")
	}
	if c.Lines > 0 {
		b.WriteString(", without " + words.Count(c.Lines, "line", "lines") + " of them")
	}
	if c.Short > 0 {
		b.WriteString(", " + words.Count(c.Short, "long line", "long lines") + " shortened")
	}
	b.WriteString(".")
	if c.Dropped > 0 {
		b.WriteString(" **Not shown here: " + words.Count(c.Dropped, "change", "changes") + "**" + c.what())
		if c.Removals > 0 {
			b.WriteString(", " + words.Count(c.Removals, "removal", "removals") + " among them")
		}
		b.WriteString(".")
	}
	if c.Causes > 0 {
		b.WriteString(" **Not shown here: " + words.Count(c.Causes, "error", "errors") + ".**")
	}
	if u := r.Meta.ReportURL; u != "" {
		b.WriteString(" [Full report](<" + link(u) + ">) (sign-in)")
	}
	if u := r.Meta.JSONURL; u != "" {
		b.WriteString(" · [JSON](<" + link(u) + ">)")
	}
	return b.String() + "\n"
}

// link keeps a URL from ending its place in Markdown.
func link(u string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c == '<' || c == '>' || c == '|' || words.Invisible(c) {
			return '_'
		}
		return c
	}, u[:min(len(u), 300)])
}
