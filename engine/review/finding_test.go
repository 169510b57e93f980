// SPDX-License-Identifier: Apache-2.0

package review_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/assertion"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/markdown"
	"github.com/bindery/bindery/engine/review/page"
)

// asserted is a change of two hosts that breaks three assertions.
func asserted(t *testing.T) review.Input {
	t.Helper()
	set, wrong := assertion.Read(fstest.MapFS{"tests/a.yaml": &fstest.MapFile{Data: []byte(`assertions:
  - name: "@all <b>greeted</b>"
    why: "see ` + "```" + `"
    entry: Path:/etc/motd
    lines: [welcome, "@everybody"]
  - name: one at a time
    max_changed: 1
    approvals: 2
  - name: motd is kept
    entry: Path:/etc/motd
    kept: true
`)}})
	require.Empty(t, wrong)
	motd := func(text string) *review.Side { return side(bundle("motd", file("/etc/motd", text))) }
	in := review.Input{Assertions: set, BaseAssertions: set}
	for _, h := range []string{"web1", "web2"} {
		in.Hosts = append(in.Hosts, review.Host{Name: h, Groups: []string{"web"}, Base: motd("welcome\n@everybody\n"), Head: motd("hi\n")})
	}
	in.Hosts = append(in.Hosts, review.Host{Name: "db", Base: motd("welcome\n@everybody\n"), Head: motd("welcome\n@everybody\n")})
	return in
}

func TestFindings(t *testing.T) {
	in := asserted(t)
	r := report(t, in)
	require.Equal(t, review.Unapproved, r.Verdict.State)
	require.False(t, r.Verdict.OK)
	require.Len(t, r.Findings, 2)
	require.True(t, r.Findings[0].Lasting())
	require.Nil(t, r.Findings[0].Set())
	require.Equal(t, 2, r.Findings[1].Set().Len())
	require.True(t, r.Set().Contains(r.Findings[1].Set()))

	in.Approvals = map[string][]string{r.Findings[0].Hash: {"ann"}, r.Findings[1].Hash: {"b`ob"}}
	some := report(t, in)
	golden(t, "findings", some, "markdown", "text")
	require.Equal(t, review.Unapproved, some.Verdict.State)
	require.Contains(t, some.Verdict.Title, "1 assertion does not hold")
	require.NotEqual(t, r.Digest, some.Digest, "what is shown is not the same")
	pages, err := page.New()
	require.NoError(t, err)
	var html strings.Builder
	require.NoError(t, pages.Write(&html, some))
	require.Contains(t, html.String(), "Assertions that do not hold")
	require.Contains(t, html.String(), r.Findings[1].Hash)
	require.NotContains(t, html.String(), "<b>greeted")

	in.Approvals[r.Findings[1].Hash] = []string{"ann", "b`ob"}
	all := report(t, in)
	require.Equal(t, review.Changed, all.Verdict.State)
	require.True(t, all.Verdict.OK)
	require.Equal(t, "2 hosts change, all build, 2 broken assertions were approved", all.Verdict.Title)
	data, err := all.JSON()
	require.NoError(t, err)
	back, err := review.ReadJSON(data)
	require.NoError(t, err)
	require.True(t, back.Findings[1].Approved())
}

// What does not fit into the comment is counted.
func TestManyFindingsStayWithinTheBudget(t *testing.T) {
	var rules strings.Builder
	rules.WriteString("assertions:\n")
	for i := range 400 {
		rules.WriteString("  - {name: " + strings.Repeat("x", i+1) + ", entry: 'Path:/etc/motd', lines: ['" + strings.Repeat("y", 300) + "']}\n")
	}
	set, wrong := assertion.Read(fstest.MapFS{"tests/a.yaml": &fstest.MapFile{Data: []byte(rules.String())}})
	require.Empty(t, wrong)
	in := asserted(t)
	in.Assertions = set
	in.BaseAssertions = nil
	r := report(t, in)
	require.Len(t, r.Findings, 400)
	p := markdown.New(r, markdown.Options{Budget: 16_000})
	require.Less(t, len(p.Body), 16_000)
	require.Positive(t, p.Cut.Causes)
	require.Contains(t, p.Body, "400 assertions do not hold")
}
