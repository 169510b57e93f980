// SPDX-License-Identifier: Apache-2.0

package py

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// simple are the escapes of one character.
var simple = map[byte]string{
	'\\': "\\", '\'': "'", '"': "\"", 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v", '\n': "",
}

// Unescape resolves the escapes of a string literal.
func Unescape(s string) (string, error) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		c := s[i]
		if out, ok := simple[c]; ok {
			b.WriteString(out)
			continue
		}
		n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
		switch {
		case c >= '0' && c <= '7':
			end := i
			for end < len(s) && end < i+3 && s[end] >= '0' && s[end] <= '7' {
				end++
			}
			v, _ := strconv.ParseUint(s[i:end], 8, 32)
			b.WriteRune(rune(v))
			i = end - 1
		case n > 0:
			if i+n >= len(s) {
				return "", fmt.Errorf("a cut escape \\%c", c)
			}
			v, err := strconv.ParseUint(s[i+1:i+1+n], 16, 32)
			if err != nil || v > utf8.MaxRune {
				return "", fmt.Errorf("a bad escape \\%c", c)
			}
			b.WriteRune(rune(v))
			i += n
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}
