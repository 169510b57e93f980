// SPDX-License-Identifier: Apache-2.0

package config

import "strings"

// Match matches a name as Python's fnmatch does: * and ? also match a slash, and
// nothing is escaped.
func Match(pattern, name string) bool {
	if head, tail, ok := strings.Cut(pattern, "*"); ok && !strings.ContainsAny(tail, "*?[") && !strings.ContainsAny(head, "?[") {
		return len(name) >= len(head)+len(tail) && strings.HasPrefix(name, head) && strings.HasSuffix(name, tail)
	} else if !ok && !strings.ContainsAny(pattern, "?[") {
		return pattern == name
	}
	star, from := -1, 0
	p, n := 0, 0
	for n < len(name) || p < len(pattern) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, n
			p++
			continue
		}
		if p < len(pattern) && n < len(name) {
			if size, width := oneOf(pattern[p:], name[n:]); size > 0 {
				p, n = p+size, n+width
				continue
			}
		}
		if star < 0 || from >= len(name) {
			return false
		}
		// The last star takes one character more.
		_, width := oneOf("?", name[from:])
		from += width
		p, n = star+1, from
	}
	return true
}

// oneOf matches the first character of a name with the first element of a pattern,
// and gives the lengths of both; 0 where it does not match.
func oneOf(pattern, name string) (size, width int) {
	var r rune
	for i, c := range name {
		if i > 0 {
			width = i
			break
		}
		r, width = c, len(name)
	}
	switch pattern[0] {
	case '?':
		return 1, width
	case '[':
		if ok, size := class(pattern, r); size > 0 {
			if !ok {
				return 0, 0
			}
			return size, width
		}
	}
	if strings.HasPrefix(pattern, name[:width]) {
		return width, width
	}
	return 0, 0
}

// class tells whether a character is in the class at the start of a pattern, and
// the length of the class; 0 where it is not closed and means a bracket.
func class(pattern string, r rune) (in bool, size int) {
	inner := pattern[1:]
	negate := strings.HasPrefix(inner, "!")
	inner = strings.TrimPrefix(inner, "!")
	end := -1
	if len(inner) > 0 {
		// A bracket that comes first is a member.
		if end = strings.IndexByte(inner[1:], ']'); end >= 0 {
			end++
		}
	}
	if end < 0 {
		return false, 0
	}
	size = len(pattern) - len(inner) + end + 1
	members := []rune(inner[:end])
	for i := 0; i < len(members); i++ {
		low, high := members[i], members[i]
		if i+2 < len(members) && members[i+1] == '-' {
			high = members[i+2]
			i += 2
		}
		if low <= r && r <= high {
			return !negate, size
		}
	}
	return negate, size
}
