// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"time"

	"github.com/goccy/go-yaml"
	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/py"
)

// probeText is the answer of a probe without the lines that give groups.
func probeText(v *memo.View, name string) (string, bool) {
	answer, ok := v.Probe(name)
	_, data := host.SplitAnswer(answer)
	return data, ok
}

// maxYAML bounds a document in bytes.
const maxYAML = 1 << 20

// yamlValue parses a document; mappings keep their order.
func yamlValue(th *py.Thread, data string) (py.Value, error) {
	if len(data) > maxYAML {
		return nil, py.Fail("ValueError", "too long a YAML document")
	}
	if err := th.Grow(len(data)); err != nil {
		return nil, err
	}
	var out any
	if err := yaml.UnmarshalWithOptions([]byte(data), &out, yaml.UseOrderedMap()); err != nil {
		return nil, py.Fail("ValueError", "%v", err)
	}
	return fromGo(th, out)
}

// fromGo makes a value of what the parser gives.
func fromGo(th *py.Thread, x any) (py.Value, error) {
	if err := th.Step(1); err != nil {
		return nil, err
	}
	switch x := x.(type) {
	case nil:
		return starlark.None, nil
	case bool:
		return starlark.Bool(x), nil
	case string:
		return starlark.String(x), th.Grow(len(x))
	case int64:
		return starlark.MakeInt64(x), nil
	case uint64:
		return starlark.MakeUint64(x), nil
	case float64:
		return starlark.Float(x), nil
	case time.Time:
		return starlark.String(x.Format(time.DateOnly)), nil
	case []any:
		items := make([]py.Value, len(x))
		for i := range x {
			var err error
			if items[i], err = fromGo(th, x[i]); err != nil {
				return nil, err
			}
		}
		return starlark.NewList(items), nil
	case yaml.MapSlice:
		d := starlark.NewDict(len(x))
		for _, item := range x {
			k, err := fromGo(th, item.Key)
			if err != nil {
				return nil, err
			}
			v, err := fromGo(th, item.Value)
			if err != nil {
				return nil, err
			}
			if err := d.SetKey(k, v); err != nil {
				return nil, py.Fail("ValueError", "%v", err)
			}
		}
		return d, nil
	}
	return starlark.String(fmt.Sprint(x)), nil
}
