// SPDX-License-Identifier: Apache-2.0

package index

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Part is a file that repomd.xml names.
type Part struct {
	// Href is where it is, below the repository.
	Href string
	Digest
}

// repomdPart is a data element of repomd.xml.
type repomdPart struct {
	Type     string `xml:"type,attr"`
	Location struct {
		Href string `xml:"href,attr"`
	} `xml:"location"`
	Checksum struct {
		Type  string `xml:"type,attr"`
		Value string `xml:",chardata"`
	} `xml:"checksum"`
}

// Parts reads a repomd.xml: the files of the repository by type. There is always a
// primary.
func Parts(repomd []byte) (map[string]Part, error) {
	var doc struct {
		Data []repomdPart `xml:"data"`
	}
	if err := xml.Unmarshal(repomd, &doc); err != nil {
		return nil, fmt.Errorf("read repomd.xml: %w", err)
	}
	parts := map[string]Part{}
	for _, d := range doc.Data {
		if d.Location.Href == "" {
			continue
		}
		kind := strings.ToLower(strings.TrimSpace(d.Checksum.Type))
		if kind == "sha" {
			kind = "sha1"
		}
		parts[d.Type] = Part{strings.TrimPrefix(d.Location.Href, "/"), Digest{Kind: kind, Sum: strings.TrimSpace(d.Checksum.Value)}}
	}
	if parts["primary"].Href == "" {
		return nil, errors.New("repomd.xml names no primary")
	}
	return parts, nil
}

// rpm is a package of primary or filelists.
type rpm struct {
	Name  string    `xml:"name"`
	Named string    `xml:"name,attr"`
	Files []string  `xml:"file"`
	Needs []rpmName `xml:"format>requires>entry"`
	Gives []rpmName `xml:"format>provides>entry"`
}

type rpmName struct {
	Name string `xml:"name,attr"`
}

// ParsePrimary reads a primary.xml. Paths that packages need are added to paths.
func ParsePrimary(data []byte, paths map[string]bool) (*Listing, error) {
	l := &Listing{}
	err := elements(data, "package", func(d *xml.Decoder, start *xml.StartElement) error {
		var r rpm
		if err := d.DecodeElement(&r, start); err != nil {
			return err
		}
		if r.Name = strings.TrimSpace(r.Name); !usable(r.Name) {
			return nil
		}
		e := Entry{Name: r.Name}
		for _, n := range r.Needs {
			e.Depends = appendNeed(e.Depends, need(n.Name))
			if strings.HasPrefix(n.Name, "/") {
				paths[n.Name] = true
			}
		}
		for _, g := range r.Gives {
			e.Provides = append(e.Provides, g.Name)
		}
		e.Provides = names(e.Provides)
		l.Entries = append(l.Entries, e)
		return nil
	})
	return l, err
}

// AddFiles reads a filelists.xml: packages provide those files of theirs that are
// in paths.
func (l *Listing) AddFiles(data []byte, paths map[string]bool) error {
	place := make(map[string]int, len(l.Entries))
	for i := range l.Entries {
		place[l.Entries[i].Name] = i
	}
	return elements(data, "package", func(d *xml.Decoder, start *xml.StartElement) error {
		var r rpm
		if err := d.DecodeElement(&r, start); err != nil {
			return err
		}
		i, ok := place[r.Named]
		if !ok {
			return nil
		}
		for _, f := range r.Files {
			if paths[f] {
				l.Entries[i].Provides = append(l.Entries[i].Provides, names([]string{f})...)
			}
		}
		return nil
	})
}

// comps is a group of comps.xml.
type comps struct {
	ID      string `xml:"id"`
	Name    string `xml:"name"`
	Members []struct {
		Type string `xml:"type,attr"`
		Name string `xml:",chardata"`
	} `xml:"packagelist>packagereq"`
}

// AddGroups reads a comps.xml.
func (l *Listing) AddGroups(data []byte) error {
	return elements(data, "group", func(d *xml.Decoder, start *xml.StartElement) error {
		var c comps
		if err := d.DecodeElement(&c, start); err != nil {
			return err
		}
		g := Group{ID: strings.TrimSpace(c.ID), Name: strings.TrimSpace(c.Name)}
		if !usable(g.ID) || g.Name != "" && !usable(g.Name) {
			return nil
		}
		for _, m := range c.Members {
			name, kind := strings.TrimSpace(m.Name), m.Type
			if kind == "" {
				kind = "mandatory"
			}
			if usable(name) && usable(kind) {
				g.Members = append(g.Members, Member{name, kind})
			}
		}
		l.Groups = append(l.Groups, g)
		return nil
	})
}

// elements calls visit for every element of a name.
func elements(data []byte, name string, visit func(*xml.Decoder, *xml.StartElement) error) error {
	r, err := Unpack(data)
	if err != nil {
		return err
	}
	for d := xml.NewDecoder(r); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			if start, ok := token.(xml.StartElement); ok && start.Name.Local == name {
				err = visit(d, &start)
			}
		}
		if err != nil {
			return fmt.Errorf("read packages: %w", err)
		}
	}
}
