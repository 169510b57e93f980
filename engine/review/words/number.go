// SPDX-License-Identifier: Apache-2.0

// Package words writes what every view of a report writes alike: numbers with
// their nouns, commits, and foreign text so that it is seen instead of acting.
// It must not know what a report is.
package words

import "strconv"

// Number writes 1604 as 1,604.
func Number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Count writes a number with its noun.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}

// Verb gives the form that goes with a number.
func Verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Short is what people recognise a commit by.
func Short(commit string) string { return commit[:min(len(commit), 7)] }
