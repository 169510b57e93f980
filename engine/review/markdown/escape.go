// SPDX-License-Identifier: Apache-2.0

package markdown

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/review/words"
)

// inlineLimit is how many bytes of Markdown one foreign text takes in a line.
const inlineLimit = 500

// code shows foreign text inside a line of Markdown, where it can neither
// mention anyone nor start a link, a table cell, a tag or an emphasis.
func code(s string) string { return codeUpTo(s, inlineLimit) }

func codeUpTo(s string, limit int) string {
	return "<code>" + neutral(words.Visible(words.Clip(s, 2*limit), false), limit) + "</code>"
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
	word := func(i int) bool { return i >= 0 && i < len(s) && letter(s[i]) }
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

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}
