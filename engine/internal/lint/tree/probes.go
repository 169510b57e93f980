// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"path"
	"regexp"
	"strings"
)

// ProbeFiles are the files that may be probes.
func (t *Tree) ProbeFiles() []File {
	var out []File
	for _, f := range t.In("Probes") {
		switch base := path.Base(f.Name); {
		case path.Dir(f.Name) != "Probes", base == "probed.xml", base == "info.xml", base == "info", base == ":info", strings.HasPrefix(base, "."):
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

// Assigned lists the groups that a probe's text seems to give.
func Assigned(data []byte) []string {
	var out []string
	for _, m := range assignment.FindAllSubmatch(data, -1) {
		out = append(out, string(m[1]))
	}
	return out
}

// probeGroups adds what probes may give: plain names that stand in their text,
// and allowed_groups where a name is computed. A computed name without such a
// list may be anything.
func (t *Tree) probeGroups(g *GroupTable) {
	allowed := strings.Fields(strings.ReplaceAll(t.Option("probes", "allowed_groups"), ",", " "))
	for _, f := range t.ProbeFiles() {
		data, ok := t.Read(f)
		if !ok {
			continue
		}
		for _, name := range Assigned(data) {
			if i := strings.IndexAny(name, `\`); i > 0 {
				name = name[:i]
			}
			if name != "" && !variable.MatchString(name) {
				g.Named[name] = true
				continue
			}
			if len(allowed) == 0 {
				g.shape(name, variable)
				g.Open = g.Open || name == ""
			}
		}
	}
	for _, a := range allowed {
		if re, err := regexp.Compile("^(?:" + a + ")$"); err == nil {
			g.shaped = append(g.shaped, re)
		}
	}
}
