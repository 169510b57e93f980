// SPDX-License-Identifier: Apache-2.0

package xpath_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/tmpl/xpath"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

const sample = `<r xmlns:q="urn:q" x="1"><a n="1">one</a><a n="2">two<b>s</b>tail</a><!-- c --><g name="w"><a n="3"/><b k="v">t</b></g>end<q:a n="4" q:m="q"/><c>12</c><c>30</c></r>`

func read(t testing.TB, text string) *xmltree.Element {
	t.Helper()
	root, p := xmltree.Parse("x.xml", []byte(text))
	require.Nil(t, p)
	return root
}

func ask(root *xmltree.Element, path string) (xpath.Answer, error) {
	return xpath.Ask(xpath.Question{
		Path: path, Names: map[string]string{"p": "urn:q"}, Values: map[string]any{"v": "one"}, At: []*xmltree.Element{root},
		Text: func(e *xmltree.Element) (string, error) { return e.Text, nil },
		Step: func(int) error { return nil },
	})
}

// shown writes an answer in a line: an element as its name and its attribute n.
func shown(a xpath.Answer) string {
	if a.Value != nil {
		return fmt.Sprint(a.Value)
	}
	var out []string
	for _, n := range a.Nodes {
		if n.Element == nil {
			out = append(out, "'"+n.Text+"'")
			continue
		}
		out = append(out, n.Element.Tag+n.Element.Get("n"))
	}
	return strings.Join(out, " ")
}

// What lxml 4.9 says to the same paths.
func TestPathsGiveWhatLxmlGives(t *testing.T) {
	root := read(t, sample)
	for path, want := range map[string]string{
		"a": "a1 a2", "//a": "a1 a2 a3", "/r/a[2]": "a2", "/r": "r", "/": "", ".": "r", "..": "", "*": "a1 a2 g a4 c c",
		"a/text()": "'one' 'two' 'tail'", "a[2]/text()": "'two' 'tail'", "text()": "'end'", "//b/text()": "'s' 't'",
		"//@n": "'1' '2' '3' '4'", "@x": "'1'", "//a/@n": "'1' '2' '3'", "//*[@n]/@n": "'1' '2' '3' '4'",
		"count(//a)": "3", "string(a[2])": "twostail", "string(//b)": "s", "sum(c)": "42", "name(*[1])": "a", "local-name(p:a)": "a", "name(p:a)": "q:a", "//*[name()='a']": "a1 a2 a3", "(//b)[last()]": "b", "count(//b/ancestor::*)": "3", "a[1 + 1]": "a2", "-c[1] + 2": "-10",
		"count(g/preceding::*)": "3", "count(g/following::*)": "3", "ancestor-or-self::r": "r", "$v = a": "true", "a[. = $v]": "a1", "c = 30 and c != 30": "true", "1 div 0": "+Inf", "string(1 div 0)": "Infinity", "namespace-uri(p:a)": "urn:q",
		"true() and not(false())": "true", "ceiling(1.2)": "2", "g/descendant-or-self::node()/@k": "'v'",
		"not(zz)": "true", "boolean(a)": "true", "a[@n='1'] = 'one'": "true", "count(a) > 1": "true", "1 + 2 * 3": "7", "5 mod 2": "1",
		"a[last()]": "a2", "a[position()=1]": "a1", "a[position() < 3]": "a1 a2", "a[b]": "a2", "a[not(b)]": "a1", "a[.='one']": "a1", "a[b='s']": "a2",
		"a[@n='1' or @n='2']": "a1 a2", "a[@n!='1']": "a2", "a[@n>1]": "a2", "a[@n='2'][b]": "a2", "a[contains(., 'o')]": "a1 a2", "a[starts-with(@n, '1')]": "a1",
		"g/a | a": "a1 a2 a3", "//b/..": "a2 g", "//b/parent::g": "g", "//b/ancestor::r": "r", "g/preceding-sibling::a": "a1 a2", "a[1]/following-sibling::a": "a2",
		"descendant::b": "b b", "child::g/child::*": "a3 b", "//b[@k='v']": "b", "//b[1]": "b b", "(//b)[1]": "b", "self::r": "r", "self::z": "",
		"p:a": "a4", "p:a/@p:m": "'q'", "@m": "", "//*[local-name()='a']": "a1 a2 a3 a4", "concat(a[1], '-', @x)": "one-1", "normalize-space('  a  b ')": "a b",
		"string-length(a[1])": "3", "substring('hello', 2, 3)": "ell", "substring-before('a=b', '=')": "a", "substring-after('a=b', '=')": "b", "translate('abc', 'ab', 'AB')": "ABc",
		"number('3')": "3", "floor(2.7)": "2", "round(2.5)": "3", "string(1.5)": "1.5", "nothing": "", "//nothing/@x": "", "//g//a": "a3", "g/*[1]": "a3", "//a[ancestor::g]": "a3",
		"//c[. > 20]": "c", "c[2] - c[1]": "18", "string(@none)": "", "//node()[self::b]": "b b", "'text'": "text",
	} {
		t.Run(path, func(t *testing.T) {
			a, err := ask(root, path)
			require.NoError(t, err)
			require.Equal(t, want, shown(a))
		})
	}
}

func TestMistakesInPathsAreTold(t *testing.T) {
	root := read(t, sample)
	for _, path := range []string{"", "a[", "a]", "a[1", "//", "a/", "a b", "nope()", "count()", "count(1)", "'open", "x:a", "$none", "nope::a", "a[$none]", "1 |", "a!", "(a", "string(1)/a", "last(1)", "@", "a | 'x'"} {
		_, err := ask(root, path)
		var wrong *xpath.Error
		require.ErrorAs(t, err, &wrong, path)
	}
	_, err := ask(root, strings.Repeat("(", 5000))
	require.ErrorContains(t, err, "longer than")
}

func TestWorkIsCounted(t *testing.T) {
	root := read(t, "<r>"+strings.Repeat("<a><b/></a>", 500)+"</r>")
	left, over := 100_000, errors.New("enough")
	_, err := xpath.Ask(xpath.Question{
		Path: "count(//*[count(//*[//b = //a]) > 1])", At: []*xmltree.Element{root},
		Text: func(e *xmltree.Element) (string, error) { return e.Text, nil },
		Step: func(n int) error {
			if left -= n; left < 0 {
				return over
			}
			return nil
		},
	})
	require.ErrorIs(t, err, over)
}

func TestATextIsAskedForWhenItIsLookedAt(t *testing.T) {
	root, sealed := read(t, `<r><pw>sealed</pw><a>x</a></r>`), errors.New("sealed")
	q := xpath.Question{
		Path: "a/text()", At: []*xmltree.Element{root}, Step: func(int) error { return nil },
		Text: func(e *xmltree.Element) (string, error) {
			if e.Tag == "pw" {
				return "", sealed
			}
			return e.Text, nil
		},
	}
	a, err := xpath.Ask(q)
	require.NoError(t, err)
	require.Equal(t, "'x'", shown(a))
	for _, path := range []string{"pw/text()", "string(.)", "pw = 'x'", "sum(pw)", "//text()"} {
		q.Path = path
		_, err := xpath.Ask(q)
		require.ErrorIs(t, err, sealed, path)
	}
}

func FuzzPaths(f *testing.F) {
	f.Add("//a[@n='1']/text()")
	root := read(f, sample)
	f.Fuzz(func(t *testing.T, path string) {
		if _, err := ask(root, path); err != nil {
			var wrong *xpath.Error
			require.ErrorAs(t, err, &wrong)
		}
	})
}
