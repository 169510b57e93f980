// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

// screen is where the demo tells its story.
type screen struct {
	w     io.Writer
	width int
	color bool
	steps int
}

// Styles, as terminals number them.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (s *screen) style(code, line string) string {
	if !s.color || line == "" {
		return line
	}
	return "\x1b[" + code + "m" + line + "\x1b[0m"
}

func (s *screen) line(line string) { fmt.Fprintln(s.w, line) }

// step begins a part of the story.
func (s *screen) step(title string) {
	s.steps++
	s.line("")
	s.line(s.style(bold, fmt.Sprintf("%d. %s", s.steps, title)))
}

// say tells what happens.
func (s *screen) say(format string, args ...any) {
	for _, line := range s.wrap(fmt.Sprintf(format, args...), 3) {
		s.line("   " + line)
	}
}

// hand shows the command that does it by hand. It is never broken: it is copied.
func (s *screen) hand(command string) { s.line("   " + s.style(cyan, "$ "+command)) }

// good tells what was checked and holds.
func (s *screen) good(format string, args ...any) {
	for i, line := range s.wrap(fmt.Sprintf(format, args...), 5) {
		mark := "  "
		if i == 0 {
			mark = s.style(green, "✔ ")
		}
		s.line("   " + mark + line)
	}
}

// Of a long output the first lines are shown, and the last, where sums are.
const (
	firstLines = 10
	lastLines  = 4
)

// output shows what a command wrote.
func (s *screen) output(out string) {
	lines := strings.Split(strings.TrimRight(out, "\n"), "\n")
	cut := len(lines) - firstLines - lastLines
	for i, line := range lines {
		if cut > 1 && i >= firstLines && i < firstLines+cut {
			if i == firstLines {
				s.line(s.style(dim, fmt.Sprintf("   │ … %d more lines", cut)))
			}
			continue
		}
		line = strings.TrimRight(plain(line), " ")
		parts := []string{line}
		if !strings.Contains(strings.TrimLeft(line, " "), "   ") { // what is no table
			parts = s.wrap(line, 5)
		}
		for _, part := range parts {
			s.line(strings.TrimRight(s.style(dim, "   │ ")+part, " "))
		}
	}
}

// wrap breaks prose at the width that is left beside an indent.
func (s *screen) wrap(prose string, indent int) []string {
	lines := strings.Split(text.WrapSoft(prose, max(20, s.width-indent)), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// plain keeps what would disturb a terminal away from it.
func plain(line string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsPrint(r), r == '\u200d', r == '\ufe0f': // joiners of emoji
			return r
		}
		return '\uFFFD'
	}, line)
}

// words is a command line as it is typed.
func words(args []string) string {
	out := make([]string, len(args))
	for i, a := range args {
		if out[i] = a; a == "" || strings.ContainsAny(a, " *'\"$&|;<>()@") {
			out[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}
