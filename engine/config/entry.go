// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// Entry is one literal entry: a Path, Package, Service, Action, POSIXUser or any
// other element of a structure. Make it with NewEntry and never change it.
type Entry struct {
	Tag string
	// Attrs are sorted by name and do not hold "failure".
	Attrs    []Attr
	Text     string
	Children []*Node
	// Failure is why the entry could not be bound; "" for a bound entry. An
	// agent reports such an entry as bad and never touches it.
	Failure string
	// Sensitive is provenance: the content comes from an encrypted source. It
	// is not part of the canonical bytes. Ask Secret, which knows more reasons.
	Sensitive bool
	// NamedAt is where a bundle names the entry, BoundAt what it was bound from.
	NamedAt, BoundAt Source

	xml    []byte
	digest Digest
	secret bool
	name   string
	typ    string
}

// NewEntry completes an entry: it sorts the attributes, encodes and hashes it.
// It takes over the slices of e. Characters that XML cannot carry must have been
// refused before; they are replaced by U+FFFD.
func NewEntry(e Entry) *Entry {
	sortAttrs(e.Attrs)
	size := e.size()
	if e.xml = e.append(make([]byte, 0, size)); cap(e.xml) > size {
		e.xml = bytes.Clone(e.xml) // it grew, in steps that leave much behind
	}
	e.shareText()
	return e.complete()
}

// complete works out what an entry's attributes and canonical bytes tell.
func (e Entry) complete() *Entry {
	e.name, _ = lookup(e.Attrs, "name")
	e.typ, _ = lookup(e.Attrs, "type")
	e.digest = sha256.Sum256(e.xml)
	e.secret = e.isSecret()
	return &e
}

// shareText keeps the text but once where it stands in the canonical bytes as it
// is, which nobody writes to any more: ten thousand hosts have texts of their own.
func (e *Entry) shareText() {
	at := bytes.IndexByte(e.xml, '>') + 1 // no attribute holds that character
	if n := len(e.Text); n > 0 && at+n <= len(e.xml) && string(e.xml[at:at+n]) == e.Text {
		e.Text = unsafe.String(&e.xml[at], n)
	}
}

// size is how long the canonical bytes are, as long as nothing in them is escaped.
func (e *Entry) size() int {
	n := 2*len(e.Tag) + len(e.Text) + len("<></>")
	for _, a := range e.Attrs {
		n += len(a.Name) + len(a.Value) + len(` =""`)
	}
	return n
}

// Name returns the name attribute.
func (e *Entry) Name() string { return e.name }

// Type returns the type attribute: file, directory, deb, systemd and so on.
func (e *Entry) Type() string { return e.typ }

// Get returns the value of an attribute, "" where it is absent.
func (e *Entry) Get(name string) string { v, _ := lookup(e.Attrs, name); return v }

// Lookup returns the value of an attribute and whether it is there.
func (e *Entry) Lookup(name string) (string, bool) { return lookup(e.Attrs, name) }

// True tells whether an attribute says true, in any letter case.
func (e *Entry) True(name string) bool { return strings.EqualFold(e.Get(name), "true") }

// Digest covers the canonical bytes: tag, attributes, failure, text, children.
func (e *Entry) Digest() Digest { return e.digest }

// XML returns the canonical bytes, one XML element. The slice is shared.
func (e *Entry) XML() []byte { return e.xml }

// Content decodes what a Path of type file shall hold: the text, or what it
// stands for where encoding is base64. The slice is shared.
func (e *Entry) Content() ([]byte, error) {
	if e.Get("encoding") == "base64" {
		return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(e.Text), ""))
	}
	if e.Text == "" || e.True("empty") { // with line ends around it, as people write elements
		return []byte{}, nil
	}
	return unsafe.Slice(unsafe.StringData(e.Text), len(e.Text)), nil
}

// Secret tells whether the entry's content and attributes must never be shown
// anywhere: it is marked sensitive, comes from an encrypted source, holds a
// private key or an attribute for a password, or has a mode that neither group nor
// others may read.
func (e *Entry) Secret() bool { return e.secret }

func (e *Entry) isSecret() bool {
	if e.Sensitive || e.True("sensitive") || password(e.Attrs) {
		return true
	}
	if e.Tag == "Path" && e.typ == "file" && (e.Text != "" || len(e.Children) > 0) && unreadable(e.Get("mode")) {
		return true
	}
	if e.Tag != "Path" || e.Get("encoding") != "base64" {
		return privateKey(e.xml) // attributes and children are shown too
	}
	content, err := e.Content()
	return err != nil || privateKey(content) || privateKey(e.xml)
}

// unreadable tells whether an octal mode keeps group and others from reading. What
// is no mode may have been meant to.
func unreadable(mode string) bool {
	m, err := strconv.ParseUint(mode, 8, 32)
	return mode != "" && (err != nil || m&0o044 == 0)
}

// password tells whether an attribute is there to hold a password.
func password(attrs []Attr) bool {
	for i := range attrs {
		switch strings.ToLower(attrs[i].Name) {
		case "password", "passwd", "passphrase", "secret":
			return attrs[i].Value != ""
		}
	}
	return false
}

var keyMarks = []string{"PRIVATE KEY-----", "PRIVATE KEY BLOCK-----", "AGE-SECRET-KEY-", "PuTTY-User-Key-File-"}

func privateKey(data []byte) bool {
	return slices.ContainsFunc(keyMarks, func(m string) bool { return bytes.Contains(data, []byte(m)) })
}
