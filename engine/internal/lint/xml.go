// SPDX-License-Identifier: Apache-2.0

package lint

func checkXML() check {
	return check{
		rules: []Rule{
			{"xml-failed-to-parse", "An XML file is not well-formed."},
			{"unreadable-file", "A file cannot be read."},
		},
		run: func(t *tree) {
			for _, p := range t.broken {
				t.add(p)
			}
		},
	}
}
