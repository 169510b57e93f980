// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

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
func (t look) entries() {
	for _, d := range t.Docs {
		t.EachEntry(d, func(e tree.Entry) {
			if e.Dynamic(d) {
				return
			}
			t.named(e)
			if !e.Bound {
				return
			}
			switch e.Tag {
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
func (t look) named(e tree.Entry) {
	other := ""
	switch e.Tag {
	case "Package":
		other = "group"
	case "Path":
		other = "glob"
	}
	if tree.Has(e.X, "name") || other != "" && tree.Has(e.X, other) || e.Bound && other != "group" || !entryTag(e.Tag) {
		return
	}
	needs := "name"
	if other != "" {
		needs += " or " + other
	}
	t.Error(e.X.Pos, "required-attrs-missing", fmt.Sprintf("this %s needs %s", e.X.Tag, needs), "")
}

// entryTag tells whether an element is an entry that has a name.
func entryTag(tag string) bool {
	switch tag {
	case "Path", "Package", "Service", "Action", "POSIXUser", "POSIXGroup":
		return true
	}
	return false
}

// require reports what is missing. Defaults may fill in anything, and a bundle
// may say what a rule does not, so that only a Bound entry is surely incomplete.
func (t look) require(e tree.Entry, names ...string) {
	var missing []string
	for _, n := range names {
		if !tree.Has(e.X, n) && !(n == "mode" && tree.Has(e.X, "perms")) {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 || t.On["Defaults"] {
		return
	}
	what := e.X.Tag
	if kind := e.X.Get("type"); kind != "" {
		what += " of type " + kind
	}
	t.Error(e.X.Pos, "required-attrs-missing", fmt.Sprintf("this %s needs %s", what, strings.Join(missing, ", ")), "")
}

func (t look) boundPath(e tree.Entry) {
	kind, said := e.X.Lookup("type")
	if !said && !t.On["Defaults"] {
		t.Error(e.X.Pos, "required-attrs-missing", "a complete Path needs type", "such as type=\"directory\"")
	}
	t.require(e, needs(kind)...)
	name := e.X.Get("name")
	if said && name != "" && !strings.HasPrefix(name, "/") && !t.regexNames(e) {
		t.Error(e.X.AttrPos("name"), "required-attr-format", "a path starts with /", "")
	}
	if kind == "device" && (e.X.Get("dev_type") == "block" || e.X.Get("dev_type") == "char") {
		t.require(e, "major", "minor")
	}
	if to := e.X.Get("to"); kind == "hardlink" && to != "" && !strings.HasPrefix(to, "/") {
		t.Error(e.X.AttrPos("to"), "required-attr-format", "a hard link is to a path, which starts with /", "")
	}
	t.acls(e)
	if kind == "file" && tree.Has(e.X, "owner") && e.X.Text == "" && len(e.X.Children) == 0 && !e.X.True("empty") {
		t.Error(e.X.Pos, "required-attrs-missing", "a file needs its text, or empty=\"true\"", "")
	}
}

// acls reports missing-elements: default ACLs are for all three, or for none.
func (t look) acls(e tree.Entry) {
	seen := map[string]bool{}
	for _, c := range e.X.Children {
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
		t.Error(e.X.Pos, "missing-elements", "the default ACLs leave out "+strings.Join(missing, ", "), "write an ACL of type default for user, group and other, or for none")
	}
}

// regexNames tells whether a rule's name is a pattern.
func (t look) regexNames(e tree.Entry) bool {
	return strings.HasPrefix(e.X.Pos.File, "Rules/") && t.Option("rules", "regex") != ""
}

// fmri looks at the names of services of Solaris.
func (t look) fmri(e tree.Entry) {
	if e.X.Get("type") != "smf" {
		return
	}
	t.require(e, "FMRI")
	if name := e.X.Get("FMRI"); name != "" && !strings.HasPrefix(name, "svc:/") && !strings.HasPrefix(name, "lrc:/") {
		t.Error(e.X.AttrPos("FMRI"), "required-attr-format", "an FMRI begins with svc:/ or lrc:/", "")
	}
}

var (
	sePort = regexp.MustCompile(`^\d+(-\d+)?/(tcp|udp)$`)
	seNode = regexp.MustCompile(`^([\d.]+|[0-9A-Fa-f:]+)/([\d.]+|[0-9A-Fa-f:]+)$`)
)

func (t look) seFormats(e tree.Entry) {
	name := e.X.Get("name")
	switch {
	case e.Tag == "SEPort" && !sePort.MatchString(name):
		t.Error(e.X.AttrPos("name"), "required-attr-format", "the name of an SEPort is a port or a range with its protocol", "such as 8080/tcp")
	case e.Tag == "SENode" && !seNode.MatchString(name):
		t.Error(e.X.AttrPos("name"), "required-attr-format", "the name of an SENode is an address with its mask", "such as 10.0.0.0/255.0.0.0")
	}
}
