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
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Markup is a document that is a template.
type Markup struct{ t *genshi.Template }

// ReadMarkup makes a template of a document.
func ReadMarkup(root *xmltree.Element) (*Markup, *problem.Problem) {
	t, p := genshi.ParseMarkup(root)
	if p != nil {
		return nil, p
	}
	return &Markup{t}, nil
}

// Document renders a template of markup. The conditions in the result are
// dissolved for the host, because a template may make them of any name.
func (r *Renderer) Document(v *memo.View, m *Markup) (*xmltree.Element, *problem.Problem) {
	root, p := r.Rendered(v, m)
	if p != nil {
		return nil, p
	}
	root.Children = dissolved(v, root.Children)
	return root, nil
}

// Rendered renders a template of markup and leaves its conditions as they are.
func (r *Renderer) Rendered(v *memo.View, m *Markup) (*xmltree.Element, *problem.Problem) {
	th := r.python.NewThread(r.world(v, m.t.File))
	defer th.Close()
	names := map[string]py.Value{"metadata": r.metadata(v), "repo": starlark.String(Repo)}
	return m.t.RenderTree(th, names, r.fragment)
}

// fragment reads a document that a template includes; nil where it does not exist.
func (r *Renderer) fragment(name string) (*genshi.Template, *problem.Problem) {
	name = path.Clean(strings.TrimPrefix(strings.TrimPrefix(name, Repo), "/"))
	if st, err := fs.Stat(r.fsys, name); err != nil || st.IsDir() {
		return nil, nil
	}
	return load(r, name, "markup", func(file, src string) (*genshi.Template, *problem.Problem) {
		root, p := xmltree.Parse(file, []byte(src))
		if p != nil {
			return nil, p
		}
		return genshi.ParseMarkup(root)
	})
}
