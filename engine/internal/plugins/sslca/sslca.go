// SPDX-License-Identifier: Apache-2.0

// Package sslca is Bcfg2's SSLCA: keys and certificates of TLS, which stand in the
// repository behind what described them to the server. What is missing is never
// made. It must not know other generators.
package sslca

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/keyfile"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/secret"
)

// dir is the plugin's directory and its name.
const dir = "SSLCA"

// SSLCA is safe for concurrent use.
type SSLCA struct {
	env      plugin.Env
	sets     map[string]*set // by path
	defaults plugin.FileDefaults
	checker  *keyfile.Checker
}

var (
	_ plugin.Generator = (*SSLCA)(nil)
	_ plugin.Lister    = (*SSLCA)(nil)
	_ plugin.KeyHolder = (*SSLCA)(nil)
)

// set is what one directory holds: a key, or a certificate.
type set struct {
	dir       string
	variants  *plugin.Variants[string]
	info      *plugin.Info
	key, cert *keyfile.File
}

// New reads the directory tree; keys are read when they are bound.
func New(env plugin.Env) *SSLCA {
	s := &SSLCA{env: env, sets: map[string]*set{}, defaults: plugin.NewFileDefaults(env.Conf), checker: keyfile.NewChecker(env)}
	files := map[string][]string{}
	for _, name := range plugin.Walk(env, dir) {
		files[path.Dir(name)] = append(files[path.Dir(name)], path.Base(name))
	}
	for _, d := range slices.Sorted(maps.Keys(files)) {
		if d != dir {
			s.sets[strings.TrimPrefix(d, dir)] = newSet(env, d, files[d])
		}
	}
	return s
}

func newSet(env plugin.Env, dir string, names []string) *set {
	s := &set{dir: dir}
	var list []plugin.Variant[string]
	var infos []string
	for _, name := range names {
		full := dir + "/" + name
		plain, _ := secret.Plain(name)
		specific, ok := plugin.ParseSpecific(plain, path.Base(dir), "")
		switch {
		case plugin.IsInfo(name):
			infos = append(infos, name)
		case name == "key.xml":
			s.key = keyfile.New(env, full, keyfile.Config{Section: "sslca", InPlace: true})
		case name == "cert.xml":
			s.cert = keyfile.New(env, full, keyfile.Config{Section: "sslca", InPlace: true})
		case ok:
			list = append(list, plugin.Variant[string]{Specific: specific, File: name, Value: full})
		default:
			env.Report(problem.Warn(problem.Pos{File: full}, "unknown-sslca-file", "the name is neither that of a description nor of a key; the file is ignored",
				"files here are key.xml or cert.xml, info.xml, and "+path.Base(dir)+".H_host"))
		}
	}
	s.variants = plugin.NewVariants(env.Voc, list)
	s.info = plugin.NewInfoOf(env, dir, infos)
	return s
}

// Name is the plugin's name.
func (s *SSLCA) Name() string { return dir }

// Lists tells whether there is a directory for the path.
func (s *SSLCA) Lists(n plugin.Name) bool { return n.Tag == "Path" && s.sets[n.Name] != nil }

// Names lists the paths, sorted.
func (s *SSLCA) Names(tag string) []string {
	if tag != "Path" {
		return nil
	}
	return slices.Sorted(maps.Keys(s.sets))
}

// Handles is always false: all paths are listed.
func (s *SSLCA) Handles(*memo.View, plugin.Name) bool { return false }

// maxFile bounds a key or certificate in bytes.
const maxFile = 1 << 20

// Bind gives a Path its key or its certificate, which has to be one of its key.
func (s *SSLCA) Bind(v *memo.View, d *plugin.Draft) *problem.Problem {
	st := s.sets[d.Name()]
	s.defaults.Apply(d)
	if st.info != nil {
		if p := st.info.Bind(v, d); p != nil {
			return p
		}
	}
	d.Set("type", "file")
	d.Sensitive = d.Sensitive || st.key != nil
	best := st.variants.Best(v)
	switch {
	case st.key == nil && st.cert == nil:
		return problem.New(problem.Pos{File: st.dir}, "no-key-spec", fmt.Sprintf("%s has neither a key.xml nor a cert.xml", st.dir), "add the one that says what the file is")
	case best == nil && st.key != nil:
		return keyfile.Missing(st.key.At, "the key for "+d.Name(), "ssl")
	case best == nil:
		return keyfile.Missing(st.cert.At, "the certificate for "+d.Name(), "ssl")
	}
	d.BoundAt = config.Source{File: best.Value}
	data, p := file.Read(s.env.FS, best.Value, maxFile)
	if _, sealed := secret.Plain(best.Value); sealed && p == nil {
		data, p = s.env.Vault.File(best.Value, data)
		v.Taint()
	}
	if p != nil {
		return p
	}
	if st.key == nil {
		if p := s.checker.Check(v, d, st.cert, best.Value, string(data)); p != nil {
			return p
		}
	}
	return d.Fill(best.Value, string(data))
}

// Keys lists the key or certificate that a path needs on the host.
func (s *SSLCA) Keys(v *memo.View, name string) ([]plugin.Key, []plugin.KeyRef, *problem.Problem) {
	st := s.sets[name]
	if st == nil || st.key == nil && st.cert == nil {
		return nil, nil, nil
	}
	k := plugin.Key{Path: name, File: keyfile.Qualified(st.dir+"/"+path.Base(name), plugin.Specific{Host: v.Name()})}
	if best := st.variants.Best(v); best != nil {
		k.Present = best.Value
	}
	if st.key != nil {
		p := st.key.TLS(v, &k)
		return []plugin.Key{k}, nil, p
	}
	if p := st.cert.Certificate(v, &k); p != nil {
		return []plugin.Key{k}, nil, p
	}
	return []plugin.Key{k}, []plugin.KeyRef{{View: v, Path: k.Request.Key}}, nil
}
