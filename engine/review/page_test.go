// SPDX-License-Identifier: Apache-2.0

package review_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/page"
)

func pageOf(t require.TestingT, r *review.Report) string {
	p, err := page.New()
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, p.Write(&b, r))
	return b.String()
}

// elements are all that a page is made of, with their attributes.
var elements = map[string][]string{
	"html": {"lang"}, "head": nil, "meta": {"charset", "http-equiv", "content", "name"}, "title": nil, "link": {"rel", "href"}, "style": nil,
	"body": {"class"}, "main": nil, "div": {"class", "data-hosts"}, "h1": nil, "h2": nil, "p": {"class", "hidden"}, "span": {"class", "aria-hidden", "role", "aria-label"},
	"ul": {"class"}, "li": {"class"}, "b": nil, "small": nil, "section": {"class"}, "code": {"class"}, "table": {"class"}, "thead": nil, "tbody": nil,
	"tr": nil, "th": {"class", "scope"}, "td": {"class"}, "details": {"class", "id", "data-kind", "open"}, "summary": nil, "a": {"class", "href", "title"},
	"pre": {"class", "tabindex"}, "ins": nil, "del": nil, "i": nil, "mark": nil, "script": {"type", "class"},
	"form": {"class", "hidden", "role", "aria-label"}, "input": {"type", "name", "placeholder", "aria-label", "autocomplete", "spellcheck", "value"},
	"label": {"class"}, "output": {"aria-live"}, "button": {"type", "name"},
}

// checkPage holds a page against what it may be made of, and gives its text.
func checkPage(t require.TestingT, body string) string {
	checkInert(t, body)
	require.NotContains(t, body, "ZgotmplZ")
	root, err := html.Parse(strings.NewReader(body))
	require.NoError(t, err)
	var text strings.Builder
	policy := ""
	ids := map[string]bool{}
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style" {
			text.WriteString(n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		allowed, ok := elements[n.Data]
		if !ok {
			require.Fail(t, "element "+n.Data)
		}
		for _, a := range n.Attr {
			if !slices.Contains(allowed, a.Key) {
				require.Fail(t, n.Data+" "+a.Key+"="+a.Val)
			}
			switch {
			case a.Key == "href":
				require.Regexp(t, `^(#c[0-9a-f]+|data:,)$`, a.Val, "a page links to itself only")
			case a.Key == "id":
				if ids[a.Val] {
					require.Fail(t, a.Val+" is there twice")
				}
				ids[a.Val] = true
			case a.Key == "content" && strings.HasPrefix(a.Val, "default-src 'none'"):
				policy = a.Val
			}
		}
		if inline := n.Data == "style" || n.Data == "script" && len(n.Attr) == 0; inline {
			sum := sha256.Sum256([]byte(n.FirstChild.Data))
			require.Contains(t, policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'", n.Data)
		}
	}
	require.NotContains(t, policy, "unsafe")
	return text.String()
}

func TestAnyModelGivesOneInertPage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := review.New(t.Context(), anyInput(t))
		require.NoError(t, err)
		body := pageOf(t, r)
		require.NotContains(t, body, canary)
		require.Equal(t, body, pageOf(t, r), "the same report gives the same page")
		checkPage(t, body)
		var names int
		for i := range r.Changes {
			names += len(r.Changes[i].Variants)
		}
		require.Equal(t, names, strings.Count(body, `<div class="variant"`))
	})
}

// The story as a page: everything that the comment says, and who each host is.
func TestPage(t *testing.T) {
	r := report(t, site())
	text := checkPage(t, pageOf(t, r))
	for _, want := range []string{
		"2 of 400 affected hosts do not build", "head 3f2a9c1", "base main b81d07a", "package xinetd removed", "group dc1: dc1-web[001-240]",
		"Properties['ntp'].pool[dc] has no key `dc0`", "-server gw.‹host›", "-‹secret ", "Same value on all 240 hosts.",
		"Review these first", "Other changes", "restart ntpd",
	} {
		require.Contains(t, text, want)
	}
	require.Contains(t, pageOf(t, r), `data-hosts="0-239"`)
	for _, r := range []*review.Report{review.NotMerged(review.Meta{}, []string{"a"}), review.NotMerged(review.Meta{}, nil), review.Unbuilt(review.Meta{}, nil, nil)} {
		require.Contains(t, checkPage(t, pageOf(t, r)), r.Verdict.Title)
	}
}

// A report that was stored gives the same page.
func TestStoredReportGivesTheSamePage(t *testing.T) {
	r := report(t, site())
	data, err := r.JSON()
	require.NoError(t, err)
	back, err := review.ReadJSON(data)
	require.NoError(t, err)
	require.Equal(t, pageOf(t, r), pageOf(t, back))
	again, err := back.JSON()
	require.NoError(t, err)
	require.Equal(t, string(data), string(again))
	_, err = review.ReadJSON(regexp.MustCompile(`"severity": "removal"`).ReplaceAll(data, []byte(`"severity": "odd"`)))
	require.ErrorContains(t, err, `"odd" is unknown`)
}

// All of 5,000 changes are there, whole; nothing stands open for a browser to lay out.
func TestLargePage(t *testing.T) {
	var old, now []*config.Entry
	for i := range 5000 {
		name := fmt.Sprintf("/etc/many/%04d", i)
		old, now = append(old, file(name, "old\n")), append(now, file(name, strings.Repeat("long ", 200)+"\n"))
	}
	body := pageOf(t, report(t, review.Input{Hosts: []review.Host{host("a", side(bundle("b", old...)), side(bundle("b", now...)))}}))
	require.Equal(t, 5000, strings.Count(body, `<details class="change`))
	require.Equal(t, 5000, strings.Count(body, strings.Repeat("long ", 200)))
	require.NotContains(t, body, " open>")
}
