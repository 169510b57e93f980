// SPDX-License-Identifier: Apache-2.0

//go:build machine

package e2e_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/e2e/machinetest"
)

const node = "m1.example.org"

// estate is a git repository, a controller that reads it, an archive of packages, and
// one machine with the agent, enrolled.
type estate struct {
	*testing.T
	*machinetest.Machine
	archive *archive
	dir     string
	spec    string
	public  string
	admin   string
}

// Helper, Cleanup and the like are the test's.
func (e *estate) Helper() { e.T.Helper() }

// newEstate boots a machine and enrols it. before may change its root folder first.
func newEstate(t *testing.T, files map[string]string, before ...func(root string)) *estate {
	t.Helper()
	e := newSite(t)
	root := machinetest.Copy(t, present(t, "../bin/machines/bookworm", "make e2e-agent"))
	for _, change := range before {
		change(root)
	}
	e.Machine = machinetest.Boot(t, root)
	e.Connect()
	e.archive = newArchive(t)
	all := map[string]string{
		"Cfg/etc/apt/keyrings/local.asc/local.asc":               e.archive.key(),
		"Cfg/etc/apt/sources.list.d/local.sources/local.sources": e.archive.sources(e.Address),
		"Cfg/etc/uplink.conf/uplink.conf":                        "ADDRESS=" + e.Own + "/30\n",
	}
	for name, text := range files {
		all[name] = text
	}
	unpack(t, os.DirFS("testdata/machine"), e.spec)
	e.commit(all)
	e.serve()
	token := ran(t, e.dir, program(t, "bindery"), "hosts", "add", node, "--config", "controller.yaml")
	e.install()
	_, code, problems := e.Machine.Run([]byte(token), "bindery-agent", "enroll", "--url", "http://"+net.JoinHostPort(e.Address, e.port()), "--host", node, "--token-file", "-")
	require.Zero(t, code, problems)
	until(t, "there is a release for the host", func() bool {
		_, code, _ := e.Machine.Run(nil, "bindery-agent", "run", "--once", "--dry-run")
		return code == 0
	})
	return e
}

// newSite prepares what the controller needs.
func newSite(t *testing.T) *estate {
	t.Helper()
	require.Zero(t, os.Geteuid(), "machines are booted as root")
	e := &estate{T: t, dir: t.TempDir(), spec: t.TempDir(), admin: freePort(t)}
	_, port, _ := net.SplitHostPort(freePort(t))
	e.public = "0.0.0.0:" + port
	ran(t, e.spec, "git", "init", "-q", "-b", "main")
	return e
}

func (e *estate) port() string {
	_, port, _ := net.SplitHostPort(e.public)
	return port
}

// serve starts the controller.
func (e *estate) serve() {
	e.Helper()
	bindery := program(e.T, "bindery")
	ran(e.T, e.dir, bindery, "root", "init", "--dir", "offline", "--online", "keys", "--no-passphrase")
	write(e.T, e.dir, "controller.yaml", fmt.Sprintf(`listen: %s
admin_listen: %s
state: state
keys: keys
repositories:
- name: site
  url: %s
  poll: "@every 1s"
`, e.public, e.admin, e.spec))
	alive := started(e.T, e.dir, "controller", bindery, "serve", "--config", "controller.yaml")
	until(e.T, "the controller answers", func() bool {
		require.True(e.T, alive(), "it ended")
		return answers("http://127.0.0.1:" + e.port() + "/healthz")
	})
	e.published()
}

// install brings the agent to the machine, as the package that was built last.
func (e *estate) install() {
	e.Helper()
	name := ""
	var newest time.Time
	files, err := filepath.Glob("../dist/bindery-agent_*_" + runtime.GOARCH + ".deb")
	require.NoError(e.T, err)
	for _, f := range files {
		info, err := os.Stat(f)
		require.NoError(e.T, err)
		if info.ModTime().After(newest) {
			name, newest = f, info.ModTime()
		}
	}
	data, err := os.ReadFile(present(e.T, name, "make packages"))
	require.NoError(e.T, err)
	_, code, problems := e.Machine.Run(data, "sh", "-c", "cat > /tmp/agent.deb && dpkg -i /tmp/agent.deb && rm /tmp/agent.deb")
	require.Zero(e.T, code, problems)
}

// commit writes files of the specification; a text that is empty takes one away.
func (e *estate) commit(files map[string]string) {
	e.Helper()
	for name, text := range files {
		if text == "" {
			require.NoError(e.T, os.Remove(filepath.Join(e.spec, name)))
			continue
		}
		write(e.T, e.spec, name, text)
	}
	ran(e.T, e.spec, "git", "add", "-A")
	ran(e.T, e.spec, "git", "commit", "-q", "-m", "a change")
}

// publish commits, and waits for the release of it.
func (e *estate) publish(files map[string]string) {
	e.Helper()
	e.commit(files)
	e.published()
}

// source is a file of the specification.
func (e *estate) source(name string) string {
	e.Helper()
	data, err := os.ReadFile(filepath.Join(e.spec, name))
	require.NoError(e.T, err)
	return string(data)
}

// published waits for the release of the newest commit.
func (e *estate) published() {
	e.Helper()
	head := strings.TrimSpace(ran(e.T, e.spec, "git", "rev-parse", "HEAD"))
	until(e.T, head+" is published", func() bool {
		var o struct {
			Repositories []struct{ Commit, Outcome string }
		}
		e.api("overview", &o)
		return slices.ContainsFunc(o.Repositories, func(r struct{ Commit, Outcome string }) bool {
			return r.Commit == head && r.Outcome == "published"
		})
	})
}

func (e *estate) api(name string, into any) {
	e.Helper()
	resp, err := http.Get("http://" + e.admin + "/api/v1/" + name)
	require.NoError(e.T, err)
	defer resp.Body.Close()
	require.NoError(e.T, json.NewDecoder(resp.Body).Decode(into))
}

// item is one entry of a run.
type item struct {
	Key struct{ Tag, Name string }
	// State is correct, incorrect, missing or not verified.
	State, Reason, Was, Cause string
	Changed                   bool
}

// result is what "run --format json" shows.
type result struct {
	Report struct {
		State, Mode, Error string
		Total, Good        int
		Modified, Bad      []struct {
			Key struct{ Tag, Name string }
		}
	}
	Entries []item
}

// item finds an entry.
func (r *result) item(t *testing.T, tag, name string) item {
	t.Helper()
	i := slices.IndexFunc(r.Entries, func(i item) bool { return i.Key.Tag == tag && i.Key.Name == name })
	require.GreaterOrEqual(t, i, 0, "%s:%s in %v", tag, name, r.Entries)
	return r.Entries[i]
}

// apply runs the agent once, which must end with a code.
func (e *estate) apply(want int, flags ...string) *result {
	e.Helper()
	out, code, problems := e.Machine.Run(nil, append([]string{"bindery-agent", "run", "--once", "--format", "json"}, flags...)...)
	require.Equal(e.T, want, code, "%s%s", out, problems)
	var r result
	require.NoError(e.T, json.Unmarshal([]byte(out), &r), out)
	return &r
}

// own are folders in which the system and the agent keep their own books.
var own = []string{"/var/lib/bindery", "/var/log", "/var/cache", "/var/lib/systemd", "/var/lib/apt", "/var/lib/dpkg", "/etc/resolv.conf"}

// copies are what the tools for users and groups keep of what was before their last
// step: they differ with the number of steps.
var copies = []string{"/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-"}

// list says how the machine stands.
func (e *estate) list(times bool, without ...string) machinetest.Listing {
	e.Helper()
	return machinetest.List(e.T, e.Root, machinetest.Aspects{Times: times, Without: append(slices.Clone(own), without...)})
}

// reads gives the text of a file of the machine as its processes see it.
func (e *estate) reads(name string) string {
	e.Helper()
	return e.Do("cat", name)
}

// clutter is what the specification takes away or changes.
func clutter(root string) {
	for name, text := range map[string]string{"srv/old/deep/file": "old", "srv/kept/not": "not", "etc/motd": "before\n"} {
		path := filepath.Join(root, name)
		_ = os.MkdirAll(filepath.Dir(path), 0o755)
		_ = os.WriteFile(path, []byte(text), 0o644)
	}
}

// converged looks, with the machine's own tools, whether all is as it shall be.
func (e *estate) converged() {
	e.Helper()
	for _, c := range []struct{ want, command string }{
		{"Kept by its specification.", "cat /etc/motd"},
		{"workers = 2", "cat /run/app.conf"},
		{"root:ops 640", "stat -c '%U:%G %a' /etc/app/secret"},
		{"deploy:ops 600", "stat -c '%U:%G %a' /home/deploy/.profile"},
		{"deploy:x:1500:1600:Deployment:/home/deploy:/bin/sh", "getent passwd deploy"},
		{"ops adm", "id -nG deploy"},
		{"fifo root:ops 660", "stat -c '%F %U:%G %a' /srv/shared/pipe"},
		{"character special file 1:3 660", "stat -c '%F %t:%T %a' /srv/shared/null"},
		{"shared", "readlink /srv/latest"},
		{"2", "stat -c %h /etc/app/app.conf"},
		{"user:deploy:rwx", "getfacl -cp /srv/shared | grep ^user:deploy"},
		{"default:user:deploy:rwx", "getfacl -cp /srv/shared | grep ^default:user:deploy"},
		{"gone", "test -e /srv/old || test -e /srv/kept/not || test -e /etc/apt/sources.list || echo gone"},
		{"640", "stat -c %a /usr/share/common-licenses/Artistic"},
		{"1.0 installed", "dpkg-query -W -f '${Version} ${db:Status-Status}' app"},
		{"active enabled", "echo $(systemctl is-active app) $(systemctl is-enabled app)"},
		{"active enabled", "echo $(systemctl is-active uplink) $(systemctl is-enabled uplink)"},
		{"changed", "tail -n 1 /var/log/app-changes"},
	} {
		require.Equal(e.T, c.want, strings.TrimSpace(e.Do("sh", "-c", c.command)), c.command)
	}
}
