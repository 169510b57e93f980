// SPDX-License-Identifier: Apache-2.0

package words

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible replaces what would act instead of being seen: control characters,
// marks that turn the direction of writing, other invisible ones, and bytes that
// are no text. A tab stays where keepTab is set.
func Visible(s string, keepTab bool) string {
	if !strings.ContainsFunc(s, Invisible) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "‹0x%02X›", s[i])
		case r == '\t' && keepTab || !Invisible(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "‹U+%04X›", r)
		}
		i += size
	}
	return b.String()
}

// Invisible tells whether a character acts, or cannot be seen.
func Invisible(r rune) bool {
	return r == utf8.RuneError || unicode.Is(unicode.C, r) || unicode.In(r, unicode.Zl, unicode.Zp)
}

// Clip shortens to about limit bytes and says so; 0 is no limit.
func Clip(s string, limit int) string { return Window(s, 0, limit) }

// Window shows about limit bytes from one place on, and says what is missing on both
// sides; 0 is no limit.
func Window(s string, from, limit int) string {
	if limit == 0 || len(s) <= limit {
		return s
	}
	from = runeStart(s, min(from, len(s)-limit))
	to := runeStart(s, from+limit)
	text := s[from:to]
	if from > 0 {
		text = "‹" + Number(utf8.RuneCountInString(s[:from])) + " characters+› …" + text
	}
	if to < len(s) {
		text += "… ‹+" + Number(utf8.RuneCountInString(s[to:])) + " characters›"
	}
	return text
}

// runeStart goes back to where a character begins.
func runeStart(s string, i int) int {
	for i > 0 && i < len(s) && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}
