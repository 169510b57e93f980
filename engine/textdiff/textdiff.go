// SPDX-License-Identifier: Apache-2.0

// Package textdiff compares two texts line by line: which lines changed, as
// ranges, as hunks with any amount of context, or as a unified diff. It is the
// only importer of the diff library, takes time linear in its input (times a
// logarithm) whatever that input is, and always gives the same answer.
//
// It must not know what the texts are, nor how a diff is shown.
package textdiff

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"
)

// Edit says that lines [OldFrom, OldTo) of the old text became lines
// [NewFrom, NewTo) of the new one. Lines count from 0.
type Edit struct {
	OldFrom, OldTo int
	NewFrom, NewTo int
}

// Binary tells whether data is not text that can be shown line by line: it
// holds a NUL or is not valid UTF-8.
func Binary(data []byte) bool {
	return bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data)
}

// Lines splits a text after every newline. Only the last line may lack one; an
// empty text has no lines.
func Lines(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	lines := strings.SplitAfter(string(text), "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	return lines
}

// refinements bounds how often a changed range is looked at again by itself.
// A line that repeats elsewhere may be unique inside the range, which gives the
// diff a new anchor. The bound keeps the cost linear.
const refinements = 3

// Edits returns what turns old into new, in order, without overlaps. Everything
// between two edits is equal on both sides.
func Edits(old, new []string) []Edit {
	ids := make(map[string]int, len(old))
	edits := between(number(ids, old), number(ids, new), refinements)
	return join(edits)
}

// number replaces each line by a short token, so that the library neither reads
// hostile lines nor has to be told where they end.
func number(ids map[string]int, lines []string) []int {
	out := make([]int, len(lines))
	for i, l := range lines {
		id, ok := ids[l]
		if !ok {
			id = len(ids)
			ids[l] = id
		}
		out[i] = id
	}
	return out
}

func between(old, new []int, again int) []Edit {
	from := 0
	for from < len(old) && from < len(new) && old[from] == new[from] {
		from++
	}
	oldTo, newTo := len(old), len(new)
	for oldTo > from && newTo > from && old[oldTo-1] == new[newTo-1] {
		oldTo--
		newTo--
	}
	if from == oldTo && from == newTo {
		return nil
	}
	whole := Edit{from, oldTo, from, newTo}
	if from == oldTo || from == newTo {
		return []Edit{whole}
	}
	edits := anchored(old[from:oldTo], new[from:newTo])
	if again == 0 || len(edits) == 1 && edits[0] == (Edit{0, oldTo - from, 0, newTo - from}) {
		return shift(edits, from, from)
	}
	var out []Edit
	for _, e := range edits {
		inner := between(old[from+e.OldFrom:from+e.OldTo], new[from+e.NewFrom:from+e.NewTo], again-1)
		out = append(out, shift(inner, from+e.OldFrom, from+e.NewFrom)...)
	}
	return out
}

func shift(edits []Edit, old, new int) []Edit {
	for i := range edits {
		e := &edits[i]
		*e = Edit{e.OldFrom + old, e.OldTo + old, e.NewFrom + new, e.NewTo + new}
	}
	return edits
}

// join merges edits that touch: nothing is equal between them.
func join(edits []Edit) []Edit {
	out := edits[:0]
	for _, e := range edits {
		if n := len(out); n > 0 && out[n-1].OldTo == e.OldFrom && out[n-1].NewTo == e.NewFrom {
			out[n-1].OldTo, out[n-1].NewTo = e.OldTo, e.NewTo
			continue
		}
		out = append(out, e)
	}
	return out
}

// anchored asks the library and reads its unified diff back. Every line that it
// prints is one of ours, a decimal number, so nothing in it can be mistaken.
func anchored(old, new []int) []Edit {
	out := string(diff.Diff("", tokens(old), "", tokens(new)))
	var (
		edits []Edit
		x, y  int
		open  bool
	)
	for line := range strings.SplitSeq(out, "\n") {
		if start, ok := strings.CutPrefix(line, "@@ -"); ok {
			x, y = starts(start)
			open = false
			continue
		}
		if line == "" || strings.HasPrefix(line, "diff") || strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "+++ ") {
			continue
		}
		if line[0] == ' ' {
			x, y, open = x+1, y+1, false
			continue
		}
		if !open {
			edits = append(edits, Edit{x, x, y, y})
			open = true
		}
		e := &edits[len(edits)-1]
		if line[0] == '-' {
			x++
		} else {
			y++
		}
		e.OldTo, e.NewTo = x, y
	}
	return edits
}

func tokens(ids []int) []byte {
	out := make([]byte, 0, 4*len(ids))
	for _, id := range ids {
		out = append(strconv.AppendInt(out, int64(id), 10), '\n')
	}
	return out
}

// starts reads "12,3 +14,2 @@". A side without lines is numbered by the line
// before it.
func starts(s string) (x, y int) {
	oldSide, newSide, _ := strings.Cut(s, " +")
	newSide, _, _ = strings.Cut(newSide, " ")
	return start(oldSide), start(newSide)
}

func start(side string) int {
	line, count, _ := strings.Cut(side, ",")
	n, _ := strconv.Atoi(line)
	if count == "0" {
		return n
	}
	return n - 1
}
