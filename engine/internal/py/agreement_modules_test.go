// SPDX-License-Identifier: Apache-2.0

package py_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// calls are lines of the functions of modules, each with what Python 3 makes of it:
//
//	> lines of code that come before those that follow
//	statements; expression => repr of the value, or ! and the class of what it raises
//
// BINDERY_UPDATE=1 make python-agreement writes what stands behind the arrows. What
// differs on purpose stands in expressions.txt.
const calls = "testdata/modules.txt"

// call is a line of that table.
type call struct{ line, code, want string }

// callTable reads the table of calls.
func callTable(t testing.TB) []call {
	t.Helper()
	data, err := os.ReadFile(calls)
	require.NoError(t, err)
	var out []call
	before, open := "", false
	for _, l := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		if code, ok := strings.CutPrefix(l, "> "); ok {
			if !open {
				before = ""
			}
			before, open = before+code+"\n", true
			out = append(out, call{line: l})
			continue
		}
		open = false
		line, want, _ := strings.Cut(l, " => ")
		statements, expr := "", line
		if i := strings.LastIndex(line, "; "); i >= 0 {
			statements, expr = line[:i]+"\n", line[i+2:]
		}
		out = append(out, call{line, before + statements + "out = " + expr, want})
	}
	return out
}

// TestAgreementModules holds every line of the table: as it is recorded, or with
// BINDERY_AGREE set against the python3 of the machine.
func TestAgreementModules(t *testing.T) {
	lines := callTable(t)
	if number(t, "BINDERY_AGREE") > 0 {
		lines = recall(t, lines)
	}
	var bad []string
	for _, c := range lines {
		if c.code == "" {
			continue
		}
		if got := answer(c.code); got != c.want {
			bad = append(bad, fmt.Sprintf("%s\nPython 3: %s\nhere:     %s\n", c.line, c.want, got))
		}
	}
	require.Empty(t, strings.Join(bad, "\n"), "%d of %d lines of %s differ", len(bad), len(lines), calls)
	t.Logf("%d lines agree", len(lines))
}

// recall asks the python3 of the machine, and writes the table again if asked to.
func recall(t *testing.T, lines []call) []call {
	t.Helper()
	var codes []string
	for _, c := range lines {
		if c.code != "" {
			codes = append(codes, c.code)
		}
	}
	answers := ask(t, codes)
	var b strings.Builder
	for i, c := range lines {
		b.WriteString(c.line)
		if c.code != "" {
			lines[i].want, answers = answers[0], answers[1:]
			b.WriteString(" => " + lines[i].want)
		}
		b.WriteByte('\n')
	}
	if os.Getenv("BINDERY_UPDATE") != "" {
		require.NoError(t, os.WriteFile(calls, []byte(b.String()), 0o644))
	}
	return lines
}
