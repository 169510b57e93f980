// SPDX-License-Identifier: Apache-2.0

package page

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/hostset"
	"github.com/bindery/bindery/engine/review/layout"
	"github.com/bindery/bindery/engine/review/words"
)

// view is a report as the templates ask for it. What one change needs is made when it
// is written, so that a large report is held once.
type view struct {
	*review.Report
	// Names are the hosts that the report speaks of as they are seen, in natural order;
	// index is the place of each by its real name.
	Names []string
	index map[string]int
}

func newView(r *review.Report) *view {
	v := &view{Report: r, Names: slices.Clone(r.Hosts), index: map[string]int{}}
	slices.SortFunc(v.Names, hostset.Compare)
	for i, n := range v.Names {
		v.index[n] = i
		v.Names[i] = words.Visible(n, false)
	}
	return v
}

// Tone is how the verdict looks.
func (v *view) Tone() string {
	switch s := v.Verdict.State; {
	case v.Verdict.OK:
		return "good"
	case s == review.Untrusted || s == review.Unmergeable:
		return "wait"
	}
	return "bad"
}

// Tile is one number of the report.
type Tile struct {
	Words, Number, Tone string
}

// Tiles are the numbers that are not zero, or matter even so.
func (v *view) Tiles() []Tile {
	t := v.Totals
	if t.Hosts+t.Removed == 0 {
		return nil
	}
	out := []Tile{{words.Verb(t.Changed, "host changes", "hosts change"), words.Number(t.Changed), "busy"}}
	add := func(n int, what, tone string) {
		if n > 0 {
			out = append(out, Tile{what, words.Number(n), tone})
		}
	}
	add(t.Failed, "failed to build", "bad")
	add(t.Added, "added", "busy")
	add(t.Removed, "removed", "bad")
	add(t.Unaffected, "unaffected", "")
	add(t.Equivalent, "order or wording only", "")
	add(t.NoFacts, "facts missing", "wait")
	add(t.OldFacts, "facts older than 7 days", "wait")
	add(t.Unseen, "never seen", "wait")
	add(t.Drifted, "already drifted on touched entries", "wait")
	return out
}

// Provenance says what was compared.
func (v *view) Provenance() []string {
	m := v.Meta
	var out []string
	if m.Head != "" {
		out = append(out, "head "+words.Short(m.Head))
	}
	if m.Base != "" {
		out = append(out, "base "+strings.TrimSpace(words.Visible(m.BaseName, false)+" "+words.Short(m.Base)))
	}
	if m.Facts != "" {
		out = append(out, words.Visible(m.Facts, false))
	}
	for _, x := range m.Supposed {
		out = append(out, "as if "+words.Visible(x, false))
	}
	if m.Files > 0 {
		out = append(out, words.Count(m.Files, "file changed", "files changed"))
	}
	if n := len(v.Changes); n > 0 {
		out = append(out, words.Count(n, "distinct change", "distinct changes"))
	}
	if m.Built > 0 {
		out = append(out, "built "+words.Number(m.Built)+words.Verb(min(m.Reused, 1)+1, "", " ("+words.Number(m.Reused)+" reused)"))
	}
	if m.Took > 0 {
		out = append(out, strconv.FormatFloat(m.Took.Seconds(), 'f', 1, 64)+" s")
	}
	if d, ok := strings.CutPrefix(v.Digest, "sha256:"); ok {
		out = append(out, "digest "+d[:min(len(d), 12)])
	}
	return out
}

// Row is one line of the table of what will happen.
type Row struct {
	review.Impact
	Words string
}

// Impacts are the rows of the table.
func (v *view) Impacts() []Row {
	out := make([]Row, len(v.Impact))
	for i, im := range v.Impact {
		out[i].Impact = im
		_, out[i].Words = layout.Impact(im.Kind)
	}
	return out
}

// Section is a run of changes under one heading.
type Section struct {
	Title   string
	Changes iter.Seq[*Change]
}

// Sections are the changes as the comment groups them.
func (v *view) Sections() []Section {
	first := 0
	for first < len(v.Changes) && v.Changes[first].Severity <= review.Sensitive {
		first++
	}
	var out []Section
	for _, s := range []struct {
		title   string
		changes []review.Change
	}{{"Review these first", v.Changes[:first]}, {"Other changes", v.Changes[first:]}} {
		if len(s.changes) > 0 {
			out = append(out, Section{s.title, v.changes(s.changes)})
		}
	}
	return out
}

func (v *view) changes(list []review.Change) iter.Seq[*Change] {
	return func(yield func(*Change) bool) {
		for i := range list {
			if !yield(v.change(&list[i])) {
				return
			}
		}
	}
}

// Kinds counts the changes of each severity, the gravest first.
func (v *view) Kinds() []Tile {
	counts := map[review.Severity]int{}
	for i := range v.Changes {
		counts[v.Changes[i].Severity]++
	}
	var out []Tile
	for s := review.Failing; s <= review.Order; s++ {
		if n := counts[s]; n > 0 {
			out = append(out, Tile{severityWords(s), words.Number(n), severityName(s)})
		}
	}
	return out
}

func severityName(s review.Severity) string {
	name, err := s.MarshalText()
	if err != nil {
		return "other" // the model has no such severity
	}
	return string(name)
}

func severityWords(s review.Severity) string {
	return [...]string{"failing", "removals", "secrets, rights, probes", "reboots", "restarts", "reloads", "content", "attributes", "order only"}[s]
}

// Change is a change as the page shows it.
type Change struct {
	*review.Change
	// ID is the same as long as it is the same change of the same entry.
	ID       string
	Said     layout.Phrase
	Sign     string
	Severity string
	Open     bool
	Source   string
	Told     []layout.Note
	Variants []*Variant
}

func (v *view) change(ch *review.Change) *Change {
	sum := sha256.Sum256([]byte(ch.Entry.Tag + "\x00" + ch.Entry.Name + "\x00" + ch.Entry.Type + "\x00" + string(ch.Kind) + "\x00" + strconv.Itoa(ch.Entry.Ordinal)))
	out := &Change{
		Change: ch, ID: "c" + hex.EncodeToString(sum[:6]), Said: layout.Said(ch), Sign: sign(ch), Severity: severityName(ch.Severity),
		Open: ch.Severity <= review.Sensitive && ch.Severity != review.Failing && len(v.Changes) <= maxOpen, Source: sourceOf(ch.From), Told: layout.Told(ch),
	}
	for i := range ch.Variants {
		out.Variants = append(out.Variants, v.variant(ch, &ch.Variants[i]))
	}
	return out
}

// sign is a change in one character that every font has.
func sign(ch *review.Change) string {
	switch {
	case ch.Severity == review.Removal:
		return "−"
	case ch.Kind == review.EntryFailed:
		return "!"
	case ch.Kind == review.EntryAdded:
		return "+"
	case ch.Kind == review.EntryMoved:
		return "→"
	case ch.Kind == review.EntryFixed:
		return "✓"
	}
	return "~"
}

// maxOpen is how many changes a report may have for the gravest to stand open: a
// browser lays out what is open.
const maxOpen = 200

func sourceOf(s config.Source) string {
	if s.File != "" && s.Line > 0 {
		return s.File + ":" + strconv.Itoa(s.Line)
	}
	return s.File
}

// Variant is a variant as the page shows it.
type Variant struct {
	*review.Variant
	// Members are places of the hosts in the list of names, as ranges; Folded names
	// them all, "" where the label does.
	Members, Folded string
	Rows            []layout.Row
	Secret          string
	// Only is set where the change has no other variant, and its hosts are these.
	Only bool
}

func (v *view) variant(ch *review.Change, x *review.Variant) *Variant {
	out := &Variant{Variant: x, Members: v.members(x.Names), Folded: strings.Join(hostset.Fold(x.Names), ", "), Only: len(ch.Variants) == 1}
	if out.Folded == x.Label || strings.HasSuffix(x.Label, ": "+out.Folded) {
		out.Folded = ""
	}
	out.Rows, _ = layout.Rows(ch, x, layout.Shape{Context: review.Context})
	if ch.Secret {
		out.Secret = layout.SecretNote(ch, x)
	} else {
		layout.Mark(out.Rows)
	}
	return out
}

// members writes the places of hosts as "0-239,245".
func (v *view) members(names []string) string {
	var b strings.Builder
	for i := 0; i < len(names); {
		first := v.index[names[i]]
		last := first
		for i++; i < len(names) && v.index[names[i]] == last+1; i++ {
			last++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		if last > first {
			fmt.Fprintf(&b, "%d-%d", first, last)
			continue
		}
		fmt.Fprint(&b, first)
	}
	return b.String()
}
