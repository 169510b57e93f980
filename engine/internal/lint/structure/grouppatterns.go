// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

var ranges = regexp.MustCompile(`\[\[[\d\-,]+\]\]`)

// groupPatterns reports bad-regex.
func (t look) groupPatterns() {
	for _, d := range t.Docs {
		if d.Dir != "GroupPatterns" && d.Dir != "AWSTags" {
			continue
		}
		d.Root.Walk(func(x *xmltree.Element) bool {
			switch {
			case x.Is("NamePattern"):
				t.pattern(x, "", strings.TrimSpace(x.Text))
			case x.Is("NameRange"):
				text := strings.TrimSpace(x.Text)
				if strings.Contains(text, `\`) {
					t.Error(x.Pos, "bad-regex", "a range cannot hold a backslash", "use NamePattern")
					return true
				}
				t.pattern(x, "", ranges.ReplaceAllString(text, `(\d+)`))
			case x.Is("Tag"):
				t.pattern(x, "name", x.Get("name"))
				t.pattern(x, "value", x.Get("value"))
			}
			return true
		})
	}
}

func (t look) pattern(x *xmltree.Element, attr, pattern string) {
	if _, err := regexp.Compile(pattern); err != nil {
		hint := ""
		if strings.Contains(pattern, "(?=") || strings.Contains(pattern, "(?!") || strings.Contains(pattern, "(?<") {
			hint = "look-ahead, look-behind and back-references are not supported: they cannot be evaluated in bounded time"
		}
		t.Error(x.AttrPos(attr), "bad-regex", fmt.Sprintf("the pattern %q is not usable", pattern), hint)
	}
}
