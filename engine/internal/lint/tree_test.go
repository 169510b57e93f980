// SPDX-License-Identifier: Apache-2.0

package lint_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/lint"
)

// write makes a folder of files.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		full := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(data), 0o644))
	}
	return dir
}

func TestLinksAndSubmodules(t *testing.T) {
	dir := write(t, map[string]string{
		"Cfg/etc/a/a":        "x",
		"Cfg/etc/sub/.git":   "gitdir: ../../../.git/modules/sub",
		"Cfg/etc/sub/sub":    "x",
		"Cfg/etc/lfs/lfs":    "version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
		".gitmodules":        "[submodule \"s\"]\n\tpath = Bundler/shared\n[submodule \"t\"]\n\tpath = docs/theme\n",
		"Bundler/b.xml":      "<Bundle/>",
		"Metadata/real.xml":  "<Groups><Group name='g'><Bundle name='b'/></Group></Groups>",
		"docs/not/looked/at": "x",
	})
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "Cfg/etc/a/pipe"), 0o600))
	for name, to := range map[string]string{
		"Cfg/etc/a/a.H_one":     "/etc/passwd",
		"Cfg/etc/a/a.H_two":     "../../../../outside",
		"Cfg/etc/a/a.H_three":   "a.H_nothing",
		"Cfg/etc/a/a.H_four":    "a",
		"Metadata/groups.xml":   "real.xml",
		"Metadata/clients.xml":  "/dev/zero",
		"docs/not/looked/atall": "/etc/passwd",
	} {
		require.NoError(t, os.Symlink(to, filepath.Join(dir, name)))
	}
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, root.Close()) })
	require.Equal(t, `Bundler/shared: error: a git submodule: its files are not in this repository [submodule] (copy the files into the repository)
Cfg/etc/a/a.H_one: error: the symbolic link leads out of the tree, to "/etc/passwd" [symlink] (put the file itself here, or link to one inside the repository)
Cfg/etc/a/a.H_three: error: the symbolic link cannot be followed inside the tree [symlink]
Cfg/etc/a/a.H_two: error: the symbolic link leads out of the tree, to "../../../../outside" [symlink] (put the file itself here, or link to one inside the repository)
Cfg/etc/a/pipe: error: this is no regular file [special-file] (remove it)
Cfg/etc/lfs/lfs: error: the file is a pointer to Git LFS; its content is not in the repository [lfs-pointer] (store the file itself)
Cfg/etc/sub: error: a git submodule: its files are not in this repository [submodule] (copy the files into the repository)
Metadata/clients.xml: error: the symbolic link leads out of the tree, to "/dev/zero" [symlink] (put the file itself here, or link to one inside the repository)
`, show(run(t, root.FS())))
}

// What is too large is never read: the files are sparse, so that the sizes cost nothing.
func TestLargeFiles(t *testing.T) {
	dir := write(t, map[string]string{"Cfg/etc/big/big": "", "Bundler/b.xml": "", "Properties/p.yaml": strings.Repeat("a: 1\n", 250_000)})
	require.NoError(t, os.Truncate(filepath.Join(dir, "Cfg/etc/big/big"), 100<<20))
	require.NoError(t, os.Truncate(filepath.Join(dir, "Bundler/b.xml"), 100<<20))
	require.Equal(t, `Bundler/b.xml: error: the file has 100 MB; XML of more than 16 MB is not read [file-too-large] (split it)
Cfg/etc/big/big: error: the file has 100 MB; more than 32 MB cannot be part of a configuration [file-too-large] (publish it as a package, or let an Action fetch it)
Properties/p.yaml: error: YAML of more than 1 MB is not read [file-too-large] (split it, or use JSON)
`, show(run(t, os.DirFS(dir))))
}

func TestNames(t *testing.T) {
	fsys := fstest.MapFS{
		"Cfg/etc/a\nb/a\nb":    {Data: []byte("x")},
		"Cfg/etc/c/c.H_\xff":   {Data: []byte("x")},
		"Cfg/etc/ü ok/ü ok":    {Data: []byte("x")},
		"Bundler/\x1b[2J.xml":  {Data: []byte("<Bundle/>")},
		"Metadata/groups.xml":  {Data: []byte("<Groups/>\x00\x01")},
		"Metadata/clients.xml": {Data: []byte{0x7f, 'E', 'L', 'F', 0, 1, 2, 0xff}},
	}
	var codes []string
	for _, p := range run(t, fsys) {
		codes = append(codes, p.Code+" "+strings.ToValidUTF8(p.Pos.File, "?"))
	}
	require.Equal(t, []string{
		"unsafe-name Bundler/\x1b[2J.xml",
		"unsafe-name Cfg/etc/a\nb",
		"unsafe-name Cfg/etc/a\nb/a\nb",
		"unsafe-name Cfg/etc/c/c.H_\uFFFD",
		"xml-failed-to-parse Metadata/clients.xml",
		"xml-failed-to-parse Metadata/groups.xml",
	}, codes)
}

func TestUnreadable(t *testing.T) {
	fsys := fstest.MapFS{"Bundler/b.xml": {Data: []byte("<Bundle/>")}}
	require.Equal(t, "Bundler/b.xml: error: cannot be read [unreadable-file]\n", show(run(t, refusing{fsys})))
}

// A hostile tree has bounded findings, and bounded depth.
func TestHostile(t *testing.T) {
	var wrong, deep strings.Builder
	wrong.WriteString("<Bundle>")
	for range 50_000 {
		wrong.WriteString("<Wrong/>")
	}
	wrong.WriteString("<RequiredBundle/></Bundle>")
	for range 100_000 {
		deep.WriteString("<Group name='a'>")
	}
	fsys := fstest.MapFS{
		"Bundler/wrong.xml": {Data: []byte(wrong.String())},
		"Bundler/deep.xml":  {Data: []byte(deep.String())},
	}
	for i := range 200 {
		name := strings.Repeat("g", i+1)
		fsys["Cfg/"+name] = &fstest.MapFile{Data: []byte("x")}
	}
	found := run(t, fsys)
	require.Less(t, len(found), 1000)
	require.Equal(t, "xml-failed-to-parse", found[0].Code)
	require.Contains(t, show(found), "<RequiredBundle> needs name")
}

// Patterns, includes and hints that would cost the square of the tree are bounded.
func TestHostileNumbers(t *testing.T) {
	var groups, patterns, bundle strings.Builder
	groups.WriteString("<Groups xmlns:xi='http://www.w3.org/2001/XInclude'>")
	patterns.WriteString("<GroupPatterns>")
	bundle.WriteString("<Bundle>")
	for i := range 5000 {
		fmt.Fprintf(&groups, "<Group name='group-number-%d'/><xi:include href='*-%d.xml'/>", i, i)
		fmt.Fprintf(&patterns, "<GroupPattern><NamePattern>x</NamePattern><Group>%d-$1</Group></GroupPattern>", i)
		fmt.Fprintf(&bundle, "<Group name='goup-number-x%d'><Package name='a' altsrc='b%d'/></Group>", i, i)
	}
	groups.WriteString("</Groups>")
	patterns.WriteString("</GroupPatterns>")
	bundle.WriteString("</Bundle>")
	fsys := fstest.MapFS{
		"Metadata/groups.xml": {Data: []byte(groups.String())},
		"Bundler/b.xml":       {Data: []byte(bundle.String())},
	}
	seen := map[string]int{}
	for _, p := range run(t, fsys) {
		seen[p.Code]++
	}
	require.Equal(t, map[string]int{"too-many-findings": 2, "xinclude-too-large": 1, "unknown-group": 5000, "altsrc-dangling": 4999}, seen)

	fsys["GroupPatterns/config.xml"] = &fstest.MapFile{Data: []byte(patterns.String())}
	for _, p := range run(t, fsys) {
		require.NotEqual(t, "unknown-group", p.Code)
	}
}

func TestOnlyPluginsThatAreOn(t *testing.T) {
	fsys := fstest.MapFS{
		"Bundler/b.xml": {Data: []byte("<Bundle><Wrong/></Bundle>")},
		"Rules/r.xml":   {Data: []byte("<Rules/>")},
	}
	found, err := runWith(t.Context(), fsys, lint.Config{Plugins: []string{"Bundler", "Metadata"}})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, "unknown-element", found[0].Code)
}

func TestAllowedGroups(t *testing.T) {
	fsys := fstest.MapFS{
		"Probes/p":            {Data: []byte("echo group:$x")},
		"Metadata/groups.xml": {Data: []byte("<Groups><Group name='g'><Bundle name='b'/></Group></Groups>")},
		"Bundler/b.xml":       {Data: []byte("<Bundle><Group name='os-a'><Package name='a'/></Group><Group name='b'><Package name='a'/></Group></Bundle>")},
	}
	found, err := runWith(t.Context(), fsys, lint.Config{Conf: map[string]map[string]string{"probes": {"allowed_groups": "os-.* arch"}}})
	require.NoError(t, err)
	require.Equal(t, "Bundler/b.xml:1:62: warning: nothing defines the group \"b\" [unknown-group] (define it in Metadata/groups.xml)\n", show(found))
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := runWith(ctx, fstest.MapFS{"Bundler/b.xml": {Data: []byte("<Bundle/>")}}, lint.Config{})
	require.ErrorIs(t, err, context.Canceled)
}
