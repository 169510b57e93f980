// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/internal/reference"
)

const schemaPath = "../../docs/reference/diff.schema.json"

// reportSchema is made of the types of a report and of what their comments say.
func reportSchema(t *testing.T) (huma.Registry, *huma.Schema) {
	t.Helper()
	registry := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	root := registry.Schema(reflect.TypeFor[review.Report](), false, "Report")
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "../../engine/review/report.go", nil, parser.ParseComments)
	require.NoError(t, err)
	words := map[string][]any{}
	for s := review.Failing; s <= review.Order; s++ {
		name, err := s.MarshalText()
		require.NoError(t, err)
		words["Severity"] = append(words["Severity"], string(name))
	}
	schemas := registry.Map()
	schemas["Report"] = root
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if kind, ok := n.Type.(*ast.Ident); ok && len(n.Values) == 1 {
				if text, ok := n.Values[0].(*ast.BasicLit); ok {
					words[kind.Name] = append(words[kind.Name], strings.Trim(text.Value, `"`))
				}
			}
		case *ast.TypeSpec:
			if fields, ok := n.Type.(*ast.StructType); ok && schemas[n.Name.Name] != nil {
				describe(schemas[n.Name.Name], fields)
			}
		}
		return true
	})
	for _, s := range schemas {
		for name, p := range s.Properties {
			if p.Type == huma.TypeArray {
				p.Nullable = false // a list is never null
			}
			switch name {
			case "severity":
				if schemas["Change"] == s {
					p.Type, p.Format, p.Enum = huma.TypeString, "", words["Severity"]
				}
			case "kind":
				if schemas["Change"] == s {
					p.Enum = words["Kind"]
				}
			case "state":
				p.Enum = words["State"]
			}
			p.PrecomputeMessages()
		}
		s.PrecomputeMessages()
	}
	return registry, root
}

// describe takes the comments of fields.
func describe(s *huma.Schema, fields *ast.StructType) {
	for _, f := range fields.Fields.List {
		if f.Tag == nil || f.Doc == nil {
			continue
		}
		name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"), ",")
		if p := s.Properties[name]; p != nil {
			p.Description = strings.Join(strings.Fields(f.Doc.Text()), " ")
		}
	}
}

// The schema that is published is that of the types.
func TestReferenceDiffSchema(t *testing.T) {
	registry, root := reportSchema(t)
	defs := registry.Map()
	delete(defs, "Report")
	data, err := json.Marshal(root)
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, json.Unmarshal(data, &out))
	out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	out["title"] = "What bindery diff --format json writes"
	out["$defs"] = defs
	text, err := json.MarshalIndent(out, "", "  ")
	require.NoError(t, err)
	require.NoError(t, reference.Check(schemaPath, append(text, '\n')))
}

// What diff writes follows the schema; what does not is told.
func TestDiffFollowsTheSchema(t *testing.T) {
	registry, root := reportSchema(t)
	check := func(data []byte) []error {
		var v any
		require.NoError(t, json.Unmarshal(data, &v))
		var res huma.ValidateResult
		huma.Validate(registry, root, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, &res)
		return res.Errors
	}
	goldens, err := os.ReadDir("../../engine/review/testdata")
	require.NoError(t, err)
	seen := 0
	for _, g := range goldens {
		data, err := os.ReadFile("../../engine/review/testdata/" + g.Name())
		require.NoError(t, err)
		_, after, ok := bytes.Cut(data, []byte("-- json --\n"))
		if !ok {
			continue
		}
		seen++
		var one json.RawMessage
		require.NoError(t, json.NewDecoder(bytes.NewReader(after)).Decode(&one))
		require.Empty(t, check(one), g.Name())
	}
	require.Positive(t, seen)

	var out, problems bytes.Buffer
	repo := history(t)
	require.Zero(t, run(t.Context(), []string{"diff", "--git", repo, "main..topic", "--format", "json"}, streams{Out: &out, Err: &problems}), problems.String())
	require.Empty(t, check(out.Bytes()))
	for from, to := range map[string]string{`"changed": 2`: `"changed": "2"`, `"severity": "content"`: `"severity": "odd"`, `"digest"`: `"digests"`} {
		broken := strings.Replace(out.String(), from, to, 1)
		require.NotEqual(t, out.String(), broken)
		require.NotEmpty(t, check([]byte(broken)), to)
	}
}
