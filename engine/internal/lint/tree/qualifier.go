// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"path"
	"regexp"
	"strings"
)

// Qualified is what the name of a file says about whom it is for.
type Qualified struct {
	// Known is false for a name that its plugin does not understand.
	Known bool
	// Special files steer a generator; skipped ones are for others to include.
	Special, Skipped bool
	Host, Group      string
	Priority         string
	Ext              string
}

// Extensions are those of Cfg's handlers, the longer ones first.
func Extensions() []string {
	return []string{
		"genshi.crypt", "crypt.genshi", "cheetah.crypt", "crypt.cheetah", "jinja2.crypt", "crypt.jinja2",
		"genshi.age", "cheetah.age", "jinja2.age", "genshi", "newtxt", "cheetah", "jinja2", "crypt", "age", "sops", "cat", "diff",
	}
}

var probeName = regexp.MustCompile(`^([0-9A-Za-z_-]+)(\.G([0-9]+)_(\S+)|\.H_(\S+))?$`)

// Qualifier reads the name of a file of a generator or of Probes.
func (t *Tree) Qualifier(name string) Qualified {
	dir, _, _ := strings.Cut(name, "/")
	base, folder := path.Base(name), path.Base(path.Dir(name))
	if Ignored(base) {
		return Qualified{}
	}
	switch dir {
	case "Cfg":
		return cfgName(folder, base)
	case "TGenshi", "TCheetah":
		return split(strings.TrimPrefix(base, "template"), nil)
	case "SEModules":
		return split(strings.TrimPrefix(base, folder), nil)
	case "Probes":
		if m := probeName.FindStringSubmatch(base); m != nil {
			return Qualified{Known: true, Group: m[4], Priority: m[3], Host: m[5]}
		}
	case "SSHbase":
		for _, mark := range []string{".H_", ".G"} {
			if i := strings.Index(base, mark); i > 0 {
				return split(base[i:], nil)
			}
		}
	}
	return Qualified{}
}

// cfgName reads the name of a file in the directory of a managed path.
func cfgName(folder, base string) Qualified {
	if Special(base) && base != "key.xml" && base != "cert.xml" || base == "info" || base == ":info" {
		return Qualified{Known: true, Special: true}
	}
	if strings.HasSuffix(base, ".genshi_include") || strings.HasSuffix(base, ".jinja2_include") {
		return Qualified{Known: true, Skipped: true}
	}
	if rest, ok := strings.CutPrefix(base, ":test"); ok {
		q := split(rest, nil)
		q.Special = true
		return q
	}
	rest, ok := strings.CutPrefix(base, folder)
	if !ok {
		return Qualified{}
	}
	return split(rest, Extensions())
}

// split reads `.G10_group`, `.H_host` and an extension behind them.
func split(rest string, exts []string) Qualified {
	q := Qualified{Known: true}
	for _, e := range exts {
		if before, ok := strings.CutSuffix(rest, "."+e); ok {
			rest, q.Ext = before, e
			break
		}
	}
	switch priority, group, ok := strings.Cut(rest, "_"); {
	case rest == "":
		return q
	case !ok || group == "" || strings.ContainsAny(group, "\t\n\f\r "):
		return Qualified{}
	case priority == ".H":
		q.Host = group
		return q
	case strings.HasPrefix(priority, ".G") && len(priority) > 2 && strings.Trim(priority[2:], "0123456789") == "":
		q.Priority, q.Group = priority[2:], group
		return q
	}
	return Qualified{}
}
