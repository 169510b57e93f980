// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/problem"
)

// Fill puts content into an entry, encoded where its attributes say so. file is
// where the content comes from, for problems.
func (d *Draft) Fill(file, text string) *problem.Problem {
	if text == "" {
		d.Text = ""
		d.Set("empty", "true")
		return nil
	}
	if d.Get("encoding") == "base64" {
		d.Text = base64.StdEncoding.EncodeToString([]byte(text))
		return nil
	}
	if line, bad := unsuited(text); bad != "" {
		return problem.New(problem.Pos{File: file, Line: line}, "undecodable-content", fmt.Sprintf("%s cannot be delivered as text: %s", d.Name(), bad), `add encoding="base64" to its info.xml`)
	}
	d.Text = text
	return nil
}

// suited are the bytes that need no second look.
var suited = func() (s [256]bool) {
	for c := range byte(utf8.RuneSelf) {
		s[c] = c >= 0x20 || c == '\n' || c == '\t' || c == '\r'
	}
	return s
}()

// unsuited finds what text in XML cannot carry, and its line.
func unsuited(text string) (line int, bad string) {
	for i := 0; i < len(text); {
		c := text[i]
		if suited[c] {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			bad = fmt.Sprintf("byte 0x%02X is not UTF-8", c)
		case r < 0x20 || r == 0xFFFE || r == 0xFFFF:
			bad = fmt.Sprintf("character U+%04X is not allowed in XML", r)
		}
		if bad != "" {
			return strings.Count(text[:i], "\n") + 1, bad
		}
		i += n
	}
	return 0, ""
}
