// SPDX-License-Identifier: Apache-2.0

// Package layout lays out what the views of a report have in common: the rows of a
// change as a diff has them, and what a change and its consequences are called. It
// must not know how rows are shown.
package layout

import (
	"strings"

	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/words"
	"github.com/bindery/bindery/engine/textdiff"
)

// Shape is how much of a change a view shows.
type Shape struct {
	// Context is how many equal lines stand around a change.
	Context int
	// Lines is how many lines of one variant are shown, Width how many bytes of each;
	// 0 is all.
	Lines, Width int
}

// Row is one line of a diff as views show it.
type Row struct {
	Op   byte // '+', '-', ' ' or '@'
	Text string
	// Spans are the words of Text, where a line was changed rather than replaced.
	Spans []textdiff.Span
	// Short says that Text is a part of a line that is longer than Width.
	Short bool
}

// Rows lays out a variant. The second result counts lines that were left out.
func Rows(ch *review.Change, v *review.Variant, s Shape) ([]Row, int) {
	var out []Row
	switch {
	case ch.Secret:
		out = secretRows(v)
	case ch.Kind == review.EntryRemoved && len(v.Hunks) == 0:
		out = append(out, Row{Op: '-', Text: summary(ch, v, false)})
	case (ch.Kind == review.EntryAdded || ch.Kind == review.EntryFixed) && len(v.Hunks) == 0:
		out = append(out, Row{Op: '+', Text: summary(ch, v, true)})
	case ch.Kind == review.EntryAdded || ch.Kind == review.EntryFixed:
		if about := attributes(v, true); about != "" {
			out = append(out, Row{Op: '+', Text: "# " + about})
		}
	case ch.Kind != review.EntryRemoved:
		out = attrRows(v.Attrs)
	}
	for i, h := range v.Hunks {
		if i > 0 || ch.Kind == review.EntryModified {
			out = append(out, Row{Op: '@', Text: h.Header})
		}
		for _, l := range narrow(h.Lines, s.Context) {
			out = append(out, Row{Op: l.Op[0], Text: l.Text})
			if l.Open && ch.Kind == review.EntryModified {
				out = append(out, Row{Op: ' ', Text: "‹no newline at end of file›"})
			}
		}
	}
	left := 0
	if s.Lines > 0 && len(out) > s.Lines {
		left = len(out) - s.Lines
		out = out[:s.Lines]
	}
	for i := range out {
		out[i].Text = words.Visible(out[i].Text, true)
	}
	if s.Width > 0 {
		shorten(out, s.Width)
	}
	return out, left
}

// shorten cuts lines to a width. Of a line that was changed it shows the part where it
// first differs: two long lines that begin alike would else be shown alike.
func shorten(rows []Row, width int) {
	from := make([]int, len(rows))
	pairs(rows, func(i, j int) {
		n := 0
		for a, b := rows[i].Text, rows[j].Text; n < min(len(a), len(b)) && a[n] == b[n]; n++ {
		}
		if n > width*3/4 {
			from[i], from[j] = n-width/4, n-width/4
		}
	})
	for i := range rows {
		rows[i].Short = len(rows[i].Text) > width
		rows[i].Text = words.Window(rows[i].Text, from[i], width)
	}
}

// Mark finds the words that changed: the lines of a run that goes are held against
// those of the run that comes in its place, one by one.
func Mark(rows []Row) {
	pairs(rows, func(i, j int) {
		rows[i].Spans, rows[j].Spans = textdiff.Words(rows[i].Text, rows[j].Text)
	})
}

// pairs finds the lines that come in the place of others.
func pairs(rows []Row, found func(gone, come int)) {
	for i := 0; i < len(rows); i++ {
		from := i
		for i < len(rows) && rows[i].Op == '-' {
			i++
		}
		for j := 0; from+j < i && i+j < len(rows) && rows[i+j].Op == '+'; j++ {
			found(from+j, i+j)
		}
	}
}

func attrRows(attrs []review.AttrChange) []Row {
	var out []Row
	for _, a := range attrs {
		if a.Old != nil {
			out = append(out, Row{Op: '-', Text: "# " + a.Name + "=" + *a.Old})
		}
		if a.New != nil {
			out = append(out, Row{Op: '+', Text: "# " + a.Name + "=" + *a.New})
		}
	}
	return out
}

func secretRows(v *review.Variant) []Row {
	out := attrRows(v.Attrs)
	for _, f := range v.Secrets {
		if f.Old == f.New {
			continue
		}
		if f.Old != "" {
			out = append(out, Row{Op: '-', Text: "‹secret " + f.Old + "›"})
		}
		if f.New != "" {
			out = append(out, Row{Op: '+', Text: "‹secret " + f.New + "›"})
		}
	}
	return out
}

// summary is an entry without content in one line: "Package  xinetd  (any)".
func summary(ch *review.Change, v *review.Variant, isNew bool) string {
	text := ch.Entry.Tag + "  " + ch.Entry.Name
	if about := attributes(v, isNew); about != "" {
		text += "  (" + about + ")"
	}
	return text
}

// attributes of an entry that comes or goes, in one line. Owner, group and mode
// are written as people do.
func attributes(v *review.Variant, isNew bool) string {
	values := map[string]string{}
	var parts []string
	for _, a := range v.Attrs {
		value := a.Old
		if isNew {
			value = a.New
		}
		if value != nil {
			values[a.Name] = *value
		}
	}
	owner, group, mode := values["owner"], values["group"], values["mode"]
	who := owner != "" && group != ""
	if who {
		parts = append(parts, strings.TrimSpace(owner+":"+group+" "+mode))
	}
	for _, a := range v.Attrs {
		value, ok := values[a.Name]
		if !ok || who && (a.Name == "owner" || a.Name == "group" || a.Name == "mode") {
			continue
		}
		if who && usual(a.Name, value) {
			continue
		}
		if a.Name == "version" && value == "auto" {
			parts = append(parts, "any version")
			continue
		}
		parts = append(parts, a.Name+"="+value)
	}
	return strings.Join(parts, ", ")
}

// usual tells whether an attribute says what every file has of which nothing is said.
func usual(name, value string) bool {
	switch name {
	case "type":
		return value == "file"
	case "secontext":
		return value == "__default__"
	case "paranoid":
		return value == "true"
	case "sensitive", "important":
		return value == "false" || value == "False"
	}
	return false
}

// narrow keeps n equal lines around each change.
func narrow(lines []review.Line, n int) []review.Line {
	if n >= review.Context {
		return lines
	}
	keep := make([]bool, len(lines))
	for i, l := range lines {
		if l.Op == " " {
			continue
		}
		for j := max(i-n, 0); j <= min(i+n, len(lines)-1); j++ {
			keep[j] = true
		}
	}
	var out []review.Line
	for i, l := range lines {
		if keep[i] {
			out = append(out, l)
		}
	}
	return out
}

// removed says what goes away, where "removed" alone would mislead.
var removed = map[string]string{
	"package-downgraded": "downgraded", "path-deleted": "deleted", "service-stopped": "stopped",
	"path-removed": "no longer managed", "service-removed": "no longer managed",
}

// Phrase is what a change is called: the name of its entry stands between Before and
// After.
type Phrase struct{ Icon, Before, After string }

// Said names a change.
func Said(ch *review.Change) Phrase {
	p := ch.Entry
	thing := strings.ToLower(p.Tag) + " "
	if p.Tag == "Path" {
		thing = ""
	}
	switch {
	case removed[ch.Removal] != "" && ch.Kind != review.EntryFailed:
		return Phrase{"🗑", thing, " " + removed[ch.Removal]}
	case p.Tag == "Probe":
		return Phrase{"❔", thing, map[review.Kind]string{review.EntryAdded: " new", review.EntryModified: " changed", review.EntryRemoved: " no longer asked"}[ch.Kind]}
	case ch.Kind == review.EntryRemoved:
		return Phrase{"🗑", thing, " removed"}
	case ch.Kind == review.EntryFailed:
		return Phrase{"❌", thing, " does not build"}
	case ch.Kind == review.EntryFixed:
		return Phrase{"🩹", thing, " builds again"}
	case ch.Kind == review.EntryMoved:
		return Phrase{"↪️", thing, " moves to another bundle"}
	case ch.Secret:
		return Phrase{"🔑", thing, map[review.Kind]string{review.EntryAdded: " new", review.EntryModified: " changed"}[ch.Kind] + " (secret)"}
	case ch.Kind == review.EntryAdded:
		return Phrase{"➕", thing, " new"}
	case ch.Severity == review.Order:
		return Phrase{"↕️", thing, " order only"}
	case ch.Severity == review.Sensitive:
		return Phrase{"👤", thing, " rights change"}
	default:
		return Phrase{"✏️", thing, ""}
	}
}

// SecretNote says what can be said of a secret.
func SecretNote(ch *review.Change, v *review.Variant) string {
	if ch.Entry.Tag == "Probe" {
		return "It runs on the host before anything is known of its effect; its code is in the change of the specification."
	}
	var parts []string
	if ch.Kind == review.EntryModified && ch.Entry.Tag == "Path" && len(v.Attrs) == 0 {
		parts = append(parts, "Owner, group and mode: unchanged.")
	}
	switch hosts := v.Hosts.Len(); {
	case v.Values == 1 && len(v.Secrets) == 1 && v.Secrets[0].Old == v.Secrets[0].New:
		parts = append(parts, "The value stays.")
	case v.Values == 1 && hosts == 2:
		parts = append(parts, "Same value on both hosts.")
	case v.Values == 1 && hosts > 1:
		parts = append(parts, "Same value on all "+words.Number(hosts)+" hosts.")
	case v.Values > len(v.Secrets):
		parts = append(parts, words.Number(v.Values)+" different values, "+words.Number(len(v.Secrets))+" of them above.")
	}
	return strings.Join(append(parts, "Value and length are never shown."), " ")
}

// Told says what hosts said of an entry before it changes.
func Told(ch *review.Change) []Note {
	var out []Note
	if d := ch.Drifted; d != nil {
		out = append(out, Note{words.Count(d.Len(), "host says that it is", "hosts say that it is") + " not as it should be today", d.Label})
	}
	for _, e := range ch.Extra {
		what := "it"
		if e.Tag != ch.Entry.Tag {
			what = "a " + strings.ToLower(e.Tag) + " of this name"
		}
		out = append(out, Note{words.Count(e.Len(), "host lists ", "hosts list ") + what + " as extra today", e.Label})
	}
	return out
}

// Note is something said of hosts.
type Note struct{ Words, Hosts string }
