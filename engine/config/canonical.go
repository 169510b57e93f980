// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"unsafe"
)

// canonical reads bytes in the very form that XML writes, without names in a
// namespace, which hardly any configuration has. It shares the bytes with what it
// gives. Whatever is in another form, be it good XML, is left to encoding/xml, which
// takes ten times as long: then it gives nil.
func canonical(data []byte) *Config {
	r := &reader{data: data, s: unsafe.String(unsafe.SliceData(data), len(data)), ok: true}
	r.want(header)
	c := &Config{}
	from := r.at
	r.want("<Configuration")
	if attrs := r.attrs(); len(attrs) > 0 {
		c.Revision = attrs[0].Value
	}
	r.same(from, c.appendOpen(r.again[:0]))
	r.want(">\n")
	for r.has("  <") {
		c.Bundles = append(c.Bundles, r.bundle())
	}
	r.want("</Configuration>\n")
	if !r.ok || r.at != len(data) {
		return nil
	}
	return c
}

// reader goes through canonical bytes. Once something is in another form it is not
// ok, and what it gives means nothing.
type reader struct {
	data []byte
	s    string
	at   int
	ok   bool
	// again is room to write things once more.
	again []byte
}

// has takes some bytes if they come next.
func (r *reader) has(s string) bool {
	if !r.ok || !strings.HasPrefix(r.s[r.at:], s) {
		return false
	}
	r.at += len(s)
	return true
}

// want takes bytes that must come next.
func (r *reader) want(s string) { r.ok = r.has(s) }

// same holds what was read since some byte against how it is written.
func (r *reader) same(from int, written []byte) {
	r.again = written
	r.ok = r.ok && bytes.Equal(written, r.data[from:r.at])
}

func (r *reader) bundle() *Bundle {
	from := r.at - 1
	tag := r.name()
	r.ok = r.ok && (tag == "Bundle" || tag == "Independent")
	attrs := r.attrs()
	r.same(from, (&Bundle{Tag: tag, Attrs: sortAttrs(attrs)}).appendOpen(r.again[:0]))
	if r.has("/>\n") {
		return NewBundle(tag, attrs, nil)
	}
	r.want(">\n")
	var entries []*Entry
	for r.has("    ") {
		entries = append(entries, r.entry())
		r.want("\n")
	}
	r.want("  </" + tag + ">\n")
	return NewBundle(tag, attrs, entries)
}

// entry reads one entry, and keeps the bytes that it was read from where they are
// what it is written as.
func (r *reader) entry() *Entry {
	from := r.at
	var n Node
	r.node(&n, 0)
	if !r.ok {
		return &Entry{}
	}
	e := Entry{Tag: n.Tag, Attrs: n.Attrs, Text: n.Text, Children: n.Children}
	if i := slices.IndexFunc(e.Attrs, func(a Attr) bool { return a.Name == "failure" }); i >= 0 {
		e.Failure = e.Attrs[i].Value
		e.Attrs = append(append([]Attr(nil), e.Attrs[:i]...), e.Attrs[i+1:]...)
	}
	sortAttrs(e.Attrs)
	r.same(from, e.append(r.again[:0]))
	e.xml = r.data[from:r.at:r.at]
	return e.complete()
}

func (r *reader) node(n *Node, depth int) {
	r.ok = r.ok && depth <= maxDepth
	r.want("<")
	n.Tag = r.name()
	n.Attrs = r.attrs()
	if r.has("/>") {
		return
	}
	r.want(">")
	n.Text = r.text('<')
	for r.ok && !strings.HasPrefix(r.s[r.at:], "</") {
		child := &Node{}
		r.node(child, depth+1)
		child.Tail = r.text('<')
		n.Children = append(n.Children, child)
	}
	r.want("</")
	r.want(n.Tag)
	r.want(">")
}

// name reads a name without a namespace.
func (r *reader) name() string {
	from := r.at
	for r.at < len(r.s) {
		c := r.s[r.at] | 0x20
		if c >= 'a' && c <= 'z' || r.s[r.at] == '_' || r.at > from && (c >= '0' && c <= '9' || r.s[r.at] == '-' || r.s[r.at] == '.') {
			r.at++
			continue
		}
		break
	}
	r.ok = r.ok && r.at > from
	return r.s[from:r.at]
}

// fewAttrs is how many attributes nearly all entries have at most.
const fewAttrs = 8

func (r *reader) attrs() []Attr {
	var few [fewAttrs]Attr
	out := few[:0]
	for r.has(" ") {
		name := r.name()
		r.want(`="`)
		value := r.text('"')
		r.want(`"`)
		r.ok = r.ok && name != "xmlns"
		out = append(out, Attr{name, value})
	}
	return append([]Attr(nil), out...)
}

// text reads what stands before an end, which is not taken. What must not stand there
// is found when it is written again.
func (r *reader) text(end byte) string {
	n := strings.IndexByte(r.s[r.at:], end)
	if r.ok = r.ok && n >= 0; !r.ok {
		return ""
	}
	text := r.s[r.at : r.at+n]
	r.at += n
	if strings.IndexByte(text, '&') >= 0 {
		return escapes().Replace(text)
	}
	return text
}

// escapes are all that XML writes. One of another kind stays as it is.
var escapes = sync.OnceValue(func() *strings.Replacer {
	return strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#13;", "\r", "&#10;", "\n", "&#9;", "\t")
})
