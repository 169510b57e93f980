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
func Clip(s string, limit int) string {
	if limit == 0 || len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "… ‹+" + Number(utf8.RuneCountInString(s[limit:])) + " characters›"
}
