// SPDX-License-Identifier: Apache-2.0

package render

import (
	"maps"
	"slices"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/py"
)

// object is an object of Go code with named members.
type object struct {
	*py.Namespace
	member func(th *py.Thread, n string) (py.Value, error)
}

func newObject(name string, member func(th *py.Thread, n string) (py.Value, error)) *object {
	return &object{py.NewModule(name, nil), member}
}

// Type is the name of the type.
func (o *object) Type() string { return o.Name }

func (o *object) String() string { return "<" + o.Name + " object>" }

// Member gives a member.
func (o *object) Member(th *py.Thread, n string) (py.Value, error) { return o.member(th, n) }

// text is a string, None for nothing.
func text(s string) py.Value {
	if s == "" {
		return starlark.None
	}
	return starlark.String(s)
}

func texts(list []string) []py.Value {
	out := make([]py.Value, len(list))
	for i, s := range list {
		out[i] = starlark.String(s)
	}
	return out
}

func setOf(list []string) *starlark.Set {
	s := starlark.NewSet(len(list))
	for _, v := range list {
		_ = s.Insert(starlark.String(v)) // texts can be hashed
	}
	return s
}

func dictOf(m map[string]string) *starlark.Dict {
	d := starlark.NewDict(len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		_ = d.SetKey(starlark.String(k), starlark.String(m[k])) // texts can be hashed
	}
	return d
}

// textArg is the one argument of a method.
func textArg(n string, args starlark.Tuple, kw []starlark.Tuple) (string, error) {
	var v py.Value
	if err := starlark.UnpackArgs(n, args, kw, "name", &v); err != nil {
		return "", py.Fail("TypeError", "%v", err)
	}
	s, ok := py.Plain(v).(starlark.String)
	if !ok {
		return "", py.Fail("TypeError", "%s() needs a string", n)
	}
	return string(s), nil
}

// groups is the set of a host's groups. Testing one asks for that one alone.
type groups struct {
	*object
	v *memo.View
}

// Plain is the whole set.
func (g *groups) Plain() py.Value { return setOf(g.v.Groups()) }

func newGroups(v *memo.View) *groups {
	g := &groups{v: v}
	g.object = newObject("set", func(_ *py.Thread, n string) (py.Value, error) {
		if n != "__contains__" {
			return nil, nil
		}
		return py.Func(n, func(_ *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
			s, ok := py.Plain(args[0]).(starlark.String)
			return starlark.Bool(ok && v.In(string(s))), nil
		}), nil
	})
	return g
}

// hostData is the object that templates call metadata.
type hostData struct {
	*object
	v *memo.View
	// blanks takes the places where the host's name is to be written; nil where it is
	// written at once.
	blanks *[]int
}

// Later notes where in a text the host's name belongs that is only written.
func (m *hostData) Later(member string, at int) bool {
	if m.blanks == nil || member != "hostname" {
		return false
	}
	*m.blanks = append(*m.blanks, at)
	return true
}

// metadata is the object of that name in templates.
func (r *Renderer) metadata(v *memo.View) *hostData {
	kept := map[string]py.Value{}
	m := &hostData{v: v}
	m.object = newObject("ClientMetadata", func(th *py.Thread, n string) (py.Value, error) {
		if x, ok := kept[n]; ok {
			return x, nil
		}
		x, err := r.member(v, n), error(nil)
		if x == nil && slices.Contains(r.data, n) {
			x, err = th.JSON(v.Attached(n))
		}
		if x != nil {
			kept[n] = x
		}
		return x, err
	})
	return m
}

// member gives a member of metadata, nil where there is none.
func (r *Renderer) member(v *memo.View, n string) py.Value {
	switch n {
	case "hostname":
		return starlark.String(v.Name())
	case "profile":
		return text(v.Profile())
	case "groups":
		return newGroups(v)
	case "bundles":
		return setOf(v.Bundles())
	case "aliases":
		return setOf(v.Aliases())
	case "addresses":
		return setOf(v.Addresses())
	case "categories":
		return dictOf(v.Categories())
	case "uuid":
		return text(v.UUID())
	case "password":
		return text(v.Password())
	case "version":
		return text(v.Version())
	case "version_info":
		return versionInfo(v.Version())
	case "connectors":
		return starlark.NewList(texts(r.data))
	case "query":
		v.Use(r.sources.Whole)
		return r.query(v)
	case "inGroup":
		return py.Func(n, func(_ *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
			g, err := textArg(n, args, kw)
			return starlark.Bool(err == nil && v.In(g)), err
		})
	case "group_in_category":
		return py.Func(n, func(_ *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
			c, err := textArg(n, args, kw)
			if err != nil {
				return nil, err
			}
			return starlark.String(v.Category(c)), nil
		})
	}
	if !slices.Contains(r.data, n) {
		return nil
	}
	switch n {
	case "Probes":
		return probes(v)
	case "Properties":
		return r.propertySet(v)
	case "TemplateHelper":
		return r.helperSet(v)
	}
	return nil
}

// version is a version of the client software: a tuple whose parts have names.
type version struct {
	*object
	parts starlark.Tuple
}

// Plain is the tuple.
func (v *version) Plain() py.Value { return v.parts }

// versionInfo takes a version of the client software apart, None where it cannot.
func versionInfo(s string) py.Value {
	n := host.ParseVersion(s)
	if n == nil {
		return starlark.None
	}
	names := []string{"major", "minor", "micro", "releaselevel", "serial"}
	v := &version{parts: starlark.Tuple{
		starlark.MakeInt(n.Major), starlark.MakeInt(n.Minor), starlark.MakeInt(n.Micro), starlark.String(n.Level), starlark.MakeInt(n.Serial),
	}}
	v.object = newObject("Bcfg2VersionInfo", func(_ *py.Thread, n string) (py.Value, error) {
		if i := slices.Index(names, n); i >= 0 {
			return v.parts[i], nil
		}
		return nil, nil
	})
	return v
}
