// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"

	"github.com/bindery/bindery/fixtures/site"
	"github.com/bindery/bindery/webhooks/github/githubtest"
)

// host is one of the two that have an agent; what is in its root at first stands
// for what an installer leaves.
type host struct {
	short, name, what string
	files             map[string]string
}

func hosts() []host {
	accounts := map[string]string{
		"etc/passwd": "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\npostgres:x:110:110::/var/lib/postgresql:/bin/sh\n",
		"etc/group":  "root:x:0:\nwww-data:x:33:\npostgres:x:110:\n",
	}
	with := func(files map[string]string) map[string]string {
		maps.Copy(files, accounts)
		return files
	}
	return []host{
		{"web1", "web1.example.org", "a machine of its own with Debian bookworm", with(map[string]string{
			"etc/os-release": "ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\n", "etc/nginx/sites-enabled/default": "the installer's example\n",
		})},
		{"db2", "db2.example.org", "a virtual machine with Debian trixie", with(map[string]string{
			"etc/os-release": "ID=debian\nVERSION_ID=13\nVERSION_CODENAME=trixie\n", "sys/class/dmi/id/sys_vendor": "QEMU\n",
		})},
	}
}

// repository starts the forge and pushes the specification.
func (d *Demo) repository(ctx context.Context) error {
	ports, err := freePorts(ctx, 3)
	if err != nil {
		return err
	}
	d.forge, d.public, d.admin = "http://"+ports[0], ports[1], ports[2]
	tokens := map[string]string{person: rand.Text(), robot: rand.Text()}
	s := forgeSettings{
		Listen: ports[0], Dir: filepath.Join(d.c.Dir, "forge"), Repo: repo, Tokens: tokens,
		HookURL: "http://" + d.public + "/webhooks/github", HookSecret: rand.Text(),
	}
	settings, err := json.Marshal(s)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"forge.json": string(settings), "bot.token": tokens[robot] + "\n", "hook.secret": s.HookSecret + "\n",
		person + ".header": "Authorization: Bearer " + tokens[person] + "\n",
	} {
		if err := d.write(name, text); err != nil {
			return err
		}
	}
	d.client = newClient(d.forge, repo, tokens[person])
	d.say.say("A forge that speaks GitHub's API, and git over HTTP, is a process of its own.")
	d.say.hand("bindery demo forge --config forge.json &")
	if _, err := d.start(ctx, "forge", "bindery", "demo", "forge", "--config", "forge.json"); err != nil {
		return err
	}
	if err := d.healthy(ctx, "the forge answers", d.forge); err != nil {
		return err
	}
	if err := d.clone(ctx, tokens[person]); err != nil {
		return err
	}
	d.say.say("%s pushes a small site: eight Debian hosts that serve web pages, databases and mail.", person)
	d.say.hand(words([]string{"git", "-C", work, "push", "origin", branch}))
	if d.lastGood, err = d.push(ctx, site.Commit{Branch: branch, Title: "A small site", Files: site.Site()}); err != nil {
		return err
	}
	_, err = d.do(ctx, "bindery", "lint", "--spec", work)
	return err
}

// healthy waits for a server.
func (d *Demo) healthy(ctx context.Context, what, url string) error {
	return d.until(ctx, what, func(ctx context.Context) (bool, error) {
		err := d.client.do(ctx, http.MethodGet, url+"/healthz", nil, nil)
		return err == nil, err
	})
}

// clone makes a work tree that knows the way to the forge. Its owner's token is in
// its settings, not in its address.
func (d *Demo) clone(ctx context.Context, token string) error {
	basic := base64.StdEncoding.EncodeToString([]byte(person + ":" + token))
	for _, args := range [][]string{
		{"git", "init", "-q", "-b", branch, work},
		{"git", "-C", work, "remote", "add", "origin", d.forge + "/" + repo + ".git"},
		{"git", "-C", work, "config", "user.name", person},
		{"git", "-C", work, "config", "user.email", person + "@example.org"},
	} {
		if _, err := d.run(ctx, "", nil, args...); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(filepath.Join(d.c.Dir, work, ".git", "config"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "[http %q]\n\textraHeader = \"Authorization: Basic %s\"\n", d.forge+"/", basic)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// push commits files on a branch, off the newest main, and gives the commit.
func (d *Demo) push(ctx context.Context, c site.Commit) (string, error) {
	git := func(args ...string) error {
		_, err := d.run(ctx, "", nil, append([]string{"git", "-C", work}, args...)...)
		return err
	}
	if d.lastGood != "" {
		if err := git("fetch", "-q", "origin", branch); err != nil {
			return "", err
		}
		if err := git("checkout", "-q", "-B", c.Branch, "FETCH_HEAD"); err != nil {
			return "", err
		}
	}
	if err := unpack(c.Files, filepath.Join(d.c.Dir, work)); err != nil {
		return "", err
	}
	for _, args := range [][]string{{"add", "-A"}, {"commit", "-q", "-m", c.Title}, {"push", "-q", "origin", c.Branch}} {
		if err := git(args...); err != nil {
			return "", err
		}
	}
	out, err := d.run(ctx, "", nil, "git", "-C", work, "rev-parse", "HEAD")
	return trim(out), err
}

func unpack(files fs.FS, dir string) error {
	return fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if e.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
}

// controller makes the keys and starts the controller.
func (d *Demo) controller(ctx context.Context) error {
	d.say.say("The root key is made once and put away; the controller gets the online keys only.")
	if err := d.write("passphrase", "correct horse battery staple\n"); err != nil {
		return err
	}
	if _, err := d.do(ctx, "bindery", "root", "init", "--dir", "offline", "--online", "keys", "--passphrase-file", "passphrase"); err != nil {
		return err
	}
	settings := fmt.Sprintf(`listen: %s
admin_listen: %s
admin_url: http://%s
state: state
keys: keys
repositories:
- name: %s
  url: %s/%s.git
  token_file: bot.token
  github:
    api: %s%s
    token_file: bot.token
    webhook_secret_files: [hook.secret]
`, d.public, d.admin, d.admin, repo, d.forge, repo, d.forge, githubtest.APIPath)
	if err := d.write("controller.yaml", settings); err != nil {
		return err
	}
	d.say.hand("cat controller.yaml")
	d.say.output(settings)
	d.say.hand("bindery serve --config controller.yaml &")
	if _, err := d.start(ctx, "controller", "bindery", "serve", "--config", "controller.yaml"); err != nil {
		return err
	}
	if err := d.healthy(ctx, "the controller answers", "http://"+d.public); err != nil {
		return err
	}
	outcome, detail, err := d.settled(ctx, d.lastGood)
	if err == nil && outcome != "published" {
		err = fmt.Errorf("the first commit was %s: %s", outcome, detail)
	}
	if err != nil {
		return err
	}
	d.say.good("it mirrored commit %.10s over HTTP, bound all eight hosts, and has nobody to publish for yet", d.lastGood)
	return nil
}

// enrol gives both hosts an identity.
func (d *Demo) enrol(ctx context.Context) error {
	d.say.say("A token lets one host enrol, once. It proves either side to the other and pins the root, so it goes from program to program and is never shown.")
	for _, h := range hosts() {
		for name, text := range h.files {
			if err := d.write(filepath.Join(h.short, name), text); err != nil {
				return err
			}
		}
		add := []string{"bindery", "hosts", "add", h.name, "--config", "controller.yaml"}
		enroll := []string{"bindery-agent", "enroll", "--url", "http://" + d.public, "--host", h.name, "--root", h.short, "--token-file", "-"}
		d.say.hand(words(add) + " |")
		d.say.line("       " + d.say.style(cyan, words(enroll)))
		token, err := d.command(ctx, add).Output()
		if err != nil {
			return fmt.Errorf("%s: %w", words(add), err)
		}
		out, err := d.run(ctx, string(token), nil, enroll...)
		if err != nil {
			return err
		}
		d.say.output(out)
	}
	return nil
}
