// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// altsrc reports altsrc-empty and altsrc-dangling.
func (t *tree) altsrc() {
	s := t.served()
	for _, d := range t.docs {
		if d.dir != "Bundler" && d.dir != "Base" {
			continue
		}
		t.eachEntry(d, func(e entry) {
			source, said := e.x.Lookup("altsrc")
			switch {
			case !said || e.bound || d.templated && strings.Contains(source, "$"):
			case source == "":
				t.error(e.x.AttrPos("altsrc"), "altsrc-empty", "altsrc is empty: the entry cannot be bound", "remove it")
			case !s.knows(e.tag, source):
				t.error(e.x.AttrPos("altsrc"), "altsrc-dangling", fmt.Sprintf("nothing serves %s %s", e.tag, source), "")
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

func (t *tree) served() *served {
	s := &served{names: map[string]bool{}, patterns: map[string][]*regexp.Regexp{}, packages: t.on["Packages"]}
	for _, f := range t.files {
		dir, rest, _ := strings.Cut(f.name, "/")
		switch dir {
		case "Cfg", "TGenshi", "TCheetah", "SSLCA":
			s.names["Path /"+path.Dir(rest)] = true
		case "SEModules":
			s.names["SEModule "+path.Dir(rest)] = true
			s.names["SEModule "+strings.TrimSuffix(path.Dir(rest), ".pp")] = true
		}
	}
	if t.on["SSHbase"] {
		s.names["Path /etc/ssh/ssh_known_hosts"] = true
		for _, kind := range []string{"", "_dsa", "_ecdsa", "_ed25519", "_rsa"} {
			key := "Path /etc/ssh/ssh_host" + kind + "_key"
			s.names[key], s.names[key+".pub"] = true, true
		}
	}
	if t.on["NagiosGen"] {
		for _, name := range []string{"/etc/nagiosgen.status", "/etc/nagios/nagiosgen.cfg", "/etc/nagios/conf.d/bcfg2.cfg"} {
			s.names["Path "+name] = true
		}
	}
	for _, d := range t.docs {
		switch d.dir {
		case "Rules", "Svcmgr", "Pkgmgr":
			regex := d.dir == "Rules" && t.option("rules", "regex") != ""
			walkEntries(d.root, nil, func(e entry) {
				name := e.x.Get("name")
				s.names[e.tag+" "+name] = true
				s.names[e.tag+" "+strings.TrimRight(name, "/")] = true
				if !regex {
					return
				}
				if s.many = s.many || len(s.patterns[e.tag]) >= maxPatterns; s.many {
					return
				}
				if re, err := regexp.Compile("^(?:" + name + ")$"); err == nil {
					s.patterns[e.tag] = append(s.patterns[e.tag], re)
				}
			})
		}
	}
	return s
}
