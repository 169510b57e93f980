// SPDX-License-Identifier: Apache-2.0

package review_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/markdown"
	"github.com/bindery/bindery/engine/review/terminal"
)

// canary stands for every secret byte: it may be in no view.
const canary = "c4n4ry"

// hostile is what a name, an attribute or a line may hold to break a comment.
var hostile = []string{
	"@octocat", "#412", "~~~~~~~~", "```", "</details>", "<details>", "<img src=x onerror=y>", "| a | b |", "\u202egnp.exe",
	"[click](https://evil.example)", "![x](https://evil.example/x.png)", "--> <b>", "www.evil.example", "https://evil.example",
	strings.Repeat("long\u00e9~", 120), "a\nb", "\r\n### heading", "\x1b[31m", "\u200b", "\U000e0041", "\x7f", "*bold*", "_x_", "\\", "$a^b$", "&lt;", "all changed hosts",
}

func anyText(t *rapid.T, label string) string {
	words := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(hostile), rapid.StringMatching(`[a-z]{1,8}`)), 1, 4)
	return strings.Join(words.Draw(t, label), " ")
}

func anyEntry(t *rapid.T, n int) *config.Entry {
	e := config.Entry{
		Tag:     rapid.SampledFrom([]string{"Path", "Package", "Service", "Action", "POSIXUser"}).Draw(t, "tag"),
		NamedAt: config.Source{File: anyText(t, "file"), Line: 3},
	}
	name := fmt.Sprintf("/e%d", n)
	if rapid.Bool().Draw(t, "hostile name") {
		name += anyText(t, "name")
	}
	e.Attrs = attrs("name", name)
	add := func(name, value string) { e.Attrs = append(e.Attrs, config.Attr{Name: name, Value: value}) }
	body := anyText(t, "body") + strings.Repeat("\n"+anyText(t, "line"), rapid.SampledFrom([]int{0, 0, 1, 1, 5, 5, 20, 300}).Draw(t, "lines"))
	switch rapid.IntRange(0, 3).Draw(t, "secrecy") {
	case 0:
		e.Sensitive = true
		body += canary
		add("to", canary)
		e.Children = []*config.Node{{Tag: "ACL", Attrs: attrs("perms", canary), Text: canary}}
	case 1:
		add("x", canary+" -----BEGIN PRIVATE KEY----- "+canary)
	}
	switch e.Tag {
	case "Path":
		add("type", rapid.SampledFrom([]string{"file", "nonexistent", "symlink"}).Draw(t, "type"))
		add("mode", rapid.SampledFrom([]string{"0644", "0755"}).Draw(t, "mode"))
		e.Text = body
	case "Service":
		add("status", rapid.SampledFrom([]string{"on", "off", "ignore"}).Draw(t, "status"))
		add("target", rapid.SampledFrom([]string{"restart", "reload"}).Draw(t, "target"))
	default:
		add("version", rapid.SampledFrom([]string{"1.0", "2.0", "auto"}).Draw(t, "version"))
	}
	if rapid.IntRange(0, 9).Draw(t, "fails") == 0 {
		return failed(e.Tag, name, "cannot bind: "+anyText(t, "why"))
	}
	return config.NewEntry(e)
}

func anySide(t *rapid.T, pool []*config.Bundle) *review.Side {
	switch rapid.IntRange(0, 19).Draw(t, "side") {
	case 0:
		return nil
	case 1:
		return &review.Side{Refused: problem.New(problem.Pos{File: anyText(t, "refused in")}, "refused", anyText(t, "refused"), "")}
	}
	s := side(rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 0, len(pool), func(b *config.Bundle) string { return b.Name() }).Draw(t, "bundles")...)
	if rapid.IntRange(0, 3).Draw(t, "asked") == 0 {
		s.Probes = []config.Probe{{Name: anyText(t, "probe"), Source: config.SourceProbes, Interpreter: anyText(t, "interpreter"), Script: canary}}
	}
	return s
}

func anyMeta(t *rapid.T) review.Meta {
	m := review.Meta{
		Head: "abcdef0123", Base: "0123abcdef", BaseName: anyText(t, "branch"), Facts: anyText(t, "facts"), Commands: rapid.Bool().Draw(t, "commands"),
		ReportURL: "https://bindery.example/r/1", JSONURL: "https://bindery.example/r/1.json",
	}
	if rapid.Bool().Draw(t, "moved") {
		m.Moved = &review.Moved{Commits: 3, Same: rapid.Bool().Draw(t, "same")}
	}
	for range rapid.IntRange(0, 3).Draw(t, "others") {
		m.Others = append(m.Others, review.Other{Number: 398, Entries: []string{anyText(t, "touched")}, Hosts: review.Hosts{Names: []string{"a"}, Label: "a"}})
	}
	m.Supposed = rapid.SliceOfN(rapid.SampledFrom(hostile), 0, 2).Draw(t, "supposed")
	return m
}

// anyTold is what a host may say of anything.
func anyTold(t *rapid.T) (out []config.Key) {
	for range rapid.IntRange(0, 2).Draw(t, "told") {
		out = append(out, config.Key{
			Tag: rapid.SampledFrom([]string{"Path", "Package", "Service", hostile[0]}).Draw(t, "told tag"), Name: fmt.Sprintf("/e%d", rapid.IntRange(0, 8).Draw(t, "told name")),
		})
	}
	return out
}

func anyInput(t *rapid.T) review.Input {
	pool := make([]*config.Bundle, rapid.IntRange(1, 6).Draw(t, "pool"))
	for i := range pool {
		entries := make([]*config.Entry, rapid.IntRange(1, 4).Draw(t, "entries"))
		for j := range entries {
			entries[j] = anyEntry(t, rapid.IntRange(0, 8).Draw(t, "number"))
		}
		pool[i] = bundle(fmt.Sprintf("b%d", i/2), entries...)
	}
	in := review.Input{Key: key, Meta: anyMeta(t)}
	for i := range rapid.IntRange(1, 12).Draw(t, "hosts") {
		h := review.Host{Name: fmt.Sprintf("h%02d", i), Groups: []string{anyText(t, "group")}, Base: anySide(t, pool), Head: anySide(t, pool)}
		if rapid.Bool().Draw(t, "hostile host") {
			h.Name += anyText(t, "host")
		}
		h.Drifted, h.Extra = anyTold(t), anyTold(t)
		if h.Base == nil && h.Head == nil {
			h.Head = side(pool[0])
		}
		in.Hosts = append(in.Hosts, h)
	}
	return in
}

var (
	fenceLine = regexp.MustCompile("^(~{3,})(diff)?$")
	column    = regexp.MustCompile(`\|`)
)

// outside takes the fenced parts out and fails if one is not closed.
func outside(t require.TestingT, body string) string {
	var out strings.Builder
	open := ""
	for line := range strings.SplitSeq(body, "\n") {
		m := fenceLine.FindStringSubmatch(line)
		switch {
		case open == "" && m != nil && m[2] == "diff":
			open = m[1]
		case open != "" && line == open:
			open = ""
		case open == "":
			require.Nil(t, m, "a fence that we did not open: %q", line)
			out.WriteString(line + "\n")
		default:
			require.NotRegexp(t, "^ {0,3}"+open, line, "the fence can be closed inside")
			require.Contains(t, "+- @", line[:1])
		}
	}
	require.Empty(t, open, "a fence is open")
	return out.String()
}

// checkInert fails where something acts instead of being seen.
func checkInert(t require.TestingT, text string) {
	at := strings.IndexFunc(text, func(c rune) bool { return c != '\n' && c != '\t' && unicode.In(c, unicode.C) })
	if at >= 0 {
		require.Fail(t, fmt.Sprintf("%q acts instead of being seen", text[at:min(at+20, len(text))]))
	}
}

func checkMarkdown(t require.TestingT, r *review.Report, budget int) {
	page := markdown.New(r, markdown.Options{Budget: budget})
	require.LessOrEqual(t, len(page.Body), budget)
	require.True(t, strings.HasPrefix(page.Body, markdown.Marker))
	first, rest, _ := strings.Cut(page.Body, "\n")
	require.True(t, strings.HasSuffix(first, " -->"))
	checkInert(t, page.Body)
	if budget >= markdown.DefaultBudget || page.Cut.Dropped > 0 {
		checkShown(t, page.Body)
	}
	if page.Rest != "" {
		require.LessOrEqual(t, len(page.Rest), 65_535)
		checkInert(t, page.Rest)
		checkShown(t, page.Rest)
		outside(t, page.Rest)
	}
	text := outside(t, rest)
	require.Equal(t, strings.Count(text, "<details"), strings.Count(text, "</details>"))
	require.Equal(t, strings.Count(text, "<summary>"), strings.Count(text, "</summary>"))
	require.Equal(t, strings.Count(text, "<code>"), strings.Count(text, "</code>"))
	for _, bad := range []string{"@octocat", "#412", "<img", "](https://evil", "https://evil", "www.evil", "`", "*bold*", "-->"} {
		require.NotContains(t, text, bad)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "| ") {
			require.Len(t, column.FindAllString(line, -1), 5, line)
		}
	}
	removals, shown := 0, strings.Count(text, "\n- ")+strings.Count(text, "<summary>")
	all := 0
	for _, c := range r.Changes {
		if c.Kind == review.EntryFailed {
			continue
		}
		all++
		if c.Severity == review.Removal {
			removals++
		}
	}
	cut := page.Cut
	require.Equal(t, all, cut.Full+cut.OneLine+cut.Dropped)
	require.LessOrEqual(t, cut.Full+cut.OneLine, shown)
	require.LessOrEqual(t, cut.Removals, min(cut.Dropped, removals))
	if !page.OK() {
		require.Contains(t, rest, "### ❌")
		require.Contains(t, rest, "among them")
	}
}

func TestAnyModelGivesBalancedMarkdownWithinBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := review.New(t.Context(), anyInput(t))
		require.NoError(t, err)
		for _, budget := range []int{16_000, 60_000} {
			checkMarkdown(t, r, budget)
		}
	})
}

func TestNoSecretInAnyView(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := review.New(t.Context(), anyInput(t))
		require.NoError(t, err)
		data, err := r.JSON()
		require.NoError(t, err)
		set, err := r.Set().MarshalBinary()
		require.NoError(t, err)
		for _, view := range []string{
			markdown.New(r, markdown.Options{}).Body, markdown.New(r, markdown.Options{Budget: 1}).Rest, terminal.New(r, terminal.Options{Context: 3}),
			string(data), string(set), r.Digest, fmt.Sprintf("%+v", *r),
		} {
			require.NotContains(t, view, canary)
		}
	})
}

// JSON acts as little as text does, and says the same to programs.
func TestJSONIsInert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := review.New(t.Context(), anyInput(t))
		require.NoError(t, err)
		data, err := r.JSON()
		require.NoError(t, err)
		checkInert(t, string(data))
		var back struct{ Changes []struct{ Entry config.Key } }
		require.NoError(t, json.Unmarshal(data, &back))
		for i, c := range r.Changes {
			require.Equal(t, c.Entry, back.Changes[i].Entry)
		}
	})
}

// The terminal is not moved, cleared or coloured by anything foreign.
func TestTextIsInert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := review.New(t.Context(), anyInput(t))
		require.NoError(t, err)
		checkInert(t, terminal.New(r, terminal.Options{Context: 3}))
	})
}

// What is stored is the literal difference, however it is shown, and the hosts
// of the JSON are those that differ.
func TestSetIsLiteral(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		for i := range in.Hosts {
			for _, s := range []*review.Side{in.Hosts[i].Base, in.Hosts[i].Head} {
				if s != nil {
					s.Probes = nil // they are no part of a configuration
				}
			}
		}
		r, err := review.New(t.Context(), in)
		require.NoError(t, err)
		want := review.NewSet(key)
		configOf := func(s *review.Side) *config.Config {
			if s == nil {
				return nil
			}
			return s.Config
		}
		for _, h := range in.Hosts {
			want.Add(h.Name, config.Diff(configOf(h.Base), configOf(h.Head)))
		}
		a, err := want.MarshalBinary()
		require.NoError(t, err)
		b, err := r.Set().MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, string(a), string(b))
		back, err := review.ReadSet(key, b)
		require.NoError(t, err)
		require.True(t, back.Contains(want))
		require.True(t, want.Contains(back))
		require.Equal(t, want.Len(), back.Len())

		data, err := r.JSON()
		require.NoError(t, err)
		var out struct {
			Hosts   []string `json:"hosts"`
			Changes []struct {
				Entry config.Key
				Hosts []string
			}
		}
		require.NoError(t, json.Unmarshal(data, &out))
		for _, c := range out.Changes {
			require.NotEmpty(t, c.Hosts)
			require.Subset(t, out.Hosts, c.Hosts)
		}
		n := r.Totals
		require.Len(t, out.Hosts, n.Changed+n.Failed+n.Added+n.Removed)
		require.Equal(t, len(in.Hosts), len(out.Hosts)+n.Unaffected+n.Equivalent)
	})
}

// The same over what chance alone does not find.
func FuzzViews(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		in := anyInput(t)
		r, err := review.New(t.Context(), in)
		require.NoError(t, err)
		for _, budget := range []int{16_000, 60_000} {
			checkMarkdown(t, r, budget)
		}
		body := pageOf(t, r)
		checkPage(t, body)
		comment, text := markdown.New(r, markdown.Options{}).Body, terminal.New(r, terminal.Options{Context: 3})
		for _, view := range []string{comment, text, body} {
			require.NotContains(t, view, canary)
		}
		again, err := review.New(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, comment, markdown.New(again, markdown.Options{}).Body)
		require.Equal(t, body, pageOf(t, again))
	}))
}
