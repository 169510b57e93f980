// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

// entry is one entry of a bundle or of a list of rules.
type entry struct {
	x *xmltree.Element
	// tag is the entry's without Bound.
	tag string
	// bound entries are complete, as Rules hold them.
	bound bool
	// scope are the conditions around it, from the outside.
	scope []*xmltree.Element
}

// eachEntry visits the entries of bundles, Base and Rules.
func (t *tree) eachEntry(d *doc, visit func(entry)) {
	switch d.dir {
	case "Bundler", "SGenshi", "Base":
		walkEntries(d.root, nil, func(e entry) {
			if tag, ok := strings.CutPrefix(e.tag, "Bound"); ok {
				e.tag, e.bound = tag, true
			}
			visit(e)
		})
	case "Rules", "Svcmgr":
		walkEntries(d.root, nil, func(e entry) {
			e.bound = true
			visit(e)
		})
	}
}

func walkEntries(x *xmltree.Element, scope []*xmltree.Element, visit func(entry)) {
	for _, c := range x.Children {
		switch {
		case c.Kind != xmltree.Node || c.Space == xmltree.NSXInclude:
		case c.Is("Group") || c.Is("Client"):
			walkEntries(c, append(slices.Clip(scope), c), visit)
		case c.Space != "" || c.Is("Bundle"):
			// What a template directive holds may be there or not, as in a condition.
			walkEntries(c, append(slices.Clip(scope), c), visit)
		default:
			visit(entry{x: c, tag: c.Tag, scope: scope})
		}
	}
}

// needs lists the attributes of a Path of a type.
func needs(kind string) []string {
	switch kind {
	case "device":
		return []string{"dev_type", "owner", "group"}
	case "directory", "file", "permissions":
		return []string{"owner", "group", "mode"}
	case "hardlink", "symlink":
		return []string{"to"}
	case "vcs":
		return []string{"vcstype", "sourceurl", "revision"}
	}
	return nil
}

// entries reports required-attrs-missing, required-attr-format and missing-elements.
func (t *tree) entries() {
	for _, d := range t.docs {
		t.eachEntry(d, func(e entry) {
			if e.dynamic(d) {
				return
			}
			t.named(e)
			if !e.bound {
				return
			}
			switch e.tag {
			case "Path":
				t.boundPath(e)
			case "Action":
				t.require(e, "command")
			case "Service":
				t.fmri(e)
			}
			t.seFormats(e)
		})
	}
}

// named reports entries that nothing could be looked up by. The schema says it of
// complete ones that always have a name.
func (t *tree) named(e entry) {
	other := ""
	switch e.tag {
	case "Package":
		other = "group"
	case "Path":
		other = "glob"
	}
	if has(e.x, "name") || other != "" && has(e.x, other) || e.bound && other != "group" || !entryTag(e.tag) {
		return
	}
	needs := "name"
	if other != "" {
		needs += " or " + other
	}
	t.error(e.x.Pos, "required-attrs-missing", fmt.Sprintf("this %s needs %s", e.x.Tag, needs), "")
}

// entryTag tells whether an element is an entry that has a name.
func entryTag(tag string) bool {
	switch tag {
	case "Path", "Package", "Service", "Action", "POSIXUser", "POSIXGroup":
		return true
	}
	return false
}

// dynamic entries get attributes from a template, or from Defaults.
func (e entry) dynamic(d *doc) bool {
	for _, a := range e.x.Attrs {
		if a.Space != "" {
			return true
		}
	}
	return d.templated && strings.Contains(e.x.Get("name"), "$")
}

func has(x *xmltree.Element, name string) bool {
	_, ok := x.Lookup(name)
	return ok
}

// require reports what is missing. Defaults may fill in anything, and a bundle
// may say what a rule does not, so that only a Bound entry is surely incomplete.
func (t *tree) require(e entry, names ...string) {
	var missing []string
	for _, n := range names {
		if !has(e.x, n) && !(n == "mode" && has(e.x, "perms")) {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 || t.on["Defaults"] {
		return
	}
	what := e.x.Tag
	if kind := e.x.Get("type"); kind != "" {
		what += " of type " + kind
	}
	t.error(e.x.Pos, "required-attrs-missing", fmt.Sprintf("this %s needs %s", what, strings.Join(missing, ", ")), "")
}

func (t *tree) boundPath(e entry) {
	kind, said := e.x.Lookup("type")
	if !said && !t.on["Defaults"] {
		t.error(e.x.Pos, "required-attrs-missing", "a complete Path needs type", "such as type=\"directory\"")
	}
	t.require(e, needs(kind)...)
	name := e.x.Get("name")
	if said && name != "" && !strings.HasPrefix(name, "/") && !t.regexNames(e) {
		t.error(e.x.AttrPos("name"), "required-attr-format", "a path starts with /", "")
	}
	if kind == "device" && (e.x.Get("dev_type") == "block" || e.x.Get("dev_type") == "char") {
		t.require(e, "major", "minor")
	}
	if to := e.x.Get("to"); kind == "hardlink" && to != "" && !strings.HasPrefix(to, "/") {
		t.error(e.x.AttrPos("to"), "required-attr-format", "a hard link is to a path, which starts with /", "")
	}
	t.acls(e)
	if kind == "file" && has(e.x, "owner") && e.x.Text == "" && len(e.x.Children) == 0 && !e.x.True("empty") {
		t.error(e.x.Pos, "required-attrs-missing", "a file needs its text, or empty=\"true\"", "")
	}
}

// acls reports missing-elements: default ACLs are for all three, or for none.
func (t *tree) acls(e entry) {
	seen := map[string]bool{}
	for _, c := range e.x.Children {
		if c.Is("ACL") && c.Get("type") == "default" && c.Get("user") == "" && c.Get("group") == "" {
			seen[c.Get("scope")] = true
		}
	}
	var missing []string
	for _, scope := range []string{"user", "group", "other"} {
		if !seen[scope] {
			missing = append(missing, scope)
		}
	}
	if len(seen) > 0 && len(missing) > 0 {
		t.error(e.x.Pos, "missing-elements", "the default ACLs leave out "+strings.Join(missing, ", "), "write an ACL of type default for user, group and other, or for none")
	}
}

// regexNames tells whether a rule's name is a pattern.
func (t *tree) regexNames(e entry) bool {
	return strings.HasPrefix(e.x.Pos.File, "Rules/") && t.option("rules", "regex") != ""
}

// fmri looks at the names of services of Solaris.
func (t *tree) fmri(e entry) {
	if e.x.Get("type") != "smf" {
		return
	}
	t.require(e, "FMRI")
	if name := e.x.Get("FMRI"); name != "" && !strings.HasPrefix(name, "svc:/") && !strings.HasPrefix(name, "lrc:/") {
		t.error(e.x.AttrPos("FMRI"), "required-attr-format", "an FMRI begins with svc:/ or lrc:/", "")
	}
}

var (
	sePort = regexp.MustCompile(`^\d+(-\d+)?/(tcp|udp)$`)
	seNode = regexp.MustCompile(`^([\d.]+|[0-9A-Fa-f:]+)/([\d.]+|[0-9A-Fa-f:]+)$`)
)

func (t *tree) seFormats(e entry) {
	name := e.x.Get("name")
	switch {
	case e.tag == "SEPort" && !sePort.MatchString(name):
		t.error(e.x.AttrPos("name"), "required-attr-format", "the name of an SEPort is a port or a range with its protocol", "such as 8080/tcp")
	case e.tag == "SENode" && !seNode.MatchString(name):
		t.error(e.x.AttrPos("name"), "required-attr-format", "the name of an SENode is an address with its mask", "such as 10.0.0.0/255.0.0.0")
	}
}
