// SPDX-License-Identifier: Apache-2.0

package index

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// maxLine bounds a line of an index in bytes.
const maxLine = 4 << 20

func lines(r io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), maxLine)
	return s
}

var restriction = regexp.MustCompile(`\(.*\)|\[.*\]|<.*>`)

// ParseAPT reads a Packages file.
func ParseAPT(data []byte) (*Listing, error) {
	r, err := Unpack(data)
	if err != nil {
		return nil, err
	}
	l := &Listing{}
	e := &Entry{} // of fields before the first name, for nobody
	in := lines(r)
	for in.Scan() {
		line := in.Bytes()
		if len(line) == 0 || line[0] == ' ' || line[0] == '\t' {
			continue
		}
		field, value, ok := strings.Cut(string(line[:min(len(line), 16)]), ":")
		if !ok || !aptFields[field] {
			continue
		}
		value = strings.TrimSpace(string(line[len(field)+1:]))
		if field == "Package" {
			e = &Entry{}
			if usable(value) {
				l.Entries = append(l.Entries, Entry{Name: value})
				e = &l.Entries[len(l.Entries)-1]
			}
			continue
		}
		e.field(field, value)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read Packages: %w", err)
	}
	return l, nil
}

var aptFields = map[string]bool{"Package": true, "Essential": true, "Depends": true, "Pre-Depends": true, "Recommends": true, "Provides": true}

func (e *Entry) field(name, value string) {
	if name == "Essential" {
		e.Essential = value == "yes"
		return
	}
	for dep := range strings.SplitSeq(value, ",") {
		var alternatives []string
		for one := range strings.SplitSeq(dep, "|") {
			alternatives = append(alternatives, bare(one))
		}
		n := need(alternatives...)
		switch name {
		case "Provides":
			e.Provides = append(e.Provides, n...)
		case "Recommends":
			e.Recommends = appendNeed(e.Recommends, n)
		default:
			e.Depends = appendNeed(e.Depends, n)
		}
	}
}

// bare is a name without version and architecture.
func bare(dep string) string {
	if strings.ContainsAny(dep, "([<") {
		dep = restriction.ReplaceAllString(dep, "")
	}
	name, _, _ := strings.Cut(dep, ":")
	return strings.TrimSpace(name)
}
