// SPDX-License-Identifier: Apache-2.0

package render

import (
	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

// probeData is the answer of a probe: a text with its other readings.
type probeData struct {
	*object
	data string
}

// Plain is the text.
func (p *probeData) Plain() py.Value { return starlark.String(p.data) }

func newProbeData(data string) *probeData {
	p := &probeData{data: data}
	p.object = newObject("str", func(th *py.Thread, n string) (py.Value, error) {
		var v py.Value
		var err error
		switch n {
		case "data":
			return starlark.String(data), nil
		case "xdata":
			root, p := xmltree.Parse("", []byte(data))
			if p != nil {
				return starlark.None, nil
			}
			return newElement(root, nil), nil
		case "json":
			v, err = th.JSON(data)
		case "yaml":
			v, err = yamlValue(th, data)
		default:
			return nil, nil
		}
		if _, bad := err.(*py.Raised); bad {
			return starlark.None, nil
		}
		return v, err
	})
	return p
}

// probes is metadata.Probes. Reading one answer asks for that one alone.
func probes(v *memo.View) py.Value {
	get := func(name py.Value) (py.Value, bool) {
		s, ok := py.Plain(name).(starlark.String)
		if !ok {
			return nil, false
		}
		data, ok := probeText(v, string(s))
		if !ok {
			return nil, false
		}
		return newProbeData(data), true
	}
	p := &probeSet{}
	p.object = newObject("ProbeData", func(_ *py.Thread, n string) (py.Value, error) {
		switch n {
		case "__getitem__":
			return py.Func(n, func(th *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
				if x, ok := get(args[0]); ok {
					return x, nil
				}
				key, err := th.Repr(args[0])
				if err != nil {
					return nil, err
				}
				return nil, &py.Raised{Class: "KeyError", Msg: key, Hint: "the host has not answered this probe"}
			}), nil
		case "__contains__", "has_key":
			return py.Func(n, func(_ *py.Thread, args starlark.Tuple, _ []starlark.Tuple) (py.Value, error) {
				if len(args) != 1 {
					return nil, py.Fail("TypeError", "%s() takes one argument", n)
				}
				_, ok := get(args[0])
				return starlark.Bool(ok), nil
			}), nil
		case "get":
			return py.Func(n, func(_ *py.Thread, args starlark.Tuple, kw []starlark.Tuple) (py.Value, error) {
				var name py.Value
				var deflt py.Value = starlark.None
				if err := starlark.UnpackPositionalArgs(n, args, kw, 1, &name, &deflt); err != nil {
					return nil, py.Fail("TypeError", "%v", err)
				}
				if x, ok := get(name); ok {
					return x, nil
				}
				return deflt, nil
			}), nil
		}
		return nil, nil
	})
	p.v = v
	return p
}

// probeSet is all answers.
type probeSet struct {
	*object
	v *memo.View
}

// Plain is a dictionary of them.
func (p *probeSet) Plain() py.Value {
	d := new(starlark.Dict)
	for _, n := range p.v.Probes() {
		if data, ok := probeText(p.v, n); ok {
			_ = d.SetKey(starlark.String(n), newProbeData(data)) // texts can be hashed
		}
	}
	return d
}
