// SPDX-License-Identifier: Apache-2.0

// Package pattern is regular expressions that cost nothing until a text is held
// against them. A program that names dozens, and meets the kinds of things they are
// for on few hosts, would else compile all of them in every start.
//
// It must not know what the patterns are for.
package pattern

import (
	"regexp"
	"sync"
)

// Pattern is one regular expression. It is safe for concurrent use.
type Pattern struct{ compiled func() *regexp.Regexp }

// Of takes the text of an expression. It belongs into a variable of a package: a
// mistake in it shows when it is used first, which that package's tests do.
func Of(text string) *Pattern {
	return &Pattern{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

// MatchString tells whether a text has a match.
func (p *Pattern) MatchString(s string) bool { return p.compiled().MatchString(s) }

// FindStringSubmatch gives the first match and its groups, nil for none.
func (p *Pattern) FindStringSubmatch(s string) []string {
	return p.compiled().FindStringSubmatch(s)
}
