// SPDX-License-Identifier: Apache-2.0

package rpm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/rpm"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// built is a repository of packages: each is NAME VERSION ARCHITECTURE, and lines of its
// spec. Scripts are Lua: there is no shell in the roots.
func built(t *testing.T, packages map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for what, lines := range packages {
		f := strings.Fields(what)
		text := fmt.Sprintf("Name: %s\nVersion: %s\nRelease: 1\nSummary: for tests\nLicense: none\n", f[0], f[1])
		if f[2] == "noarch" {
			text += "BuildArch: noarch\n"
		}
		fields, scripts, _ := strings.Cut(lines, "%")
		text += "AutoReqProv: no\n" + fields + "\n%description\nfor tests\n"
		if scripts != "" {
			text += "%" + scripts + "\n"
		}
		text += fmt.Sprintf("%%install\nmkdir -p %%{buildroot}/usr/share/%[1]s\necho %[2]s > %%{buildroot}/usr/share/%[1]s/%[3]s\n%%files\n/usr/share/%[1]s\n", f[0], f[1], f[2])
		put(t, dir+"/spec", text)
		sh(t, dir, "rpmbuild", "-bb", "--quiet", "--target", f[2], "--define", "_rpmdir "+dir, "--define", "_topdir "+t.TempDir(), "spec")
	}
	sh(t, dir, "createrepo_c", "-q", ".")
	return dir
}

func fails(script string) string { return "%" + script + " -p <lua>\nerror(\"it does not work\")" }

func wanted(entries ...config.Entry) []driver.Item {
	var out []driver.Item
	for _, e := range entries {
		out = append(out, driver.Item{Entry: config.NewEntry(e)})
	}
	return out
}

func applied(t *testing.T, d driver.Driver, apply bool, entries ...config.Entry) []driver.Result {
	t.Helper()
	return d.(driver.Batch).ApplyAll(t.Context(), wanted(entries...), apply)
}

// A script that fails is the fault of its package, and of those that need it. rpm takes
// the package for installed, and does not know the next time.
func TestScriptsThatFail(t *testing.T) {
	t.Parallel()
	repo := built(t, map[string]string{
		"fine 1 noarch": "", "lame 1 noarch": fails("post"), "never 1 noarch": fails("pre"), "late 1 noarch": fails("posttrans"),
		"over 1 noarch": "Requires: between\n", "between 1 noarch": "Requires: hidden\n", "hidden 1 noarch": fails("post"),
	})
	m := root(t, repo)
	d := newDriver(t, m)
	all := []config.Entry{
		pack("name=fine", "version=1"), pack("name=lame", "version=any"), pack("name=never", "version=auto"), pack("name=late", "version=1-1"), pack("name=over", "version=1"),
	}
	r := applied(t, d, true, all...)
	require.NoError(t, r[0].Err)
	require.ErrorContains(t, r[1].Err, "a script of package lame failed")
	require.ErrorContains(t, r[1].Err, "it does not work")
	require.ErrorContains(t, r[2].Err, "it does not work")
	require.ErrorContains(t, r[3].Err, "a script of package late failed")
	require.ErrorContains(t, r[4].Err, "a script of package hidden failed")
	require.Equal(t, []bool{true, true, false, true, true}, []bool{r[0].Changed, r[1].Changed, r[2].Changed, r[3].Changed, r[4].Changed})

	// The next process tries it again, and so long as it fails says so.
	data, err := d.(driver.Learner).Learned()
	require.NoError(t, err)
	next := newDriver(t, m)
	next.(driver.Learner).Learn(data)
	r = applied(t, next, false, all...)
	require.Equal(t, []driver.State{driver.Correct, driver.Incorrect, driver.Missing, driver.Incorrect, driver.Correct},
		[]driver.State{r[0].State, r[1].State, r[2].State, r[3].State, r[4].State})
	require.Contains(t, r[1].Reasons[0], "a script of package lame failed")
	r = applied(t, next, true, all[1])
	require.ErrorContains(t, r[0].Err, "a script of package lame failed")

	// Repaired in the same version, it is installed again, and all is well.
	sh(t, repo, "sh", "-c", "rm -r noarch/lame* repodata && cp "+built(t, map[string]string{"lame 1 noarch": ""})+"/noarch/* noarch/ && createrepo_c -q .")
	require.NoError(t, os.RemoveAll(m.Processes.(inside).root+"/cache"))
	r = applied(t, next, true, all[1])
	require.NoError(t, r[0].Err)
	require.True(t, r[0].Changed)
	require.Equal(t, driver.Correct, applied(t, next, false, all[1])[0].State)
}

// One package whose script does not let it go keeps no other.
func TestRemoveOneThatStays(t *testing.T) {
	t.Parallel()
	m := root(t, built(t, map[string]string{"fine 1 noarch": "", "stays 1 noarch": fails("preun"), "also 1 noarch": ""}))
	have("fine", "stays", "also")(t, m)
	errs := newDriver(t, m).(driver.Remover).Remove(t.Context(), []driver.Surplus{{Name: "fine"}, {Name: "stays"}, {Name: "also"}})
	require.NoError(t, errs[0])
	require.ErrorContains(t, errs[1], "it does not work")
	require.NoError(t, errs[2])
}

// Versions with an epoch and no release, of one architecture of several, and more of a
// name than one.
func TestVersions(t *testing.T) {
	t.Parallel()
	m := root(t, built(t, map[string]string{
		"epochal 3 noarch": "Epoch: 1\n", "lib 1 i686": "", "lib 1 x86_64": "", "lib 2 i686": "", "lib 2 x86_64": "",
		"core 9 noarch": "Provides: installonlypkg(kernel)\n", "core 10 x86_64": "Provides: installonlypkg(kernel)\n",
	}))
	d := newDriver(t, m)
	good := func(entries ...config.Entry) {
		t.Helper()
		for i, r := range applied(t, d, true, entries...) {
			require.NoError(t, r.Err)
			require.True(t, r.Changed, i)
		}
		for _, r := range applied(t, d, false, entries...) {
			require.Equal(t, driver.Correct, r.State, r.Reasons)
		}
	}
	good(pack("name=epochal", "version=3", "epoch=1"), pack("name=lib", "version=1", "arch=x86_64"), pack("name=core", "version=9"))
	require.Equal(t, driver.Incorrect, applied(t, d, false, pack("name=epochal", "version=3", "epoch=0"))[0].State)
	good(pack("name=lib", "version=1", "multiarch=x86_64,i686"))
	good(pack("name=lib", "version=auto", "multiarch=x86_64,i686"), pack("name=core", "version=auto"))
	// Both are there, and files of the newer one count.
	put(t, m.Processes.(inside).root+"/usr/share/core/x86_64", "changed")
	require.Equal(t, driver.Correct, applied(t, d, false, pack("name=core", "version=9"))[0].State)
	d = newDriver(t, m)
	require.Equal(t, driver.Incorrect, applied(t, d, false, pack("name=core", "version=10"))[0].State)
	good(pack("name=core", "version=any"))
}

// A package does not go because another one takes its place.
func TestObsoletes(t *testing.T) {
	t.Parallel()
	repo := built(t, map[string]string{"old 1 noarch": "", "bindery-agent 1 noarch": "", "new 2 noarch": "Obsoletes: old < 2\n", "usurper 1 noarch": "Obsoletes: bindery-agent\n"})
	m := root(t, repo)
	sh(t, repo, "rpm", "--root", m.Processes.(inside).root, "--install", repo+"/noarch/old-1-1.noarch.rpm", repo+"/noarch/bindery-agent-1-1.noarch.rpm")
	d := newDriver(t, m)
	old, usurper := pack("name=old", "version=any"), pack("name=usurper", "version=any")
	r := applied(t, d, true, old, pack("name=new", "version=any"), usurper)
	require.NoError(t, r[0].Err)
	require.ErrorContains(t, r[1].Err, "protected packages: old")
	require.ErrorContains(t, r[2].Err, "protected packages: bindery-agent")
	r = applied(t, d, true, pack("name=new", "version=any"))
	require.NoError(t, r[0].Err)
	r = applied(t, d, true, old)
	require.EqualError(t, r[0].Err, "new-2-1.noarch takes its place (Obsoletes)")
}

// Nobody knows what is newest where repositories do not answer; versions that are
// written down are as right as ever.
func TestRepositoriesThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	repo := built(t, map[string]string{"fine 1 noarch": "", "also 1 noarch": ""})
	m := root(t, repo)
	have("fine", "also")(t, m)
	dir := m.Processes.(inside).root
	require.NoError(t, os.RemoveAll(dir+"/cache"))
	require.NoError(t, os.WriteFile(repo+"/repodata/repomd.xml", []byte("<broken"), 0o600))
	d := newDriver(t, m)
	all := []config.Entry{pack("name=fine", "version=auto"), pack("name=also", "version=1"), pack("name=gone", "version=any")}
	r := applied(t, d, true, all...)
	require.Equal(t, driver.NotVerified, r[0].State)
	require.ErrorContains(t, r[0].Err, "repositories that did not answer: t")
	require.Equal(t, driver.Correct, r[1].State)
	require.NoError(t, r[1].Err)
	require.ErrorContains(t, r[2].Err, "Ignoring repositories: t")
}

// Another dnf at work is waited for, and then named.
func TestAnotherAtWork(t *testing.T) {
	t.Parallel()
	m := root(t, built(t, map[string]string{"fine 1 noarch": "", "also 1 noarch": ""}))
	dir := m.Processes.(inside).root
	d, err := rpm.New(rpm.Config{Machine: m, LockWait: time.Second})
	require.NoError(t, err)
	lock := dir + "/cache/metadata_lock.pid"
	put(t, lock, fmt.Sprint(os.Getpid()))
	all := []config.Entry{pack("name=fine", "version=1"), pack("name=also", "version=1")}
	for _, r := range applied(t, d, true, all...) {
		require.ErrorContains(t, r.Err, fmt.Sprintf("already locked by %d", os.Getpid()))
		require.ErrorContains(t, r.Err, filepath.Base(os.Args[0])[:7])
	}
	require.NoError(t, os.Remove(lock))
	for _, r := range applied(t, d, true, all...) {
		require.NoError(t, r.Err)
	}
}

// A host's timers ask for lists, too: what is newest is known a moment later.
func TestAnotherAsks(t *testing.T) {
	t.Parallel()
	m := root(t, built(t, map[string]string{"fine 1 noarch": ""}))
	have("fine")(t, m)
	lock := m.Processes.(inside).root + "/cache/metadata_lock.pid"
	put(t, lock, fmt.Sprint(os.Getpid()))
	m.Processes = passing{m.Processes, lock}
	r := applied(t, newDriver(t, m), false, pack("name=fine", "version=auto"))
	require.NoError(t, r[0].Err)
	require.Equal(t, driver.Correct, r[0].State)
	require.NoFileExists(t, lock, "it was met")
}

// passing is a host on which who has a lock is done when it was met once.
type passing struct {
	system.Processes
	lock string
}

func (p passing) Run(ctx context.Context, c system.Command) (system.Result, error) {
	r, err := p.Processes.Run(ctx, c)
	if strings.Contains(string(r.Tail), "already locked by") {
		err = errors.Join(err, os.Remove(p.lock))
	}
	return r, err
}

// A package that nobody signed is refused where that is asked for.
func TestUnsigned(t *testing.T) {
	t.Parallel()
	repo := built(t, map[string]string{"fine 1 noarch": ""})
	m := root(t, repo)
	p := m.Processes.(inside)
	p.checked = true
	m.Processes = p
	r := applied(t, newDriver(t, m), true, pack("name=fine", "version=1"))
	require.ErrorContains(t, r[0].Err, "dnf install ended with status 1: However, you do not have any GPG public keys installed.")
	home, err := os.MkdirTemp("", "gpg") // a socket of it must have a short name
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, exec.CommandContext(context.Background(), "gpgconf", "--homedir", home, "--kill", "all").Run())
		require.NoError(t, os.RemoveAll(home))
	})
	sh(t, home, "gpg", "--homedir", home, "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "somebody@example.org", "ed25519", "sign", "never")
	sh(t, home, "gpg", "--homedir", home, "--armor", "--output", "key", "--export")
	sh(t, home, "rpm", "--root", p.root, "--import", home+"/key")
	r = applied(t, newDriver(t, m), true, pack("name=fine", "version=1"))
	require.ErrorContains(t, r[0].Err, "Package fine-1-1.noarch.rpm is not signed")
	gpg, err := exec.LookPath("gpg")
	require.NoError(t, err)
	sh(t, repo, "rpmsign", "--define", "__gpg "+gpg, "--define", "_gpg_name somebody@example.org", "--define", "_gpg_path "+home, "--addsign", "noarch/fine-1-1.noarch.rpm")
	sh(t, repo, "createrepo_c", "-q", ".")
	require.NoError(t, os.RemoveAll(p.root+"/cache"))
	r = applied(t, newDriver(t, m), true, pack("name=fine", "version=1"))
	require.NoError(t, r[0].Err)
	require.True(t, r[0].Changed)
}

// Where there is no dnf, yum is called, and named: on most systems it is another name
// of dnf, and is here.
func TestYum(t *testing.T) {
	t.Parallel()
	m := root(t, built(t, map[string]string{"fine 1 noarch": "", "fine 2 noarch": "", "lame 1 noarch": fails("post")}))
	dir := m.Processes.(inside).root
	require.NoError(t, os.Rename(dir+"/usr/bin/dnf", dir+"/usr/bin/yum"))
	d := newDriver(t, m)
	r := applied(t, d, true, pack("name=fine", "version=1"), pack("name=lame", "version=any"), pack("name=gone", "version=any"))
	require.NoError(t, r[0].Err)
	require.ErrorContains(t, r[1].Err, "a script of package lame failed")
	require.ErrorContains(t, r[2].Err, "yum install ended with status 1: No match for argument: gone")
	r = applied(t, d, true, pack("name=fine", "version=auto"))
	require.NoError(t, r[0].Err)
	require.Equal(t, []string{"version: 1-1, and 2-1 can be had"}, r[0].Reasons)
	require.True(t, r[0].Changed)
}

// deaf is a database that cannot be read for long.
type deaf struct{ system.Processes }

func (p deaf) Run(ctx context.Context, c system.Command) (system.Result, error) {
	if slices.Contains(c.Args, "--verify") {
		return system.Result{Exit: 1, Tail: []byte("error: rpmdb: damaged header\n")}, nil
	}
	return p.Processes.Run(ctx, c)
}

// What rpm cannot answer is not good.
func TestVerifyThatFails(t *testing.T) {
	t.Parallel()
	m := root(t, built(t, map[string]string{"fine 1 noarch": "", "also 1 noarch": ""}))
	have("fine", "also")(t, m)
	m.Processes = deaf{m.Processes}
	r := applied(t, newDriver(t, m), true, pack("name=fine", "version=1"), pack("name=also", "version=1", "verify=false"))
	require.Equal(t, driver.NotVerified, r[0].State)
	require.ErrorContains(t, r[0].Err, "rpm --verify ended with status 1")
	require.Equal(t, driver.Correct, r[1].State)
	quick := wanted(pack("name=fine", "version=1"))
	quick[0].Quick = true
	out, err := newDriver(t, m).Apply(t.Context(), quick[0], false)
	require.NoError(t, err)
	require.Equal(t, driver.Correct, out.State, "a quick run does not ask")
}
