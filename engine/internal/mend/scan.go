// SPDX-License-Identifier: Apache-2.0

package mend

import "strings"

// span is a part of the source, in bytes.
type span struct{ from, to int }

// tag is one element as it is written.
type tag struct {
	name   string
	parent *tag
	// opening and closing are where the name stands; closing is empty for <a/>.
	opening, closing span
	attrs            []attr
	// end is behind the last attribute, or the name.
	end int
}

// attr is one attribute as it is written: its name, its value without quotes, and
// the whole of it together with the blanks before it.
type attr struct {
	name             string
	at, value, whole span
}

func (t *tag) attr(name string) *attr {
	for i := range t.attrs {
		if t.attrs[i].name == name {
			return &t.attrs[i]
		}
	}
	return nil
}

// scan finds the elements of a document that is known to be well-formed. What
// entities of the document would add is not there: it stands nowhere.
func scan(src string) []*tag {
	s := &scanner{src: src}
	for s.at < len(src) {
		i := strings.IndexByte(src[s.at:], '<')
		if i < 0 {
			break
		}
		s.at += i
		s.markup()
	}
	return s.tags
}

type scanner struct {
	src  string
	at   int
	tags []*tag
	open *tag
}

func (s *scanner) markup() {
	rest := s.src[s.at:]
	switch {
	case strings.HasPrefix(rest, "<!--"):
		s.behind("-->")
	case strings.HasPrefix(rest, "<![CDATA["):
		s.behind("]]>")
	case strings.HasPrefix(rest, "<?"):
		s.behind("?>")
	case strings.HasPrefix(rest, "<!"):
		s.doctype()
	case strings.HasPrefix(rest, "</"):
		s.at += 2
		name := s.name()
		if s.open != nil {
			s.open.closing = name
			s.open = s.open.parent
		}
		s.behind(">")
	default:
		s.element()
	}
}

// behind goes behind a mark, or to the end.
func (s *scanner) behind(mark string) {
	if i := strings.Index(s.src[s.at:], mark); i >= 0 {
		s.at += i + len(mark)
		return
	}
	s.at = len(s.src)
}

// doctype goes behind a declaration, whose subset stands in brackets.
func (s *scanner) doctype() {
	end := strings.IndexByte(s.src[s.at:], '>')
	if open := strings.IndexByte(s.src[s.at:], '['); open >= 0 && open < end {
		s.behind("]")
	}
	s.behind(">")
}

func (s *scanner) name() span {
	from := s.at
	for s.at < len(s.src) && !strings.ContainsRune(" \t\r\n/>=", rune(s.src[s.at])) {
		s.at++
	}
	return span{from, s.at}
}

func (s *scanner) element() {
	s.at++
	t := &tag{parent: s.open, opening: s.name()}
	t.name = s.src[t.opening.from:t.opening.to]
	s.tags = append(s.tags, t)
	for s.at < len(s.src) {
		t.end = s.at
		blank := s.at
		s.at += len(s.src[s.at:]) - len(strings.TrimLeft(s.src[s.at:], " \t\r\n"))
		switch {
		case strings.HasPrefix(s.src[s.at:], "/>"):
			s.at += 2
			return
		case strings.HasPrefix(s.src[s.at:], ">"):
			s.at++
			s.open = t
			return
		}
		a := attr{at: s.name()}
		a.name = s.src[a.at.from:a.at.to]
		i := strings.IndexAny(s.src[s.at:], `"'`)
		if a.name == "" || i < 0 {
			s.at = len(s.src)
			return
		}
		quote := s.src[s.at+i]
		a.value.from = s.at + i + 1
		a.value.to = a.value.from + max(0, strings.IndexByte(s.src[a.value.from:], quote))
		s.at = a.value.to + 1
		a.whole = span{blank, s.at}
		t.attrs = append(t.attrs, a)
	}
}
