// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/bindery/bindery/engine/config"
)

// texts are what XML makes hard: markup, line ends, blanks, other scripts.
var texts = rapid.StringOf(rapid.SampledFrom([]rune("ab <>&\"'\r\n\t]é€𝄞\u00a0")))

func anyAttrs(t *rapid.T, names []string) []config.Attr {
	var out []config.Attr
	for _, n := range names {
		if rapid.Bool().Draw(t, n) {
			out = append(out, config.Attr{Name: n, Value: texts.Draw(t, "value")})
		}
	}
	return out
}

func anyNodes(t *rapid.T, depth int) []*config.Node {
	var out []*config.Node
	for range rapid.IntRange(0, 2-depth).Draw(t, "children") {
		n := &config.Node{
			Tag:   rapid.SampledFrom([]string{"ACL", "Instance", "{urn:x}MemberOf"}).Draw(t, "tag"),
			Attrs: anyAttrs(t, []string{"name", "{urn:y}kind"}), Text: texts.Draw(t, "text"), Tail: texts.Draw(t, "tail"),
		}
		n.Children = anyNodes(t, depth+1)
		out = append(out, n)
	}
	return out
}

func anyConfig(t *rapid.T) *config.Config {
	c := &config.Config{Revision: "r"}
	for i := range rapid.IntRange(0, 3).Draw(t, "bundles") {
		var entries []*config.Entry
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			entries = append(entries, config.NewEntry(config.Entry{
				Tag:   rapid.SampledFrom([]string{"Path", "Package", "{urn:x}Odd"}).Draw(t, "tag"),
				Attrs: anyAttrs(t, []string{"type", "name", "mode", "{urn:z}note"}), Text: texts.Draw(t, "text"),
				Children: anyNodes(t, 0), Failure: rapid.SampledFrom([]string{"", "bind error: <x>"}).Draw(t, "failure"),
			}))
		}
		tag := rapid.SampledFrom([]string{"Bundle", "Independent"}).Draw(t, "structure")
		c.Bundles = append(c.Bundles, config.NewBundle(tag, []config.Attr{{Name: "name", Value: fmt.Sprint("b", i)}}, entries))
	}
	return c
}

// What is signed is what is read: bytes, digests, keys and failures survive.
func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyConfig(t)
		data := c.XML()
		got, err := config.Decode(data)
		require.NoError(t, err, "%s", data)
		require.Equal(t, string(data), string(got.XML()))
		require.Equal(t, c.Digest(), got.Digest())
		require.Equal(t, c.Failed(), got.Failed())
		require.Empty(t, config.Diff(c, got))
	})
}

func TestDecodeIsStrict(t *testing.T) {
	good := string((&config.Config{Bundles: []*config.Bundle{config.NewBundle("Bundle", nil, []*config.Entry{
		config.NewEntry(config.Entry{Tag: "Path", Attrs: []config.Attr{{Name: "name", Value: "/x"}}, Text: "t"}),
	})}}).XML())
	_, err := config.Decode([]byte(good))
	require.NoError(t, err)
	for name, bad := range map[string]string{
		"nothing":             "",
		"cut off":             good[:len(good)-8],
		"cut inside an entry": good[:strings.Index(good, "t</Path>")],
		"another root":        strings.ReplaceAll(good, "Configuration", "Config"),
		"a second root":       good + "<Configuration/>",
		"text behind":         good + "x",
		"text between":        strings.Replace(good, "<Path", "x<Path", 1),
		"unknown structure":   strings.ReplaceAll(good, "Bundle", "Group"),
		"wrong end tag":       strings.Replace(good, "</Path>", "</Pat>", 1),
		"wrong end of bundle": strings.Replace(good, "</Bundle>", "</Independent>", 1),
		"too deep":            strings.Replace(good, "t</Path>", strings.Repeat("<a>", 100)+strings.Repeat("</a>", 100)+"</Path>", 1),
	} {
		_, err := config.Decode([]byte(bad))
		require.Error(t, err, name)
	}
}

func TestDiffNamesEveryKindOfChange(t *testing.T) {
	entry := func(tag, name, text string) *config.Entry {
		return config.NewEntry(config.Entry{Tag: tag, Attrs: []config.Attr{{Name: "name", Value: name}}, Text: text})
	}
	bundle := func(name string, e ...*config.Entry) *config.Bundle {
		return config.NewBundle("Bundle", []config.Attr{{Name: "name", Value: name}}, e)
	}
	base := &config.Config{Bundles: []*config.Bundle{
		bundle("a", entry("Path", "/gone", ""), entry("Path", "/moves", "m"), entry("Path", "/same", "s"), entry("Path", "/twice", "1"), entry("Path", "/twice", "2")),
		bundle("empty"),
	}}
	head := &config.Config{Bundles: []*config.Bundle{
		bundle("a", entry("Path", "/new", ""), entry("Path", "/same", "s"), entry("Path", "/twice", "1"), entry("Path", "/twice", "3")),
		bundle("b", entry("Path", "/moves", "m")),
	}}
	var got []string
	for _, c := range config.Diff(base, head) {
		got = append(got, fmt.Sprintf("%s %s", c.Kind, c.Key))
	}
	require.Equal(t, []string{"removed Path:/gone", "moved Path:/moves", "modified Path:/twice#1", "added Path:/new", "removed Bundle:empty"}, got)
	require.Empty(t, config.Diff(base, base))
	require.Len(t, config.Diff(nil, head), head.Entries())
}

func BenchmarkDecode(b *testing.B) {
	var entries []*config.Entry
	for i := range 150 {
		entries = append(entries, config.NewEntry(config.Entry{Tag: "Path", Text: strings.Repeat("a line of a file = value\n", 40), Attrs: []config.Attr{
			{Name: "name", Value: fmt.Sprintf("/etc/app/%d.conf", i)}, {Name: "type", Value: "file"}, {Name: "owner", Value: "root"},
			{Name: "group", Value: "root"}, {Name: "mode", Value: "0644"}, {Name: "important", Value: "False"},
		}}))
	}
	data := (&config.Config{Bundles: []*config.Bundle{config.NewBundle("Bundle", nil, entries)}}).XML()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := config.Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
