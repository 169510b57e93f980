// SPDX-License-Identifier: Apache-2.0

package markdown

import (
	"fmt"
	"strings"

	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/words"
)

// maxViolations is how many parts of a finding are shown.
const maxViolations = 5

// findings writes the assertions that do not hold into the room that is left, and counts
// those that do not fit.
func (r view) findings(b *strings.Builder, room int) int {
	for i := range r.Findings {
		text := finding(&r.Findings[i])
		if i == 0 {
			text = "#### 📐 " + words.Count(len(r.Findings), "assertion does", "assertions do") + " not hold\n" + text
		}
		if i >= maxCauses || b.Len()+len(text) > room {
			return len(r.Findings) - i
		}
		b.WriteString(text)
	}
	return 0
}

func finding(f *review.Finding) string {
	lines := []string{sentence(f.Problem), words.Count(f.Hosts.Len(), "host", "hosts") + ": " + code(f.Hosts.Label)}
	for i, v := range f.Violations {
		if len(f.Violations) == 1 {
			break
		}
		if i == maxViolations {
			lines = append(lines, "+"+words.Number(len(f.Violations)-i+f.Omitted)+" more")
			break
		}
		lines = append(lines, codeUpTo(v.Entry, 120)+": "+code(v.Says)+" ("+code(v.Hosts.Label)+")")
	}
	by := ""
	if len(f.ApprovedBy) > 0 {
		by = listed(f.ApprovedBy, 5)
	}
	switch {
	case f.Approved():
		lines = append(lines, "✅ approved by "+by)
	case by != "":
		lines = append(lines, fmt.Sprintf("Approved by %s, and %d more needed: %s", by, f.Approvals-len(f.ApprovedBy), code("/bindery approve "+f.Hash)))
	case f.Approvals > 1:
		lines = append(lines, fmt.Sprintf("%d people approve it with %s", f.Approvals, code("/bindery approve "+f.Hash)))
	default:
		lines = append(lines, "Somebody else than the author approves it with "+code("/bindery approve "+f.Hash))
	}
	return strings.Join(lines, "<br>\n") + "\n\n"
}
