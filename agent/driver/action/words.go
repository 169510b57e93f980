// SPDX-License-Identifier: Apache-2.0

package action

import (
	"errors"
	"strings"
)

// Words takes a command line apart as a POSIX shell does, and does nothing else
// that a shell does: quotes and backslashes, but no variables, no patterns, no
// redirection.
func Words(line string) ([]string, error) {
	if strings.ContainsRune(line, 0) {
		return nil, errors.New("the command holds a NUL byte")
	}
	var words []string
	var word strings.Builder
	inWord := false
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == '\'' && c == '\'' || quote == '"' && c == '"':
			quote = 0
		case quote == '\'':
			word.WriteByte(c)
		case c == '\\':
			i++
			if i == len(line) {
				return nil, errors.New("the command ends with a backslash")
			}
			inWord = true
			// Inside double quotes only these may be escaped.
			if quote == '"' && line[i] != '"' && line[i] != '\\' {
				word.WriteByte(c)
			}
			word.WriteByte(line[i])
		case quote == '"':
			word.WriteByte(c)
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, errors.New("the command has an open quote")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
