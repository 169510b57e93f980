// SPDX-License-Identifier: Apache-2.0

package cfg

import (
	"fmt"
	"io/fs"
	"sync"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/tmpl/render"
	"github.com/bindery/bindery/engine/internal/vault"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/secret"
)

// maxFile bounds the content of one file in bytes. It has to fit into a host's
// bundle and into the memory of an agent.
const maxFile = 32 << 20

// source is a file whose content is read once.
type source struct {
	env  plugin.Env
	name string
	*handler
	load func() (string, *problem.Problem)
	// secret: what load gives was encrypted.
	secret bool
	// keys is what an authorized_keys.xml says.
	keys *allowed
}

func newSource(env plugin.Env, name string, h *handler) *source {
	s := &source{env: env, name: name, handler: h}
	s.load = sync.OnceValues(s.read)
	return s
}

func (s *source) read() (string, *problem.Problem) {
	data, p := file.Read(s.env.FS, s.name, maxFile)
	if p != nil {
		if p.Code == "file-too-large" {
			p.Hint = "deliver large files as packages"
		}
		return "", p
	}
	if s.sealed || secret.IsSOPS(s.name, data) {
		if data, p = s.env.Vault.File(s.name, data); p != nil {
			return "", p
		}
		s.secret = true
	}
	return string(data), nil
}

// text gives the content to a computation.
func (s *source) text(v *memo.View) (string, *problem.Problem) {
	text, p := s.load()
	if s.secret {
		v.Taint()
	}
	return text, p
}

// Bind gives a Path the content and the attributes of its directory.
func (c *Cfg) Bind(v *memo.View, d *plugin.Draft) *problem.Problem {
	s := c.sets[d.Name()]
	c.defaults.Apply(d)
	v.Trail().In(s.dir)
	best := s.variants.Best(v)
	if s.info != nil {
		if p := s.info.Bind(v, d); p != nil {
			return p
		}
	}
	d.Set("type", "file")
	d.Sensitive = d.Sensitive || s.creators[privateKey] != nil || s.creators[tlsKey] != nil
	if best == nil {
		return c.missing(v, d, s)
	}
	d.BoundAt = config.Source{File: best.Value.name}
	text, p := s.content(v, d, best)
	if p != nil {
		return p
	}
	if f := s.creators[certificate]; f != nil {
		if p := c.checker.Check(v, d, f, best.Value.name, text); p != nil {
			return p
		}
	}
	if d.Get("mode") == "inherit" {
		d.Set("mode", mode(best.Value))
	}
	return vault.Withhold(v, d.Fill(best.Value.name, text))
}

// mode is what the old mode="inherit" asked for: that of the file itself.
func mode(s *source) string {
	st, err := fs.Stat(s.env.FS, s.name)
	if err != nil {
		return "0644"
	}
	return fmt.Sprintf("%#o", st.Mode().Perm())
}

// render renders a template. What path is depends on the language: the template's
// file in Genshi, the target in Cheetah and Jinja2.
func (s *set) render(v *memo.View, d *plugin.Draft, from *source) (string, *problem.Problem) {
	file := render.Repo + "/" + from.name
	path := file
	if from.kind != genshi {
		path = d.RealName()
	}
	job := render.Job{File: from.name, Vars: []render.Var{
		{Name: "name", Value: d.RealName()}, {Name: "path", Value: path}, {Name: "source_path", Value: file}, {Name: "repo", Value: render.Repo},
	}, Defaults: true}
	switch from.kind {
	case cheetah:
		return s.templates.Cheetah(v, job)
	case jinja2:
		return s.templates.Jinja2(v, job)
	}
	return s.templates.Genshi(v, job)
}

func (s *set) content(v *memo.View, d *plugin.Draft, best *plugin.Variant[*source]) (string, *problem.Problem) {
	if best.Value.keys != nil {
		return best.Value.keys.text(v, d)
	}
	if best.Value.kind == plain {
		return s.plain(v, best)
	}
	return s.render(v, d, best.Value)
}

// plain gives the text of a variant, changed by the deltas that are for the host.
func (s *set) plain(v *memo.View, best *plugin.Variant[*source]) (string, *problem.Problem) {
	text, p := best.Value.text(v)
	if p != nil {
		return "", p
	}
	for i := range s.deltas {
		delta := &s.deltas[i]
		if delta.specific.Worse(best.Specific) || !delta.applies(v) {
			continue
		}
		if text, p = delta.apply(text); p != nil {
			return "", p
		}
	}
	return text, nil
}
