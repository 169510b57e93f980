// SPDX-License-Identifier: Apache-2.0

// Package probes is Bcfg2's Probes: scripts that hosts run, whose output is data
// and, in lines that start with "group:", groups. It must not know how scripts
// reach a host.
package probes

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Probes is safe for concurrent use.
type Probes struct {
	names   []string
	sets    map[string]*plugin.Variants[config.Probe]
	allowed []*regexp.Regexp
	// recorded is what Probes/probed.xml has for hosts.
	recorded map[string]record
}

// record is what the old server knew of a host.
type record struct {
	groups  []host.Grant
	answers map[string]string
}

var (
	_ plugin.Asker     = (*Probes)(nil)
	_ plugin.Connector = (*Probes)(nil)
)

var probeName = regexp.MustCompile(`^([0-9A-Za-z_\-]+)((?:\.(?:H_\S+|G\d+_\S+))?)$`)

// maxProbe bounds one script.
const maxProbe = 1 << 20

// New reads the directory. Sub-directories are ignored, with a finding.
func New(env plugin.Env) *Probes {
	p := &Probes{sets: map[string]*plugin.Variants[config.Probe]{}, recorded: map[string]record{}}
	p.allow(env)
	p.read(env)
	lists := map[string][]plugin.Variant[config.Probe]{}
	entries, err := fs.ReadDir(env.FS, "Probes")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		env.Report(file.Unreadable("Probes", err))
	}
	for _, e := range entries {
		full := "Probes/" + e.Name()
		if e.IsDir() {
			if !plugin.Ignored(env.Conf, e.Name()) {
				env.Report(problem.Warn(problem.Pos{File: full}, "directory-in-probes", "a directory among the probes is ignored", "move its files up"))
			}
			continue
		}
		if ignored(env.Conf, e.Name()) {
			continue
		}
		m := probeName.FindStringSubmatch(e.Name())
		if m == nil {
			env.Report(problem.Warn(problem.Pos{File: full}, "unknown-probe-file", "the name is no probe's; the file is ignored", "a probe is named NAME, NAME.G##_group or NAME.H_host, without extension"))
			continue
		}
		specific, _ := plugin.ParseSpecific(e.Name(), m[1], "")
		probe, bad := read(env, full, m[1])
		if bad != nil {
			env.Report(bad)
			continue
		}
		lists[m[1]] = append(lists[m[1]], plugin.Variant[config.Probe]{Specific: specific, File: e.Name(), Value: probe})
	}
	p.names = slices.Sorted(maps.Keys(lists))
	for name, list := range lists {
		p.sets[name] = plugin.NewVariants(env.Voc, list)
	}
	return p
}

// recordFile is where Bcfg2's server kept the answers of hosts.
const recordFile = "Probes/probed.xml"

// read reads the record of answers, if there is one.
func (p *Probes) read(env plugin.Env) {
	if _, err := fs.Stat(env.FS, recordFile); err != nil {
		return
	}
	root, bad := xmltree.Read(env.FS, recordFile)
	if bad != nil {
		env.Report(bad)
		return
	}
	for _, c := range root.Children {
		if !c.Is("Client") {
			continue
		}
		known := record{answers: map[string]string{}}
		for _, e := range c.Children {
			switch {
			case e.Is("Group"):
				known.groups = append(known.groups, host.Grant{Group: e.Get("name")})
			case e.Is("Probe"):
				known.answers[e.Get("name")] = e.Get("value")
			}
		}
		p.recorded[c.Get("name")] = known
	}
}

func ignored(conf plugin.Conf, name string) bool {
	switch name {
	case "probed.xml", "info.xml", "info", ":info":
		return true
	}
	return plugin.Ignored(conf, name) || strings.HasSuffix(name, ".genshi_include")
}

func (p *Probes) allow(env plugin.Env) {
	list := env.Conf.Get("probes", "allowed_groups", ".*")
	// 1.3 wants commas between the expressions, later versions blanks.
	exprs := strings.Fields(list)
	if strings.Contains(list, ",") {
		exprs = strings.Split(list, ",")
	}
	for _, expr := range exprs {
		re, err := plugin.CompilePython("^(?:" + strings.TrimSpace(expr) + "$)")
		if err != nil {
			env.Report(problem.New(problem.Pos{File: "bcfg2.conf"}, "bad-regex", fmt.Sprintf("[probes] allowed_groups: %q cannot be used: %v", expr, err), ""))
			continue
		}
		p.allowed = append(p.allowed, re)
	}
}

func read(env plugin.Env, full, name string) (config.Probe, *problem.Problem) {
	data, p := file.Read(env.FS, full, maxProbe)
	switch {
	case p != nil:
		return config.Probe{}, p
	case !utf8.Valid(data):
		return config.Probe{}, problem.New(problem.Pos{File: full}, "not-utf-8", "a probe must be UTF-8 text", "")
	}
	out := config.Probe{Name: name, Source: "Probes", Interpreter: "/bin/sh", Script: string(data)}
	if line, _, _ := strings.Cut(out.Script, "\n"); strings.HasPrefix(line, "#!") {
		out.Interpreter = strings.TrimLeft(line[2:], " \t\r\v\f")
	}
	return out, nil
}

// Ask gives the probes of a host, by name.
func (p *Probes) Ask(v *memo.View) ([]config.Probe, []*problem.Problem) {
	var out []config.Probe
	for _, name := range p.names {
		if best := p.sets[name].Best(v); best != nil {
			out = append(out, best.Value)
		}
	}
	return out, nil
}

// Name is the plugin's name.
func (p *Probes) Name() string { return "Probes" }

// Groups gives the groups that a host's answers assign, by probe name and line; for
// a host without answers those of the record, which then stands for its answers.
func (p *Probes) Groups(h *host.Host) ([]host.Grant, *problem.Problem) {
	if h.Probes == nil {
		return p.before(h)
	}
	var out []host.Grant
	for _, name := range slices.Sorted(maps.Keys(h.Probes)) {
		if strings.Contains(name, ":") {
			continue // the answer is another plugin's
		}
		groups, _ := host.SplitAnswer(h.Probes[name])
		for _, g := range groups {
			if p.permits(g) {
				out = append(out, host.Grant{Group: g})
			}
		}
	}
	return out, nil
}

// before gives what Bcfg2 knew of a host: as it was imported, or as the repository
// has it.
func (p *Probes) before(h *host.Host) ([]host.Grant, *problem.Problem) {
	text, ok := h.External["Probes"]
	if !ok {
		known := p.recorded[h.Name]
		h.Recorded = known.answers
		return known.groups, nil
	}
	var known struct {
		Groups  []string          `json:"groups"`
		Answers map[string]string `json:"answers"`
	}
	if err := json.Unmarshal([]byte(text), &known); err != nil {
		return nil, problem.New(problem.Pos{File: "Probes"}, "external-data-unusable",
			"what is recorded of Probes for "+h.Name+" is not the JSON that it should be", "import it again: bindery facts import --source Probes FILE")
	}
	h.Recorded = known.Answers
	out := make([]host.Grant, len(known.Groups))
	for i, g := range known.Groups {
		out[i].Group = g
	}
	return out, nil
}

func (p *Probes) permits(group string) bool {
	for _, re := range p.allowed {
		if re.MatchString(group) {
			return true
		}
	}
	return false
}
