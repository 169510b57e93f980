// SPDX-License-Identifier: Apache-2.0

package file

import "bytes"

// maxYAMLDepth bounds nesting: the time of the parser grows with its square.
const maxYAMLDepth = 500

// TooDeep tells of YAML: it gives the first line that nests deeper than is parsed, 0 for none.
// Brackets and dashes in quotes count too; so many never stand open there.
func TooDeep(data []byte) int {
	open, line := 0, 0
	for text := range bytes.Lines(data) {
		line++
		for _, b := range text {
			switch b {
			case '[', '{':
				open++
			case ']', '}':
				open = max(0, open-1)
			}
			if open > maxYAMLDepth {
				return line
			}
		}
		if bytes.Count(text, []byte("- ")) > maxYAMLDepth || len(text)-len(bytes.TrimLeft(text, " ")) > maxYAMLDepth {
			return line
		}
	}
	return 0
}
