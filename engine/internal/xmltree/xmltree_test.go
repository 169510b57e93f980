// SPDX-License-Identifier: Apache-2.0

package xmltree

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// dump writes a tree so that a test can compare it at a glance.
func dump(e *Element) string {
	var b strings.Builder
	var walk func(*Element)
	walk = func(e *Element) {
		switch e.Kind {
		case Comment:
			fmt.Fprintf(&b, "<!%q>", e.Text)
		case Instruction:
			fmt.Fprintf(&b, "<?%s %q>", e.Tag, e.Text)
		case Node:
			fmt.Fprintf(&b, "<%s", e.Tag)
			for _, a := range e.Attrs {
				fmt.Fprintf(&b, " %s=%q", a.Name, a.Value)
			}
			fmt.Fprintf(&b, ">%s", strings.Trim(fmt.Sprintf("%q", e.Text), `"`))
			for _, c := range e.Children {
				walk(c)
			}
			b.WriteString("</>")
		}
		b.WriteString(strings.Trim(fmt.Sprintf("%q", e.Tail), `"`))
	}
	walk(e)
	return b.String()
}

func TestParseKeepsWhatBcfg2Keeps(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"blank text between elements goes":     {"<a>\n <b/>\n <c/>\n</a>", "<a><b></><c></></>"},
		"blank text alone stays":               {"<a><b> \n</b></a>", `<a><b> \n</></>`},
		"blank text beside text stays":         {"<a>x <b/> <c/></a>", "<a>x <b></> <c></></>"},
		"comments split text":                  {"<a>x<!-- c -->y</a>", `<a>x<!" c ">y</>`},
		"references and CDATA":                 {"<a b='&lt;&#10;x'>&amp;<![CDATA[<&]]>&#x41;</a>", `<a b="<\nx">&<&A</>`},
		"line ends in an attribute are blanks": {"<a b='1\n2\t3'/>", `<a b="1 2 3"></>`},
		"CR LF is a line feed":                 {"<a>x\r\ny</a>", `<a>x\ny</>`},
		"entities":                             {`<!DOCTYPE a [<!ENTITY e "v&#38;amp;w"><!ENTITY f "<b>&e;</b>">]><a c="&e;">&f;</a>`, `<a c="v&amp;w"><b>v&amp;w</></>`},
		"processing instruction":               {"<?xml version='1.0'?><?go on ?><a><?py x?></a>", `<a><?py "x"></>`},
		"byte order mark":                      {"\xEF\xBB\xBF<a/>", "<a></>"},
		"Latin-1":                              {"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>", "<a>é</>"},
	} {
		t.Run(name, func(t *testing.T) {
			e, p := Parse("f.xml", []byte(c.in))
			require.Nil(t, p)
			require.Equal(t, c.want, dump(e))
		})
	}
}

func TestParseNamesThePlaceOfTheMistake(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "f.xml:1:1: not well-formed: there is no root element",
		"<a>\n  <b>\n</a>":              "f.xml:3:1: not well-formed: </a> closes <b> of line 2",
		"<a>":                           "f.xml:1:1: not well-formed: element a is not closed",
		"<a/><b/>":                      "f.xml:1:5: not well-formed: something stands behind the root element",
		"<a/>x":                         "f.xml:1:5: not well-formed: something stands behind the root element",
		"<a b='1' b='2'/>":              "f.xml:1:10: not well-formed: attribute b is given twice",
		"<a b=1/>":                      "f.xml:1:6: not well-formed: the value of attribute b is not quoted",
		"<a b='<'/>":                    "f.xml:1:7: not well-formed: < in the value of attribute b",
		"<a>é &nope;</a>":               "f.xml:1:6: not well-formed: entity nope is not defined",
		"<a>a & b</a>":                  "f.xml:1:6: not well-formed: & is not the start of a reference; write &amp;",
		"<p:a/>":                        "f.xml:1:1: not well-formed: namespace prefix p of p:a is not declared",
		"<a>\x00</a>":                   "f.xml:1:4: not well-formed: character U+0000 is not allowed in XML",
		"<a>\xff</a>":                   "f.xml:1:4: not well-formed: byte 0xFF is not UTF-8",
		"<a><!-- -- --></a>":            "f.xml:1:9: not well-formed: -- inside a comment",
		"<a>]]></a>":                    "f.xml:1:4: not well-formed: ]]> in text",
		`<!DOCTYPE a SYSTEM "x"><a b/>`: "f.xml:1:27: not well-formed: attribute b has no value",
		`<!DOCTYPE a [<!ENTITY e SYSTEM "/etc/passwd">]><a>&e;</a>`: "f.xml:1:14: not well-formed: entity e is external; nothing outside the specification is read",
		`<!DOCTYPE a [<!ENTITY e "&e;">]><a>&e;</a>`:                "f.xml:1:36: not well-formed: entity e refers to itself",
	} {
		_, p := Parse("f.xml", []byte(in))
		require.NotNil(t, p, in)
		require.Equal(t, want, p.Error(), in)
	}
}

func TestBillionLaughsIsRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE a [<!ENTITY e0 "lollollollollol">`)
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&b, `<!ENTITY e%d "&e%d;&e%d;">`, i, i-1, i-1)
	}
	_, p := Parse("f.xml", []byte(b.String()+"]><a>&e39;</a>"))
	require.ErrorContains(t, p, "entities expand to more than")
	_, p = Parse("f.xml", []byte(strings.Repeat("<a>", 100000)))
	require.ErrorContains(t, p, "nested more than")
}

func TestPositionsCountCharacters(t *testing.T) {
	e, p := Parse("f.xml", []byte("<a>\n  <é>ü</é> <b c='1'\n d='2'/></a>"))
	require.Nil(t, p)
	b := e.Children[1]
	require.Equal(t, "f.xml:2:12", b.Pos.String())
	require.Equal(t, "f.xml:2:15", b.AttrPos("c").String())
	require.Equal(t, "f.xml:3:2", b.AttrPos("d").String())
}

func TestLoadFollowsIncludes(t *testing.T) {
	xi := ` xmlns:xi="http://www.w3.org/2001/XInclude"`
	fsys := fstest.MapFS{
		"M/groups.xml":  {Data: []byte("<Groups" + xi + "><xi:include href='parts/*.xml'/><xi:include href='nope.xml'/><x/></Groups>")},
		"M/parts/b.xml": {Data: []byte("<Groups><b/></Groups>")},
		"M/parts/a.xml": {Data: []byte("<Groups" + xi + "><xi:include href='../c.xml'/></Groups>")},
		"M/c.xml":       {Data: []byte("<c" + xi + "><xi:include href='groups.xml'/><xi:include href='/M/parts/a.xml'/></c>")},
	}
	d, p := Load(fsys, "M/groups.xml")
	require.Nil(t, p)
	require.Equal(t, "<Groups><Groups><c><Groups></></></><Groups><b></></><x></></>", dump(d.Root))
	require.Equal(t, []string{"M/groups.xml", "M/parts/a.xml", "M/c.xml", "M/parts/b.xml"}, d.Files)
	var codes []string
	for _, p := range d.Problems {
		codes = append(codes, p.Code)
	}
	require.Equal(t, []string{"xinclude-cycle", "xinclude-does-not-exist"}, codes)
}

// FuzzParse holds the parser against encoding/xml: what we accept, it accepts
// (but for what it does not know: entities and other encodings), and it never
// panics or hangs.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"<a b='c'>d<e/></a>", "<?xml version='1.0'?><a>&#10;<![CDATA[x]]></a>", `<!DOCTYPE a [<!ENTITY e "v">]><a>&e;</a>`, "<a>\n <b/>\n</a>", "<a><b㣬/></a>", "<a é=''><œuvre/></a>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, p := Parse("f", data)
		if p != nil {
			require.Nil(t, e)
			require.Positive(t, p.Pos.Line)
			return
		}
		if strings.Contains(string(data), "<!") || strings.Contains(string(data), "<?") || !strings.HasPrefix(string(data), "<") {
			return
		}
		d := xml.NewDecoder(strings.NewReader(string(data)))
		for {
			if _, err := d.RawToken(); err != nil {
				require.ErrorIs(t, err, io.EOF)
				return
			}
		}
	})
}
