// SPDX-License-Identifier: Apache-2.0

package bindery_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/problem/explain"
)

// Every code that the source gives a Problem is explained in
// engine/problem/explain/codes, and nothing else is.
func TestEveryCodeIsExplained(t *testing.T) {
	s := codeSource{files: map[string][]*ast.File{}, fset: token.NewFileSet(), taking: map[string]int{}, codes: map[string]string{}}
	s.read(t, "engine", "controller/git", "cmd/bindery")
	s.functions(s.index)
	s.functions(s.collect)
	require.Empty(t, s.lost, "the code of these cannot be told: give a literal, a constant, or a parameter called code")
	require.Greater(t, len(s.codes), 100)
	all, err := explain.All()
	require.NoError(t, err)
	for _, c := range all {
		require.Contains(t, s.codes, c.Code, "engine/problem/explain/codes/%s.txtar explains a code that nothing uses", c.Code)
		delete(s.codes, c.Code)
	}
	require.Empty(t, s.codes, "write engine/problem/explain/codes/CODE.txtar for these, as its neighbours are")
}

// lintRooms are the packages of lint: they note what they find in the tree of one.
const lintRooms = "engine/internal/lint/"

// codeSource is the source of the packages that report problems.
type codeSource struct {
	files map[string][]*ast.File
	fset  *token.FileSet
	// taking are the functions about problems with a parameter called code, and its
	// index, by folder and name.
	taking map[string]int
	// codes are those in use, and where.
	codes map[string]string
	lost  []string
}

func (s *codeSource) read(t *testing.T, dirs ...string) {
	for _, dir := range dirs {
		require.NoError(t, fs.WalkDir(os.DirFS("."), dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(s.fset, name, nil, parser.SkipObjectResolution)
			s.files[path.Dir(name)] = append(s.files[path.Dir(name)], f)
			return err
		}))
	}
}

func (s *codeSource) functions(visit func(dir string, f *ast.FuncDecl)) {
	for dir, files := range s.files {
		for _, f := range files {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
					visit(dir, fn)
				}
			}
		}
	}
}

// index notes a function that takes a code, and a place or a hint with it.
func (s *codeSource) index(dir string, f *ast.FuncDecl) {
	at, code, about := 0, -1, false
	for _, p := range f.Type.Params.List {
		for _, n := range p.Names {
			switch n.Name {
			case "code":
				code = at
			case "pos", "hint", "file", "severity", "n":
				about = true
			}
			at++
		}
	}
	if code >= 0 && about && !strings.HasPrefix(dir, "engine/internal/py") {
		s.taking[dir+"."+f.Name.Name] = code
	}
}

// takes tells which argument of a call is a code.
func (s *codeSource) takes(dir string, call *ast.CallExpr) (int, bool) {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = dir + "." + f.Name
	case *ast.SelectorExpr:
		name = dir + "." + f.Sel.Name
		if _, own := s.taking[name]; !own && strings.HasPrefix(dir, lintRooms) {
			name = lintRooms + "tree." + f.Sel.Name
		}
		if x, ok := f.X.(*ast.Ident); ok && x.Name == "problem" {
			name = "engine/problem." + f.Sel.Name
		}
	}
	at, ok := s.taking[name]
	return at, ok && at < len(call.Args)
}

func (s *codeSource) collect(dir string, fn *ast.FuncDecl) {
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if at, ok := s.takes(dir, call); ok {
				s.note(dir, fn, call.Args[at])
			}
		}
		return true
	})
}

func (s *codeSource) note(dir string, fn *ast.FuncDecl, x ast.Expr) {
	where := s.fset.Position(x.Pos()).String()
	known := false
	switch x := x.(type) {
	case *ast.BasicLit:
		s.codes[unquote(x)], known = where, true
	case *ast.SelectorExpr:
		// The code of another Problem is noted where that one is made.
		known = x.Sel.Name == "Code" || x.Sel.Name == "code" || s.constant(x.Sel.Name, where)
	case *ast.Ident:
		_, parameter := s.taking[dir+"."+fn.Name.Name]
		known = x.Name == "code" && parameter || s.constant(x.Name, where) || s.local(fn, x.Name, where)
	}
	if !known {
		s.lost = append(s.lost, where)
	}
}

// constant takes the value of a constant of that name, in whatever package.
func (s *codeSource) constant(name, where string) bool {
	found := false
	for _, files := range s.files {
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				v, ok := n.(*ast.ValueSpec)
				for i := 0; ok && i < len(v.Names) && i < len(v.Values); i++ {
					if lit, text := v.Values[i].(*ast.BasicLit); text && lit.Kind == token.STRING && v.Names[i].Name == name {
						s.codes[unquote(lit)], found = where, true
					}
				}
				return true
			})
		}
	}
	return found
}

// local takes what a function gives a variable.
func (s *codeSource) local(fn *ast.FuncDecl, name, where string) bool {
	found := false
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		for i := 0; ok && len(a.Lhs) == len(a.Rhs) && i < len(a.Lhs); i++ {
			id, named := a.Lhs[i].(*ast.Ident)
			lit, text := a.Rhs[i].(*ast.BasicLit)
			if named && text && id.Name == name && lit.Kind == token.STRING {
				s.codes[unquote(lit)], found = where, true
			}
		}
		return true
	})
	return found
}

func unquote(lit *ast.BasicLit) string {
	code, err := strconv.Unquote(lit.Value)
	if err != nil {
		return lit.Value
	}
	return code
}
