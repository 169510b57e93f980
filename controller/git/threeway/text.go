// SPDX-License-Identifier: Apache-2.0

package threeway

import (
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/textdiff"
)

// Text merges two texts that both come from base, line by line. It merges where
// every way of matching the lines that it knows of gives the same text, and a line
// that nobody touched and that cannot be mistaken stands between what one side
// changed and what the other did.
func Text(base, ours, theirs []byte) ([]byte, bool) {
	sides := [3][]string{textdiff.Lines(base), textdiff.Lines(ours), textdiff.Lines(theirs)}
	merged, ok := mergeLines(sides)
	if !ok {
		return nil, false
	}
	// From the end, other lines are matched where there is a choice.
	for i := range sides {
		sides[i] = reversed(sides[i])
	}
	again, ok := mergeLines(sides)
	if !ok || !slices.Equal(merged, reversed(again)) {
		return nil, false
	}
	return []byte(strings.Join(merged, "")), true
}

func reversed(lines []string) []string {
	out := slices.Clone(lines)
	slices.Reverse(out)
	return out
}

// hunk is an edit of base, and the lines of base that it could stand at: an added
// line that equals its neighbour can be either of the two.
type hunk struct {
	textdiff.Edit
	lo, hi int
}

func mergeLines(sides [3][]string) (out []string, ok bool) {
	from := sides[base]
	a, ok := hunks(from, sides[ours])
	if !ok {
		return nil, false
	}
	b, ok := hunks(from, sides[theirs])
	if !ok {
		return nil, false
	}
	sure := landmarks(sides)
	at, last, firm := 0, -1, true
	// take applies an edit, if it can be told from the other side's last one.
	take := func(h hunk, side int) {
		if last >= 0 && last != side {
			firm = firm && slices.ContainsFunc(from[at:max(at, h.lo)], func(line string) bool { return sure[line] })
		}
		last = side
		out = append(out, from[at:h.OldFrom]...)
		out = append(out, sides[max(side, ours)][h.NewFrom:h.NewTo]...)
		at = h.OldTo
	}
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].hi < b[0].lo:
			take(a[0], ours)
			a = a[1:]
		case len(a) == 0 || b[0].hi < a[0].lo:
			take(b[0], theirs)
			b = b[1:]
		case same(a[0], b[0], sides):
			take(a[0], base)
			a, b = a[1:], b[1:]
		default:
			return nil, false
		}
	}
	return append(out, from[at:]...), firm
}

// landmarks are the lines that stand once in each text: they are the same line.
func landmarks(sides [3][]string) map[string]bool {
	var seen [3]map[string]int
	for i, lines := range sides {
		seen[i] = make(map[string]int, len(lines))
		for _, line := range lines {
			seen[i][line]++
		}
	}
	out := map[string]bool{}
	for line, n := range seen[base] {
		out[line] = n == 1 && seen[ours][line] == 1 && seen[theirs][line] == 1
	}
	return out
}

// same tells whether both sides did the same.
func same(a, b hunk, sides [3][]string) bool {
	return a.OldFrom == b.OldFrom && a.OldTo == b.OldTo &&
		slices.Equal(sides[ours][a.NewFrom:a.NewTo], sides[theirs][b.NewFrom:b.NewTo])
}

// hunks are the edits that make one text of another, with where else they could
// stand. Those that could reach each other are one. It gives up on texts that were
// made to take long.
func hunks(old, now []string) ([]hunk, bool) {
	budget := 8*(len(old)+len(now)) + 1000
	var out []hunk
	edits := textdiff.Edits(old, now)
	for i := 0; i < len(edits); i++ {
		h := hunk{Edit: edits[i]}
		for {
			floor := textdiff.Edit{}
			if n := len(out); n > 0 {
				floor = out[n-1].Edit
			}
			ceiling := textdiff.Edit{OldFrom: len(old), NewFrom: len(now)}
			if i+1 < len(edits) {
				ceiling = edits[i+1]
			}
			up := max(slides(old[floor.OldTo:h.OldFrom], old[h.OldFrom:h.OldTo], true), slides(now[floor.NewTo:h.NewFrom], now[h.NewFrom:h.NewTo], true))
			down := max(slides(old[h.OldTo:ceiling.OldFrom], old[h.OldFrom:h.OldTo], false), slides(now[h.NewTo:ceiling.NewFrom], now[h.NewFrom:h.NewTo], false))
			if budget -= up + down + 1; budget < 0 {
				return nil, false
			}
			h.lo, h.hi = h.OldFrom-up, h.OldTo+down
			if n := len(out); n > 0 && h.lo <= out[n-1].hi {
				h.OldFrom, h.NewFrom = out[n-1].OldFrom, out[n-1].NewFrom
				out = out[:n-1]
				continue
			}
			if i+1 < len(edits) && h.hi >= ceiling.OldFrom {
				h.OldTo, h.NewTo = ceiling.OldTo, ceiling.NewTo
				i++
				continue
			}
			break
		}
		out = append(out, h)
	}
	return out, true
}

// slides counts by how many lines a block can be moved over its neighbours, up or
// down, without a difference.
func slides(over, block []string, up bool) int {
	if len(block) == 0 {
		return 0
	}
	n := 0
	// What slides over a line takes it in at one end and gives it up at the other, so
	// that the block repeats after its own length.
	at := func(i int) string {
		if i < len(block) {
			if up {
				return block[len(block)-1-i]
			}
			return block[i]
		}
		if i -= len(block); up {
			return over[len(over)-1-i]
		}
		return over[i]
	}
	for n < len(over) {
		next := over[n]
		if up {
			next = over[len(over)-1-n]
		}
		if next != at(n) {
			break
		}
		n++
	}
	return n
}
