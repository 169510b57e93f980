// SPDX-License-Identifier: Apache-2.0

package cfg

import (
	"fmt"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/vault"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// allowed is an authorized_keys.xml: the keys that may log in, one line each.
type allowed struct {
	env      plugin.Env
	file     string
	doc      *plugin.StructFile
	category string
	bad      *problem.Problem
}

func newAllowed(env plugin.Env, file string) *allowed {
	a := &allowed{env: env, file: file, category: env.Conf.Get("sshkeys", "category", "")}
	a.doc, a.bad = plugin.ReadStructFile(env, file, plugin.StructOptions{Follow: true})
	if a.bad != nil {
		env.Report(a.bad)
	}
	return a
}

// text gives the lines for a host. A key that cannot be had is left out, with a
// note.
func (a *allowed) text(v *memo.View, d *plugin.Draft) (string, *problem.Problem) {
	if a.bad != nil {
		return "", a.bad
	}
	list, p := a.doc.Flatten(v)
	if p != nil {
		return "", p
	}
	var lines []string
	for _, g := range list {
		if !g.Element.Is("Allow") || !g.Holds(v, "") {
			continue
		}
		key, p := a.key(v, d, g.Element)
		if p != nil && p.Severity == problem.Error {
			return "", p
		}
		if p != nil {
			d.Notes = append(d.Notes, p)
			continue
		}
		lines = append(lines, strings.TrimSpace(options(v, &g)+" "+key))
	}
	return strings.Join(lines, "\n"), nil
}

// options gives what stands before a key: Params, as before 1.4, and Options.
func options(v *memo.View, g *plugin.Guarded) string {
	var out []string
	for _, tag := range []string{"Params", "Option"} {
		g.Inner.InPlace(v, "", func(it *plugin.Item) {
			switch {
			case tag == "Params" && it.Element.Is(tag):
				for _, a := range it.Element.Attrs {
					out = append(out, a.Name+"="+a.Value)
				}
			case tag == "Option" && it.Element.Is(tag):
				option := it.Element.Get("name")
				if value := it.Element.Get("value"); value != "" {
					option += "=" + value
				}
				out = append(out, option)
			}
		})
	}
	return strings.Join(out, ",")
}

// key gives the key of an Allow: its text, or what a Path holds.
func (a *allowed) key(v *memo.View, d *plugin.Draft, e *xmltree.Element) (string, *problem.Problem) {
	from := e.Get("from")
	if from == "" {
		key, p := a.env.Vault.Element(v, e)
		if key = strings.TrimSpace(key); key != "" || p != nil {
			return key, p
		}
		return "", problem.Warn(e.Pos, "empty-key", "an Allow without key is left out", "write the key, or where it is from")
	}
	whose, p := a.whose(v, e)
	if p != nil {
		return "", p
	}
	entry := &plugin.Draft{
		Tag: "Path", Attrs: []config.Attr{{Name: "name", Value: from}}, NamedAt: plugin.SourceOf(e), At: e.Pos, Depth: d.Depth,
	}
	p = a.env.Binder.Bind(whose, entry)
	d.Sensitive = d.Sensitive || entry.Sensitive || strings.EqualFold(entry.Get("sensitive"), "true")
	switch {
	case p != nil && p.Code == plugin.CodeTooDeep, vault.Closed(p):
		return "", p
	case p != nil:
		return "", problem.Warn(e.AttrPos("from"), "key-not-bound", fmt.Sprintf("the key of %s is left out: %s", from, p.Msg), p.Hint)
	case entry.Text == "":
		return "", problem.Warn(e.AttrPos("from"), "empty-key", fmt.Sprintf("the key of %s is left out: it is empty", from), "")
	}
	return entry.Text, nil
}

// whose is the host that the key of an Allow is bound for.
func (a *allowed) whose(v *memo.View, e *xmltree.Element) (*memo.View, *problem.Problem) {
	if name := e.Get("host"); name != "" {
		h := a.env.Fleet.Host(name)
		if h == nil {
			return nil, problem.New(e.AttrPos("host"), "unknown-host", fmt.Sprintf("host %s, whose key is allowed, is not known", name), "list it in clients.xml")
		}
		if v.Is(h.Name) {
			return v, nil
		}
		return v.About(h), nil
	}
	if group := e.Get("group"); group != "" {
		return v.About(a.env.Fleet.Imaginary(plugin.Imaginary, group)), nil
	}
	category := a.category
	if c, ok := e.Lookup("category"); ok {
		category = c
	}
	if category != "" && v.Category(category) == "" {
		return nil, problem.Warn(e.Pos, "no-group-in-category", fmt.Sprintf("the key of %s is left out: the host is in no group of category %s", e.Get("from"), category), "")
	}
	return v, nil
}
