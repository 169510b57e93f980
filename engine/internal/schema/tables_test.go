// SPDX-License-Identifier: Apache-2.0

package schema_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/schema"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// each calls f for every element of every table that can be reached from a root,
// with the elements around it.
func each(f func(s *schema.Schema, around []string, e *schema.Element)) {
	for _, kind := range schema.Kinds() {
		s := schema.New().For(schema.ExampleOf(kind).File, "")
		seen := map[string]bool{}
		queue := [][]string{{s.Roots[0]}}
		for len(queue) > 0 {
			around := queue[0]
			queue = queue[1:]
			tag := around[len(around)-1]
			e := s.Elements[tag]
			if seen[tag] || e == nil {
				continue
			}
			seen[tag] = true
			f(s, around, e)
			for _, child := range e.Children {
				queue = append(queue, append(slices.Clone(around), child))
			}
		}
	}
}

// document nests elements, the innermost as it is given.
func document(around []string, inner string) *xmltree.Element {
	var open, closed strings.Builder
	for i, tag := range around {
		open.WriteString("<" + tag + ">")
		closed.WriteString("</" + around[len(around)-1-i] + ">")
	}
	root, _ := xmltree.Parse("x.xml", []byte(open.String()+inner+closed.String()))
	return root
}

// hint gives what is advised on a finding of a code.
func hint(found []*problem.Problem, code, about string) (string, bool) {
	for _, p := range found {
		if p.Code == code && strings.HasPrefix(p.Msg, about) {
			return p.Hint, true
		}
	}
	return "", false
}

// misspelt is a word as somebody might write it.
func misspelt(word string) string { return word[:1] + "z" + word[1:] }

// Whoever misspells any attribute or element of any table is told what was meant.
func TestEveryNameIsSuggested(t *testing.T) {
	attributes, elements := 0, 0
	each(func(s *schema.Schema, around []string, e *schema.Element) {
		if e.Open {
			return
		}
		tag, outer := around[len(around)-1], around[:len(around)-1]
		var names []string
		for _, a := range e.Attrs {
			names = append(names, a.Name)
		}
		for _, a := range e.Attrs {
			wrong := misspelt(a.Name)
			if a.Old != "" || slices.Contains(names, wrong) {
				continue
			}
			attributes++
			said, found := hint(s.Check(document(outer, "<"+tag+" "+wrong+"='x'/>"), false), schema.UnknownAttribute, wrong+" ")
			require.True(t, found, "%s: %s %s", s.Name, around, wrong)
			if len(a.Name) > 2 {
				require.Contains(t, said, "did you mean ", "%s: %s %s", s.Name, around, wrong)
			}
			require.Contains(t, said, a.Name, "%s: %s %s", s.Name, around, wrong)
		}
		for _, child := range e.Children {
			wrong := misspelt(child)
			if s.Elements[child].Old != "" || s.Elements[wrong] != nil {
				continue
			}
			elements++
			said, found := hint(s.Check(document(around, "<"+wrong+"/>"), false), schema.UnknownElement, "<"+wrong+">")
			require.True(t, found, "%s: %s", s.Name, around)
			require.Equal(t, "did you mean <"+child+">?", said, "%s: %s", s.Name, around)
		}
	})
	require.Greater(t, attributes, 500)
	require.Greater(t, elements, 200)
}

// Whoever misspells any value of a list is told which was meant, and none of them
// is called wrong.
func TestEveryValueIsSuggested(t *testing.T) {
	values := 0
	each(func(s *schema.Schema, around []string, e *schema.Element) {
		tag, outer := around[len(around)-1], around[:len(around)-1]
		for _, a := range e.Attrs {
			for _, v := range a.Values {
				about := a.Name + " of <" + tag + ">"
				_, found := hint(s.Check(document(outer, "<"+tag+" "+a.Name+"='"+v+"'/>"), false), schema.BadValue, about)
				require.False(t, found, "%s: %s %s=%s", s.Name, around, a.Name, v)
				said, found := hint(s.Check(document(outer, "<"+tag+" "+a.Name+"='"+v+"z'/>"), false), schema.BadValue, about)
				require.True(t, found, "%s: %s %s=%sz", s.Name, around, a.Name, v)
				require.Contains(t, said, v, "%s: %s %s=%sz", s.Name, around, a.Name, v)
				if len(v) > 2 {
					require.Contains(t, said, "did you mean ", "%s: %s %s=%sz", s.Name, around, a.Name, v)
				}
				values++
			}
		}
	})
	require.Greater(t, values, 300)
}

const (
	bcfg2Augeas   = " Initial Insert Move Remove Set SetMulti Clear"
	bcfg2Rules    = "Path Package Service Action POSIXUser POSIXGroup SEBoolean SEPort SEFcontext SENode SELogin SEUser SEInterface SEPermissive SEModule Group Client PostInstall"
	bcfg2Bundle   = bcfg2Rules + " BoundPath BoundPackage BoundService BoundAction BoundPOSIXUser BoundPOSIXGroup BoundSEBoolean BoundSEPort BoundSEFcontext BoundSENode BoundSELogin BoundSEUser BoundSEInterface BoundSEPermissive BoundSEModule RequiredBundle Bundle"
	bcfg2Packages = "apk ips macport opencsw pacman deb rpm blast encap sysv ebuild yum freebsdpkg"
)

// What any of Bcfg2's own schemas lets stand in an element may stand there.
func TestChildrenOfBcfg2(t *testing.T) {
	path := "ACL" + bcfg2Augeas
	for at, want := range map[string]string{
		"rules Rules": bcfg2Rules + " Directory SymLink Permissions", "rules Group": bcfg2Rules, "rules Client": bcfg2Rules,
		"rules Path": path, "bundle BoundPath": path, "rules Package": "Ignore Instance", "bundle BoundPackage": "Ignore Instance",
		"rules Instance": "Ignore", "rules Service": "User", "bundle BoundService": "User", "rules POSIXUser": "MemberOf Group Client", "bundle BoundPOSIXUser": "MemberOf Group Client",
		"info Info": "ACL", "info FileInfo": "FileInfo Group Client Path Info", "info Group": "Group Client Path Info", "info Client": "Group Client Path Info", "info Path": "Group Client Path Info",
		"bundle Bundle": bcfg2Bundle, "bundle Group": bcfg2Bundle, "bundle Client": bcfg2Bundle,
		"clients Clients": "Client Clients", "clients Client": "Alias",
		"groups Groups": "Group Client Groups", "groups Group": "Bundle Group Client Groups", "groups Client": "Bundle Group Client Groups",
		"pkgmgr PackageList": "Group Client Package", "pkgmgr Group": "Group Client Package", "pkgmgr Package": "Ignore Instance",
		"svcmgr Services": "Service Group Client",
		"sources Sources": "Group Client Source Sources Config APTSource YUMSource", "sources Source": "Component Arch GPGKey Options Blacklist Whitelist",
		"authorizedkeys Allow": "Group Client Option Params", "privkey PrivateKey": "Passphrase Params Group Client",
		"grouppatterns GroupPattern": "NameRange NamePattern Group",
		"fileprobes FileProbes":      "FileProbe Group Client", "decisions Decisions": "Decision Group Client",
		"sslcert CertInfo": "Cert subjectAltName Group Client", "sslkey KeyInfo": "Key Group Client",
		"defaults Defaults": bcfg2Rules, "awstags AWSTags": "Tag", "awstags Tag": "Group", "grouplogic GroupLogic": "Group Client GroupLogic",
		"nagiosgen NagiosGen": "Option Group Client", "deps Dependencies": "Group Client Path Package Service Action",
	} {
		kind, tag, _ := strings.Cut(at, " ")
		e := schema.New().For(schema.ExampleOf(kind).File, "").Elements[tag]
		require.NotNil(t, e, at)
		require.Subset(t, e.Children, strings.Fields(want), at)
	}
}

// The values that any of Bcfg2's own schemas allows are allowed.
func TestValuesOfBcfg2(t *testing.T) {
	for at, want := range map[string]string{
		"Path type":     "augeas device directory file hardlink ignore nonexistent permissions symlink vcs",
		"Path dev_type": "block char fifo", "Path vcstype": "svn git",
		"Package type": bcfg2Packages + " homebrew pkgng", "Service type": "chkconfig deb rc-update smf upstart systemd launchd freebsd",
		"Service status": "on off ignore", "Service bootstatus": "on off", "Service restart": "true false interactive",
		"Action timing": "both pre post", "Action when": "modified always", "Action status": "ignore check",
		"ACL type": "default access", "ACL scope": "user group other", "SEBoolean value": "on off",
		"SEFcontext filetype": "all regular directory symlink pipe socket block char", "SENode proto": "ipv4 ipv6",
		"clients:Client auth": "cert+password bootstrap cert", "sources:Source type": "yum apt pac pkgng",
		"bundle:Package type": "optional default mandatory all", "pkgmgr:PackageList type": bcfg2Packages, "sslcert:Cert format": "pem",
	} {
		kind, place, ok := strings.Cut(at, ":")
		kinds := []string{kind}
		if !ok {
			kinds, place = []string{"rules", "bundle"}, at
		}
		tag, name, _ := strings.Cut(place, " ")
		for _, kind := range kinds {
			elements := schema.New().For(schema.ExampleOf(kind).File, "").Elements
			for _, tag := range []string{tag, "Bound" + tag} {
				e := elements[tag]
				if e == nil && strings.HasPrefix(tag, "Bound") {
					continue
				}
				require.NotNil(t, e, "%v", slices.Sorted(maps.Keys(elements)))
				i := slices.IndexFunc(e.Attrs, func(a schema.Attr) bool { return a.Name == name })
				require.GreaterOrEqual(t, i, 0, at)
				if ok && strings.HasPrefix(tag, "Bound") {
					continue
				}
				require.Subset(t, e.Attrs[i].Values, strings.Fields(want), at)
			}
		}
	}
}
