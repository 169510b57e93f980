// SPDX-License-Identifier: Apache-2.0

package review

import (
	"cmp"
	"slices"
	"strings"
)

// What stands for a host's own name or id, and its address.
const (
	HostMask = "‹host›"
	IPMask   = "‹ip›"
)

// mask replaces what is a host's own, so that a change which differs only in
// that is one change. It is for grouping and display; digests know the bytes.
type mask []replacement

type replacement struct{ from, to string }

func maskOf(h *Host) mask {
	var m mask
	if h.Name != "" {
		m = append(m, replacement{h.Name, HostMask})
		if name, _, ok := strings.Cut(h.Name, "."); ok && len(name) > 1 {
			m = append(m, replacement{name, HostMask})
		}
	}
	for _, id := range h.IDs {
		if id != "" {
			m = append(m, replacement{id, HostMask})
		}
	}
	for _, a := range h.Addresses {
		if a != "" {
			m = append(m, replacement{a, IPMask})
		}
	}
	slices.SortStableFunc(m, func(a, b replacement) int { return cmp.Compare(len(b.from), len(a.from)) })
	return m
}

// apply masks whole words only: "web1" is not in "web10".
func (m mask) apply(s string) string {
	for _, r := range m {
		s = r.apply(s)
	}
	return s
}

func (r replacement) apply(s string) string {
	from := 0
	var b strings.Builder
	for at := 0; ; {
		i := strings.Index(s[at:], r.from)
		if i < 0 {
			break
		}
		i += at
		end := i + len(r.from)
		at = i + 1
		if i > 0 && wordByte(s[i-1]) || end < len(s) && wordByte(s[end]) {
			continue
		}
		b.WriteString(s[from:i])
		b.WriteString(r.to)
		from, at = end, end
	}
	if from == 0 {
		return s
	}
	return b.String() + s[from:]
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
}

// detail masks everything that a detail shows.
func (m mask) detail(d detail) detail {
	out := detail{notes: d.notes, secrets: d.secrets}
	for _, a := range d.attrs {
		out.attrs = append(out.attrs, AttrChange{a.Name, m.value(a.Old), m.value(a.New)})
	}
	for _, h := range d.hunks {
		masked := Hunk{Header: h.Header, Lines: make([]Line, len(h.Lines))}
		for i, l := range h.Lines {
			masked.Lines[i] = Line{l.Op, m.apply(l.Text), l.Open}
		}
		out.hunks = append(out.hunks, masked)
	}
	return out
}

func (m mask) value(v *string) *string {
	if v == nil {
		return nil
	}
	s := m.apply(*v)
	return &s
}
