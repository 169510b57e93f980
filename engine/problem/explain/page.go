// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"strings"
)

// Text is what a terminal shows of a code.
func (c *Code) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n\nWhy it matters\n  %s\n\nWhat to do\n  %s\n", c.Code, c.What, c.Why, c.Fix)
	if m := c.mended(); m != "" {
		fmt.Fprintf(&b, "  %s\n", m)
	}
	if len(c.Bcfg2) > 0 {
		fmt.Fprintf(&b, "\nBcfg2 calls it %s.\n", strings.Join(c.Bcfg2, ", "))
	}
	for _, e := range c.examples() {
		fmt.Fprintf(&b, "\n%s\n", e.title)
		for _, f := range e.files {
			fmt.Fprintf(&b, "  %s\n", f.Name)
			for line := range strings.Lines(f.Data) {
				fmt.Fprintf(&b, "    %s", line)
			}
		}
	}
	return b.String()
}

func (c *Code) mended() string {
	switch c.Mended {
	case "":
		return ""
	case "yes":
		return "bindery lint --fix does it."
	}
	return "bindery lint --fix does it for " + c.Mended + "."
}

type example struct {
	title string
	files []File
}

func (c *Code) examples() []example {
	if len(c.Bad) == 0 {
		return nil
	}
	return []example{{"Has it", c.Bad}, {"Has it not", c.Good}}
}

// Page is the reference page of all codes, in Markdown.
func Page(all []Code) []byte {
	var b strings.Builder
	b.WriteString("# Problems\n\nEvery code that `bindery` may show, what it means and what to do about it. `bindery lint --explain CODE` shows the same.\nThe examples are run by the tests: the first has the problem, the second has it not. Files that an example leaves out are those of a small specification around it.\n\n")
	b.WriteString("This page is generated: `make docs` writes it.\n")
	for i := range all {
		c := &all[i]
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n**Why:** %s\n\n**What to do:** %s\n", c.Code, escape(c.What), escape(c.Why), escape(c.Fix))
		if m := c.mended(); m != "" && c.Mended != "yes" {
			fmt.Fprintf(&b, "\n**`--fix`:** %s\n", escape(c.Mended))
		} else if m != "" {
			b.WriteString("\n**`--fix`:** yes\n")
		}
		if len(c.Bcfg2) > 0 {
			fmt.Fprintf(&b, "\n**Bcfg2:** %s\n", strings.Join(c.Bcfg2, ", "))
		}
		for _, e := range c.examples() {
			fmt.Fprintf(&b, "\n%s:\n\n```\n", e.title)
			for _, f := range e.files {
				fmt.Fprintf(&b, "-- %s --\n%s", f.Name, f.Data)
			}
			b.WriteString("```\n")
		}
	}
	return []byte(b.String())
}

// escape keeps what looks like markup as it is written.
func escape(s string) string {
	return strings.NewReplacer("<", "&lt;", "*", `\*`, "_", `\_`, "[", `\[`).Replace(s)
}
