// SPDX-License-Identifier: Apache-2.0

// Package keyfile reads the files of a specification that describe keys and
// certificates to be made: privkey.xml, sslkey.xml, sslcert.xml and the older
// key.xml and cert.xml, and compares keys and certificates that are there. It
// makes none. It must not know which plugin delivers them.
package keyfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/vault"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Config says how a file is read.
type Config struct {
	// Section is that of the settings: sshkeys or sslca.
	Section string
	// InPlace: of several elements that are for a host the first in the file counts,
	// as before 1.4. Otherwise those outside conditions go first.
	InPlace bool
}

// File describes a key or a certificate. It is immutable.
type File struct {
	vault *vault.Vault
	// At is its first line.
	At problem.Pos

	doc      *plugin.StructFile
	category string
	inPlace  bool
	bad      *problem.Problem
}

// New reads a file. One that cannot be read is reported, and every question about
// it is answered with the same problem.
func New(env plugin.Env, name string, c Config) *File {
	f := &File{At: problem.Pos{File: name}, category: env.Conf.Get(c.Section, "category", ""), inPlace: c.InPlace, vault: env.Vault}
	f.doc, f.bad = plugin.ReadStructFile(env, name, plugin.StructOptions{})
	if f.bad != nil {
		env.Report(f.bad)
		return f
	}
	f.At = f.doc.Root.Pos
	return f
}

// Specific tells whom the key is for: the host, or its group of the category that
// the file or the settings name, unless perhost is on.
func (f *File) Specific(v *memo.View) (plugin.Specific, *problem.Problem) {
	if f.bad != nil {
		return plugin.Specific{}, f.bad
	}
	root, p := f.doc.Document(v)
	if p != nil {
		return plugin.Specific{}, p
	}
	category := f.category
	if c, ok := root.Lookup("category"); ok {
		category = c
	}
	if category != "" && !root.True("perhost") {
		if group := v.Category(category); group != "" {
			priority, p := number(root, "priority", 50)
			return plugin.Specific{Group: group, Priority: priority}, p
		}
	}
	return plugin.Specific{Host: v.Name()}, nil
}

// Qualified is the name of a file for whom it is for.
func Qualified(base string, s plugin.Specific) string {
	switch {
	case s.Host != "":
		return base + ".H_" + s.Host
	case s.Group != "":
		return fmt.Sprintf("%s.G%02d_%s", base, s.Priority, s.Group)
	}
	return base
}

// all lists the elements of a tag that are for the host, the one that counts first.
func (f *File) all(v *memo.View, tag string) ([]*xmltree.Element, *problem.Problem) {
	if f.bad != nil {
		return nil, f.bad
	}
	nest, p := f.doc.Nest(v)
	if p != nil {
		return nil, p
	}
	var out []*xmltree.Element
	if f.inPlace {
		nest.InPlace(v, "", func(it *plugin.Item) {
			if it.Element.Is(tag) {
				out = append(out, it.Element)
			}
		})
		return out, nil
	}
	for _, g := range nest.Flatten() {
		if g.Element.Is(tag) && g.Holds(v, "") {
			out = append(out, g.Element)
		}
	}
	return out, nil
}

// SSH completes a key as a privkey.xml says.
func (f *File) SSH(v *memo.View, k *plugin.Key) *problem.Problem {
	list, p := f.all(v, "Passphrase")
	if p != nil {
		return p
	}
	k.Kind, k.At, k.Type = plugin.SSHKey, f.At, "rsa"
	if len(list) > 0 {
		text, p := f.vault.Element(v, list[0])
		if p != nil {
			return p
		}
		k.Passphrase = strings.TrimSpace(text)
	}
	return f.params(v, "Params", k)
}

// TLS completes a key as a sslkey.xml says.
func (f *File) TLS(v *memo.View, k *plugin.Key) *problem.Problem {
	list, p := f.all(v, "Key")
	if p != nil {
		return p
	}
	k.Kind, k.At, k.Type, k.Bits = plugin.TLSKey, f.At, "rsa", 2048
	if f.inPlace && len(list) == 0 {
		return problem.New(f.At, "no-key-spec", "no Key of this file is for the host", "add a Key without condition")
	}
	return f.params(v, "Key", k)
}

func (f *File) params(v *memo.View, tag string, k *plugin.Key) *problem.Problem {
	list, p := f.all(v, tag)
	if p != nil || len(list) == 0 {
		return p
	}
	e := list[0]
	k.At = e.Pos
	if kind := e.Get("type"); kind != "" {
		k.Type = strings.ToLower(kind)
	}
	k.Bits, p = number(e, "bits", k.Bits)
	return p
}

// maxDays bounds how long a certificate may be asked for: 100 years.
const maxDays = 36525

// subject are the parts of a subject, besides the name of the host.
var subject = []string{"C", "L", "ST", "O", "OU", "emailAddress"}

// cert finds what a certificate is to be for a host.
func (f *File) cert(v *memo.View) (*xmltree.Element, *problem.Problem) {
	list, p := f.all(v, "Cert")
	if p != nil {
		return nil, p
	}
	if len(list) == 0 {
		return nil, problem.New(f.At, "no-cert-spec", "no Cert of this file is for the host", "add a Cert without condition")
	}
	if list[0].Get("key") == "" {
		return nil, problem.New(list[0].Pos, "no-key-named", "the Cert does not say of which key it is", `add key="/path/of/the/key"`)
	}
	return list[0], nil
}

// authorityOf is the name of the CA that an element asks for.
func authorityOf(e *xmltree.Element) string {
	if ca := e.Get("ca"); ca != "" {
		return ca
	}
	return "default"
}

// Certificate completes a certificate as a sslcert.xml says.
func (f *File) Certificate(v *memo.View, k *plugin.Key) *problem.Problem {
	e, p := f.cert(v)
	if p != nil {
		return p
	}
	h := v.Host()
	r := &plugin.Request{Host: h.Name, Key: e.Get("key"), CA: authorityOf(e), Subject: map[string]string{}, Chain: e.True("append_chain")}
	k.Kind, k.At, k.Request = plugin.Certificate, e.Pos, r
	for _, part := range subject {
		if value, ok := e.Lookup(part); ok && value != "" {
			r.Subject[part] = value
		} else if value := e.Get(strings.ToLower(part)); value != "" {
			r.Subject[part] = value
		}
	}
	names, p := f.all(v, "subjectAltName")
	if p != nil {
		return p
	}
	for _, c := range e.Children {
		if c.Is("subjectAltName") {
			names = append(names, c)
		}
	}
	for _, n := range names {
		r.Names = append(r.Names, strings.TrimSpace(n.Text))
	}
	if h.Client != nil {
		r.Names = append(r.Names, h.Client.Aliases...)
	}
	r.Names = distinct(append(r.Names, h.Name))
	if r.Days, p = number(e, "days", 365); p == nil && r.Days > maxDays {
		p = problem.New(e.AttrPos("days"), "bad-number", fmt.Sprintf("a certificate cannot be asked for for more than %d days", maxDays), "")
	}
	return p
}

func distinct(names []string) []string {
	var out []string
	for _, n := range names {
		if n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// number reads an attribute that is a number above zero.
func number(e *xmltree.Element, name string, deflt int) (int, *problem.Problem) {
	text := strings.TrimSpace(e.Get(name))
	if text == "" {
		return deflt, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		return 0, problem.New(e.AttrPos(name), "bad-number", fmt.Sprintf("%s %q is no number above zero", name, text), "")
	}
	return n, nil
}
