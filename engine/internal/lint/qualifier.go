// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"path"
	"regexp"
	"strings"
)

// qualified is what the name of a file says about whom it is for.
type qualified struct {
	// known is false for a name that its plugin does not understand.
	known bool
	// special files steer a generator; skipped ones are for others to include.
	special, skipped bool
	host, group      string
	priority         string
	ext              string
}

// extensions are those of Cfg's handlers, the longer ones first.
func extensions() []string {
	return []string{
		"genshi.crypt", "crypt.genshi", "cheetah.crypt", "crypt.cheetah", "jinja2.crypt", "crypt.jinja2",
		"genshi.age", "cheetah.age", "jinja2.age", "genshi", "newtxt", "cheetah", "jinja2", "crypt", "age", "sops", "cat", "diff",
	}
}

var (
	groupPart = regexp.MustCompile(`^\.G([0-9]+)_(\S+)$`)
	hostPart  = regexp.MustCompile(`^\.H_(\S+)$`)
	probeName = regexp.MustCompile(`^([0-9A-Za-z_-]+)(\.G([0-9]+)_(\S+)|\.H_(\S+))?$`)
)

// qualifier reads the name of a file of a generator or of Probes.
func (t *tree) qualifier(name string) qualified {
	dir, _, _ := strings.Cut(name, "/")
	base, folder := path.Base(name), path.Base(path.Dir(name))
	if ignored(base) {
		return qualified{}
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
			return qualified{known: true, group: m[4], priority: m[3], host: m[5]}
		}
	case "SSHbase":
		for _, mark := range []string{".H_", ".G"} {
			if i := strings.Index(base, mark); i > 0 {
				return split(base[i:], nil)
			}
		}
	}
	return qualified{}
}

// cfgName reads the name of a file in the directory of a managed path.
func cfgName(folder, base string) qualified {
	if special(base) && base != "key.xml" && base != "cert.xml" || base == "info" || base == ":info" {
		return qualified{known: true, special: true}
	}
	if strings.HasSuffix(base, ".genshi_include") || strings.HasSuffix(base, ".jinja2_include") {
		return qualified{known: true, skipped: true}
	}
	if rest, ok := strings.CutPrefix(base, ":test"); ok {
		q := split(rest, nil)
		q.special = true
		return q
	}
	rest, ok := strings.CutPrefix(base, folder)
	if !ok {
		return qualified{}
	}
	return split(rest, extensions())
}

// split reads `.G10_group`, `.H_host` and an extension behind them.
func split(rest string, exts []string) qualified {
	q := qualified{known: true}
	for _, e := range exts {
		if before, ok := strings.CutSuffix(rest, "."+e); ok {
			rest, q.ext = before, e
			break
		}
	}
	switch m := groupPart.FindStringSubmatch(rest); {
	case rest == "":
		return q
	case m != nil:
		q.priority, q.group = m[1], m[2]
		return q
	}
	if m := hostPart.FindStringSubmatch(rest); m != nil {
		q.host = m[1]
		return q
	}
	return qualified{}
}
