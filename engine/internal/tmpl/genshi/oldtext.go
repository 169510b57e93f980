// SPDX-License-Identifier: Apache-2.0

package genshi

import (
	"regexp"
	"strings"

	"github.com/bindery/bindery/engine/problem"
)

// oldDirective is a line of its own with # and a word, or another #.
var oldDirective = regexp.MustCompile(`(?m)^[ \t]*#(?:end.*\n?|(?:\w+|#).*\n?)`)

// ParseOld reads a template in the old syntax.
func ParseOld(file, src string) (*Template, *problem.Problem) {
	src = strings.ToValidUTF8(src, "�")
	r := &reader{file: file, open: map[int]*pending{}}
	pos, line := 0, 1
	for _, loc := range oldDirective.FindAllStringIndex(src, -1) {
		if err := r.text(src[pos:loc[0]], line); err != nil {
			return nil, problemOf(file, err)
		}
		line += strings.Count(src[pos:loc[0]], "\n")
		word, value, _ := strings.Cut(strings.TrimSpace(src[loc[0]:loc[1]])[1:], " ")
		if i := strings.IndexByte(word, '\t'); i >= 0 {
			word, value = word[:i], word[i:]+" "+value
		}
		if word == "python" {
			return nil, problemOf(file, &errSyntax{line, errNoPython})
		}
		if word != "#" {
			if err := r.command(word, strings.TrimSpace(value), line); err != nil {
				return nil, problemOf(file, err)
			}
		}
		line += strings.Count(src[loc[0]:loc[1]], "\n")
		pos = loc[1]
	}
	if err := r.text(strings.ReplaceAll(src[pos:], `\#`, "#"), line); err != nil {
		return nil, problemOf(file, err)
	}
	return &Template{File: file, body: r.out}, nil
}
