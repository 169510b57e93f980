// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"strings"
	"unicode/utf8"
)

// maxWord bounds the words that are compared, so that hostile names cost nothing.
const maxWord = 64

// Nearest gives the candidate that word was most likely meant to be, "" where
// none is near. Of equally near ones the first in the order given is taken.
func Nearest(word string, candidates []string) string {
	limit := 1
	switch n := utf8.RuneCountInString(word); {
	case n > maxWord || n < 2:
		return ""
	case n > 7:
		limit = 3
	case n > 3:
		limit = 2
	}
	best, found := limit+1, ""
	for _, c := range candidates {
		if len(c) > maxWord || c == word {
			continue
		}
		d := distance(strings.ToLower(word), strings.ToLower(c))
		if d < best && d < utf8.RuneCountInString(c) {
			best, found = d, c
		}
	}
	return found
}

// distance is Levenshtein's, with neighbours that changed places as one change.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
