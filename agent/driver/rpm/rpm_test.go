// SPDX-License-Identifier: Apache-2.0

package rpm_test

import (
	"context"
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
	"github.com/bindery/bindery/agent/driver/drivertest"
	"github.com/bindery/bindery/agent/driver/rpm"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

// archive builds packages, and an index of them.
func archive(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	const noarch = "BuildArch: noarch\n"
	build := func(name, version, fields string) {
		spec := fmt.Sprintf(`Name: %[1]s
Version: %[2]s
Release: 1
Summary: for tests
License: none
%[3]s%%description
for tests
%%install
mkdir -p %%{buildroot}/usr/share/%[1]s %%{buildroot}/usr/lib/%[1]s %%{buildroot}/etc
echo %[2]s > %%{buildroot}/usr/share/%[1]s/data
echo plugin > %%{buildroot}/usr/lib/%[1]s/plugin
echo conf > %%{buildroot}/etc/%[1]s.conf
%%files
/usr/share/%[1]s/data
/usr/lib/%[1]s/plugin
%%config /etc/%[1]s.conf
`, name, version, fields)
		put(t, dir+"/spec", spec)
		sh(t, dir, "rpmbuild", "-bb", "--define", "_rpmdir "+dir, "--define", "_topdir "+t.TempDir(), "spec")
	}
	for _, p := range []struct{ name, version, fields string }{
		{"one", "1.0", noarch}, {"one", "2.0", noarch}, {"two", "1", noarch + "Requires: base\n"}, {"base", "3", noarch + "Epoch: 1\n"},
		{"lonely", "1", noarch + "Requires: no-such-package\n"}, {"rival", "1", noarch + "Conflicts: two\n"},
		{"bindery-agent", "1", noarch}, {"mover", "1", noarch + "Prefix: /usr/share\n"}, {"native", "1", ""},
	} {
		build(p.name, p.version, p.fields)
	}
	put(t, dir+"/comps.xml", `<?xml version="1.0" encoding="UTF-8"?>
<comps><group><id>web</id><name>Web Server</name><description/><default>true</default><uservisible>true</uservisible><packagelist>
<packagereq type="mandatory">one</packagereq><packagereq type="default">two</packagereq><packagereq type="optional">rival</packagereq>
</packagelist></group></comps>
`)
	sh(t, dir, "createrepo_c", "-q", "-g", "comps.xml", ".")
	build("apart", "1", noarch) // which the index does not have
	return dir
}

func put(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
}

func sh(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// inside runs the real tools for a root of their own.
type inside struct {
	root, repo string
	// checked tells that packages have to be signed.
	checked bool
}

func (p inside) Run(ctx context.Context, c system.Command) (system.Result, error) {
	more := []string{"--root", p.root}
	if c.Args[0] == "dnf" || c.Args[0] == "yum" {
		more = []string{
			"--installroot=" + p.root, "--repofrompath=t,file://" + p.repo, "--repo=t", "--setopt=t.gpgcheck=" + fmt.Sprint(p.checked), "--setopt=reposdir=", "--releasever=1",
			"--setopt=cachedir=" + p.root + "/cache", "--setopt=logdir=/",
		}
	}
	c.Args = slices.Insert(slices.Clone(c.Args), 1, more...)
	if c.Args[0] == "yum" {
		c.Args[0] = "dnf"
	}
	return system.Host{}.Run(ctx, c)
}

func root(t *testing.T, repo string) *system.Machine {
	t.Helper()
	m, err := system.New(system.Config{Root: t.TempDir()})
	require.NoError(t, err)
	put(t, m.Root+"/usr/bin/rpm", "")
	put(t, m.Root+"/usr/bin/dnf", "")
	require.NoError(t, os.Mkdir(m.Root+"/usr/lib", 0o755))
	require.NoError(t, os.Symlink("usr/lib", m.Root+"/lib"))
	m.Processes = inside{root: m.Root, repo: repo}
	m.Root = "/"
	return m
}

func newDriver(t *testing.T, m *system.Machine) driver.Driver {
	t.Helper()
	d, err := rpm.New(rpm.Config{Machine: m})
	require.NoError(t, err)
	return d
}

func pack(words ...string) config.Entry {
	e := config.Entry{Tag: "Package", Attrs: []config.Attr{{Name: "type", Value: "yum"}}}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		e.Attrs = append(e.Attrs, config.Attr{Name: name, Value: value})
	}
	return e
}

func path(name string) config.Entry {
	return config.Entry{Tag: "Path", Attrs: []config.Attr{{Name: "type", Value: "file"}, {Name: "name", Value: name}}}
}

func typed(kind string, e config.Entry) config.Entry {
	e.Attrs[0].Value = kind
	return e
}

func instance() config.Entry {
	e := pack("name=one")
	e.Children = []*config.Node{{Tag: "Instance", Attrs: []config.Attr{{Name: "version", Value: "1.0"}, {Name: "release", Value: "1"}, {Name: "epoch", Value: "0"}, {Name: "arch", Value: "noarch"}}}}
	return e
}

func have(specs ...string) func(*testing.T, *system.Machine) {
	return func(t *testing.T, m *system.Machine) {
		t.Helper()
		r, err := m.Processes.Run(t.Context(), system.Command{Args: append([]string{"dnf", "-q", "-y", "install"}, specs...), Env: []string{"PATH=/usr/bin:/bin"}, Timeout: time.Minute, MaxTail: 4096})
		require.NoError(t, err)
		require.Zero(t, r.Exit, "%s", r.Tail)
	}
}

func altered(name string) func(*testing.T, *system.Machine) {
	return func(t *testing.T, m *system.Machine) {
		t.Helper()
		have("one-1.0")(t, m)
		put(t, m.Processes.(inside).root+name, "changed")
	}
}

// The real dnf and rpm, on a root of their own.
func TestConformance(t *testing.T) {
	t.Parallel()
	repo := archive(t)
	missing, wrong, right := driver.Missing, driver.Incorrect, driver.Correct
	instance := instance()
	fromFile := pack("name=apart", "url=file://"+repo+"/noarch")
	mover := func(to string) config.Entry {
		return pack("name=mover", "version=1", "reloc="+to, "url="+repo+"/noarch", "simplefile=mover-1-1.noarch.rpm")
	}
	fromFile.Children = with(&config.Node{Tag: "Instance", Attrs: []config.Attr{{Name: "version", Value: "any"}}}, "simplefile", "apart-1-1.noarch.rpm")
	file := func(version string) config.Entry {
		return pack("name=one", "version="+version, "url="+repo+"/noarch", "simplefile=one-1.0-1.noarch.rpm")
	}
	drivertest.Suite{Machine: func(t *testing.T) *system.Machine { return root(t, repo) }, New: newDriver}.Run(t, []drivertest.Case{
		{Name: "missing", Entry: pack("name=one", "version=auto"), Found: missing},
		{Name: "instance missing", Entry: instance, Found: missing},
		{Name: "instance from a file", Entry: fromFile, Found: missing},
		{Name: "from a file", Entry: file("1.0-1"), Found: missing},
		{Name: "an older one from a file", Entry: file("1.0-1"), Arrange: have("one-2.0"), Found: wrong},
		{Name: "from nowhere", Entry: pack("name=one", "version=any", "simplefile=one-1.0-1.noarch.rpm"), Fails: true},
		{Name: "right", Entry: pack("name=one", "version=1.0-1"), Arrange: have("one-1.0"), Found: right},
		{Name: "upgrade", Entry: pack("name=one", "version=latest"), Arrange: have("one-1.0"), Found: wrong},
		{Name: "downgrade", Entry: pack("name=one", "version=1.0", "release=1"), Arrange: have("one-2.0"), Found: wrong},
		{Name: "epoch", Entry: pack("name=base", "version=1:3-1", "multiarch=noarch"), Found: missing},
		{Name: "altered", Entry: pack("name=one", "version=any"), Arrange: altered("/usr/share/one/data"), Found: wrong},
		{Name: "altered by an entry", Entry: pack("name=one", "version=any"), Others: []config.Entry{path("/usr/share/one/data")}, Arrange: altered("/usr/share/one/data"), Found: right},
		{Name: "altered by an entry with the other name", Entry: pack("name=one", "version=any"), Others: []config.Entry{path("/lib/one/plugin")}, Arrange: altered("/lib/one/plugin"), Found: right},
		{Name: "altered beside an entry", Entry: pack("name=one", "version=any"), Others: []config.Entry{path("/lib/one/plugin")}, Arrange: altered("/usr/share/one/data"), Found: wrong},
		{Name: "of a Pkgmgr", Entry: pack("name=one", "version=1.0-1", "uri="+repo, "url="+repo+"/noarch/one-1.0-1.noarch.rpm", "simplefile=noarch/one-1.0-1.noarch.rpm"), Found: missing},
		{Name: "old, from a file", Entry: typed("rpm", pack("name=apart", "version=1-1", "url="+repo+"/noarch", "file=apart-1-1.noarch.rpm")), Found: missing},
		{Name: "sources of architectures", Entry: pack("name=one", "version=1.0", "multiarch=noarch", "srcs=1.0-1", "uri="+repo, "simplefile=%(arch)s/one-%(src)s.noarch.rpm"), Found: missing},
		{Name: "too few sources", Entry: pack("name=one", "version=1.0", "multiarch=noarch,i386", "srcs=1.0-1", "uri="+repo, "simplefile=%(src)s"), Fails: true},
		{Name: "moved", Entry: mover("/opt/x"), Found: missing},
		{Name: "moved elsewhere", Entry: mover("/opt/x/"), Arrange: have("mover"), Found: wrong},
		{Name: "moved, from a repository", Entry: pack("name=mover", "version=any", "reloc=/opt"), Found: missing, Stuck: true},
		{Name: "moved to no path", Entry: mover("opt"), Fails: true},
		{Name: "a group by its attribute", Entry: pack("name=", "group=Web Server"), Arrange: have("one-1.0"), Found: missing},
		{Name: "no such group", Entry: pack("name=@nobody"), Fails: true},
		{Name: "no name of a group", Entry: pack("name=@*"), Fails: true},
		{Name: "unknown", Entry: pack("name=no-such-package", "version=auto"), Found: missing, Stuck: true},
		{Name: "needs what nobody has", Entry: pack("name=lonely", "version=any"), Found: missing, Stuck: true},
		{Name: "no version", Entry: pack("name=one"), Fails: true},
		{Name: "no name of a package", Entry: pack("name=one*", "version=any"), Fails: true},
		{Name: "no version of a package", Entry: pack("name=one", "version=1 2"), Fails: true},
	})
}

// with is a copy of a child with one more attribute.
func with(child *config.Node, name, value string) []*config.Node {
	more := *child
	more.Attrs = append(slices.Clone(child.Attrs), config.Attr{Name: name, Value: value})
	return []*config.Node{&more}
}

// One call serves all; a broken package fails alone.
func TestMany(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	var items []driver.Item
	for _, e := range []config.Entry{pack("name=lonely", "version=any"), pack("name=one", "version=2.0"), pack("name=two", "version=auto")} {
		items = append(items, driver.Item{Entry: config.NewEntry(e)})
	}
	r := newDriver(t, m).(driver.Batch).ApplyAll(t.Context(), items, true)
	require.ErrorContains(t, r[0].Err, "no-such-package")
	require.Equal(t, []bool{false, true, true}, []bool{r[0].Changed, r[1].Changed, r[2].Changed})
	require.NoError(t, r[1].Err)
	require.NoError(t, r[2].Err)
}

func TestWhereNothingIsKnown(t *testing.T) {
	t.Parallel()
	m, _, procs := systemtest.Machine()
	for _, root := range []string{"/", "/elsewhere"} {
		m.Root = root
		out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(pack("name=one", "version=any"))}, true)
		require.NoError(t, err)
		require.Equal(t, driver.NotVerified, out.State)
	}
	require.Empty(t, procs.Ran())
}
