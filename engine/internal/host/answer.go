// SPDX-License-Identifier: Apache-2.0

package host

import "strings"

// SplitAnswer takes the answer of a probe apart: groups are what lines that start with
// "group:" name, the rest is data.
func SplitAnswer(answer string) (groups []string, data string) {
	var rest strings.Builder
	for _, line := range strings.SplitAfter(answer, "\n") {
		after, ok := strings.CutPrefix(strings.TrimSpace(line), "group:")
		if !ok {
			rest.WriteString(line)
			continue
		}
		group, _, _ := strings.Cut(after, ":")
		groups = append(groups, strings.TrimSpace(group))
	}
	return groups, rest.String()
}
