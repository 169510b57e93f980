// SPDX-License-Identifier: Apache-2.0

// Package semodules is Bcfg2's SEModules: compiled SELinux modules, each in a
// directory of its name, one for all hosts or one for each group and host. It must
// not know what is in a module.
package semodules

import (
	"encoding/base64"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

const (
	dir       = "SEModules"
	extension = ".pp"
	// maxModule bounds one module in bytes.
	maxModule = 64 << 20
)

// Modules is safe for concurrent use.
type Modules struct {
	env      plugin.Env
	sets     map[string]*set
	defaults plugin.FileDefaults
}

// set is what one directory holds.
type set struct {
	dir      string
	variants *plugin.Variants[string]
	info     *plugin.Info
}

var (
	_ plugin.Generator = (*Modules)(nil)
	_ plugin.Lister    = (*Modules)(nil)
)

// New reads the directory tree.
func New(env plugin.Env) *Modules {
	m := &Modules{env: env, sets: map[string]*set{}, defaults: plugin.NewFileDefaults(env.Conf)}
	files := map[string][]string{}
	for _, name := range plugin.Walk(env, dir) {
		files[path.Dir(name)] = append(files[path.Dir(name)], path.Base(name))
	}
	for _, d := range slices.Sorted(maps.Keys(files)) {
		s := newSet(env, d, files[d])
		module, ok := strings.CutSuffix(strings.TrimPrefix(d, dir+"/"), extension)
		switch {
		case s == nil:
		case !ok:
			env.Report(problem.Warn(problem.Pos{File: d}, "unknown-module", "the name of the directory does not end in .pp; no entry is served from it", "call it "+path.Base(d)+extension+", and the files in it alike"))
		default:
			m.sets[module] = s
		}
	}
	return m
}

// newSet sorts the files of a directory; nil where none is a module.
func newSet(env plugin.Env, d string, names []string) *set {
	var list []plugin.Variant[string]
	var infos []string
	for _, n := range names {
		specific, ok := plugin.ParseSpecific(n, path.Base(d), "")
		switch {
		case plugin.IsInfo(n):
			infos = append(infos, n)
		case ok:
			list = append(list, plugin.Variant[string]{Specific: specific, File: n, Value: d + "/" + n})
		default:
			env.Report(problem.Warn(problem.Pos{File: d + "/" + n}, "unknown-module-file", "the name of the file is not that of its directory; the file is ignored", "a file is named MODULE.pp, MODULE.pp.G##_group or MODULE.pp.H_host"))
		}
	}
	if list == nil {
		return nil
	}
	return &set{dir: d, variants: plugin.NewVariants(env.Voc, list), info: plugin.NewInfoOf(env, d, infos)}
}

// Name is the plugin's name.
func (m *Modules) Name() string { return dir }

func (m *Modules) set(n plugin.Name) *set {
	if n.Tag != "SEModule" {
		return nil
	}
	return m.sets[strings.TrimSuffix(n.Name, extension)]
}

// Lists tells whether there is a module of that name, with its extension or without.
func (m *Modules) Lists(n plugin.Name) bool { return m.set(n) != nil }

// Names lists the modules, sorted.
func (m *Modules) Names(tag string) []string {
	if tag != "SEModule" {
		return nil
	}
	return slices.Sorted(maps.Keys(m.sets))
}

// Handles is always false: all modules are listed.
func (m *Modules) Handles(*memo.View, plugin.Name) bool { return false }

// Bind gives an SEModule its content and the attributes of its directory.
func (m *Modules) Bind(v *memo.View, d *plugin.Draft) *problem.Problem {
	s := m.set(d.Key())
	d.Set("name", strings.TrimSuffix(d.Name(), extension))
	m.defaults.Apply(d)
	if s.info != nil {
		if p := s.info.Bind(v, d); p != nil {
			return p
		}
	}
	v.Trail().In(s.dir)
	best := s.variants.Best(v)
	if best == nil {
		return problem.New(problem.Pos{File: s.dir}, "no-variant", fmt.Sprintf("no module in %s is for this host", s.dir), "add one without qualifier, or one for a group of the host")
	}
	d.BoundAt = config.Source{File: best.Value}
	data, p := file.Read(m.env.FS, best.Value, maxModule)
	if p != nil {
		return p
	}
	d.Set("encoding", "base64")
	d.Text = base64.StdEncoding.EncodeToString(data)
	return nil
}
