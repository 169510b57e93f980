// SPDX-License-Identifier: Apache-2.0

package index

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// header begins a listing as it is recorded: after it, lines of fields with tabs
// between them. The first field says what the others are: P a package, and of it D
// and R a dependency and a recommendation with its alternatives, V what it
// provides, I the groups that it is in, E that it is essential; G a group with its
// name, and of it M a member with its kind.
const header = "bindery package listing 1"

// ErrNotListing is content that is no recorded listing.
var ErrNotListing = errors.New("it is no recorded listing of packages")

// Encode gives the listing as it is recorded: equal listings are equal bytes.
func (l *Listing) Encode() ([]byte, error) {
	var b bytes.Buffer
	line := func(tag string, fields ...string) {
		if len(fields) == 0 {
			return
		}
		b.WriteString(tag)
		for _, f := range fields {
			b.WriteByte('\t')
			b.WriteString(f)
		}
		b.WriteByte('\n')
	}
	b.WriteString(header + "\n")
	for i := range l.Entries {
		e := &l.Entries[i]
		line("P", e.Name)
		if e.Essential {
			b.WriteString("E\n")
		}
		for _, n := range e.Depends {
			line("D", n...)
		}
		for _, n := range e.Recommends {
			line("R", n...)
		}
		line("V", e.Provides...)
		line("I", e.Groups...)
	}
	for _, g := range l.Groups {
		line("G", g.ID, g.Name)
		for _, m := range g.Members {
			line("M", m.Name, m.Kind)
		}
	}
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("record listing: %w", err)
	}
	return w.EncodeAll(b.Bytes(), nil), nil
}

// Decode reads a recorded listing.
func Decode(data []byte) (*Listing, error) {
	r, err := Unpack(data)
	if err != nil {
		return nil, err
	}
	in := lines(r)
	if !in.Scan() || in.Text() != header {
		if err := in.Err(); err != nil {
			return nil, fmt.Errorf("read listing: %w", err)
		}
		return nil, ErrNotListing
	}
	d := decoder{known: map[string]string{}}
	for n := 2; in.Scan(); n++ {
		if !d.line(in.Text()) {
			return nil, fmt.Errorf("read listing: line %d: %q", n, in.Text())
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read listing: %w", err)
	}
	return &d.Listing, nil
}

// decoder keeps each name once: most are named many times.
type decoder struct {
	Listing
	known map[string]string
}

func (d *decoder) intern(fields []string) []string {
	for i, f := range fields {
		s, ok := d.known[f]
		if !ok {
			s = strings.Clone(f)
			d.known[s] = s
		}
		fields[i] = s
	}
	return fields
}

// line reads a line, and tells whether it is one.
func (d *decoder) line(text string) bool {
	if text == "" {
		return true
	}
	fields := strings.Split(text, "\t")
	tag, fields := fields[0], d.intern(fields[1:])
	switch {
	case tag == "P" && len(fields) == 1 && fields[0] != "":
		d.Entries = append(d.Entries, Entry{Name: fields[0]})
		return true
	case tag == "G" && len(fields) == 2:
		d.Groups = append(d.Groups, Group{ID: fields[0], Name: fields[1]})
		return true
	case tag == "M" && len(fields) == 2 && len(d.Groups) > 0:
		g := &d.Groups[len(d.Groups)-1]
		g.Members = append(g.Members, Member{fields[0], fields[1]})
		return true
	}
	if len(d.Entries) == 0 {
		return false
	}
	return d.Entries[len(d.Entries)-1].recorded(tag, fields)
}

func (e *Entry) recorded(tag string, fields []string) bool {
	if len(fields) == 0 {
		e.Essential = e.Essential || tag == "E"
		return tag == "E"
	}
	switch tag {
	case "D":
		e.Depends = append(e.Depends, fields)
	case "R":
		e.Recommends = append(e.Recommends, fields)
	case "V":
		e.Provides = fields
	case "I":
		e.Groups = fields
	default:
		return false
	}
	return true
}
