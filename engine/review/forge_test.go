// SPDX-License-Identifier: Apache-2.0

package review_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	goldmarkhtml "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"
)

// rendered are the elements that a comment may have where a forge shows it.
var rendered = []string{
	"details", "summary", "h3", "h4", "p", "br", "b", "strong", "code", "pre", "ul", "li", "a",
	"table", "thead", "tbody", "tr", "th", "td",
}

// quoted are where a forge takes nothing for a mention, a number or a link.
var quoted = []string{"code", "pre"}

// checkShown reads a comment as a forge does, with a parser of GitHub's Markdown, and
// fails where an element is not ours, is not closed, or something foreign acts.
func checkShown(t require.TestingT, body string) {
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(goldmarkhtml.WithUnsafe()))
	var out bytes.Buffer
	require.NoError(t, md.Convert([]byte(body), &out))
	z := html.NewTokenizer(&out)
	var open []string
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			require.ErrorIs(t, z.Err(), io.EOF)
			break
		}
		switch token := z.Token(); kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			checkElement(t, token)
			if kind == html.StartTagToken && token.Data != "br" {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			require.NotEmpty(t, open, "</%s> closes nothing", token.Data)
			require.Equal(t, open[len(open)-1], token.Data, "in %v", open)
			open = open[:len(open)-1]
		case html.TextToken:
			if !slices.ContainsFunc(open, func(e string) bool { return slices.Contains(quoted, e) }) {
				for _, bad := range []string{"@octocat", "#412", "evil.example", "~~~", "<img"} {
					require.NotContains(t, token.Data, bad, "in %v", open)
				}
			}
		case html.CommentToken:
			require.True(t, strings.HasPrefix(token.Data, " bindery-preview:v1 "), token.Data)
		}
	}
	require.Empty(t, open, "not closed")
}

func checkElement(t require.TestingT, token html.Token) {
	if !slices.Contains(rendered, token.Data) {
		require.Fail(t, "element "+token.Data)
	}
	for _, a := range token.Attr {
		switch fmt.Sprint(token.Data, " ", a.Key) {
		case "details open", "th align", "td align", "th style", "td style":
		case "code class":
			require.Equal(t, "language-diff", a.Val)
		case "a href":
			require.True(t, strings.HasPrefix(a.Val, "https://bindery.example/"), a.Val)
		default:
			require.Fail(t, token.Data+" "+a.Key+"="+a.Val)
		}
	}
}
