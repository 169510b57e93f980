// SPDX-License-Identifier: Apache-2.0

package system

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// maxTold bounds what a program's own words may take of an error.
const maxTold = 400

// EndedError is a program that ended badly.
type EndedError struct {
	What string
	Exit int
	// Said are the program's own words, "" where they may not be told.
	Said string
}

func (e *EndedError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("%s ended with status %d: %s", e.What, e.Exit, e.Said), ": ")
}

// Ended makes an error of how a program ended. The lines are those of its words
// that matter; none means all.
func (r Result) Ended(what string, lines ...string) error {
	if len(lines) == 0 {
		lines = r.Lines()
	}
	return &EndedError{What: what, Exit: r.Exit, Said: cut(strings.Join(lines, "; "))}
}

// Quiet keeps a program's own words from those who may not read what it was about.
func Quiet(err error) error {
	if e, ok := errors.AsType[*EndedError](err); ok {
		return &EndedError{What: e.What, Exit: e.Exit}
	}
	return err
}

// Lines are what a program wrote at its end: what can be printed, without empty
// lines.
func (r Result) Lines() []string { return printable(string(r.Tail)) }

// Spoken are the lines of its answer and those at its end.
func (r Result) Spoken() []string { return append(printable(string(r.Stdout)), r.Lines()...) }

func printable(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.Join(strings.Fields(strings.Map(func(c rune) rune {
			if !unicode.IsPrint(c) && !unicode.IsSpace(c) {
				return -1
			}
			return c
		}, line)), " ")
		if line != "" {
			out = append(out, line)
		}
	}
	return out
}

func cut(said string) string {
	if len(said) > maxTold {
		return strings.ToValidUTF8(said[:maxTold], "") + "…"
	}
	return said
}
