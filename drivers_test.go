// SPDX-License-Identifier: Apache-2.0

package bindery_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// applied are the elements that an agent gets and makes true.
func applied() []string {
	return []string{"Path", "Package", "Instance", "Ignore", "Service", "Action", "POSIXUser", "POSIXGroup", "MemberOf", "ACL"}
}

// section is what stands below a heading of a page, up to the next one of its kind.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	_, rest, ok := strings.Cut("\n"+page, "\n"+heading+"\n")
	require.True(t, ok, "no %q", heading)
	mark, _, _ := strings.Cut(heading, " ")
	rest, _, _ = strings.Cut(rest, "\n"+mark+" ")
	return rest
}

var quoted = regexp.MustCompile("`([A-Za-z_]+)`")

// Every attribute that the specification knows of an entry that agents apply has a
// test, or a reason why agents do not read it; and every test that is named is
// there.
func TestEveryAttributeIsHeld(t *testing.T) {
	rules, err := os.ReadFile("docs/reference/specification/rules.md")
	require.NoError(t, err)
	page, err := os.ReadFile("docs/reference/drivers.md")
	require.NoError(t, err)
	held := map[string]string{}
	for line := range strings.Lines(section(t, string(page), "## Every attribute")) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 3 || !strings.Contains(cells[1], "`") {
			continue
		}
		claim := strings.TrimSuffix(cells[2], " |")
		for _, a := range quoted.FindAllStringSubmatch(cells[1], -1) {
			held[strings.TrimPrefix(cells[0], "| ")+" "+a[1]] = claim
		}
		checkClaim(t, claim)
	}
	known := 0
	for _, tag := range applied() {
		for line := range strings.Lines(section(t, string(rules), "### "+tag)) {
			first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
			a := quoted.FindStringSubmatch(first)
			if strings.HasPrefix(line, "| `") && len(a) > 0 {
				known++
				require.NotEmpty(t, held[tag+" "+a[1]], "no test is named for %s of %s in docs/reference/drivers.md", a[1], tag)
				delete(held, tag+" "+a[1])
			}
		}
	}
	require.Greater(t, known, 80)
	require.Empty(t, held, "the specification does not know these")
}

// checkClaim looks for the test, and for the words of its case.
func checkClaim(t *testing.T, claim string) {
	t.Helper()
	if strings.HasPrefix(claim, "not applied: ") {
		return
	}
	where, words, _ := strings.Cut(claim, ": ")
	folder, test, _ := strings.Cut(where, " ")
	names, err := filepath.Glob(folder + "/*_test.go")
	require.NoError(t, err)
	var all strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		all.Write(text)
	}
	require.True(t, strings.Contains(all.String(), "func "+test+"("), "no such test: %s", claim)
	require.True(t, strings.Contains(all.String(), words), "no such case: %s", claim)
}
