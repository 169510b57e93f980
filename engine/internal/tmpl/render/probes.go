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
			return newElement(root, &document{}), nil
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
	return newMapping(&mapping{
		kind: "ProbeData", hint: "the host has not answered this probe", names: v.Probes,
		get: func(_ *py.Thread, name string) (py.Value, error) {
			data, ok := probeText(v, name)
			if !ok {
				return nil, nil
			}
			return newProbeData(data), nil
		},
	})
}
