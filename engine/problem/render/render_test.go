// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/problem/render"
)

// lines is a Source of one file.
func lines(text string) render.Source {
	all := strings.Split(text, "\n")
	return func(pos problem.Pos) (string, int, bool) {
		if pos.Line > len(all) {
			return "", 0, false
		}
		return all[pos.Line-1], pos.Column, true
	}
}

func at(line, column int) problem.Pos {
	return problem.Pos{File: "Bundler/ssh.xml", Line: line, Column: column}
}

func text(t *testing.T, source render.Source, problems ...*problem.Problem) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, render.Text(&b, problems, render.TextConfig{Source: source}))
	return b.String()
}

func TestText(t *testing.T) {
	got := text(t, lines("<Bundle>\n  <Group name='fc5'/>"),
		problem.Warn(at(2, 10), "unknown-group", `nothing defines the group "fc5"`, `did you mean "fc4"?`),
		problem.New(problem.Pos{File: "Cfg/x"}, "file-too-large", "too large", ""))
	require.Equal(t, `Bundler/ssh.xml:2:10: warning: nothing defines the group "fc5" [unknown-group]
    2 |   <Group name='fc5'/>
      |          ^
  hint: did you mean "fc4"?

Cfg/x: error: too large [file-too-large]
`, got)
}

// The caret stands below the character, whatever stands before it.
func TestCaret(t *testing.T) {
	for name, c := range map[string]struct {
		line   string
		column int
		shown  string
		caret  string
	}{
		"tabs":       {"\t\t<x/>", 3, "                <x/>", "                ^"},
		"tab inside": {"ab\tc", 4, "ab      c", "        ^"},
		"wide":       {"日本<x/>", 3, "日本<x/>", "    ^"},
		"combining":  {"e\u0301<x/>", 3, "e\u0301<x/>", " ^"},
		"control":    {"\x1b[31m<x/>", 6, `\x1b[31m<x/>`, "        ^"},
		"bidi":       {"a\u202eb", 3, `a\u202eb`, "       ^"},
		"past end":   {"ab", 9, "ab", "  ^"},
		"not UTF-8":  {"\xff<x/>", 2, "\uFFFD<x/>", " ^"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Split(text(t, lines(c.line), problem.New(at(1, c.column), "c", "m", "")), "\n")
			require.Equal(t, "    1 | "+c.shown, got[1])
			require.Equal(t, "      | "+c.caret, got[2])
		})
	}
}

func TestLongLinesShowWhatIsAroundTheCaret(t *testing.T) {
	line := strings.Repeat("a", 5000) + "<here/>" + strings.Repeat("b", 5000)
	for column, want := range map[int]rune{1: 'a', 200: 'a', 239: 'a', 240: 'a', 241: 'a', 242: 'a', 5001: '<', 5002: 'h', 5008: 'b', 10_007: 'b'} {
		got := strings.Split(text(t, lines(line), problem.New(at(1, column), "c", "m", "")), "\n")
		require.Less(t, len([]rune(got[1])), 140)
		require.Equal(t, string(want), string([]rune(got[1])[len([]rune(got[2]))-1]), "column %d", column)
		if column > 5000 && column < 5005 {
			require.Contains(t, got[1], "a<here/>b")
		}
	}
}

// Names and messages come from whoever opens a pull request.
func TestNothingReachesTheTerminalUnescaped(t *testing.T) {
	p := problem.New(problem.Pos{File: "a\x1b]0;x\x07\nb"}, "unsafe-name", "the name \x1b[2J\u202e", "")
	got := text(t, nil, p)
	require.NotContains(t, got, "\x1b")
	require.NotContains(t, got, "\u202e")
	require.Equal(t, 1, strings.Count(got, "\n"))
}

func TestColour(t *testing.T) {
	var b strings.Builder
	require.NoError(t, render.Text(&b, []*problem.Problem{problem.New(at(1, 1), "c", "m", "")}, render.TextConfig{Colour: true}))
	require.Contains(t, b.String(), "\x1b[1;31merror\x1b[0m")
}

func TestJSON(t *testing.T) {
	var b strings.Builder
	require.NoError(t, render.JSON(&b, []*problem.Problem{problem.Warn(at(1, 2), "c", "m <b>", "h")}, lines(" <x/>")))
	require.JSONEq(t, `{"problems": [{"file": "Bundler/ssh.xml", "line": 1, "column": 2, "severity": "warning",
		"code": "c", "message": "m <b>", "hint": "h", "source": " <x/>", "caret": 2}], "errors": 0, "warnings": 1}`, b.String())

	b.Reset()
	require.NoError(t, render.JSON(&b, nil, nil))
	require.JSONEq(t, `{"problems": [], "errors": 0, "warnings": 0}`, b.String())
}

func TestSARIF(t *testing.T) {
	problems := []*problem.Problem{
		problem.Warn(at(2, 3), "unknown-group", "m", "h"),
		problem.New(problem.Pos{File: "Cfg/a b/ü"}, "file-too-large", "big", ""),
		problem.New(problem.Pos{}, "other", "nowhere", ""),
	}
	var b strings.Builder
	require.NoError(t, render.SARIF(&b, problems, render.Tool{Name: "bindery", Version: "1", Rules: map[string]string{"unknown-group": "why"}, Prefix: "spec/"}, nil))
	require.JSONEq(t, `{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [{
		"tool": {"driver": {"name": "bindery", "version": "1", "rules": [
			{"id": "file-too-large"}, {"id": "other"}, {"id": "unknown-group", "shortDescription": {"text": "why"}}]}},
		"columnKind": "unicodeCodePoints",
		"results": [
			{"ruleId": "unknown-group", "ruleIndex": 2, "level": "warning", "message": {"text": "m (h)"}, "locations": [
				{"physicalLocation": {"artifactLocation": {"uri": "spec/Bundler/ssh.xml", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 2, "startColumn": 3}}}]},
			{"ruleId": "file-too-large", "ruleIndex": 0, "level": "error", "message": {"text": "big"}, "locations": [
				{"physicalLocation": {"artifactLocation": {"uri": "spec/Cfg/a%20b/%C3%BC", "uriBaseId": "%SRCROOT%"}}}]},
			{"ruleId": "other", "ruleIndex": 1, "level": "error", "message": {"text": "nowhere"}}
		]}]}`, b.String())

	b.Reset()
	require.NoError(t, render.SARIF(&b, nil, render.Tool{Name: "bindery"}, nil))
	var log map[string]any
	require.NoError(t, json.Unmarshal([]byte(b.String()), &log))
	require.Contains(t, b.String(), `"results": []`)
}

// A name cannot end a command or begin another.
func TestGitHub(t *testing.T) {
	problems := []*problem.Problem{
		problem.Warn(at(2, 3), "unknown-group", "100% sure", "look"),
		problem.New(problem.Pos{File: "a,b:c\n::error::x"}, "unsafe-name", "m\n::set-env name=x::y", ""),
	}
	var b strings.Builder
	require.NoError(t, render.GitHub(&b, problems, "spec/"))
	require.Equal(t, "::warning file=spec/Bundler/ssh.xml,line=2,col=3,title=unknown-group::100%25 sure%0Alook\n"+
		"::error file=spec/a%2Cb%3Ac%0A%3A%3Aerror%3A%3Ax,title=unsafe-name::m%0A::set-env name=x::y\n", b.String())
}

func TestCounts(t *testing.T) {
	for want, problems := range map[string][]*problem.Problem{
		"no problems":         nil,
		"1 error":             {problem.New(at(1, 1), "c", "m", "")},
		"1 error, 2 warnings": {problem.New(at(1, 1), "c", "m", ""), problem.Warn(at(1, 1), "c", "m", ""), problem.Warn(at(1, 1), "c", "m", "")},
	} {
		require.Equal(t, want, render.Count(problems).String())
	}
}
