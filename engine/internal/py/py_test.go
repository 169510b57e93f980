// SPDX-License-Identifier: Apache-2.0

package py_test

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/py"
)

var python = py.New()

func world() *py.World {
	files := map[string]string{"/repo/a.txt": "one\ntwo\n", "/repo/code.py": "def twice(x):\n    return 2 * x\nlimit = 3\n"}
	lib := map[string]string{
		"/repo/lib/one.py":          "from two import b\na = b + 1\n_hidden = 1\n",
		"/repo/lib/two.py":          "import one\nb = 1\ndef later():\n    return one.a\n",
		"/repo/lib/broken.py":       "import one\nx = 1 // 0\n",
		"/repo/lib/pkg/__init__.py": "from . import sub\nfrom .sub import name\n__all__ = ['name']\n",
		"/repo/lib/pkg/sub.py":      "from . import other\nname = 'sub ' + other.name\n",
		"/repo/lib/pkg/other.py":    "name = __name__\n",
		"/repo/more/far.py":         "where = 'more'\nimport broken\n",
	}
	return &py.World{
		Code: func(p string) (*py.Program, string, error) {
			program, err := py.Parse(lib[p]+files[p], 1)
			return program, strings.TrimPrefix(p, "/repo/"), err
		},
		Lib: []string{"/repo/lib"},
		Read: func(p string) (string, error) {
			s, ok := files[p]
			if !ok {
				return "", py.Fail("IOError", "[Errno 2] No such file or directory: '%s'", p)
			}
			return s, nil
		},
		List: func(p string) ([]string, bool) {
			var names []string
			for _, of := range []map[string]string{files, lib} {
				for f := range of {
					if rest, ok := strings.CutPrefix(f, p+"/"); ok {
						name, _, _ := strings.Cut(rest, "/")
						names = append(names, name)
					}
				}
			}
			slices.Sort(names)
			return slices.Compact(names), names != nil
		},
		Resolve: func(n string) []string {
			if n == "web.ex.org" {
				return []string{"192.0.2.7"}
			}
			return nil
		},
		Seed: func() string { return "host /etc/x" },
	}
}

// run executes code and gives repr of the name "out", or the error.
func run(code string) string {
	p, err := py.Parse(code, 1)
	if err != nil {
		return "SyntaxError: " + err.Error()
	}
	th := python.NewThread(world())
	defer th.Close()
	names := py.Names{}
	if err := p.Run(th, names); err != nil {
		return describe(err)
	}
	v, ok := names["out"]
	if !ok {
		return "no out"
	}
	s, err := th.Repr(v)
	if err != nil {
		return describe(err)
	}
	return s
}

func describe(err error) string {
	var r *py.Raised
	var l *py.Limit
	switch {
	case errors.As(err, &r):
		if r.File != "" {
			return fmt.Sprintf("%s:%d: %v (%s)", r.File, r.Line, r, r.Hint)
		}
		return fmt.Sprintf("line %d: %v", r.Line, r)
	case errors.As(err, &l):
		return fmt.Sprintf("limit at line %d: %s", l.Line, l.What)
	}
	return err.Error()
}

// TestExpressions holds each line "expression => repr of the value".
func TestExpressions(t *testing.T) {
	data, err := os.ReadFile("testdata/expressions.txt")
	require.NoError(t, err)
	for i, l := range strings.Split(string(data), "\n") {
		expr, want, ok := strings.Cut(l, " => ")
		if !ok {
			continue
		}
		require.Equal(t, want, run("out = "+expr), "line %d: %s", i+1, expr)
	}
}

// TestStatements holds programs, each with what it leaves in the name out.
func TestStatements(t *testing.T) {
	data, err := os.ReadFile("testdata/statements.txt")
	require.NoError(t, err)
	for _, c := range strings.Split(string(data), "\n====\n") {
		code, want, ok := strings.Cut(c, "\n=> ")
		require.True(t, ok, c)
		require.Equal(t, strings.TrimSpace(want), run(code), code)
	}
}

// TestModules sees that every module can be imported.
func TestModules(t *testing.T) {
	entries, err := os.ReadDir("modules")
	require.NoError(t, err)
	for _, e := range entries {
		n := strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
		require.Equal(t, "True", run("import "+n+"\nout = bool("+n+")"), n)
	}
}

func FuzzPython(f *testing.F) {
	for _, name := range []string{"testdata/expressions.txt", "testdata/statements.txt"} {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		for _, l := range strings.Split(string(data), "\n") {
			f.Add(l)
		}
		for _, c := range strings.Split(string(data), "\n====\n") {
			f.Add(c)
		}
	}
	for _, c := range callTable(f) {
		f.Add(c.code)
	}
	for _, m := range []string{"sys", "os.path", "urllib.parse", "collections.abc", "genshi.template", "passlib.hash", "nothing", "subprocess"} {
		f.Add("import " + m + "\nfrom " + m + " import *\nout = dir(" + m + ")")
	}
	f.Fuzz(func(t *testing.T, code string) {
		if len(code) > 2000 {
			return
		}
		run(code)
		run("out = " + code)
	})
}
