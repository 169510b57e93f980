// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Example is a file that a page shows. The tests of the engine lint it.
type Example struct {
	Kind, File, Data string
}

// page is one directory of a specification.
type page struct {
	name  string
	about string
	kinds []string
}

func pages() []page {
	return []page{
		{"ACL", "Who could call Bcfg2's server. Nothing reads it here; it may stay.", []string{"acl"}},
		{"AWSTags", "Groups by the tags of an instance.", []string{"awstags"}},
		{"Base", "Entries that every host gets, under conditions.", []string{"base"}},
		{"Bundler", "Bundles: the entries that belong together. Groups name them.", []string{"bundle"}},
		{"Cfg", "Content of files, in a directory named as the path; these files steer it.", []string{"info", "authorizedkeys", "privkey", "pubkey", "sslkey", "sslcert"}},
		{"Decisions", "Which entries a host may, or may not, act upon.", []string{"decisions"}},
		{"Defaults", "What fills in where neither bundle nor rule says it.", []string{"defaults"}},
		{"Deps", "Entries that need others.", []string{"deps"}},
		{"FileProbes", "Files that hosts are asked for.", []string{"fileprobes"}},
		{"GroupLogic", "Groups that follow from groups.", []string{"grouplogic"}},
		{"GroupPatterns", "Groups by the name of a host.", []string{"grouppatterns"}},
		{"Metadata", "Hosts and groups.", []string{"groups", "clients"}},
		{"NagiosGen", "Options for generated Nagios configuration.", []string{"nagiosgen"}},
		{"Packages", "Where packages come from: sources.xml.", []string{"sources"}},
		{"Pkgmgr", "Packages with their versions, where no source is asked.", []string{"pkgmgr"}},
		{"Rules", "Complete entries by tag and name: what bundles are bound to.", []string{"rules"}},
		{"Svcmgr", "Services, as Rules; older.", []string{"svcmgr"}},
	}
}

// Pages gives the reference of all directories in Markdown, by the name of the page.
func (s *Set) Pages() map[string][]byte {
	out := map[string][]byte{}
	var index strings.Builder
	index.WriteString("# Specification\n\nWhat the XML files of a specification may hold, one page for each directory: the union of what Bcfg2 1.1 to 1.4 know. `bindery lint` holds files against the same tables. These pages are generated: `make docs` writes them.\n\n")
	for _, p := range pages() {
		fmt.Fprintf(&index, "- [%s](%s.md): %s\n", p.name, strings.ToLower(p.name), p.about)
		out[strings.ToLower(p.name)+".md"] = s.page(p)
	}
	out["README.md"] = []byte(index.String())
	return out
}

func (s *Set) page(p page) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n", p.name, p.about)
	for _, kind := range p.kinds {
		t := s.schemas[kind]
		e := ExampleOf(kind)
		fmt.Fprintf(&b, "\n## %s\n\nStarts with `<%s>`. For example `%s`:\n\n```xml\n%s```\n", kind, strings.Join(t.Roots, ">` or `<"), e.File, e.Data)
		for _, name := range slices.Sorted(maps.Keys(t.Elements)) {
			t.element(&b, name)
		}
	}
	return []byte(b.String())
}

func (s *Schema) element(b *strings.Builder, name string) {
	e := s.Elements[name]
	fmt.Fprintf(b, "\n### %s\n\n", name)
	if e.Old != "" {
		fmt.Fprintf(b, "Old: %s.\n", e.Old)
		return
	}
	if e.Open {
		b.WriteString("May hold anything.\n")
		return
	}
	if len(e.Attrs) > 0 {
		b.WriteString("| attribute | value | since |\n|---|---|---|\n")
	}
	for _, a := range slices.SortedStableFunc(slices.Values(e.Attrs), func(a, b Attr) int { return cmp.Compare(a.Name, b.Name) }) {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", a.Name, a.describe(s.Name, name), since(s.Name, name, a.Name))
	}
	children := slices.Compact(slices.Sorted(slices.Values(e.Children)))
	switch {
	case len(children) > 0 && len(e.Attrs) > 0:
		fmt.Fprintf(b, "\nHolds: %s.\n", strings.Join(children, ", "))
	case len(children) > 0:
		fmt.Fprintf(b, "Holds: %s.\n", strings.Join(children, ", "))
	case len(e.Attrs) == 0:
		b.WriteString("No attributes and no elements.\n")
	}
}

// describe says what an attribute may be.
func (a *Attr) describe(kind, element string) string {
	what := map[Sort]string{
		Any: "text", Bool: "true or false", Int: "a whole number", Natural: "a whole number from 0 on",
		Mode: "three or four octal digits", Owner: "a name or a number", Word: strings.Join(a.Values, ", "),
	}[a.Sort]
	if a.Required {
		what += "; required"
	}
	if p, ok := pastOf(kind, element, a.Name); ok && p.value != "" {
		what += "; " + p.value + " where it is left out"
	}
	if a.Old != "" {
		what += "; old: " + a.Old
	}
	return strings.ReplaceAll(what, "|", `\|`)
}

// since says which versions of Bcfg2 knew an attribute.
func since(kind, element, attribute string) string {
	p, ok := pastOf(kind, element, attribute)
	switch {
	case !ok:
		return ""
	case p.last != "" && p.last != p.first:
		return p.first + " to " + p.last
	case p.last != "":
		return p.first + " only"
	}
	return p.first
}
