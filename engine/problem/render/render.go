// SPDX-License-Identifier: Apache-2.0

// Package render shows problems: to people as text with the line and a caret, to
// programs as JSON and SARIF, to GitHub as workflow commands. It must not read
// files: whoever calls it says what a line holds, and thereby what may be shown.
package render

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/bindery/bindery/engine/problem"
)

// Source gives the line of a position and the column in it, which differs from
// the position's where something secret was masked. It is false where the line is
// not known or must not be shown.
type Source func(pos problem.Pos) (line string, column int, ok bool)

// Counts are how many problems of each severity there are.
type Counts struct {
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
}

// Count counts problems by severity.
func Count(problems []*problem.Problem) Counts {
	n := problem.Errors(problems)
	return Counts{Errors: n, Warnings: len(problems) - n}
}

// String says the counts in words.
func (c Counts) String() string {
	if c.Errors == 0 && c.Warnings == 0 {
		return "no problems"
	}
	var parts []string
	if c.Errors > 0 {
		parts = append(parts, plural(c.Errors, "error"))
	}
	if c.Warnings > 0 {
		parts = append(parts, plural(c.Warnings, "warning"))
	}
	return strings.Join(parts, ", ")
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// printable replaces what could move a cursor, colour a terminal or turn the
// reading direction round: names and messages come from whoever opens a pull request.
func printable(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !hidden(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// hidden runes are controls, and format characters such as bidirectional
// overrides; the joiners of emoji and scripts stay.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != 0x200C && r != 0x200D || r == 0x2028 || r == 0x2029
}
