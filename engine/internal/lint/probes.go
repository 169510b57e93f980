// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"path"
	"regexp"
	"strings"
)

// probes reports directory-in-probes, unknown-probe-file, probes-allowed-groups.
func (t *tree) probes() {
	for _, d := range t.dirs {
		if path.Dir(d) == "Probes" && !ignored(path.Base(d)) {
			t.warn(at(d), "directory-in-probes", "a directory in Probes is not read", "move the probes up, or the directory away")
		}
	}
	said := t.option("probes", "allowed_groups") != ""
	for _, f := range t.probeFiles() {
		base := path.Base(f.name)
		if !t.qualifier(f.name).known {
			t.warn(at(f.name), "unknown-probe-file", "the name is not understood; the probe is never sent", "use letters, digits, - and _, then .G50_group or .H_host")
			continue
		}
		if data, ok := t.read(f); ok && !said && base != "info" && len(assigned(data)) > 0 {
			said = true
			t.warn(at(f.name), "probes-allowed-groups", "the probe gives groups: a stolen host could give itself any group",
				"set allowed_groups, a list of patterns, in the section probes")
		}
	}
}

// probeFiles are the files that may be probes.
func (t *tree) probeFiles() []file {
	var out []file
	for _, f := range t.in("Probes") {
		switch base := path.Base(f.name); {
		case path.Dir(f.name) != "Probes", base == "probed.xml", base == "info.xml", base == "info", base == ":info", strings.HasPrefix(base, "."):
		default:
			out = append(out, f)
		}
	}
	return out
}

var (
	assignment = regexp.MustCompile(`group:[ \t]*([^\s"'` + "`" + `;|&)]*)`)
	variable   = regexp.MustCompile(`\$\{[^}]*\}|\$[A-Za-z_0-9]+|\$\(.*|%[a-z(].*|\{.*|\\.*`)
)

// assigned lists the groups that a probe's text seems to give.
func assigned(data []byte) []string {
	var out []string
	for _, m := range assignment.FindAllSubmatch(data, -1) {
		out = append(out, string(m[1]))
	}
	return out
}

// probeGroups adds what probes may give: plain names that stand in their text,
// and allowed_groups where a name is computed. A computed name without such a
// list may be anything.
func (t *tree) probeGroups(g *groupTable) {
	allowed := strings.Fields(strings.ReplaceAll(t.option("probes", "allowed_groups"), ",", " "))
	for _, f := range t.probeFiles() {
		data, ok := t.read(f)
		if !ok {
			continue
		}
		for _, name := range assigned(data) {
			if i := strings.IndexAny(name, `\`); i > 0 {
				name = name[:i]
			}
			if name != "" && !variable.MatchString(name) {
				g.named[name] = true
				continue
			}
			if len(allowed) == 0 {
				g.shape(name, variable)
				g.open = g.open || name == ""
			}
		}
	}
	for _, a := range allowed {
		if re, err := regexp.Compile("^(?:" + a + ")$"); err == nil {
			g.shaped = append(g.shaped, re)
		}
	}
}
