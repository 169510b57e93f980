// SPDX-License-Identifier: Apache-2.0

package render

import (
	"io/fs"
	"path"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/tmpl/genshi"
	"github.com/bindery/bindery/engine/internal/vault"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Markup is a document that is a template.
type Markup struct{ t *genshi.Template }

// ReadMarkup reads a template of markup.
func (r *Renderer) ReadMarkup(file string) (*Markup, *problem.Problem) {
	t, p := load(r, file, "markup", genshi.ParseMarkup)
	if p != nil {
		return nil, p
	}
	return &Markup{t}, nil
}

// GenshiMarkup renders a template of markup to text.
func (r *Renderer) GenshiMarkup(v *memo.View, j Job) (string, *problem.Problem) {
	t, p := load(r, j.File, "markup", genshi.ParseMarkup)
	if p != nil {
		return "", p
	}
	th := r.python.NewThread(r.world(v, j.File))
	defer th.Close()
	names, p := r.names(v, th, j)
	if p != nil {
		return "", vault.Withhold(v, p)
	}
	text, p := t.RenderMarkup(th, names, r.fragment)
	return text, vault.Withhold(v, p)
}

// Document renders a template of markup for a host. The conditions in the result stay.
func (r *Renderer) Document(v *memo.View, m *Markup) (*xmltree.Element, *problem.Problem) {
	th := r.python.NewThread(r.world(v, m.t.File))
	defer th.Close()
	names := map[string]py.Value{"metadata": r.metadata(v), "repo": starlark.String(Repo)}
	root, p := m.t.RenderTree(th, names, r.fragment)
	return root, vault.Withhold(v, p)
}

// fragment reads a document that a template includes; nil where it does not exist.
func (r *Renderer) fragment(name string) (*genshi.Template, *problem.Problem) {
	name = path.Clean(strings.TrimPrefix(strings.TrimPrefix(name, Repo), "/"))
	if st, err := fs.Stat(r.fsys, name); err != nil || st.IsDir() {
		return nil, nil
	}
	return load(r, name, "markup", genshi.ParseMarkup)
}
