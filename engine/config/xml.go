// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const nsXML = "http://www.w3.org/XML/1998/namespace"

const header = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// XML encodes the configuration in Bcfg2's vocabulary: one Configuration element
// of structures. Equal configurations give equal bytes.
func (c *Config) XML() []byte {
	n := 256
	for _, b := range c.Bundles {
		n += 64
		for _, e := range b.Entries {
			n += len(e.xml) + 5
		}
	}
	buf := append(make([]byte, 0, n), header...)
	buf = append(c.appendOpen(buf), ">\n"...)
	for _, b := range c.Bundles {
		buf = append(buf, "  "...)
		buf = b.appendOpen(buf)
		if len(b.Entries) == 0 {
			buf = append(buf, "/>\n"...)
			continue
		}
		buf = append(buf, ">\n"...)
		for _, e := range b.Entries {
			buf = append(buf, "    "...)
			buf = append(buf, e.xml...)
			buf = append(buf, '\n')
		}
		buf = append(append(append(buf, "  </"...), b.Tag...), ">\n"...)
	}
	return append(buf, "</Configuration>\n"...)
}

func (c *Config) appendOpen(buf []byte) []byte {
	return appendAttrs(append(buf, "<Configuration"...), []Attr{{"revision", c.Revision}, {"version", "2.0"}})
}

func (b *Bundle) appendOpen(buf []byte) []byte {
	return appendAttrs(append(append(buf, '<'), b.Tag...), b.Attrs)
}

func (e *Entry) append(buf []byte) []byte {
	n := Node{Tag: e.Tag, Attrs: e.Attrs, Text: e.Text, Children: e.Children}
	if e.Failure != "" {
		n.Attrs = sortAttrs(append(slices.Clip(n.Attrs), Attr{"failure", e.Failure}))
	}
	return n.append(buf)
}

func (n *Node) append(buf []byte) []byte {
	tag, ns := n.Tag, ""
	if uri, local, ok := splitName(tag); ok {
		tag, ns = "ns0:"+local, uri
	}
	buf = append(append(buf, '<'), tag...)
	if ns != "" {
		buf = appendAttr(buf, "xmlns:ns0", ns)
	}
	buf = appendAttrs(buf, n.Attrs)
	if n.Text == "" && len(n.Children) == 0 {
		return append(buf, "/>"...)
	}
	buf = append(buf, '>')
	buf = appendEscaped(buf, n.Text, false)
	for _, c := range n.Children {
		buf = c.append(buf)
		buf = appendEscaped(buf, c.Tail, false)
	}
	return append(append(append(buf, "</"...), tag...), '>')
}

func appendAttrs(buf []byte, attrs []Attr) []byte {
	for i, a := range attrs {
		name := a.Name
		if uri, local, ok := splitName(name); ok {
			prefix := "xml" // the only prefix that its namespace may have
			if uri != nsXML {
				prefix = "ns" + strconv.Itoa(i+1)
				buf = appendAttr(buf, "xmlns:"+prefix, uri)
			}
			name = prefix + ":" + local
		}
		buf = appendAttr(buf, name, a.Value)
	}
	return buf
}

func appendAttr(buf []byte, name, value string) []byte {
	buf = append(append(append(buf, ' '), name...), `="`...)
	return append(appendEscaped(buf, value, true), '"')
}

func splitName(name string) (uri, local string, ok bool) {
	if !strings.HasPrefix(name, "{") {
		return "", name, false
	}
	uri, local, ok = strings.Cut(name[1:], "}")
	return uri, local, ok
}

// plain are the bytes that stand for themselves everywhere. Nearly all do.
var plain = func() (p [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		p[c] = !strings.ContainsRune(`&<>"`, rune(c))
	}
	return p
}()

// appendEscaped writes text so that reading it back gives the same characters,
// line ends and blanks in attributes included.
func appendEscaped(buf []byte, s string, attr bool) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		size := 1
		repl := ""
		switch {
		case c == '&':
			repl = "&amp;"
		case c == '<':
			repl = "&lt;"
		case c == '>':
			repl = "&gt;"
		case c == '\r':
			repl = "&#13;"
		case attr && c == '"':
			repl = "&quot;"
		case attr && c == '\n':
			repl = "&#10;"
		case attr && c == '\t':
			repl = "&#9;"
		case c < 0x20 && c != '\t' && c != '\n':
			repl = "\uFFFD"
		case c >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if (r == utf8.RuneError && size == 1) || r == 0xFFFE || r == 0xFFFF {
				repl = "\uFFFD"
			}
		}
		if repl != "" {
			buf = append(append(buf, s[from:i]...), repl...)
			from = i + size
		}
		i += size
	}
	return append(buf, s[from:]...)
}

// Decode reads what XML wrote. It is strict: another root element, text between
// entries or a second root is an error. Provenance does not travel. It takes over the
// bytes.
func Decode(data []byte) (*Config, error) {
	if c := canonical(data); c != nil {
		return c, nil
	}
	d := &decoder{xml.NewDecoder(bytes.NewReader(data))}
	c, err := d.configuration()
	if err != nil {
		return nil, fmt.Errorf("read configuration at byte %d: %w", d.InputOffset(), err)
	}
	return c, nil
}

type decoder struct{ *xml.Decoder }

func (d *decoder) configuration() (*Config, error) {
	root, err := d.next()
	if err != nil {
		return nil, err
	}
	if root == nil || root.Name.Local != "Configuration" {
		return nil, errors.New("the root element is not Configuration")
	}
	c := &Config{}
	for _, a := range root.Attr {
		if a.Name.Local == "revision" {
			c.Revision = a.Value
		}
	}
	for {
		start, err := d.next()
		if err != nil {
			return nil, err
		}
		if start == nil {
			break
		}
		b, err := d.bundle(*start)
		if err != nil {
			return nil, err
		}
		c.Bundles = append(c.Bundles, b)
	}
	// encoding/xml would go on with text, or with a second root.
	if rest, err := d.next(); !errors.Is(err, io.EOF) || rest != nil {
		return nil, errors.New("data after the Configuration element")
	}
	return c, nil
}

// next returns the next start element, or nil at the end of the parent. Text
// other than white space is an error.
func (d *decoder) next() (*xml.StartElement, error) {
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return &t, nil
		case xml.EndElement:
			return nil, nil
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, errors.New("text outside an entry")
			}
		}
	}
}

func (d *decoder) bundle(start xml.StartElement) (*Bundle, error) {
	if tag := start.Name.Local; tag != "Bundle" && tag != "Independent" {
		return nil, fmt.Errorf("unknown structure %s", tag)
	}
	var entries []*Entry
	for {
		s, err := d.next()
		if err != nil {
			return nil, err
		}
		if s == nil {
			return NewBundle(start.Name.Local, attrsOf(start.Attr), entries), nil
		}
		n, err := d.node(*s, 0)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entryOf(n))
	}
}

func entryOf(n *Node) *Entry {
	e := Entry{Tag: n.Tag, Text: n.Text, Children: n.Children}
	for _, a := range n.Attrs {
		if a.Name == "failure" {
			e.Failure = a.Value
			continue
		}
		e.Attrs = append(e.Attrs, a)
	}
	return NewEntry(e)
}

// maxDepth bounds nesting, because the bytes may come from elsewhere.
const maxDepth = 64

func (d *decoder) node(start xml.StartElement, depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, errors.New("elements are nested too deep")
	}
	n := &Node{Tag: join(start.Name), Attrs: attrsOf(start.Attr)}
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			child, err := d.node(t, depth+1)
			if err != nil {
				return nil, err
			}
			n.Children = append(n.Children, child)
		case xml.CharData:
			if last := len(n.Children) - 1; last >= 0 {
				n.Children[last].Tail += string(t)
			} else {
				n.Text += string(t)
			}
		case xml.EndElement:
			return n, nil
		}
	}
}

func attrsOf(in []xml.Attr) []Attr {
	var out []Attr
	for _, a := range in {
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			continue
		}
		out = append(out, Attr{join(a.Name), a.Value})
	}
	return out
}

func join(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return "{" + n.Space + "}" + n.Local
}
