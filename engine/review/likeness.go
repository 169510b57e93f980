// SPDX-License-Identifier: Apache-2.0

package review

import "slices"

// maxSwaps is how many words may differ for that to be shorter than the lines.
const maxSwaps = 2

// likeness says which words make one variant another, nil where that is not all.
func likeness(first, other *Variant) []Swap {
	if len(first.Attrs)+len(other.Attrs) > 0 || len(first.Notes)+len(other.Notes) > 0 || len(first.Hunks) != len(other.Hunks) {
		return nil
	}
	var a, b []Line
	for i := range first.Hunks {
		for _, l := range []struct {
			into *[]Line
			from []Line
		}{{&a, first.Hunks[i].Lines}, {&b, other.Hunks[i].Lines}} {
			*l.into = append(*l.into, l.from...)
		}
	}
	for _, word := range []func(byte) bool{wordByte, dotted} {
		if swaps := swapped(a, b, word); swaps != nil {
			return swaps
		}
	}
	return nil
}

// dotted keeps addresses and names of hosts whole.
func dotted(c byte) bool { return wordByte(c) || c == '.' || c == '-' }

// swapped compares lines word by word: a word must have one other in its place
// everywhere.
func swapped(a, b []Line, word func(byte) bool) (out []Swap) {
	if len(a) != len(b) {
		return nil
	}
	became := map[string]string{}
	for i := range a {
		if a[i].Op != b[i].Op {
			return nil
		}
		old, now := tokens(a[i].Text, word), tokens(b[i].Text, word)
		if len(old) != len(now) {
			return nil
		}
		for j := range old {
			to, seen := became[old[j]]
			switch {
			case seen && to != now[j]:
				return nil
			case !seen:
				became[old[j]] = now[j]
				if old[j] == now[j] {
					continue
				}
				if !word(old[j][0]) || !word(now[j][0]) || len(out) == maxSwaps {
					return nil
				}
				out = append(out, Swap{old[j], now[j]})
			}
		}
	}
	// Two words that become one would not be told apart.
	if len(out) == maxSwaps && out[0].New == out[1].New || slices.ContainsFunc(out, func(s Swap) bool { to, kept := became[s.New]; return kept && to == s.New }) {
		return nil
	}
	return out
}

// tokens cuts a line into words and what is between them.
func tokens(s string, word func(byte) bool) (out []string) {
	for from, i := 0, 0; i < len(s); i++ {
		if i+1 == len(s) || word(s[i]) != word(s[i+1]) {
			out = append(out, s[from:i+1])
			from = i + 1
		}
	}
	return out
}
