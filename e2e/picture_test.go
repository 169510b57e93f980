// SPDX-License-Identifier: Apache-2.0

//go:build gitea

package e2e_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/fixtures/site"
)

// dressed gives a Gitea its own style sheets, as they stand in its module, file by
// file: what its build would make of them besides is utility classes, of which the
// page of a pull request needs few. Its scripts are left out; without these files it
// would complain in a dialogue.
func dressed(t *testing.T, dir string) {
	t.Helper()
	module := strings.TrimSpace(goList(t))
	css := filepath.Join(module, "web_src", "css")
	assets := filepath.Join(dir, "custom", "public", "assets")
	require.NoError(t, filepath.WalkDir(css, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		below, err := filepath.Rel(css, name)
		require.NoError(t, err)
		write(t, assets, filepath.Join("css", strings.TrimPrefix(below, "themes/")), string(data))
		return nil
	}))
	index := filepath.Join(assets, "css", "index.css")
	data, err := os.ReadFile(index)
	require.NoError(t, err)
	write(t, assets, "css/index.css", string(data)+".tw-hidden, .raw-content { display: none !important }\n.tw-mr-1 { margin-right: .25rem }\n")
	for _, script := range []string{"iife", "index"} {
		write(t, assets, "js/"+script+".js", "\n")
	}
}

func goList(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../tools/gitea")
	require.NoError(t, err)
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	out, code, problems := ended(t, dir, []string{"HOME=" + home, "GOFLAGS=-mod=mod", "GOMODCACHE=" + os.Getenv("GOMODCACHE")}, "go", "list", "-m", "-f", "{{.Dir}}", "code.gitea.io/gitea")
	require.Zero(t, code, problems)
	return out
}

// TestPicture shows the comment on a change of many kinds, as the server shows it.
func TestPicture(t *testing.T) {
	w := newWorld(t, dressed)
	for _, name := range []string{"db1", "db2", "mail1", "mail2", "web2", "web3", "web4"} {
		w.enrol(name+".example.org", name)
		w.applied(name+"/etc/motd", "This host is kept by its specification.")
	}
	change := site.Change()
	files := map[string]string{}
	require.NoError(t, fs.WalkDir(change.Files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(change.Files, name)
		files[name] = string(data)
		return err
	}))
	number, head := w.propose(change.Branch, files)
	w.forge.of("PATCH", fmt.Sprintf("pulls/%d", number), object{"title": change.Title}, nil)
	c := w.forge.preview(number, "head="+head)
	w.forge.check(head, "success")
	b := newTab(t)
	for _, scheme := range []string{"light", "dark"} {
		b.size(1200, 1180, scheme)
		b.do(chromedp.Navigate(strings.TrimSuffix(c.HTML, fmt.Sprintf("#issuecomment-%d", c.ID))))
		at := fmt.Sprintf(`document.getElementById("issuecomment-%d")`, c.ID)
		b.becomes(at + `.querySelector("details[open]")`)
		require.Equal(t, 1, value[int](b, at+`.querySelectorAll("table").length`))
		b.becomes(at + `.scrollIntoView() ?? scrollBy(0, -12) ?? true`)
		b.picture("comment-" + scheme + ".png")
	}
}
