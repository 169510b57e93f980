// SPDX-License-Identifier: Apache-2.0

package xmltree

import (
	"errors"
	"fmt"
	"html"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/problem"
)

const (
	// maxDepth is libxml2's own limit of nested elements.
	maxDepth = 256
	// maxEntity bounds what entities may expand to in one document, in bytes.
	maxEntity = 1 << 20

	nsXML = "http://www.w3.org/XML/1998/namespace"
	// NSXInclude is the namespace of xi:include.
	NSXInclude = "http://www.w3.org/2001/XInclude"

	codeSyntax = "xml-failed-to-parse"
)

// Parse reads one document. The first thing that is not well-formed ends it.
func Parse(file string, data []byte) (*Element, *problem.Problem) {
	return parse(file, data, nil)
}

// parse reads a document; what Parse drops goes into whole where that is given.
func parse(file string, data []byte, whole *Source) (*Element, *problem.Problem) {
	text, p := decode(file, data)
	if p != nil {
		return nil, p
	}
	d := &document{file: file, text: text, whole: whole, entities: map[string]string{}}
	for i := range len(text) {
		if text[i] == '\n' {
			d.lines = append(d.lines, i+1)
		}
	}
	root, p := d.parse()
	if p != nil {
		return nil, p
	}
	return root, nil
}

// document is what all parsers of one file share.
type document struct {
	file     string
	text     string
	lines    []int
	whole    *Source // nil: blank text and the like are dropped
	entities map[string]string
	expanded int
	expand   []string // names of entities being expanded
	last     mark
}

// mark is the position asked for last. Positions are asked for in rising order,
// so counting goes on from there and a long line is walked once.
type mark struct{ off, line, column int }

func (d *document) pos(off int) problem.Pos {
	off = min(off, len(d.text))
	line := sort.SearchInts(d.lines, off+1)
	start := 0
	if line > 0 {
		start = d.lines[line-1]
	}
	m := mark{off: start, line: line, column: 0}
	if d.last.line == line && d.last.off <= off && d.last.off >= start {
		m = d.last
	}
	m.column += utf8.RuneCountInString(d.text[m.off:off])
	m.off = off
	d.last = m
	return problem.Pos{File: d.file, Line: line + 1, Column: m.column + 1}
}

// parser walks over one text: the document, or the value of an entity. at is the
// place in the document that positions are reported for while inside an entity.
type parser struct {
	*document
	s  string
	i  int
	at int // -1 in the document itself
	ns []binding
}

type binding struct{ prefix, uri string }

type syntaxError struct{ p *problem.Problem }

func (p *parser) offset() int {
	if p.at >= 0 {
		return p.at
	}
	return p.i
}

func (p *parser) fail(off int, format string, args ...any) error {
	if p.at >= 0 {
		off = p.at
	}
	return &syntaxError{problem.New(p.pos(off), codeSyntax, "not well-formed: "+fmt.Sprintf(format, args...), "")}
}

func (e *syntaxError) Error() string { return e.p.Error() }

func (d *document) parse() (*Element, *problem.Problem) {
	p := &parser{document: d, s: d.text, at: -1, ns: []binding{{"xml", nsXML}}}
	root, err := p.document1()
	if syntax, ok := errors.AsType[*syntaxError](err); ok {
		return nil, syntax.p
	}
	return root, nil
}

// document1 is prolog, one root element, and nothing but comments behind it.
func (p *parser) document1() (*Element, error) {
	if strings.HasPrefix(p.s, "<?xml") && len(p.s) > 5 && isSpace(p.s[5]) {
		end := strings.Index(p.s, "?>")
		if end < 0 {
			return nil, p.fail(0, "the XML declaration is not closed")
		}
		p.i = end + 2
		if p.whole != nil {
			p.whole.Declaration = p.s[:p.i]
		}
	}
	var root *Element
	for {
		p.space()
		start := p.i
		switch {
		case p.i >= len(p.s):
			if root == nil {
				return nil, p.fail(p.i, "there is no root element")
			}
			return root, nil
		case p.has("<!--"), p.has("<?"):
			e, err := p.misc()
			if err != nil {
				return nil, err
			}
			if p.whole != nil {
				p.whole.Nodes = append(p.whole.Nodes, e)
			}
		case p.has("<!DOCTYPE"):
			if root != nil {
				return nil, p.fail(start, "DOCTYPE after the root element")
			}
			if err := p.doctype(); err != nil {
				return nil, err
			}
			if p.whole != nil {
				p.whole.Doctype = p.s[start:p.i]
			}
		case root != nil:
			return nil, p.fail(start, "something stands behind the root element")
		case p.s[p.i] != '<':
			return nil, p.fail(start, "text before the root element")
		default:
			var err error
			if root, err = p.element(0); err != nil {
				return nil, err
			}
			if p.whole != nil {
				p.whole.Nodes = append(p.whole.Nodes, root)
			}
		}
	}
}

func (p *parser) has(prefix string) bool { return strings.HasPrefix(p.s[p.i:], prefix) }

func (p *parser) space() bool {
	from := p.i
	for p.i < len(p.s) && isSpace(p.s[p.i]) {
		p.i++
	}
	return p.i > from
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// misc reads a comment or a processing instruction.
func (p *parser) misc() (*Element, error) {
	start := p.i
	e := &Element{Pos: p.pos(p.offset())}
	if p.has("<!--") {
		end := strings.Index(p.s[p.i+4:], "--")
		if end < 0 {
			return nil, p.fail(start, "the comment is not closed")
		}
		e.Kind, e.Text = Comment, p.s[p.i+4:p.i+4+end]
		p.i += 4 + end
		if !p.has("-->") {
			return nil, p.fail(p.i, "-- inside a comment")
		}
		p.i += 3
		return e, p.chars(e.Text, start)
	}
	p.i += 2
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(name, "xml") {
		return nil, p.fail(start, "the XML declaration must be the very first thing in the file")
	}
	end := strings.Index(p.s[p.i:], "?>")
	if end < 0 {
		return nil, p.fail(start, "the processing instruction is not closed")
	}
	e.Kind, e.Tag, e.Text = Instruction, name, strings.TrimLeft(p.s[p.i:p.i+end], " \t\r\n")
	p.i += end + 2
	return e, p.chars(e.Text, start)
}

// element reads from "<name" to its end tag.
func (p *parser) element(depth int) (*Element, error) {
	start := p.i
	if depth >= maxDepth {
		return nil, p.fail(start, "elements are nested more than %d deep", maxDepth)
	}
	p.i++
	qname, err := p.name()
	if err != nil {
		return nil, err
	}
	e := &Element{Pos: p.pos(p.atOr(start))}
	bound := len(p.ns)
	defer func() { p.ns = p.ns[:bound] }()
	empty, err := p.attributes(e)
	if err != nil {
		return nil, err
	}
	if e.Space, e.Tag, err = p.resolve(qname, start, true); err != nil {
		return nil, err
	}
	if err := p.resolveAttrs(e, start); err != nil {
		return nil, err
	}
	if empty {
		return e, nil
	}
	c := content{parent: e, whole: p.whole != nil}
	if err := p.content(&c, depth+1); err != nil {
		return nil, err
	}
	if p.i >= len(p.s) {
		return nil, p.fail(start, "element %s is not closed", qname)
	}
	close := p.i
	p.i += 2
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	if name != qname {
		return nil, p.fail(close, "</%s> closes <%s> of line %d", name, qname, e.Pos.Line)
	}
	p.space()
	if !p.has(">") {
		return nil, p.fail(p.i, "the end tag </%s is not closed", name)
	}
	p.i++
	return e, nil
}

func (p *parser) atOr(off int) int {
	if p.at >= 0 {
		return p.at
	}
	return off
}

// attributes reads up to ">" or "/>" and reports which. Names stay unresolved:
// the prefix is kept in Space until all declarations are known.
func (p *parser) attributes(e *Element) (empty bool, err error) {
	for {
		spaced := p.space()
		switch {
		case p.i >= len(p.s):
			return false, p.fail(p.i, "the file ends inside a tag")
		case p.s[p.i] == '>':
			p.i++
			return false, nil
		case p.has("/>"):
			p.i += 2
			return true, nil
		case !spaced:
			return false, p.fail(p.i, "unexpected %q in a tag", firstRune(p.s[p.i:]))
		}
		start := p.i
		name, err := p.name()
		if err != nil {
			return false, err
		}
		p.space()
		if !p.has("=") {
			return false, p.fail(start, "attribute %s has no value", name)
		}
		p.i++
		p.space()
		value, err := p.attrValue(name)
		if err != nil {
			return false, err
		}
		if strings.HasPrefix(name, "xmlns:") && value == "" {
			return false, p.fail(start, "%s declares a prefix for no namespace", name)
		}
		if name == "xmlns" || strings.HasPrefix(name, "xmlns:") {
			prefix := strings.TrimPrefix(strings.TrimPrefix(name, "xmlns"), ":")
			p.ns = append(p.ns, binding{prefix, value})
			e.Namespaces = append(e.Namespaces, Namespace{prefix, value})
			continue
		}
		if slices.ContainsFunc(e.Attrs, func(a Attr) bool { return a.Name == name }) {
			return false, p.fail(start, "attribute %s is given twice", name)
		}
		pos := p.pos(p.atOr(start))
		e.Attrs = append(e.Attrs, Attr{Name: name, Value: value, Line: pos.Line, Column: pos.Column})
	}
}

func (p *parser) resolveAttrs(e *Element, start int) error {
	for i := range e.Attrs {
		a := &e.Attrs[i]
		if !strings.Contains(a.Name, ":") {
			continue
		}
		var err error
		if a.Space, a.Name, err = p.resolve(a.Name, start, false); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) resolve(qname string, off int, element bool) (space, local string, err error) {
	prefix, local, ok := strings.Cut(qname, ":")
	if !ok {
		prefix, local = "", qname
		if !element {
			return "", local, nil
		}
	}
	for _, b := range slices.Backward(p.ns) {
		if b.prefix == prefix {
			return b.uri, local, nil
		}
	}
	if prefix == "" {
		return "", local, nil
	}
	return "", "", p.fail(off, "namespace prefix %s of %s is not declared", prefix, qname)
}

func (p *parser) attrValue(name string) (string, error) {
	if p.i >= len(p.s) || (p.s[p.i] != '"' && p.s[p.i] != '\'') {
		return "", p.fail(p.i, "the value of attribute %s is not quoted", name)
	}
	quote := p.s[p.i]
	p.i++
	end := strings.IndexByte(p.s[p.i:], quote)
	if end < 0 {
		return "", p.fail(p.i-1, "the value of attribute %s is not closed", name)
	}
	raw, start := p.s[p.i:p.i+end], p.i
	p.i += end + 1
	if err := p.chars(raw, start); err != nil {
		return "", err
	}
	if lt := strings.IndexByte(raw, '<'); lt >= 0 {
		return "", p.fail(start+lt, "< in the value of attribute %s", name)
	}
	if strings.IndexByte(raw, '&') < 0 {
		return blankAttr(raw), nil
	}
	return p.references(blankAttr(raw), start, true)
}

// blankAttr is attribute normalisation: literal line ends and tabs are blanks.
func blankAttr(s string) string {
	if !strings.ContainsAny(s, "\n\t\r") {
		return s
	}
	return strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ", "\r", " ").Replace(s)
}

// references replaces character and entity references in text without markup.
func (p *parser) references(s string, start int, attr bool) (string, error) {
	var b strings.Builder
	for {
		amp := strings.IndexByte(s, '&')
		if amp < 0 {
			b.WriteString(s)
			return b.String(), nil
		}
		b.WriteString(s[:amp])
		text, entity, n, err := p.reference(s[amp:], start+amp)
		if err != nil {
			return "", err
		}
		if entity != "" {
			if strings.ContainsRune(text, '<') {
				return "", p.fail(start+amp, "entity %s holds < and stands in an attribute", entity)
			}
			if text, err = p.nested(entity, text, start+amp, attr); err != nil {
				return "", err
			}
		}
		b.WriteString(text)
		s, start = s[amp+n:], start+amp+n
	}
}

// nested expands the references inside the value of an entity.
func (p *parser) nested(entity, text string, off int, attr bool) (string, error) {
	if err := p.enter(entity, len(text), off); err != nil {
		return "", err
	}
	defer p.leave()
	return p.references(text, off, attr)
}

func (p *parser) enter(entity string, size, off int) error {
	if slices.Contains(p.expand, entity) {
		return p.fail(off, "entity %s refers to itself", entity)
	}
	if p.expanded += size; p.expanded > maxEntity {
		return p.fail(off, "entities expand to more than %d bytes", maxEntity)
	}
	p.document.expand = append(p.expand, entity)
	return nil
}

func (p *parser) leave() { p.document.expand = p.expand[:len(p.expand)-1] }

// reference reads one "&…;" at the start of s. For an entity of the document it
// gives the entity's name and its value as written.
func (p *parser) reference(s string, off int) (text, entity string, n int, err error) {
	end := strings.IndexByte(s, ';')
	if end < 2 {
		return "", "", 0, p.fail(off, "& is not the start of a reference; write &amp;")
	}
	name := s[1:end]
	switch name {
	case "amp":
		return "&", "", end + 1, nil
	case "lt":
		return "<", "", end + 1, nil
	case "gt":
		return ">", "", end + 1, nil
	case "quot":
		return `"`, "", end + 1, nil
	case "apos":
		return "'", "", end + 1, nil
	}
	if name[0] == '#' {
		r, ok := charRef(name[1:])
		if !ok {
			return "", "", 0, p.fail(off, "&%s; is no character that XML allows", name)
		}
		return string(r), "", end + 1, nil
	}
	value, ok := p.entities[name]
	if !ok {
		if !IsName(name) {
			return "", "", 0, p.fail(off, "& is not the start of a reference; write &amp;")
		}
		if known := html.UnescapeString("&" + name + ";"); p.whole != nil && utf8.RuneCountInString(known) == 1 {
			return known, "", end + 1, nil // templates of Genshi may name what HTML does
		}
		return "", "", 0, p.fail(off, "entity %s is not defined", name)
	}
	return value, name, end + 1, nil
}

func charRef(s string) (rune, bool) {
	base := 10
	if strings.HasPrefix(s, "x") {
		s, base = s[1:], 16
	}
	n, err := strconv.ParseUint(s, base, 32)
	if err != nil || !isChar(rune(n)) {
		return 0, false
	}
	return rune(n), true
}

func firstRune(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}
