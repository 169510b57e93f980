// SPDX-License-Identifier: Apache-2.0

//go:build machine

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
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
	kind    kind
	archive *archive
	dir     string
	spec    string
	public  string
	admin   string
}

// Helper, Cleanup and the like are the test's.
func (e *estate) Helper() { e.T.Helper() }

// newEstate starts a machine of a kind and enrols it.
func newEstate(t *testing.T, k kind, files map[string]string) *estate {
	t.Helper()
	e := newSite(t)
	e.kind = k
	root := machinetest.Copy(t, present(t, "../bin/"+k.base, "make e2e-agent"))
	k.place(t, root)
	start := machinetest.Enter
	if k.booted {
		start = machinetest.Boot
	}
	e.Machine = start(t, root)
	e.Connect()
	e.sh("set -e\n" + k.begin)
	all := map[string]string{uplinkConf: "ADDRESS=" + e.Own + "/30\n"}
	if k.hasPackages() {
		e.archive = newArchive(t, k.rpm)
		all[k.says("Cfg/etc/apt/keyrings/local.asc/local.asc")] = e.archive.key()
		all[k.says("Cfg/etc/apt/sources.list.d/local.sources/local.sources")] = e.archive.sources(e.Address, k.rpm)
	}
	maps.Copy(all, k.more)
	maps.Copy(all, files)
	unpack(t, os.DirFS(k.spec), e.spec)
	e.reword()
	e.commit(all)
	e.serve()
	token := ran(t, e.dir, program(t, "bindery"), "hosts", "add", node, "--config", "controller.yaml")
	e.install()
	_, code, problems := e.Machine.Run([]byte(token), "bindery-agent", "enroll", "--url", "http://"+net.JoinHostPort(e.Address, e.port()), "--host", node, "--token-file", "-")
	require.Zero(t, code, problems)
	until(t, "there is a release for the host", func() bool {
		_, code, _ := e.Machine.Run(nil, "bindery-agent", "run", "--once", "--dry-run")
		return code == 0 || code == 1 // nothing to do, or something
	})
	return e
}

// reword puts the specification into the words of the kind.
func (e *estate) reword() {
	e.Helper()
	require.NoError(e.T, fs.WalkDir(os.DirFS(e.spec), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(name, ".git/") {
			return err
		}
		write(e.T, e.spec, name, e.kind.says(e.source(name)))
		return nil
	}))
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

// install brings the agent to the machine, as the package that was built last. Without
// systemd it is one process, as the settings in the package say.
func (e *estate) install() {
	e.Helper()
	pattern, command := "../dist/bindery-agent_*_"+runtime.GOARCH+".deb", "dpkg -i"
	if e.kind.rpm {
		arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
		pattern, command = "../dist/bindery-agent-*."+arch+".rpm", "rpm -i"
	}
	name := ""
	var newest time.Time
	files, err := filepath.Glob(pattern)
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
	_, code, problems := e.Machine.Run(data, "sh", "-c", "cat > /tmp/agent && "+command+" /tmp/agent && rm /tmp/agent")
	require.Zero(e.T, code, problems)
	if !e.kind.booted {
		e.sh("sed -i 's/^fetch_user/# &/' /etc/bindery/agent.yaml")
	}
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

// books are folders in which the agent keeps its own books, and the system its logs and
// a passing folder for each unit with a /tmp of its own.
var books = []string{"/var/lib/bindery", "/var/lib/bindery-fetch", "/var/spool/bindery", "/var/log", "/var/tmp"}

// copies are what the tools for users and groups keep of what was before their last
// step: they differ with the number of steps.
var copies = []string{"/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-"}

// list says how the machine stands.
func (e *estate) list(times bool, without ...string) machinetest.Listing {
	e.Helper()
	return machinetest.List(e.T, e.Root, machinetest.Aspects{Times: times, Without: slices.Concat(books, e.kind.own, without)})
}

// reads gives the text of a file of the machine as its processes see it.
func (e *estate) reads(name string) string {
	e.Helper()
	return e.Do("cat", name)
}

// converged looks, with the machine's own tools, whether all is as it shall be.
func (e *estate) converged() {
	e.Helper()
	for _, c := range e.kind.truths {
		require.Equal(e.T, c.want, strings.TrimSpace(e.sh(c.command)), c.command)
	}
}

// sh runs a command of the kind, which must succeed.
func (e *estate) sh(command string) string {
	e.Helper()
	return e.Do("sh", "-c", e.kind.says(command))
}

// packages lists what the machine's tool for packages has, and what others brought along.
func (e *estate) packages() string {
	e.Helper()
	return e.sh(e.kind.packages)
}

// units lists what the specification's services do.
func (e *estate) units() string {
	e.Helper()
	return e.sh(e.kind.units)
}
