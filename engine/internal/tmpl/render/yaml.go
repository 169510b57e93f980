// SPDX-License-Identifier: Apache-2.0

package render

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	yamlparser "github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
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

const (
	// maxYAML bounds a document in bytes, maxYAMLDepth how deep it nests.
	maxYAML      = 1 << 20
	maxYAMLDepth = 500
)

// What Python's yaml takes plain words for is YAML 1.1; the parser reads 1.2.
var (
	yamlTrue  = regexp.MustCompile(`^(?:yes|Yes|YES|on|On|ON)$`)
	yamlFalse = regexp.MustCompile(`^(?:no|No|NO|off|Off|OFF)$`)
	// yamlTime is a number in parts of sixty, as 10:30 is 630.
	yamlTime = regexp.MustCompile(`^[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+$`)
	// yamlNoNumber is a number only in 1.2: an exponent without sign or point, or 0o17.
	yamlNoNumber = regexp.MustCompile(`^[-+]?(?:0o.*|[0-9_]*\.?[0-9_]*[eE][0-9]+|[0-9_]+[eE][-+]?[0-9]+)$`)
)

// yamlValue parses a document as Python's yaml does; mappings keep their order.
func yamlValue(th *py.Thread, data string) (py.Value, error) {
	if len(data) > maxYAML {
		return nil, py.Fail("ValueError", "too long a YAML document")
	}
	if err := th.Grow(len(data)); err != nil {
		return nil, err
	}
	file, err := yamlparser.ParseBytes([]byte(data), 0)
	if err != nil {
		return nil, py.Fail("ValueError", "%v", err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return starlark.None, nil
	}
	r := &yamlReader{th: th, named: map[string]py.Value{}}
	return r.value(file.Docs[0].Body)
}

// yamlReader makes values of a document.
type yamlReader struct {
	th    *py.Thread
	named map[string]py.Value
	depth int
}

func (r *yamlReader) value(n ast.Node) (py.Value, error) {
	if r.depth++; r.depth > maxYAMLDepth {
		return nil, py.Fail("ValueError", "the YAML document nests too deep")
	}
	defer func() { r.depth-- }()
	if err := r.th.Step(1); err != nil {
		return nil, err
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return r.mapping(n.Values)
	case *ast.MappingValueNode:
		return r.mapping([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		items := make([]py.Value, len(n.Values))
		for i := range n.Values {
			var err error
			if items[i], err = r.value(n.Values[i]); err != nil {
				return nil, err
			}
		}
		return starlark.NewList(items), nil
	case *ast.AnchorNode:
		v, err := r.value(n.Value)
		r.named[n.Name.GetToken().Value] = v
		return v, err
	case *ast.AliasNode:
		if v := r.named[n.Value.GetToken().Value]; v != nil {
			return v, nil
		}
		return nil, py.Fail("ValueError", "the YAML document has no anchor %s", n.Value.GetToken().Value)
	case *ast.TagNode:
		return r.tagged(n)
	case *ast.MappingKeyNode:
		return r.value(n.Value)
	}
	return yamlScalar(n), nil
}

// mapping makes a dictionary. What is merged into it comes first and gives way.
func (r *yamlReader) mapping(entries []*ast.MappingValueNode) (py.Value, error) {
	d := starlark.NewDict(len(entries))
	for _, e := range entries {
		if _, ok := e.Key.(*ast.MergeKeyNode); ok {
			v, err := r.value(e.Value)
			if err == nil {
				err = merge(d, v)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	for _, e := range entries {
		if _, ok := e.Key.(*ast.MergeKeyNode); ok {
			continue
		}
		k, err := r.value(e.Key)
		if err != nil {
			return nil, err
		}
		v, err := r.value(e.Value)
		if err != nil {
			return nil, err
		}
		if err := d.SetKey(k, v); err != nil {
			return nil, py.Fail("ValueError", "%v", err)
		}
	}
	return d, nil
}

// merge adds the entries of a mapping, or of several, the first of which wins.
func merge(d *starlark.Dict, v py.Value) error {
	switch v := v.(type) {
	case *starlark.Dict:
		for _, item := range v.Items() {
			if _, there, _ := d.Get(item[0]); !there {
				_ = d.SetKey(item[0], item[1]) // it was a key already
			}
		}
		return nil
	case *starlark.List:
		for i := range v.Len() {
			if _, ok := v.Index(i).(*starlark.Dict); !ok {
				break
			}
			if err := merge(d, v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	}
	return py.Fail("ValueError", "the YAML document merges what is no mapping")
}

// tagged reads a value whose type is written before it. Tags for objects of Python
// stand for nothing here.
func (r *yamlReader) tagged(n *ast.TagNode) (py.Value, error) {
	v, err := r.value(n.Value)
	if err != nil || n.Value == nil {
		return v, err
	}
	text := n.Value.GetToken().Value
	if s, ok := v.(starlark.String); ok {
		text = string(s)
	}
	switch n.Start.Value {
	case "!!str":
		return starlark.String(text), nil
	case "!!int":
		if i, err := strconv.ParseInt(text, 0, 64); err == nil {
			return starlark.MakeInt64(i), nil
		}
	case "!!float":
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return starlark.Float(f), nil
		}
	}
	return v, nil
}

// yamlScalar is a single value. Dates are texts.
func yamlScalar(n ast.Node) py.Value {
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return starlark.None
	case *ast.BoolNode:
		return starlark.Bool(n.Value)
	case *ast.InfinityNode:
		return starlark.Float(n.Value)
	case *ast.LiteralNode:
		return starlark.String(n.Value.Value)
	case *ast.StringNode:
		if n.Token.Type == token.StringType {
			return yamlPlain(n.Value)
		}
		return starlark.String(n.Value)
	}
	text := n.GetToken().Value
	if yamlNoNumber.MatchString(text) {
		return starlark.String(text)
	}
	switch n := n.(type) {
	case *ast.IntegerNode:
		switch i := n.Value.(type) {
		case int64:
			return starlark.MakeInt64(i)
		case uint64:
			return starlark.MakeUint64(i)
		}
	case *ast.FloatNode:
		return starlark.Float(n.Value)
	case *ast.NanNode:
		return starlark.Float(math.NaN())
	}
	return starlark.String(text)
}

// yamlPlain is a word without quotes.
func yamlPlain(text string) py.Value {
	switch {
	case yamlTrue.MatchString(text), yamlFalse.MatchString(text):
		return starlark.Bool(yamlTrue.MatchString(text))
	case !yamlTime.MatchString(text):
		return starlark.String(text)
	}
	sum := starlark.MakeInt(0)
	for part := range strings.SplitSeq(strings.TrimLeft(strings.ReplaceAll(text, "_", ""), "+-"), ":") {
		i, err := strconv.ParseInt(part, 10, 64)
		if err != nil || len(text) > 100 {
			return starlark.String(text)
		}
		sum = sum.Mul(starlark.MakeInt(60)).Add(starlark.MakeInt64(i))
	}
	if strings.HasPrefix(text, "-") {
		sum = starlark.MakeInt(0).Sub(sum)
	}
	return sum
}
