// SPDX-License-Identifier: Apache-2.0

// Package schema knows which elements and attributes a specification may hold:
// Go tables, one file per directory of the specification, as the union of what
// Bcfg2 1.1 to 1.4 allow, with old spellings marked. It checks one file at a
// time and must not know groups, hosts or any other file.
package schema

import (
	"path"
	"strings"
)

// Sort says what an attribute's value must look like.
type Sort uint8

const (
	// Any value is fine.
	Any Sort = iota
	// Word is one of Attr.Values.
	Word
	// Bool is true or false, in any letter case.
	Bool
	// Int is a whole number, with a sign.
	Int
	// Natural is a whole number without a sign.
	Natural
	// Mode is a file mode, three or four octal digits.
	Mode
	// Owner is a user or group name, or a number.
	Owner
)

// Attr is one attribute that an element may have.
type Attr struct {
	Name     string
	Required bool
	Sort     Sort
	Values   []string
	// Strict makes a value of the wrong sort an error: nothing can apply it.
	Strict bool
	// Old says what to write instead, where only old versions know the attribute.
	Old string
	// Secret marks values that no message may show.
	Secret bool
}

// Element is one element that a file may hold.
type Element struct {
	Attrs    []Attr
	Children []string
	// Open elements may hold anything.
	Open bool
	// Old says what to write instead, where only old versions know the element.
	Old string
}

// Schema is what one kind of file may hold.
type Schema struct {
	// Name is the kind, such as "bundle".
	Name string
	// Roots are the elements that such a file starts with. A file that others
	// include may start with any other element of the table.
	Roots    []string
	Elements map[string]*Element
}

// Set holds every schema. It is never changed and is safe for concurrent use.
type Set struct {
	schemas map[string]*Schema
}

// New builds the tables.
func New() *Set {
	s := &Set{schemas: map[string]*Schema{}}
	for _, one := range []*Schema{
		groups(), clients(), bundler(), base(), rules(), defaults(), pkgmgr(), svcmgr(),
		info(), authorizedKeys(), privateKey(), publicKey(), sslKey(), sslCert(),
		sources(), groupPatterns(), groupLogic(), decisions(), deps(), fileProbes(), nagiosGen(), awsTags(), acl(),
	} {
		s.schemas[one.Name] = one
	}
	return s
}

// Names of the directories whose every XML file has the same schema.
func (s *Set) byDirectory(dir string) *Schema {
	switch dir {
	case "Bundler", "SGenshi":
		return s.schemas["bundle"]
	case "Base":
		return s.schemas["base"]
	case "Rules":
		return s.schemas["rules"]
	case "Defaults":
		return s.schemas["defaults"]
	case "Pkgmgr":
		return s.schemas["pkgmgr"]
	case "Svcmgr":
		return s.schemas["svcmgr"]
	case "Deps":
		return s.schemas["deps"]
	case "Decisions":
		return s.schemas["decisions"]
	case "Packages":
		return s.schemas["sources"]
	case "GroupPatterns":
		return s.schemas["grouppatterns"]
	case "GroupLogic":
		return s.schemas["grouplogic"]
	case "FileProbes":
		return s.schemas["fileprobes"]
	case "NagiosGen":
		return s.schemas["nagiosgen"]
	case "AWSTags":
		return s.schemas["awstags"]
	}
	return nil
}

// For gives the schema of a file by its name, and by its root element where a
// directory holds several kinds. Nil: the file may hold anything, as Properties
// and managed files do.
func (s *Set) For(file, root string) *Schema {
	dir, rest, ok := strings.Cut(file, "/")
	if !ok {
		return nil
	}
	name := path.Base(rest)
	switch dir {
	case "Metadata":
		if name == "clients.xml" || root == "Clients" || root == "Client" {
			return s.schemas["clients"]
		}
		return s.schemas["groups"]
	case "Cfg", "TGenshi", "TCheetah", "SSLCA", "SEModules":
		return s.generated(name)
	case "SSHbase":
		if name == "info.xml" {
			return s.schemas["info"]
		}
		return nil
	case "ACL":
		return s.schemas["acl"]
	case "Decisions":
		if !strings.HasSuffix(name, ".xml") && !strings.HasPrefix(name, "whitelist") && !strings.HasPrefix(name, "blacklist") {
			return nil
		}
	case "Packages":
		if root != "Sources" && root != "Source" && name != "sources.xml" {
			return nil
		}
	}
	return s.byDirectory(dir)
}

// generated gives the schemas of the files that steer a generator.
func (s *Set) generated(name string) *Schema {
	switch name {
	case "info.xml":
		return s.schemas["info"]
	case "authorized_keys.xml", "authorizedkeys.xml":
		return s.schemas["authorizedkeys"]
	case "privkey.xml":
		return s.schemas["privkey"]
	case "pubkey.xml":
		return s.schemas["pubkey"]
	case "sslkey.xml", "key.xml":
		return s.schemas["sslkey"]
	case "sslcert.xml", "cert.xml":
		return s.schemas["sslcert"]
	}
	return nil
}

// attrs joins groups of attributes.
func attrs(groups ...[]Attr) []Attr {
	var out []Attr
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}

// text lists attributes that take any value.
func text(names ...string) []Attr {
	out := make([]Attr, 0, len(names))
	for _, n := range names {
		out = append(out, Attr{Name: n})
	}
	return out
}

// old lists attributes that only old versions know.
func old(hint string, names ...string) []Attr {
	out := text(names...)
	for i := range out {
		out[i].Old = hint
	}
	return out
}

func of(sort Sort, names ...string) []Attr {
	out := text(names...)
	for i := range out {
		out[i].Sort = sort
	}
	return out
}

func flag(names ...string) []Attr { return of(Bool, names...) }

func number(names ...string) []Attr { return of(Int, names...) }

// oneOf is an attribute with a list of values, separated by blanks.
func oneOf(name, values string) []Attr {
	return []Attr{{Name: name, Sort: Word, Values: strings.Fields(values)}}
}

// required marks attributes that must be there.
func required(list []Attr) []Attr {
	for i := range list {
		list[i].Required = true
	}
	return list
}

// strict marks attributes whose wrong value is an error.
func strict(list []Attr) []Attr {
	for i := range list {
		list[i].Strict = true
	}
	return list
}

// optional gives a copy without required attributes.
func optional(list []Attr) []Attr {
	out := make([]Attr, len(list))
	copy(out, list)
	for i := range out {
		out[i].Required = false
	}
	return out
}

// condition is Group and Client around other elements.
func condition(children []string) *Element {
	return &Element{Attrs: attrs(required(text("name")), flag("negate")), Children: children}
}
