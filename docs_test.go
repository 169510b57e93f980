// SPDX-License-Identifier: Apache-2.0

package bindery_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/reference"
)

// Nothing has what a merge left in it.
func TestNoConflictIsLeft(t *testing.T) {
	left := regexp.MustCompile(`(?m)^(<{7}|>{7}) `)
	looked := 0
	require.NoError(t, fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (name == ".git" || name == "bin") {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil || !d.Type().IsRegular() || info.Size() > 1<<20 {
			return err
		}
		looked++
		data, err := os.ReadFile(name)
		require.False(t, left.Match(data), name)
		return err
	}))
	require.Greater(t, looked, 100)
}

// Every relative link of every page leads somewhere, and to a heading that is there.
func TestDocsLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	root := os.DirFS(".")
	pages, err := fs.Glob(root, "*.md")
	require.NoError(t, err)
	require.NoError(t, fs.WalkDir(root, "docs", func(name string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(name) == ".md" {
			pages = append(pages, name)
		}
		return err
	}))
	require.NotEmpty(t, pages)
	for _, page := range pages {
		data, err := fs.ReadFile(root, page)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(data), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			to := page
			if target != "" {
				to = path.Join(path.Dir(page), target)
			}
			_, err := fs.Stat(root, to)
			require.NoError(t, err, "%s links to %s", page, m[1])
			if anchor != "" && path.Ext(to) == ".md" {
				data, err := fs.ReadFile(root, to)
				require.NoError(t, err)
				require.Contains(t, anchors(string(data)), anchor, "%s links to %s", page, m[1])
			}
		}
	}
}

// anchors are the names of a page's headings, as forges make them.
func anchors(page string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(page, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		out = append(out, strings.ReplaceAll(name, " ", "-"))
	}
	for _, m := range regexp.MustCompile(`<a (?:id|name)="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		out = append(out, m[1])
	}
	return out
}

// Every picture is shown on some page, is a PNG, and is small: it stays in the history
// for ever. "make screenshots" makes them.
func TestDocsPictures(t *testing.T) {
	var pages strings.Builder
	root := os.DirFS(".")
	require.NoError(t, fs.WalkDir(root, "docs", func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".md" {
			return err
		}
		data, err := fs.ReadFile(root, name)
		pages.Write(data)
		return err
	}))
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	pages.Write(readme)
	pictures, err := fs.Glob(root, "docs/images/*")
	require.NoError(t, err)
	require.NotEmpty(t, pictures)
	sources, err := fs.Glob(root, "e2e/*_test.go")
	require.NoError(t, err)
	var tests strings.Builder
	for _, name := range sources {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		tests.Write(data)
	}
	for _, name := range pictures {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(data), "\x89PNG"), name)
		require.Less(t, len(data), 300<<10, name)
		require.Contains(t, pages.String(), "images/"+path.Base(name))
		subject, _, _ := strings.Cut(path.Base(name), "-")
		require.Contains(t, tests.String(), `b.picture("`+subject+`-"`, "a test makes it")
	}
	for _, m := range regexp.MustCompile(`images/[\w.-]+`).FindAllString(pages.String(), -1) {
		require.FileExists(t, "docs/"+m)
	}
}

// The page of settings is what the structs say.
func TestReferenceSettings(t *testing.T) {
	page, err := reference.Settings(
		reference.Page{File: "controller.yaml", Dir: "controller", Type: "Settings", About: "What those who run the controller decide. Relative paths are relative to the file."},
		reference.Page{File: "agent.yaml", Dir: "agent", Type: "Settings", About: "What a host decides for itself: /etc/bindery/agent.yaml, or what --config names. Flags win over it, and every setting may be left out."},
		reference.Page{File: "bindery.yaml", Dir: "engine", Type: "settings", About: "At the root of the specification, reviewed like all else. It can never loosen the controller's settings."},
	)
	require.NoError(t, err)
	require.NoError(t, reference.Check("docs/reference/settings.md", page))
}
