// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// entry is one entry of a host that was built in full.
type entry struct {
	tag, name, kind string
	// in is the structure that holds it, text its canonical bytes.
	in, text string
	failed   bool
}

// built is one host; nil entries where it was refused.
type built struct {
	entries []entry
	// structures are the opening tags, in order; empty ones hold nothing.
	structures []structure
	// probes are what the host is asked, by name, with all that is in it.
	probes map[string]string
}

type structure struct {
	tag, name, open string
	empty           bool
}

func (b *built) refused() bool { return b.entries == nil }

// read takes a host's configuration apart, as XML.
func read(data []byte) (*built, error) {
	out := &built{entries: []entry{}, probes: map[string]string{}}
	dec := xml.NewDecoder(bytes.NewReader(data))
	depth, start := 0, 0
	var at entry
	for {
		before := int(dec.InputOffset())
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read a configuration: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			switch depth {
			case 2:
				out.structures = append(out.structures, structure{tagOf(t.Name), value(t, "name"), string(bytes.TrimRight(data[before:dec.InputOffset()], "/>")), true})
			case 3:
				s := &out.structures[len(out.structures)-1]
				s.empty = false
				at = entry{tag: tagOf(t.Name), name: value(t, "name"), kind: value(t, "type"), in: s.tag + " " + s.name, failed: value(t, "failure") != ""}
				start = before
			}
		case xml.EndElement:
			if depth == 3 {
				at.text = string(data[start:dec.InputOffset()])
				out.entries = append(out.entries, at)
			}
			depth--
		}
	}
}

func value(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// tagOf is a name as reports write it.
func tagOf(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return "{" + n.Space + "}" + n.Local
}
