// SPDX-License-Identifier: Apache-2.0

package xmltree

import (
	"bytes"
	"encoding/xml"
	"strings"
	"unicode"
	"unicode/utf8"
)

// content collects the children and the text of one element.
type content struct {
	parent *Element
	text   strings.Builder
	// solid: the collected text is more than white space written as such; any: the
	// element has text already, so that white space beside it counts.
	solid bool
	any   bool
	whole bool
}

// flush puts the collected text where it belongs. libxml2 drops white space
// between elements, but keeps it where it is all that an element holds, and
// beside other text.
func (c *content) flush(closing bool) {
	if c.text.Len() == 0 {
		return
	}
	kids := c.parent.Children
	switch {
	case !c.whole && !c.solid && !c.any && (!closing || len(kids) > 0):
	case len(kids) == 0:
		c.parent.Text += c.text.String()
		c.any = true
	default:
		kids[len(kids)-1].Tail += c.text.String()
	}
	c.text.Reset()
	c.solid = false
}

func (c *content) add(e *Element) {
	c.flush(false)
	c.parent.Children = append(c.parent.Children, e)
}

// content reads up to an end tag, or to the end of the text.
func (p *parser) content(c *content, depth int) error {
	for p.i < len(p.s) {
		start := p.i
		switch {
		case p.s[p.i] != '<' && p.s[p.i] != '&':
			if err := p.plain(c); err != nil {
				return err
			}
		case p.s[p.i] == '&':
			if err := p.contentReference(c, depth); err != nil {
				return err
			}
		case p.has("</"):
			c.flush(true)
			return nil
		case p.has("<!--"), p.has("<?"):
			e, err := p.misc()
			if err != nil {
				return err
			}
			c.add(e)
		case p.has("<![CDATA["):
			end := strings.Index(p.s[p.i:], "]]>")
			if end < 0 {
				return p.fail(start, "the CDATA section is not closed")
			}
			raw := p.s[p.i+9 : p.i+end]
			p.i += end + 3
			if err := p.chars(raw, start); err != nil {
				return err
			}
			if p.whole != nil {
				c.add(&Element{Kind: Section, Text: lineEnds(raw), Pos: p.pos(p.atOr(start))})
				continue
			}
			c.text.WriteString(lineEnds(raw))
			c.solid = c.solid || raw != ""
		case p.has("<!"):
			return p.fail(start, "a declaration inside an element")
		default:
			e, err := p.element(depth)
			if err != nil {
				return err
			}
			c.add(e)
		}
	}
	return nil
}

// plain reads text up to the next markup or reference.
func (p *parser) plain(c *content) error {
	end := strings.IndexAny(p.s[p.i:], "<&")
	if end < 0 {
		end = len(p.s) - p.i
	}
	raw, start := p.s[p.i:p.i+end], p.i
	p.i += end
	if i := strings.Index(raw, "]]>"); i >= 0 {
		return p.fail(start+i, "]]> in text")
	}
	if err := p.chars(raw, start); err != nil {
		return err
	}
	c.text.WriteString(lineEnds(raw))
	c.solid = c.solid || strings.TrimLeft(raw, " \t\r\n") != ""
	return nil
}

func (p *parser) contentReference(c *content, depth int) error {
	start := p.i
	text, entity, n, err := p.reference(p.s[p.i:], p.i)
	if err != nil {
		return err
	}
	p.i += n
	if entity == "" {
		c.text.WriteString(text)
		c.solid = true
		return nil
	}
	if err := p.enter(entity, len(text), start); err != nil {
		return err
	}
	defer p.leave()
	inner := &parser{document: p.document, s: text, at: p.atOr(start), ns: p.ns}
	if depth >= maxDepth {
		return p.fail(start, "elements are nested more than %d deep", maxDepth)
	}
	if err := inner.content(c, depth+1); err != nil {
		return err
	}
	if inner.i < len(inner.s) {
		return p.fail(start, "entity %s closes an element that it did not open", entity)
	}
	return nil
}

// lineEnds is XML's own: CR LF and a lone CR are a line feed.
func lineEnds(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// doctype reads the internal subset for the entities that it declares.
func (p *parser) doctype() error {
	start := p.i
	p.i += len("<!DOCTYPE")
	for p.i < len(p.s) && p.s[p.i] != '[' && p.s[p.i] != '>' {
		if q := p.s[p.i]; q == '"' || q == '\'' {
			end := strings.IndexByte(p.s[p.i+1:], q)
			if end < 0 {
				break
			}
			p.i += end + 1
		}
		p.i++
	}
	if p.has("[") {
		p.i++
		if err := p.subset(start); err != nil {
			return err
		}
		p.space()
	}
	if !p.has(">") {
		return p.fail(start, "DOCTYPE is not closed")
	}
	p.i++
	return nil
}

func (p *parser) subset(start int) error {
	for {
		p.space()
		switch {
		case p.i >= len(p.s):
			return p.fail(start, "DOCTYPE is not closed")
		case p.s[p.i] == ']':
			p.i++
			return nil
		case p.has("<!--"), p.has("<?"):
			if _, err := p.misc(); err != nil {
				return err
			}
		case p.has("<!ENTITY"):
			if err := p.entity(); err != nil {
				return err
			}
		case p.has("<!"):
			end := strings.IndexByte(p.s[p.i:], '>')
			if end < 0 {
				return p.fail(start, "DOCTYPE is not closed")
			}
			p.i += end + 1
		default:
			return p.fail(p.i, "unexpected %q in DOCTYPE", firstRune(p.s[p.i:]))
		}
	}
}

func (p *parser) entity() error {
	start := p.i
	p.i += len("<!ENTITY")
	p.space()
	if p.has("%") {
		return p.fail(start, "parameter entities are not supported")
	}
	name, err := p.name()
	if err != nil {
		return err
	}
	p.space()
	if p.has("SYSTEM") || p.has("PUBLIC") {
		return p.fail(start, "entity %s is external; nothing outside the specification is read", name)
	}
	if p.i >= len(p.s) || (p.s[p.i] != '"' && p.s[p.i] != '\'') {
		return p.fail(start, "entity %s has no value", name)
	}
	quote := p.s[p.i]
	end := strings.IndexByte(p.s[p.i+1:], quote)
	if end < 0 {
		return p.fail(start, "entity %s is not closed", name)
	}
	value := p.s[p.i+1 : p.i+1+end]
	if err := p.chars(value, p.i+1); err != nil {
		return err
	}
	p.i += end + 2
	p.space()
	if !p.has(">") {
		return p.fail(start, "entity %s is not closed", name)
	}
	p.i++
	if _, known := p.entities[name]; !known {
		p.entities[name] = lineEnds(value)
	}
	return nil
}

// name reads an XML name, with at most one colon.
func (p *parser) name() (string, error) {
	from := p.i
	for p.i < len(p.s) {
		r, n := utf8.DecodeRuneInString(p.s[p.i:])
		if !isNameRune(r, p.i == from) {
			break
		}
		p.i += n
	}
	if p.i == from {
		if p.i >= len(p.s) {
			return "", p.fail(from, "a name is expected")
		}
		return "", p.fail(from, "a name is expected, not %q", firstRune(p.s[p.i:]))
	}
	name := p.s[from:p.i]
	if strings.Count(name, ":") > 1 || strings.HasPrefix(name, ":") || strings.HasSuffix(name, ":") || !readable(name) {
		return "", p.fail(from, "%s is no name", name)
	}
	return name, nil
}

// IsName tells whether a text is an XML name.
func IsName(s string) bool {
	for i, r := range s {
		if !isNameRune(r, i == 0) {
			return false
		}
	}
	return s != "" && readable(s)
}

// readable tells whether encoding/xml, with which hosts read configurations, takes a
// name too: it knows the letters of the fourth edition alone.
func readable(name string) bool {
	if strings.IndexFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return true
	}
	_, err := xml.NewDecoder(strings.NewReader("<" + name + "/>")).RawToken()
	return err == nil
}

func isNameRune(r rune, first bool) bool {
	switch {
	case r < utf8.RuneSelf:
		return r == '_' || r == ':' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' ||
			!first && (r == '-' || r == '.' || '0' <= r && r <= '9')
	case r == utf8.RuneError:
		return false
	}
	return unicode.IsLetter(r) || !first && (unicode.IsDigit(r) || unicode.IsMark(r) || r == 0xB7)
}

// chars refuses characters that XML does not allow.
func (p *parser) chars(s string, off int) error {
	for i := 0; i < len(s); {
		if c := s[i]; c >= 0x20 && c < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			return p.fail(off+i, "byte 0x%02X is not UTF-8", s[i])
		}
		if !isChar(r) {
			return p.fail(off+i, "character U+%04X is not allowed in XML", r)
		}
		i += n
	}
	return nil
}

// Fits tells whether XML can carry a text.
func Fits(text []byte) bool {
	return utf8.Valid(text) && bytes.IndexFunc(text, func(r rune) bool { return !isChar(r) }) < 0
}

func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}
