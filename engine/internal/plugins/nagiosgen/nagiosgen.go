// SPDX-License-Identifier: Apache-2.0

// Package nagiosgen is Bcfg2's NagiosGen: what Nagios is to know about a host, and
// for its server about all of them. It must not know other generators, nor ask
// for addresses anywhere.
package nagiosgen

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

const (
	dir    = "NagiosGen"
	status = "/etc/nagiosgen.status"
)

// servers are the paths of what the server reads, by version.
var servers = []string{"/etc/nagios/conf.d/bcfg2.cfg", "/etc/nagios/nagiosgen.cfg"}

// NagiosGen is safe for concurrent use.
type NagiosGen struct {
	fleet     plugin.Fleet
	addresses map[string]netip.Addr
	options   *plugin.StructFile
	groups    map[string]string // NAME-group.cfg
	bundles   map[string]string // NAME-bundle.cfg
	hosts     map[string]string // NAME-host.cfg
	server    func() string
	whole     *memo.Part
}

var (
	_ plugin.Generator = (*NagiosGen)(nil)
	_ plugin.Lister    = (*NagiosGen)(nil)
	_ plugin.Sourced   = (*NagiosGen)(nil)
)

// maxFile bounds a file of the directory in bytes.
const maxFile = 4 << 20

// New reads the directory.
func New(env plugin.Env) *NagiosGen {
	g := &NagiosGen{
		fleet: env.Fleet, whole: env.Sources.Whole, addresses: map[string]netip.Addr{},
		groups: map[string]string{}, bundles: map[string]string{}, hosts: map[string]string{},
	}
	g.server = sync.OnceValue(g.all)
	for text, names := range env.Names {
		address, err := netip.ParseAddr(text)
		if err != nil {
			continue // --hosts was looked at before
		}
		for _, n := range names {
			if was, ok := g.addresses[n]; !ok || address.Less(was) {
				g.addresses[n] = address
			}
		}
	}
	entries, err := fs.ReadDir(env.FS, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		env.Report(file.Unreadable(dir, err))
	}
	for _, e := range entries {
		if e.IsDir() || plugin.Ignored(env.Conf, e.Name()) {
			continue
		}
		full := dir + "/" + e.Name()
		if e.Name() == "config.xml" {
			g.configure(env, full)
		}
		for suffix, into := range map[string]map[string]string{"-host.cfg": g.hosts, "-group.cfg": g.groups, "-bundle.cfg": g.bundles} {
			name, ok := strings.CutSuffix(e.Name(), suffix)
			if !ok {
				continue
			}
			data, p := file.Read(env.FS, full, maxFile)
			if p != nil {
				env.Report(p)
				continue
			}
			into[name] = string(data)
		}
	}
	return g
}

func (g *NagiosGen) configure(env plugin.Env, name string) {
	doc, p := plugin.ReadStructFile(env, name, plugin.StructOptions{Follow: true})
	if p != nil {
		env.Report(p)
		return
	}
	g.options = doc
}

// Name is the plugin's name.
func (g *NagiosGen) Name() string { return "NagiosGen" }

// Lists tells whether the path is one of the plugin's.
func (g *NagiosGen) Lists(n plugin.Name) bool {
	return n.Tag == "Path" && (n.Name == status || slices.Contains(servers, n.Name))
}

// Part is everything: the list of hosts is made of who asks for what.
func (g *NagiosGen) Part(n plugin.Name) *memo.Part {
	if !g.Lists(n) {
		return nil
	}
	return g.whole
}

// Names lists the paths, sorted.
func (g *NagiosGen) Names(tag string) []string {
	if tag != "Path" {
		return nil
	}
	return append(slices.Clone(servers), status)
}

// Handles is always false: all paths are listed.
func (g *NagiosGen) Handles(*memo.View, plugin.Name) bool { return false }

// Bind gives a Path its content.
func (g *NagiosGen) Bind(v *memo.View, d *plugin.Draft) *problem.Problem {
	owner, mode := "root", "0400"
	text := ""
	if d.Name() == status {
		var p *problem.Problem
		if text, p = g.host(v); p != nil {
			return p
		}
	} else {
		owner, mode, text = "nagios", "0440", g.server()
	}
	for _, a := range [][2]string{{"encoding", "ascii"}, {"owner", owner}, {"group", owner}, {"mode", mode}, {"type", "file"}} {
		d.Set(a[0], a[1])
	}
	d.BoundAt = config.Source{File: dir}
	return d.Fill(dir, text)
}

// host is what Nagios is to know about a host.
func (g *NagiosGen) host(v *memo.View) (string, *problem.Problem) {
	h := v.Host()
	address, ok := g.addresses[h.Name]
	if !ok {
		return "", problem.New(problem.Pos{File: dir}, "no-address", fmt.Sprintf("NagiosGen has no address for %s: names are looked up in the file that --hosts names, never in DNS", h.Name), "give a file with lines ADDRESS NAME...")
	}
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "\t%-32s %s\n", name, value) }
	b.WriteString("define host {\n")
	line("host_name", h.Name)
	line("alias", h.Name)
	line("address", address.String())
	if groups := g.listed(h); len(groups) > 0 {
		line("hostgroups", strings.Join(groups, ","))
	}
	options, p := g.options.Nest(v)
	if p != nil {
		return "", p
	}
	var names []string
	values := map[string]string{}
	options.InPlace(v, "", func(it *plugin.Item) {
		if name := it.Element.Get("name"); it.Element.Is("Option") {
			if _, ok := values[name]; !ok {
				names = append(names, name)
			}
			values[name] = it.Element.Text
		}
	})
	if _, ok := values["use"]; !ok {
		names = append(names, "use")
		values["use"] = "default"
	}
	for _, n := range names {
		line(n, values[n])
	}
	b.WriteString("}\n")
	return b.String(), nil
}

// listed are the host's groups, and its bundles, that have a file.
func (g *NagiosGen) listed(h *host.Host) []string {
	var out []string
	for _, name := range h.Names {
		if _, ok := g.groups[name]; ok {
			out = append(out, name)
		}
	}
	for _, name := range h.Bundles {
		if _, ok := g.bundles[name]; ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var hostgroups = regexp.MustCompile(`(?m)^\s*hostgroups\s+(.*)$`)

// all is what the server reads: the files of the groups that occur, and those of
// all hosts, those that have one of their own before those of the repository.
func (g *NagiosGen) all() string {
	hosts := maps.Clone(g.hosts)
	for _, h := range g.fleet.Hosts() {
		if !g.fleet.Asks(h, plugin.Name{Tag: "Path", Name: status, Named: true}) {
			continue
		}
		if text, p := g.host(memo.NewView(h)); p == nil {
			hosts[h.Name] = text
		}
	}
	used := map[string]bool{}
	var defined []string
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		defined = append(defined, hosts[name])
		for _, m := range hostgroups.FindAllStringSubmatch(hosts[name], -1) {
			for group := range strings.SplitSeq(m[1], ",") {
				used[strings.TrimSpace(group)] = true
			}
		}
	}
	var groups []string
	for _, name := range slices.Sorted(maps.Keys(used)) {
		for _, files := range []map[string]string{g.bundles, g.groups} {
			if text, ok := files[name]; ok {
				groups = append(groups, text)
			}
		}
	}
	return strings.Join(groups, "\n") + "\n\n" + strings.Join(defined, "\n")
}
