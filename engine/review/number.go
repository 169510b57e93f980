// SPDX-License-Identifier: Apache-2.0

package review

import "strconv"

// number writes 1604 as 1,604.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// short is what people recognise a commit by.
func short(commit string) string { return commit[:min(len(commit), 7)] }
