// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

// generate makes a Path the configuration of the host's own package tool: that of
// its sources, whatever the name of the Path.
func (p *Packages) generate(v *memo.View, d *plugin.Draft) {
	for _, a := range [][2]string{
		{"encoding", "ascii"}, {"owner", "root"}, {"group", "root"}, {"type", "file"}, {"mode", "0644"}, {"important", "true"},
	} {
		d.Set(a[0], a[1])
	}
	const comment = "# This config was generated automatically by the Bcfg2 Packages plugin\n\n"
	switch kind := p.kind(v); kind {
	case "deb":
		d.Text = comment + p.apt(v)
	case "yum":
		d.Text = comment + p.yum(v)
	default:
		d.Notes = append(d.Notes, problem.Warn(d.At, "no-package-configuration", fmt.Sprintf("%s has no content: the host has no sources of one type that it could be made of", d.Name()), ""))
	}
}

// apt is a sources.list.
func (p *Packages) apt(v *memo.View) string {
	var parts []string
	for i := range p.sources {
		s := &p.sources[i]
		if !s.applies(v) {
			continue
		}
		where := s.url + " " + s.version + " " + strings.Join(s.components, " ")
		if s.rawURL != "" {
			i := strings.LastIndex(strings.TrimSuffix(s.rawURL, "/"), "/")
			where = s.rawURL[:max(i, 0)] + " " + s.rawURL[i+1:]
		}
		part := "deb " + where + "\n"
		if s.debsrc {
			part += "deb-src " + where + "\n"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "\n")
}

// yum is a .repo file.
func (p *Packages) yum(v *memo.View) string {
	var b strings.Builder
	taken := map[string]bool{}
	for i := range p.sources {
		s := &p.sources[i]
		if !s.applies(v) {
			continue
		}
		for _, r := range s.repositories() {
			if !v.InGroup(r.arch.group) {
				continue
			}
			name := s.repositoryName(r)
			for n, first := 2, name; taken[name]; n++ {
				name = first + "-" + strconv.Itoa(n)
			}
			taken[name] = true
			s.section(&b, name, r.url)
		}
	}
	return b.String()
}

func (s *source) section(b *strings.Builder, name, url string) {
	lines := &plugin.Draft{}
	lines.Set("name", name)
	lines.Set("baseurl", url)
	lines.Set("enabled", "1")
	lines.Set("gpgcheck", "0")
	if len(s.keys) > 0 {
		lines.Set("gpgcheck", "1")
		lines.Set("gpgkey", strings.Join(s.keys, " "))
	}
	if len(s.blacklist) > 0 {
		lines.Set("exclude", strings.Join(s.blacklist, " "))
	}
	if len(s.whitelist) > 0 {
		lines.Set("includepkgs", strings.Join(s.whitelist, " "))
	}
	for _, a := range s.options {
		lines.Set(strings.ToLower(a.Name), a.Value)
	}
	fmt.Fprintf(b, "[%s]\n", name)
	for _, l := range lines.Attrs {
		fmt.Fprintf(b, "%s = %s\n", l.Name, strings.ReplaceAll(l.Value, "\n", "\n\t"))
	}
	b.WriteString("\n")
}

// repository is one place of a source where packages are.
type repository struct {
	arch      arch
	component string
	url       string
}

// repositories are the places of a YUM source: for each component and architecture
// one, or for each architecture the one that rawurl says.
func (s *source) repositories() []repository {
	var out []repository
	if s.rawURL != "" {
		for _, a := range s.archs {
			out = append(out, repository{a, "", strings.NewReplacer("%(version)s", s.version, "%(arch)s", a.name).Replace(s.rawURL)})
		}
		return out
	}
	for _, c := range s.components {
		for _, a := range s.archs {
			out = append(out, repository{a, c, s.url + s.version + "/" + c + "/" + a.name + "/"})
		}
	}
	return out
}

var (
	lastPart = regexp.MustCompile(`(?:pulp/repos/|/RPMS\.|/)([^/]+)/?$`)
	noName   = regexp.MustCompile(`[^A-Za-z0-9\-_.:]`)
)

// repositoryName is what a repository is called on hosts.
func (s *source) repositoryName(r repository) string {
	name := s.name
	switch m := lastPart.FindStringSubmatch(r.url); {
	case name != "":
		return name
	case r.component != "":
		name = r.component
	case m != nil && s.group != "":
		name = s.group + "-" + m[1]
	case m != nil:
		name = m[1]
	default:
		name = r.url
	}
	return noName.ReplaceAllString(name, "-")
}
