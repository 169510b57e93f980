// SPDX-License-Identifier: Apache-2.0

package lint_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/lint"
	"github.com/bindery/bindery/engine/problem"
)

var update = flag.Bool("update", false, "write what is found into the fixtures")

// unpack makes a tree of an archive, without what is wanted of it.
func unpack(a *txtar.Archive) fs.FS {
	fsys := fstest.MapFS{}
	for _, f := range a.Files {
		fsys[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
	}
	return fsys
}

// notYAML stands for the parser that the engine passes in.
func notYAML(data []byte) (line, column int, err error) {
	if strings.Count(string(data), "[") != strings.Count(string(data), "]") {
		return 2, 4, errors.New("a bracket is open")
	}
	return 0, 0, nil
}

func runWith(ctx context.Context, fsys fs.FS, cfg lint.Config) ([]*problem.Problem, error) {
	l, err := lint.New(ctx, fsys, cfg)
	if err != nil {
		return nil, err
	}
	found, err := l.Check(ctx)
	if err != nil {
		return nil, err
	}
	return l.Settle(found, false), nil
}

func run(t *testing.T, fsys fs.FS) []*problem.Problem {
	t.Helper()
	found, err := runWith(t.Context(), fsys, lint.Config{YAML: notYAML})
	require.NoError(t, err)
	return found
}

func show(found []*problem.Problem) string {
	var b strings.Builder
	for _, p := range found {
		fmt.Fprintf(&b, "%s: %s: %s [%s]", p.Pos, p.Severity, p.Msg, p.Code)
		if p.Hint != "" {
			fmt.Fprintf(&b, " (%s)", p.Hint)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Every archive of testdata is a tree and, in its file want, all that is found there.
func TestFixtures(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			require.NoError(t, err)
			want := ""
			if last := len(a.Files) - 1; a.Files[last].Name == "want" {
				want = string(a.Files[last].Data)
				a.Files = a.Files[:last]
			}
			found := run(t, unpack(a))
			require.NotContains(t, show(found), "canary")
			if *update {
				a.Files = append(a.Files, txtar.File{Name: "want", Data: []byte(show(found))})
				require.NoError(t, os.WriteFile(name, txtar.Format(a), 0o644))
				return
			}
			require.Equal(t, want, show(found))
		})
	}
}
