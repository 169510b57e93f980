// SPDX-License-Identifier: Apache-2.0

package bindery_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The limits of the house. Files and functions that outgrow them hold more than
// one idea.
const (
	maxFile     = 600
	maxTestFile = 800
	maxFunc     = 60
	maxTestFunc = 150 // tables are data
	spdx        = "// SPDX-License-Identifier: Apache-2.0"
)

// nameless are words that name no room: anything fits in them.
var nameless = []string{"base", "common", "helper", "helpers", "impl", "lib", "manager", "misc", "models", "pkg", "shared", "types", "util", "utils"}

// clock is what the engine must not ask.
var clock = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}

// known are methods whose meaning everybody knows.
var known = []string{"As", "Close", "Error", "GoString", "Is", "Len", "Less", "LogValue", "Read", "ServeHTTP", "String", "Swap", "Unwrap", "Write"}

// source is one parsed Go file.
type source struct {
	path string // slash-separated, from the root of the module
	data []byte
	set  *token.FileSet
	file *ast.File
}

func (s *source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s *source) at(pos token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.path, s.set.Position(pos).Line, fmt.Sprintf(format, args...))
}

// tops lists the top-level folders of the map that exist.
func tops(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, r := range rooms {
		top, _, _ := strings.Cut(r.path, "/")
		if _, err := os.Stat(top); err == nil && !slices.Contains(out, top) {
			out = append(out, top)
		}
	}
	sort.Strings(out)
	return out
}

// sources parses every Go file of the house, this package included.
func sources(t *testing.T) []*source {
	t.Helper()
	var out []*source
	root := os.DirFS(".")
	add := func(name string) {
		data, err := fs.ReadFile(root, name)
		require.NoError(t, err)
		out = append(out, parse(t, name, data))
	}
	own, err := fs.Glob(root, "*.go")
	require.NoError(t, err)
	for _, name := range own {
		add(name)
	}
	for _, top := range tops(t) {
		require.NoError(t, fs.WalkDir(root, top, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
				return fs.SkipDir
			}
			if !d.IsDir() && path.Ext(name) == ".go" {
				add(name)
			}
			return nil
		}))
	}
	return out
}

func parse(t *testing.T, name string, data []byte) *source {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, data, parser.ParseComments)
	require.NoError(t, err)
	return &source{path: name, data: data, set: set, file: f}
}

func checkFile(s *source) []string {
	var bad []string
	limit := maxFile
	if s.test() {
		limit = maxTestFile
	}
	if n := bytes.Count(s.data, []byte("\n")); n > limit && !ast.IsGenerated(s.file) {
		bad = append(bad, fmt.Sprintf("%s has %d lines, more than %d", s.path, n, limit))
	}
	if !bytes.HasPrefix(s.data, []byte(spdx+"\n")) && !ast.IsGenerated(s.file) {
		bad = append(bad, s.path+" does not start with "+spdx)
	}
	if slices.Contains(nameless, s.file.Name.Name) && !strings.HasPrefix(s.path, "engine/internal/plugins/") {
		bad = append(bad, fmt.Sprintf("%s: a package called %s says nothing", s.path, s.file.Name.Name))
	}
	return bad
}

var later = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)

func checkComments(s *source) []string {
	var bad []string
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			if word := later.FindString(c.Text); word != "" {
				bad = append(bad, s.at(c.Pos(), "%s: do it, or open an issue", word))
			}
		}
	}
	return bad
}

func checkFuncs(s *source) []string {
	limit := maxFunc
	if s.test() {
		limit = maxTestFunc
	}
	var bad []string
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		lines := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1
		if lines > limit && !ast.IsGenerated(s.file) {
			bad = append(bad, s.at(f.Pos(), "%s has %d lines, more than %d", f.Name.Name, lines, limit))
		}
		if f.Name.Name == "init" && f.Recv == nil {
			bad = append(bad, s.at(f.Pos(), "no init: lists are explicit"))
		}
	}
	return bad
}

// checkCalls finds tests that skip, packages that end the process and an engine
// that asks the clock.
func checkCalls(s *source) []string {
	var bad []string
	timeName := importName(s.file, "time")
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		switch {
		case s.test() && slices.Contains([]string{"t", "b", "f", "tb"}, x.Name) && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name):
			bad = append(bad, s.at(n.Pos(), "a skipped test tests nothing: set up what it needs"))
		case !s.test() && x.Name == "os" && sel.Sel.Name == "Exit" && s.file.Name.Name != "main":
			bad = append(bad, s.at(n.Pos(), "only main ends the process"))
		case !s.test() && under(s.path, "engine") && x.Name == timeName && slices.Contains(clock, sel.Sel.Name):
			bad = append(bad, s.at(n.Pos(), "the engine has no clock: time.%s", sel.Sel.Name))
		}
		return true
	})
	return bad
}

func importName(f *ast.File, imp string) string {
	for _, i := range f.Imports {
		if strings.Trim(i.Path.Value, `"`) != imp {
			continue
		}
		if i.Name != nil {
			return i.Name.Name
		}
		return path.Base(imp)
	}
	return ""
}

// checkDocs wants a sentence above everything exported.
func checkDocs(s *source) []string {
	if s.test() || s.file.Name.Name == "main" || ast.IsGenerated(s.file) {
		return nil
	}
	var bad []string
	miss := func(name *ast.Ident) {
		if name.IsExported() {
			bad = append(bad, s.at(name.Pos(), "%s is exported and not documented", name.Name))
		}
	}
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && receiverExported(d) && (d.Recv == nil || !slices.Contains(known, d.Name.Name)) {
				miss(d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if d.Doc == nil && spec.Doc == nil {
						miss(spec.Name)
					}
				case *ast.ValueSpec:
					if enumerates(d) {
						continue // the type says what its values are
					}
					if d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
						miss(spec.Names[0])
					}
				}
			}
		}
	}
	return bad
}

// enumerates tells whether a group of constants lists the values of a type.
func enumerates(d *ast.GenDecl) bool {
	first, ok := d.Specs[0].(*ast.ValueSpec)
	return ok && d.Tok == token.CONST && d.Lparen.IsValid() && first.Type != nil
}

func receiverExported(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	typ := f.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// checkPackages wants one comment a package that says what it is for.
func checkPackages(all []*source) []string {
	doc := map[string]bool{}
	for _, s := range all {
		if s.test() {
			continue
		}
		folder := path.Dir(s.path)
		doc[folder] = doc[folder] || s.file.Doc != nil && len(s.file.Doc.Text()) > 60
	}
	var bad []string
	for folder, ok := range doc {
		if !ok {
			bad = append(bad, folder+": no package comment that says what it is for and what it must not know")
		}
	}
	sort.Strings(bad)
	return bad
}

var checks = map[string]func(*source) []string{
	"files": checkFile, "comments": checkComments, "functions": checkFuncs, "calls": checkCalls, "docs": checkDocs,
}

func TestHouse(t *testing.T) {
	all := sources(t)
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			var bad []string
			for _, s := range all {
				bad = append(bad, check(s)...)
			}
			require.Empty(t, bad, strings.Join(bad, "\n"))
		})
	}
	t.Run("packages", func(t *testing.T) {
		bad := checkPackages(all)
		require.Empty(t, bad, strings.Join(bad, "\n"))
	})
}

// Scripts of the command-line tests must not skip either.
func TestScriptsDoNotSkip(t *testing.T) {
	skip := regexp.MustCompile(`(?m)^(\[[^\]]*\] *)*skip\b`)
	require.True(t, skip.MatchString("[!linux] skip 'not here'\n"))
	root := os.DirFS(".")
	for _, top := range tops(t) {
		require.NoError(t, fs.WalkDir(root, top, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.Contains(name, "testdata/script/") {
				return err
			}
			data, err := fs.ReadFile(root, name)
			require.NoError(t, err)
			script, _, _ := bytes.Cut(data, []byte("\n-- "))
			require.False(t, skip.Match(script), "%s skips", name)
			return nil
		}))
	}
}

// Each check is shown what it must find.
func TestHouseBites(t *testing.T) {
	body := strings.Repeat("\t_ = 1\n", maxFunc)
	long := "package util\n\nimport (\n\t\"os\"\n\tclock \"time\"\n)\n\n// TO" + "DO: later.\nfunc init() {\n" + body + "}\n\n" +
		"func Exported() { os.Exit(1); clock.Now() }\n" + strings.Repeat("\n", maxFile)
	s := parse(t, "engine/x/x.go", []byte(long))
	require.Len(t, checkFile(s), 3)
	require.Len(t, checkComments(s), 1)
	require.Len(t, checkFuncs(s), 2)
	require.Len(t, checkCalls(s), 2)
	require.Len(t, checkDocs(s), 1)
	require.Len(t, checkPackages([]*source{s}), 1)
	skips := parse(t, "engine/x/x_test.go", []byte(spdx+"\n\npackage x\n\nfunc TestX(t *testing.T) { t.Skip() }\n"))
	require.Len(t, checkCalls(skips), 1)
}
