// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"strings"
	"unicode"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

// wrapping is how a text is wrapped.
type wrapping struct {
	width       int
	breakWords  bool
	breakHyphen bool
}

func filterWrap(r *renderer, v py.Value, args called) (py.Value, error) {
	var width, long, between, hyphens py.Value = starlark.MakeInt(79), starlark.True, starlark.None, starlark.True
	if err := unpack("wordwrap", args.plain, args.named, "width?", &width, "break_long_words?", &long, "wrapstring?", &between, "break_on_hyphens?", &hyphens); err != nil {
		return nil, err
	}
	n, err := whole("width", width)
	if err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, py.Fail("ValueError", "invalid width %d (must be > 0)", n)
	}
	sep := "\n"
	if t, ok := between.(starlark.String); ok {
		sep = string(t)
	}
	s, err := r.str(v)
	if err != nil {
		return nil, err
	}
	lines, err := r.lines(s)
	if err != nil {
		return nil, err
	}
	if err := r.th.Step(len(s)); err != nil {
		return nil, err
	}
	w := wrapping{n, bool(long.Truth()), bool(hyphens.Truth())}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.Join(w.wrap([]rune(l)), sep)
	}
	return r.changed(v, func(string) string { return strings.Join(out, sep) })
}

// chunks cuts a line into blanks and words, and words behind hyphens.
func (w wrapping) chunks(line []rune) [][]rune {
	var out [][]rune
	start := 0
	cut := func(at int) {
		if at > start {
			out = append(out, line[start:at])
		}
		start = at
	}
	for i := range line {
		switch {
		case i > 0 && unicode.IsSpace(line[i]) != unicode.IsSpace(line[i-1]):
			cut(i)
		case w.breakHyphen && i > 0 && line[i-1] == '-' && hyphenated(line, i):
			cut(i)
		}
	}
	cut(len(line))
	return out
}

// hyphenated tells whether a word may be cut at an offset behind a hyphen: letters
// stand before and behind.
func hyphenated(line []rune, at int) bool {
	letter := func(i int) bool { return i >= 0 && i < len(line) && (unicode.IsLetter(line[i]) || line[i] == '_') }
	before := letter(at-2) && (letter(at-3) || at >= 4 && line[at-3] == '-' && letter(at-4))
	behind := letter(at) && (letter(at+1) || at+1 < len(line) && line[at+1] == '-' && letter(at+2))
	return before && behind
}

// wrap gives the lines that a line becomes.
func (w wrapping) wrap(line []rune) []string {
	var out []string
	chunks := w.chunks(line)
	blank := func(c []rune) bool { return strings.TrimSpace(string(c)) == "" }
	for len(chunks) > 0 {
		if len(out) > 0 && blank(chunks[0]) {
			chunks = chunks[1:]
		}
		var current [][]rune
		size := 0
		for len(chunks) > 0 && size+len(chunks[0]) <= w.width {
			current = append(current, chunks[0])
			size += len(chunks[0])
			chunks = chunks[1:]
		}
		if len(chunks) > 0 && len(chunks[0]) > w.width {
			switch {
			case w.breakWords:
				end := w.breakAt(chunks[0], w.width-size)
				current = append(current, chunks[0][:end])
				chunks[0] = chunks[0][end:]
			case len(current) == 0:
				current = append(current, chunks[0])
				chunks = chunks[1:]
			}
		}
		if n := len(current); n > 0 && blank(current[n-1]) {
			current = current[:n-1]
		}
		if len(current) > 0 {
			var b strings.Builder
			for _, c := range current {
				b.WriteString(string(c))
			}
			out = append(out, b.String())
		}
	}
	return out
}

// breakAt is where a long word is cut: behind its last hyphen, if there is one.
func (w wrapping) breakAt(word []rune, room int) int {
	end := min(room, len(word))
	if w.breakHyphen && len(word) > room {
		for i := end - 1; i > 0; i-- {
			if word[i] == '-' && strings.Trim(string(word[:i]), "-") != "" {
				return i + 1
			}
		}
	}
	return end
}
