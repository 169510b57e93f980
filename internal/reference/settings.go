// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"reflect"
	"strings"
)

// Page is a file of settings and the struct that it is read into.
type Page struct {
	// File is the name of the file of settings.
	File string
	// About is a sentence or two on it.
	About string
	// Dir is the folder of the package, Type the struct in it.
	Dir, Type string
}

// Settings writes a page of every setting: the field's yaml name, its type and
// its comment, nested structs of the same package below their field.
func Settings(pages ...Page) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Settings\n\n%s\nUnknown names are errors. Secrets are never written into these files: they are read from files or from the environment.\n", generated)
	for _, p := range pages {
		structs, err := parseDir(p.Dir)
		if err != nil {
			return nil, err
		}
		top, ok := structs[p.Type]
		if !ok {
			return nil, fmt.Errorf("settings: no struct %s in %s", p.Type, p.Dir)
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| setting | type | |\n|---|---|---|\n", p.File, p.About)
		if err := rows(&b, structs, top, ""); err != nil {
			return nil, fmt.Errorf("settings: %s: %w", p.File, err)
		}
	}
	return b.Bytes(), nil
}

func parseDir(dir string) (map[string]*ast.StructType, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	structs := map[string]*ast.StructType{}
	for _, e := range entries {
		if path.Ext(e.Name()) != ".go" || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path.Join(dir, e.Name()), nil, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("settings: %w", err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					structs[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	return structs, nil
}

func rows(b *bytes.Buffer, structs map[string]*ast.StructType, s *ast.StructType, prefix string) error {
	for _, f := range s.Fields.List {
		name := yamlName(f)
		if name == "" {
			continue
		}
		text := strings.TrimSpace(f.Doc.Text() + " " + f.Comment.Text())
		if text == "" {
			return fmt.Errorf("%s%s has no comment", prefix, name)
		}
		kind, nested := typeOf(f.Type)
		fmt.Fprintf(b, "| `%s%s` | %s | %s |\n", prefix, name, kind, cell(text))
		if sub, ok := structs[nested]; ok {
			if err := rows(b, structs, sub, prefix+name+"."); err != nil {
				return err
			}
		}
	}
	return nil
}

// yamlName is the name of a field in the file, "" where it is none.
func yamlName(f *ast.Field) string {
	if f.Tag == nil {
		return ""
	}
	tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml")
	name, _, _ := strings.Cut(tag, ",")
	if name == "-" {
		return ""
	}
	return name
}

// typeOf names a type for people, and the struct that it holds.
func typeOf(e ast.Expr) (kind, nested string) {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeOf(e.X)
	case *ast.ArrayType:
		kind, nested = typeOf(e.Elt)
		return "list of " + kind, nested
	case *ast.MapType:
		kind, nested = typeOf(e.Value)
		return "map of " + kind, nested
	case *ast.SelectorExpr:
		return strings.ToLower(e.Sel.Name), ""
	case *ast.Ident:
		switch e.Name {
		case "string", "bool", "int", "int64", "uint64", "float64":
			return e.Name, ""
		}
		return strings.ToLower(e.Name), e.Name
	}
	return "value", ""
}
