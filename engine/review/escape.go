// SPDX-License-Identifier: Apache-2.0

package review

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible replaces what would act instead of being seen: control characters,
// marks that turn the direction of writing, other invisible ones, and bytes that
// are no text. A tab stays where keepTab is set.
func visible(s string, keepTab bool) string {
	if !strings.ContainsFunc(s, invisible) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "‹0x%02X›", s[i])
		case r == '\t' && keepTab || !invisible(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "‹U+%04X›", r)
		}
		i += size
	}
	return b.String()
}

func invisible(r rune) bool {
	return r == utf8.RuneError || unicode.Is(unicode.C, r) || unicode.In(r, unicode.Zl, unicode.Zp)
}

// clip shortens to about limit bytes and says so.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "… ‹+" + number(utf8.RuneCountInString(s[limit:])) + " characters›"
}

// inlineLimit is how many bytes of Markdown one foreign text takes in a line.
const inlineLimit = 500

// code shows foreign text inside a line of Markdown, where it can neither
// mention anyone nor start a link, a table cell, a tag or an emphasis.
func code(s string) string { return codeUpTo(s, inlineLimit) }

func codeUpTo(s string, limit int) string {
	return "<code>" + neutral(visible(clip(s, 2*limit), false), limit) + "</code>"
}

// neutral writes what Markdown or HTML would act on as character references. It
// stops after about limit bytes and says so.
func neutral(s string, limit int) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if b.Len() >= limit && utf8.RuneStart(s[i]) {
			return b.String() + "…"
		}
		if acts(s, i) {
			fmt.Fprintf(&b, "&#%d;", s[i])
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// acts tells whether the byte at i could mean something to Markdown.
func acts(s string, i int) bool {
	word := func(i int) bool { return i >= 0 && i < len(s) && wordByte(s[i]) && s[i] != '_' }
	switch s[i] {
	case '<', '>', '&', '|', '@', '#', '*', '`', '\\', '~', '$':
		return true
	case '_': // inside a word it is no emphasis
		return !word(i-1) || !word(i+1)
	case '(', '[': // links and images
		return i > 0 && (s[i-1] == ']' || s[i-1] == '!')
	case ':':
		return strings.HasPrefix(s[i:], "://")
	case '.':
		return i >= 3 && strings.EqualFold(s[i-3:i], "www")
	}
	return false
}

// fence gives a fence of tildes that nothing inside can close.
func fence(inside string) string {
	longest, run := 2, 0
	for _, c := range []byte(inside) {
		if c != '~' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return strings.Repeat("~", longest+1)
}
