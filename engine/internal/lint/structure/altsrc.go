// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

// altsrc reports altsrc-empty and altsrc-dangling.
func (t look) altsrc() {
	s := t.served()
	for _, d := range t.Docs {
		if d.Dir != "Bundler" && d.Dir != "Base" {
			continue
		}
		t.EachEntry(d, func(e tree.Entry) {
			source, said := e.X.Lookup("altsrc")
			switch {
			case !said || e.Bound || d.Templated && strings.Contains(source, "$"):
			case source == "":
				t.Error(e.X.AttrPos("altsrc"), "altsrc-empty", "altsrc is empty: the entry cannot be bound", "remove it")
			case !s.knows(e.Tag, source):
				t.Error(e.X.AttrPos("altsrc"), "altsrc-dangling", fmt.Sprintf("nothing serves %s %s", e.Tag, source), "")
			}
		})
	}
}

// served is what the generators of the tree serve, for whomever.
type served struct {
	names    map[string]bool
	patterns map[string][]*regexp.Regexp
	packages bool
	// many is true where there are more patterns than are compared.
	many bool
}

func (s *served) knows(tag, name string) bool {
	if s.many || tag == "Package" && s.packages || s.names[tag+" "+name] ||
		tag == "Path" && s.names[tag+" "+strings.TrimRight(name, "/")] {
		return true
	}
	for _, re := range s.patterns[tag] {
		if re.MatchString(name) {
			return true
		}
	}
	return false
}

func (t look) served() *served {
	s := &served{names: map[string]bool{}, patterns: map[string][]*regexp.Regexp{}, packages: t.On["Packages"]}
	for _, f := range t.Files {
		dir, rest, _ := strings.Cut(f.Name, "/")
		switch dir {
		case "Cfg", "TGenshi", "TCheetah", "SSLCA":
			s.names["Path /"+path.Dir(rest)] = true
		case "SEModules":
			s.names["SEModule "+path.Dir(rest)] = true
			s.names["SEModule "+strings.TrimSuffix(path.Dir(rest), ".pp")] = true
		}
	}
	if t.On["SSHbase"] {
		s.names["Path /etc/ssh/ssh_known_hosts"] = true
		for _, kind := range []string{"", "_dsa", "_ecdsa", "_ed25519", "_rsa"} {
			key := "Path /etc/ssh/ssh_host" + kind + "_key"
			s.names[key], s.names[key+".pub"] = true, true
		}
	}
	if t.On["NagiosGen"] {
		for _, name := range []string{"/etc/nagiosgen.status", "/etc/nagios/nagiosgen.cfg", "/etc/nagios/conf.d/bcfg2.cfg"} {
			s.names["Path "+name] = true
		}
	}
	for _, d := range t.Docs {
		switch d.Dir {
		case "Rules", "Svcmgr", "Pkgmgr":
			regex := d.Dir == "Rules" && t.Option("rules", "regex") != ""
			tree.WalkEntries(d.Root, nil, func(e tree.Entry) {
				name := e.X.Get("name")
				s.names[e.Tag+" "+name] = true
				s.names[e.Tag+" "+strings.TrimRight(name, "/")] = true
				if !regex {
					return
				}
				if s.many = s.many || len(s.patterns[e.Tag]) >= tree.MaxPatterns; s.many {
					return
				}
				if re, err := regexp.Compile("^(?:" + name + ")$"); err == nil {
					s.patterns[e.Tag] = append(s.patterns[e.Tag], re)
				}
			})
		}
	}
	return s
}
