// SPDX-License-Identifier: Apache-2.0

package render

import (
	"slices"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/py"
)

// resolveAll resolves every host once, for all queries of all templates.
func (r *Renderer) resolveAll() map[string]*host.Host {
	out := map[string]*host.Host{}
	for _, n := range r.fleet.Names() {
		if h := r.fleet.Host(n); h != nil {
			out[n] = h
		}
	}
	return out
}

// client finds a host by its name or one of its aliases.
func (r *Renderer) client(name string) *host.Client {
	if h := r.fleet.Host(name); h != nil {
		return h.Client
	}
	return nil
}

// namesOf gives the name and the aliases of the host that has an address.
func (r *Renderer) namesOf(address string) []string {
	for _, n := range r.fleet.Names() {
		if c := r.client(n); c != nil && slices.Contains(c.Addresses, address) {
			return append([]string{n}, c.Aliases...)
		}
	}
	return nil
}

// known is a host as a query sees it; nil where it is refused.
func (r *Renderer) known(v *memo.View, n string) *host.Host {
	if r.unfinished && v.Name() == n {
		return v.Host()
	}
	return r.hosts()[n]
}

// matching lists the hosts that a test holds for, by name.
func (r *Renderer) matching(th *py.Thread, v *memo.View, holds func(h *host.Host) bool) ([]string, error) {
	var out []string
	for _, n := range r.fleet.Names() {
		if h := r.known(v, n); h != nil && holds(h) {
			out = append(out, n)
		}
	}
	return out, th.Grow(16 * len(out))
}

// wanted are the names in the argument of a query: of a text its letters, as in
// any iteration over one.
func wanted(th *py.Thread, n string, args starlark.Tuple, kw []starlark.Tuple) ([]string, error) {
	var v py.Value
	if err := starlark.UnpackArgs(n, args, kw, "names", &v); err != nil {
		return nil, py.Fail("TypeError", "%v", err)
	}
	var out []string
	err := th.Each(v, func(item py.Value) (bool, error) {
		if s, ok := py.Plain(item).(starlark.String); ok {
			out = append(out, string(s))
		}
		return true, nil
	})
	return out, err
}

func inAll(groups []string) func(h *host.Host) bool {
	return func(h *host.Host) bool {
		for _, g := range groups {
			if _, ok := slices.BinarySearch(h.Names, g); !ok {
				return false
			}
		}
		return true
	}
}

// query answers questions about the whole fleet. All hosts see the same answers,
// which come from clients.xml and groups.xml.
func (r *Renderer) query(v *memo.View) py.Value {
	list := func(names []string, err error) (py.Value, error) { return starlark.NewList(texts(names)), err }
	full := func(names []string, err error) (py.Value, error) {
		out := make([]py.Value, len(names))
		for i, n := range names {
			out[i] = r.metadata(v.About(r.known(v, n)))
		}
		return starlark.NewList(out), err
	}
	everyone := func(*host.Host) bool { return true }
	byGroups := func(result func([]string, error) (py.Value, error)) method {
		return func(th *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
			groups, err := wanted(th, "by_groups", args, kw)
			if err != nil {
				return nil, err
			}
			return result(r.matching(th, v, inAll(groups)))
		}
	}
	byProfiles := func(result func([]string, error) (py.Value, error)) method {
		return func(th *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
			profiles, err := wanted(th, "by_profiles", args, kw)
			if err != nil {
				return nil, err
			}
			return result(r.matching(th, v, func(h *host.Host) bool { return slices.Contains(profiles, h.Profile) }))
		}
	}
	methods := map[string]method{
		"all_clients": func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
			return list(r.fleet.Names(), nil)
		},
		"all_groups": func(*py.Thread, starlark.Tuple, []starlark.Tuple) (py.Value, error) {
			return list(r.fleet.Groups(), nil)
		},
		"all_groups_in_category": func(_ *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
			c, err := textArg("all_groups_in_category", args, kw)
			return list(r.fleet.GroupsOf(c), err)
		},
		"all": func(th *py.Thread, _ starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
			return full(r.matching(th, v, everyone))
		},
		"names_by_groups": byGroups(list), "by_groups": byGroups(full), "names_by_profiles": byProfiles(list), "by_profiles": byProfiles(full),
		"by_name": r.byName(v),
	}
	return newObject("MetadataQuery", func(_ *py.Thread, n string) (py.Value, error) {
		if m := methods[n]; m != nil {
			return py.Func(n, m), nil
		}
		return nil, nil
	})
}

// byName gives the metadata of one host.
func (r *Renderer) byName(v *memo.View) method {
	return func(_ *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
		n, err := textArg("by_name", args, kw)
		if err != nil {
			return nil, err
		}
		if v.Is(n) {
			return r.metadata(v), nil
		}
		h := r.fleet.Host(n)
		if h == nil {
			return nil, py.Fail("MetadataConsistencyError", "no host %s is known", n)
		}
		return r.metadata(v.About(h)), nil
	}
}

type method = func(th *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error)
