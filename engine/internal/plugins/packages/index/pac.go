// SPDX-License-Identifier: Apache-2.0

package index

import (
	"fmt"
	"io"
	"path"
	"strings"
)

// ParsePac reads a database of pacman: an archive with a folder for each package,
// and in it the files desc and, in old ones, depends.
func ParsePac(data []byte) (*Listing, error) {
	l := &Listing{}
	place := map[string]int{}
	err := members(data, func(name string, r io.Reader) error {
		folder, file := path.Split(name)
		if file != "desc" && file != "depends" {
			return nil
		}
		i, ok := place[folder]
		if !ok {
			i = len(l.Entries)
			place[folder] = i
			l.Entries = append(l.Entries, Entry{})
		}
		return l.Entries[i].describe(r)
	})
	if err != nil {
		return nil, err
	}
	// A folder without a name of a package is none.
	var out []Entry
	for _, e := range l.Entries {
		if e.Name != "" {
			out = append(out, e)
		}
	}
	l.Entries = out
	return l, nil
}

// describe reads sections: a heading between percent signs, then a value a line.
func (e *Entry) describe(r io.Reader) error {
	heading := ""
	in := lines(r)
	for in.Scan() {
		line := strings.TrimSpace(in.Text())
		switch {
		case line == "":
		case len(line) > 2 && line[0] == '%' && line[len(line)-1] == '%':
			heading = strings.Trim(line, "%")
		case heading == "NAME" && usable(line):
			e.Name = line
		case heading == "DEPENDS":
			e.Depends = appendNeed(e.Depends, need(unversioned(line)))
		case heading == "OPTDEPENDS":
			name, _, _ := strings.Cut(line, ":")
			e.Recommends = appendNeed(e.Recommends, need(unversioned(name)))
		case heading == "PROVIDES":
			e.Provides = append(e.Provides, names([]string{unversioned(line)})...)
		case heading == "GROUPS":
			e.Groups = append(e.Groups, names([]string{line})...)
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("read package of an archive: %w", err)
	}
	return nil
}

// unversioned is a name without the condition on versions behind it.
func unversioned(dep string) string {
	if i := strings.IndexAny(dep, "<>="); i >= 0 {
		dep = dep[:i]
	}
	return strings.TrimSpace(dep)
}
