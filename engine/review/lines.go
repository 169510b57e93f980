// SPDX-License-Identifier: Apache-2.0

package review

import "strings"

// shape is how much of a change a view shows.
type shape struct {
	// context is how many equal lines stand around a change.
	context int
	// lines is how many lines of one variant are shown.
	lines int
	// first shows the first variant only; the others are one line each.
	first bool
}

// row is one line of a diff as views show it.
type row struct {
	op   byte // '+', '-', ' ' or '@'
	text string
}

// lineLimit is how much of one line is shown.
const lineLimit = 400

// rows lays out a variant. The second result counts lines that were left out.
func (v *Variant) rows(ch *Change, s shape) ([]row, int) {
	var out []row
	switch {
	case ch.Secret:
		out = secretRows(v)
	case ch.Kind == EntryRemoved && len(v.Hunks) == 0:
		out = append(out, row{'-', summary(ch, v, false)})
	case (ch.Kind == EntryAdded || ch.Kind == EntryFixed) && len(v.Hunks) == 0:
		out = append(out, row{'+', summary(ch, v, true)})
	case ch.Kind == EntryAdded || ch.Kind == EntryFixed:
		if about := attributes(v, true); about != "" {
			out = append(out, row{'+', "# " + about})
		}
	case ch.Kind != EntryRemoved:
		out = attrRows(v.Attrs)
	}
	for i, h := range v.Hunks {
		if i > 0 || ch.Kind == EntryModified {
			out = append(out, row{'@', h.Header})
		}
		for _, l := range narrow(h.Lines, s.context) {
			out = append(out, row{l.Op[0], l.Text})
			if l.Open && ch.Kind == EntryModified {
				out = append(out, row{' ', "‹no newline at end of file›"})
			}
		}
	}
	left := 0
	if len(out) > s.lines {
		left = len(out) - s.lines
		out = out[:s.lines]
	}
	for i := range out {
		out[i].text = clip(visible(out[i].text, true), lineLimit)
	}
	return out, left
}

func attrRows(attrs []AttrChange) []row {
	var out []row
	for _, a := range attrs {
		if a.Old != nil {
			out = append(out, row{'-', "# " + a.Name + "=" + *a.Old})
		}
		if a.New != nil {
			out = append(out, row{'+', "# " + a.Name + "=" + *a.New})
		}
	}
	return out
}

func secretRows(v *Variant) []row {
	out := attrRows(v.Attrs)
	for _, f := range v.Secrets {
		if f.Old == f.New {
			continue
		}
		if f.Old != "" {
			out = append(out, row{'-', "‹secret " + f.Old + "›"})
		}
		if f.New != "" {
			out = append(out, row{'+', "‹secret " + f.New + "›"})
		}
	}
	return out
}

// summary is an entry without content in one line: "Package  xinetd  (any)".
func summary(ch *Change, v *Variant, isNew bool) string {
	text := ch.Entry.Tag + "  " + ch.Entry.Name
	if about := attributes(v, isNew); about != "" {
		text += "  (" + about + ")"
	}
	return text
}

// attributes of an entry that comes or goes, in one line. Owner, group and mode
// are written as people do.
func attributes(v *Variant, isNew bool) string {
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
		if who && a.Name == "type" && value == "file" {
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

// narrow keeps n equal lines around each change.
func narrow(lines []Line, n int) []Line {
	if n >= context {
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
	var out []Line
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

// said is what a change is called, with its icon.
func (ch *Change) said() (icon, words string) {
	p := ch.Entry
	thing := strings.ToLower(p.Tag) + " "
	if p.Tag == "Path" {
		thing = ""
	}
	switch {
	case removed[ch.Removal] != "" && ch.Kind != EntryFailed:
		return "🗑", thing + "\x00 " + removed[ch.Removal]
	case ch.Kind == EntryRemoved:
		return "🗑", thing + "\x00 removed"
	case ch.Kind == EntryFailed:
		return "❌", thing + "\x00 does not build"
	case ch.Kind == EntryFixed:
		return "🩹", thing + "\x00 builds again"
	case ch.Kind == EntryMoved:
		return "↪️", thing + "\x00 moves to another bundle"
	case ch.Secret:
		return "🔑", thing + "\x00 " + map[Kind]string{EntryAdded: "new", EntryModified: "changed"}[ch.Kind] + " (secret)"
	case ch.Kind == EntryAdded:
		return "➕", thing + "\x00 new"
	case ch.Severity == Sensitive:
		return "👤", thing + "\x00 rights change"
	default:
		return "✏️", thing + "\x00"
	}
}
