// SPDX-License-Identifier: Apache-2.0

package textdiff

import (
	"strconv"
	"strings"
)

// Op is what happened to a line.
type Op byte

const (
	// Equal is a line of context, on both sides.
	Equal Op = ' '
	// Delete is a line of the old text.
	Delete Op = '-'
	// Insert is a line of the new text.
	Insert Op = '+'
)

// Line is one line of a hunk, without its newline.
type Line struct {
	Op   Op
	Text string
	// Open means that the line ends its text without a newline.
	Open bool
}

// Hunk is a run of changes with their context. Starts count from 1, or are 0
// where that side of the text is empty, as in a unified diff.
type Hunk struct {
	OldStart, OldLines int
	NewStart, NewLines int
	Lines              []Line
}

// Header gives "@@ -1,3 +1,4 @@".
func (h Hunk) Header() string {
	return "@@ -" + strconv.Itoa(h.OldStart) + "," + strconv.Itoa(h.OldLines) +
		" +" + strconv.Itoa(h.NewStart) + "," + strconv.Itoa(h.NewLines) + " @@"
}

// Hunks compares two texts and gives the changes with up to context equal lines
// on both sides of each; a negative context counts as 0.
func Hunks(old, new []byte, context int) []Hunk {
	x, y := Lines(old), Lines(new)
	return Group(x, y, Edits(x, y), context)
}

// Group makes hunks of an edit script.
func Group(old, new []string, edits []Edit, context int) []Hunk {
	context = max(context, 0)
	var hunks []Hunk
	for i := 0; i < len(edits); {
		j := i + 1
		for j < len(edits) && edits[j].OldFrom-edits[j-1].OldTo <= 2*context {
			j++
		}
		hunks = append(hunks, hunk(old, new, edits[i:j], context))
		i = j
	}
	return hunks
}

func hunk(old, new []string, edits []Edit, context int) Hunk {
	first, last := edits[0], edits[len(edits)-1]
	before := min(context, first.OldFrom)
	after := min(context, len(old)-last.OldTo)
	h := Hunk{
		OldStart: first.OldFrom - before, OldLines: last.OldTo + after - first.OldFrom + before,
		NewStart: first.NewFrom - before, NewLines: last.NewTo + after - first.NewFrom + before,
	}
	at := h.OldStart
	for _, e := range edits {
		h.add(Equal, old[at:e.OldFrom])
		h.add(Delete, old[e.OldFrom:e.OldTo])
		h.add(Insert, new[e.NewFrom:e.NewTo])
		at = e.OldTo
	}
	h.add(Equal, old[at:at+after])
	if h.OldLines > 0 {
		h.OldStart++
	}
	if h.NewLines > 0 {
		h.NewStart++
	}
	return h
}

func (h *Hunk) add(op Op, lines []string) {
	for _, l := range lines {
		text, closed := strings.CutSuffix(l, "\n")
		h.Lines = append(h.Lines, Line{Op: op, Text: text, Open: !closed})
	}
}

// openMark is what every unified diff says after a last line without a newline.
const openMark = "\\ No newline at end of file\n"

// Unified gives the usual unified diff, "" for equal texts.
func Unified(oldName, newName string, old, new []byte, context int) string {
	hunks := Hunks(old, new, context)
	if len(hunks) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("--- " + oldName + "\n+++ " + newName + "\n")
	for _, h := range hunks {
		b.WriteString(h.Header() + "\n")
		for _, l := range h.Lines {
			b.WriteByte(byte(l.Op))
			b.WriteString(l.Text)
			b.WriteByte('\n')
			if l.Open {
				b.WriteString(openMark)
			}
		}
	}
	return b.String()
}
