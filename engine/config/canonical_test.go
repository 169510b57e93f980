// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sample has what canonical bytes can have, names in a namespace aside.
func sample() *Config {
	return &Config{Revision: "a<b", Bundles: []*Bundle{
		NewBundle("Bundle", []Attr{{"name", `a "b" & c`}}, []*Entry{
			NewEntry(Entry{Tag: "Path", Attrs: []Attr{{"type", "file"}, {"name", "/a\tb"}}, Text: "é <x> & \"y\"\r\n\t]]>\n"}),
			NewEntry(Entry{Tag: "Path", Attrs: []Attr{{"name", "/acl"}}, Text: "before", Children: []*Node{
				{Tag: "ACL", Attrs: []Attr{{"perms", "rx"}}, Tail: "between"}, {Tag: "More", Text: "t", Children: []*Node{{Tag: "x.y-z_1"}}},
			}}),
			NewEntry(Entry{Tag: "Package", Attrs: []Attr{{"name", "p"}, {"version", "1"}}, Failure: "no <source>"}),
			NewEntry(Entry{Tag: "Package", Failure: "no name"}),
		}),
		NewBundle("Independent", nil, nil),
	}}
}

// plainly reads bytes in any form.
func plainly(data []byte) (*Config, error) {
	// A comment is what only encoding/xml reads.
	return Decode(append([]byte("<!-- -->"), data...))
}

func requireSame(t *testing.T, want, got *Config) {
	t.Helper()
	require.Equal(t, want.Revision, got.Revision)
	require.Equal(t, want.Digest(), got.Digest())
	require.Len(t, got.Bundles, len(want.Bundles))
	for i, b := range want.Bundles {
		require.Equal(t, b.Tag, got.Bundles[i].Tag)
		require.Equal(t, b.Attrs, got.Bundles[i].Attrs)
		require.Equal(t, b.Entries, got.Bundles[i].Entries, "what is worked out included")
	}
}

func TestCanonicalBytesAreReadAsTheyAre(t *testing.T) {
	data := sample().XML()
	fast := canonical(data)
	require.NotNil(t, fast)
	slow, err := plainly(data)
	require.NoError(t, err)
	requireSame(t, slow, fast)
	requireSame(t, sample(), fast)
}

func TestOtherFormsAreLeftToTheXMLReader(t *testing.T) {
	good := string(sample().XML())
	for name, change := range map[string][2]string{
		"no header":               {header, ""},
		"another revision":        {` version="2.0"`, ` version="2.1"`},
		"a third attribute":       {` version="2.0"`, ` version="2.0" x="y"`},
		"no line end":             {">\n  <Bundle", "><Bundle"},
		"attributes out of order": {`name="p" version="1"`, `version="1" name="p"`},
		"single quotes":           {`name="p"`, `name='p'`},
		"two blanks":              {` name="p"`, `  name="p"`},
		"an escape not needed":    {`perms="rx"`, `perms="r&#120;"`},
		"another escape":          {`&amp; c`, `&#38; c`},
		"a bare >":                {"&lt;x&gt;", "&lt;x>"},
		"a comment":               {"before", "be<!-- -->fore"},
		"character data":          {"before", "<![CDATA[before]]>"},
		"a long empty element":    {"<x.y-z_1/>", "<x.y-z_1></x.y-z_1>"},
		"a namespace":             {"<More>", `<More xmlns="urn:x">`},
		"a prefix":                {`perms="rx"`, `xml:lang="rx"`},
		"a byte order mark":       {header, "\uFEFF" + header},
		"a bare line end":         {`a &quot;b`, "a\n&quot;b"},
		"a carriage return":       {"before", "be\r\nfore"},
		"a broken character":      {"before", "be\xfffore"},
		"no character":            {"before", "be\uFFFEfore"},
		"a control character":     {"before", "be\x01fore"},
		"text behind":             {"</Configuration>\n", "</Configuration>\nx"},
		"cut off":                 {"</Configuration>\n", "</Configuration>"},
	} {
		other := strings.Replace(good, change[0], change[1], 1)
		require.NotEqual(t, good, other, name)
		require.Nil(t, canonical([]byte(other)), name)
	}
	for n := range good {
		require.Nil(t, canonical([]byte(good[:n])), "the first %d bytes", n)
	}
	require.Nil(t, canonical([]byte(strings.Replace(good, "before", strings.Repeat("<a>", 100)+strings.Repeat("</a>", 100), 1))), "too deep")
}

// What is read the short way is what encoding/xml reads, whatever the bytes.
func FuzzCanonical(f *testing.F) {
	f.Add(sample().XML())
	f.Add((&Config{}).XML())
	f.Fuzz(func(t *testing.T, data []byte) {
		fast := canonical(data)
		if fast == nil {
			return
		}
		require.Equal(t, string(data), string(fast.XML()))
		slow, err := plainly(data)
		require.NoError(t, err)
		requireSame(t, slow, fast)
	})
}
