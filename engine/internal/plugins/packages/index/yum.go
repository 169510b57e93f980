// SPDX-License-Identifier: Apache-2.0

package index

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// location is where repomd.xml says that a file is.
type location struct {
	Type     string `xml:"type,attr"`
	Location struct {
		Href string `xml:"href,attr"`
	} `xml:"location"`
}

// Parts reads a repomd.xml: where primary and filelists are, below the repository.
func Parts(repomd []byte) (primary, filelists string, err error) {
	var doc struct {
		Data []location `xml:"data"`
	}
	if err := xml.Unmarshal(repomd, &doc); err != nil {
		return "", "", fmt.Errorf("read repomd.xml: %w", err)
	}
	for _, d := range doc.Data {
		switch d.Type {
		case "primary":
			primary = d.Location.Href
		case "filelists":
			filelists = d.Location.Href
		}
	}
	if primary == "" {
		return "", "", errors.New("repomd.xml names no primary")
	}
	return primary, filelists, nil
}

// rpm is a package of primary or filelists.
type rpm struct {
	Name  string   `xml:"name"`
	Named string   `xml:"name,attr"`
	Files []string `xml:"file"`
	Needs []need   `xml:"format>requires>entry"`
	Gives []need   `xml:"format>provides>entry"`
}

type need struct {
	Name string `xml:"name,attr"`
}

// AddPrimary reads a primary.xml for an architecture.
func (x *Index) AddPrimary(arch string, data []byte) error {
	a := x.arch(arch)
	return packages(data, func(r *rpm) {
		p := &Package{}
		a.Packages[r.Name] = p
		for _, n := range r.Needs {
			p.Depends = append(p.Depends, n.Name)
			if strings.HasPrefix(n.Name, "/") {
				x.paths[n.Name] = true
			}
		}
		for _, g := range r.Gives {
			a.provide(g.Name, r.Name)
		}
	})
}

// AddFiles reads a filelists.xml: of the files in it those count that packages
// need by path. All primary.xml must have been read before.
func (x *Index) AddFiles(arch string, data []byte) error {
	a := x.arch(arch)
	return packages(data, func(r *rpm) {
		for _, f := range r.Files {
			if x.paths[f] {
				a.provide(f, r.Named)
			}
		}
	})
}

func packages(data []byte, visit func(*rpm)) error {
	r, err := open(data)
	if err != nil {
		return err
	}
	d := xml.NewDecoder(r)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read packages: %w", err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "package" {
			var p rpm
			if err := d.DecodeElement(&p, &start); err != nil {
				return fmt.Errorf("read packages: %w", err)
			}
			visit(&p)
		}
	}
}
