// SPDX-License-Identifier: Apache-2.0

package render

import (
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
	t, p := load(r, nil, file, "markup", genshi.ParseMarkup)
	if p != nil {
		return nil, p
	}
	return &Markup{t}, nil
}

// Document renders a template of markup for a host. The conditions in the result stay.
func (r *Renderer) Document(v *memo.View, m *Markup) (*xmltree.Element, *problem.Problem) {
	th := r.python.NewThread(r.world(v, m.t.File))
	defer th.Close()
	names := map[string]py.Value{"metadata": r.metadata(v), "repo": starlark.String(Repo)}
	root, p := m.t.RenderTree(th, names, included(r, v, "markup", genshi.ParseMarkup))
	return root, vault.Withhold(v, p)
}
