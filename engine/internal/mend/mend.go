// SPDX-License-Identifier: Apache-2.0

// Package mend rewrites old spellings of a specification in place: it changes the
// bytes that it must and no other, so that layout, comments, quotes and the order of
// attributes stay. It must not know what is found in a file, nor build a host.
package mend

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Edit is one change, by what it is for.
type Edit struct {
	Line int
	Code string
	What string

	at   span
	text string
}

// Kind is what sort of file it is, as the tables of schema name them.
type Kind string

var plainCharset = regexp.MustCompile(`^\s*<\?xml[^>]*encoding\s*=\s*["'](?i:utf-?8|us-ascii|ascii)["']`)

// Foreign tells why a document has no edits whatever is in it: in another charset than
// UTF-8 its bytes would have to be written anew. It is empty for all others.
func Foreign(data []byte) string {
	src := string(data)
	head := src[:min(len(src), 256)]
	switch {
	case strings.HasPrefix(src, "\uFEFF"):
		return "it begins with a byte order mark"
	case !utf8.ValidString(src), strings.HasPrefix(head, "<?xml") && strings.Contains(head, "encoding") && !plainCharset.MatchString(head):
		return "it is in another charset than UTF-8"
	}
	return ""
}

// Codes are those of which File may give edits.
func Codes() []string {
	return []string{"deprecated-attribute", "deprecated-clients-options", "deprecated-element", "explicit-bundle-name", "inconsistent-bundle-name"}
}

// File gives the edits of a document for which wanted has the code; none of one that
// is Foreign.
func File(kind Kind, data []byte, wanted func(code string) bool) []Edit {
	if Foreign(data) != "" {
		return nil
	}
	src := string(data)
	var out []Edit
	for _, t := range scan(src) {
		for _, e := range mend(kind, src, t) {
			if wanted(e.Code) {
				e.Line = 1 + strings.Count(src[:e.at.from], "\n")
				out = append(out, e)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Edit) int { return a.at.from - b.at.from })
	// Two codes may ask for the same change.
	return slices.CompactFunc(out, func(a, b Edit) bool { return a.at == b.at && a.text == b.text })
}

// Apply makes edits that File gave for the same data.
func Apply(data []byte, edits []Edit) []byte {
	var out []byte
	at := 0
	for _, e := range edits {
		out = append(append(out, data[at:e.at.from]...), e.text...)
		at = e.at.to
	}
	return append(out, data[at:]...)
}

func mend(kind Kind, src string, t *tag) []Edit {
	switch kind {
	case "bundle":
		return slices.Concat(bundleName(t), perms(t), oldEntry(src, t, false))
	case "base", "deps":
		return slices.Concat(perms(t), oldEntry(src, t, false))
	case "rules", "defaults":
		return slices.Concat(perms(t), oldEntry(src, t, true))
	case "info":
		return perms(t)
	case "clients":
		return client(src, t)
	}
	return nil
}

// perms writes mode for the spelling of before 1.3. An ACL's perms are its own.
func perms(t *tag) []Edit {
	a := t.attr("perms")
	if a == nil || t.attr("mode") != nil || t.name != "Path" && t.name != "BoundPath" && t.name != "Info" {
		return nil
	}
	return []Edit{{Code: "deprecated-attribute", What: "perms → mode", at: a.at, text: "mode"}}
}

// bundleName removes the name that a bundle says of itself.
func bundleName(t *tag) []Edit {
	a := t.attr("name")
	if t.parent != nil || t.name != "Bundle" || a == nil {
		return nil
	}
	what := "the bundle's name is that of its file"
	return []Edit{{Code: "inconsistent-bundle-name", What: what, at: a.whole}, {Code: "explicit-bundle-name", What: what, at: a.whole}}
}

// client writes floating for location, and removes what nothing reads.
func client(src string, t *tag) []Edit {
	if t.name != "Client" {
		return nil
	}
	var out []Edit
	for _, name := range []string{"pingable", "pingtime"} {
		if a := t.attr(name); a != nil {
			out = append(out, Edit{Code: "deprecated-attribute", What: name + " is not read", at: a.whole})
		}
	}
	a := t.attr("location")
	if a == nil || t.attr("floating") != nil || src[a.value.from:a.value.to] != "floating" {
		return out
	}
	return append(out, Edit{Code: "deprecated-clients-options", What: `location="floating" → floating="true"`, at: span{a.at.from, a.value.to}, text: "floating=" + src[a.value.from-1:a.value.from] + "true"})
}

// OldTags are the entries of before 1.0 that become Path or Action.
func OldTags() []string {
	return []string{"ConfigFile", "Directory", "SymLink", "Permissions", "PostInstall"}
}

// oldEntry writes Path or Action for an entry of before 1.0; where it is complete,
// with the type that it had by its name.
func oldEntry(src string, t *tag, bound bool) []Edit {
	name, more := "Path", ""
	switch t.name {
	case "ConfigFile":
		more = ` type="file"`
	case "Directory":
		more = ` type="directory"`
	case "SymLink":
		more = ` type="symlink"`
	case "Permissions":
		more = ` type="permissions"`
	case "PostInstall":
		name = "Action"
		a := t.attr("name")
		if a == nil {
			return nil
		}
		if t.attr("command") == nil {
			more = " command=" + src[a.value.from-1:a.value.to+1]
		}
		more += ` timing="post" when="modified" status="ignore"`
	default:
		return nil
	}
	if t.name != "PostInstall" && t.attr("type") != nil || t.name == "PostInstall" && (t.attr("timing") != nil || t.attr("when") != nil || t.attr("status") != nil) {
		return nil
	}
	edit := func(at span, text string) Edit {
		return Edit{Code: "deprecated-element", What: t.name + " → " + name, at: at, text: text}
	}
	out := []Edit{edit(t.opening, name)}
	if bound {
		out = append(out, edit(span{t.end, t.end}, more))
	}
	if a := t.attr("perms"); a != nil && t.attr("mode") == nil {
		out = append(out, edit(a.at, "mode"))
	}
	if t.closing.to > 0 {
		out = append(out, edit(t.closing, name))
	}
	return out
}
