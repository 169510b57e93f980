// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"unicode/utf8"

	"github.com/bindery/bindery/engine/problem"
)

// Position turns a byte offset into line and column.
func Position(name string, data []byte, offset int) problem.Pos {
	offset = max(0, min(offset, len(data)))
	pos := problem.Pos{File: name, Line: 1}
	start := 0
	for i, b := range data[:offset] {
		if b == '\n' {
			pos.Line++
			start = i + 1
		}
	}
	pos.Column = utf8.RuneCount(data[start:offset]) + 1
	return pos
}
