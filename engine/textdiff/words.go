// SPDX-License-Identifier: Apache-2.0

package textdiff

import (
	"strings"
	"unicode"
)

// Span is a piece of a line that changed, or did not.
type Span struct {
	Text    string
	Changed bool
}

// maxWords is how many bytes of a line are compared word by word.
const maxWords = 4 << 10

// Words compares two lines word by word and gives the spans of each. Both are nil
// where the lines have too little in common for that to help a reader.
func Words(old, new string) (was, is []Span) {
	if old == new || len(old) > maxWords || len(new) > maxWords {
		return nil, nil
	}
	x, y := words(old), words(new)
	edits := Edits(x, y)
	atOld, atNew, common := 0, 0, 0
	for _, e := range edits {
		equal := strings.Join(x[atOld:e.OldFrom], "")
		common += len(strings.TrimSpace(equal))
		was = add(add(was, equal, false), strings.Join(x[e.OldFrom:e.OldTo], ""), true)
		is = add(add(is, equal, false), strings.Join(y[e.NewFrom:e.NewTo], ""), true)
		atOld, atNew = e.OldTo, e.NewTo
	}
	rest := strings.Join(x[atOld:], "")
	common += len(strings.TrimSpace(rest))
	was, is = add(was, rest, false), add(is, strings.Join(y[atNew:], ""), false)
	if 3*common < max(len(old), len(new)) {
		return nil, nil
	}
	return was, is
}

func add(spans []Span, text string, changed bool) []Span {
	switch n := len(spans); {
	case text == "":
		return spans
	case n > 0 && spans[n-1].Changed == changed:
		spans[n-1].Text += text
		return spans
	}
	return append(spans, Span{text, changed})
}

// words splits a line into words, runs of blanks, and single other characters.
func words(line string) []string {
	var out []string
	kind := func(r rune) int {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_':
			return 1
		case unicode.IsSpace(r):
			return 2
		}
		return 0
	}
	from, last := 0, 0
	for i, r := range line {
		k := kind(r)
		if i > 0 && (k != last || k == 0) {
			out = append(out, line[from:i])
			from = i
		}
		last = k
	}
	if from < len(line) {
		out = append(out, line[from:])
	}
	return out
}
