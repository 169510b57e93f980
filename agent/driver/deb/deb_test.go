// SPDX-License-Identifier: Apache-2.0

package deb_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/deb"
	"github.com/bindery/bindery/agent/driver/drivertest"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

const aMinute = time.Minute

func newDriver(t *testing.T, m *system.Machine) driver.Driver {
	t.Helper()
	d, err := deb.New(deb.Config{Machine: m})
	require.NoError(t, err)
	return d
}

func pack(words ...string) config.Entry {
	e := config.Entry{Tag: "Package", Attrs: []config.Attr{{Name: "type", Value: "deb"}}}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		e.Attrs = append(e.Attrs, config.Attr{Name: name, Value: value})
	}
	return e
}

func items(entries ...config.Entry) []driver.Item {
	var list []*config.Entry
	for _, e := range entries {
		list = append(list, config.NewEntry(e))
	}
	paths := driver.NewPaths(&config.Config{Bundles: []*config.Bundle{config.NewBundle("Bundle", nil, list)}})
	var out []driver.Item
	for _, e := range list {
		if e.Tag == "Package" {
			out = append(out, driver.Item{Entry: e, Paths: paths})
		}
	}
	return out
}

// have installs packages before.
func have(specs ...string) func(*testing.T, *system.Machine) {
	return func(t *testing.T, m *system.Machine) { install(t, m, specs...) }
}

func install(t *testing.T, m *system.Machine, args ...string) {
	t.Helper()
	args = append([]string{"apt-get", "-q", "-y", "--allow-downgrades", "--allow-change-held-packages", "install"}, args...)
	r, err := m.Processes.Run(t.Context(), system.Command{Args: args, Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, Timeout: aMinute, MaxTail: 4096})
	require.NoError(t, err)
	require.Zero(t, r.Exit, "%s", r.Tail)
}

func alter(name, content string) func(*testing.T, *system.Machine) {
	return func(t *testing.T, m *system.Machine) {
		install(t, m, "one=1.0-1")
		require.NoError(t, m.Files.Change(system.Change{Op: system.Write, Name: name, Mode: 0o644, UID: system.Keep, GID: system.Keep, Content: []byte(content)}))
	}
}

// The real apt-get and dpkg, on a root of their own.
func TestConformance(t *testing.T) {
	t.Parallel()
	repo := archive(t)
	s := drivertest.Suite{Machine: func(t *testing.T) *system.Machine { return root(t, repo) }, New: newDriver}
	missing, wrong, right := driver.Missing, driver.Incorrect, driver.Correct
	s.Run(t, []drivertest.Case{
		{Name: "missing", Entry: pack("name=one", "version=auto"), Found: missing},
		{Name: "with what it needs", Entry: pack("name=two", "version=any", "verify=true"), Found: missing},
		{Name: "right", Entry: pack("name=one", "version=1.0-1"), Arrange: have("one=1.0-1"), Found: right},
		{Name: "upgrade", Entry: pack("name=one", "version=latest"), Arrange: have("one=1.0-1"), Found: wrong},
		{Name: "downgrade", Entry: pack("name=one", "version=1.0-1"), Arrange: have("one=2.0-1"), Found: wrong},
		{Name: "altered", Entry: pack("name=one", "version=1.0-1"), Arrange: alter("/usr/share/one/data", "x"), Found: wrong},
		{Name: "altered and not verified", Entry: pack("name=one", "version=noverify", "verify=false"), Arrange: alter("/usr/share/one/data", "x"), Found: right},
		{Name: "stopped half way", Entry: pack("name=one", "version=any"), Arrange: halfWay, Found: wrong},
		{Name: "from a file", Entry: pack("name=one", "version=1.0-1", "url="+repo, "simplefile=one_1.0-1.deb"), Found: missing},
		{Name: "an older one from a file", Entry: pack("name=one", "version=1.0-1", "uri=file://"+repo, "url=file://"+repo+"/one_1.0-1.deb", "simplefile=one_1.0-1.deb"), Arrange: have("one=2.0-1"), Found: wrong},
		{Name: "from a file, with what it needs", Entry: pack("name=two", "version=any", "simplefile="+repo+"/two_1.deb"), Found: missing},
		{Name: "altered, and from a file", Entry: pack("name=one", "version=any", "uri="+repo, "simplefile=one_1.0-1.deb"), Arrange: alter("/usr/share/one/data", "x"), Found: wrong},
		{Name: "a file of another package", Entry: pack("name=one", "version=any", "uri="+repo, "simplefile=two_1.deb"), Found: missing, Stuck: true},
		{Name: "a file of another version", Entry: pack("name=one", "version=1.0-1", "uri="+repo, "simplefile=one_2.0-1.deb"), Found: missing, Stuck: true},
		{Name: "a file that is not there", Entry: pack("name=one", "version=any", "uri="+repo, "simplefile=gone.deb"), Found: missing, Stuck: true},
		{Name: "the newest of a file", Entry: pack("name=one", "version=auto", "uri="+repo, "simplefile=one_2.0-1.deb"), Fails: true},
		{Name: "a file that anybody may send", Entry: pack("name=one", "version=any", "url=http://example.org/one.deb", "simplefile=one.deb"), Fails: true},
		{Name: "unknown", Entry: pack("name=no-such-package", "version=auto"), Found: missing, Stuck: true},
		{Name: "unknown version", Entry: pack("name=one", "version=9.9"), Found: missing, Stuck: true},
		{Name: "needs what nobody has", Entry: pack("name=lonely", "version=auto"), Found: missing, Stuck: true},
		{Name: "on hold", Entry: pack("name=one", "version=2.0-1"), Arrange: held, Found: wrong, Stuck: true},
		{Name: "no version", Entry: pack("name=one"), Fails: true},
		{Name: "no name of a package", Entry: pack("name=--option", "version=any"), Fails: true},
		{Name: "an order to remove", Entry: pack("name=one-", "version=any"), Fails: true},
		{Name: "no version of a package", Entry: pack("name=one", "version=1 2"), Fails: true},
		{Name: "no architecture", Entry: pack("name=one", "version=any", "multiarch=amd64,-x"), Fails: true},
	})
}

func halfWay(t *testing.T, m *system.Machine) {
	r, err := m.Processes.Run(t.Context(), system.Command{
		Args: []string{"dpkg", "--unpack", archiveOf(t, m) + "/one_2.0-1.deb"}, Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, Timeout: aMinute, MaxTail: 4096,
	})
	require.NoError(t, err)
	require.Zero(t, r.Exit, "%s", r.Tail)
}

func held(t *testing.T, m *system.Machine) {
	install(t, m, "one=1.0-1")
	dir := m.Processes.(inside).dir
	data, err := os.ReadFile(dir + "/var/lib/dpkg/status")
	require.NoError(t, err)
	put(t, dir+"/var/lib/dpkg/status", strings.Replace(string(data), "install ok installed", "hold ok installed", 1))
}

func archiveOf(t *testing.T, m *system.Machine) string {
	t.Helper()
	data, err := os.ReadFile(m.Processes.(inside).dir + "/etc/apt/sources.list")
	require.NoError(t, err)
	return strings.TrimPrefix(strings.Fields(string(data))[2], "copy:")
}

// One call serves all; a broken package fails alone.
func TestMany(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	counted := &recorder{Processes: m.Processes}
	m.Processes = counted
	d := newDriver(t, m).(driver.Batch)
	good := items(pack("name=one", "version=1.0-1"), pack("name=two", "version=auto"), pack("name=base", "version=1:3"))
	for _, r := range d.ApplyAll(t.Context(), good, true) {
		require.NoError(t, r.Err)
		require.True(t, r.Changed)
	}
	require.Equal(t, []string{"apt-get install"}, counted.effects())
	for _, r := range d.ApplyAll(t.Context(), good, false) {
		require.Equal(t, driver.Correct, r.State)
	}

	mixed := items(pack("name=lonely", "version=auto"), pack("name=one", "version=2.0-1"), pack("name=broken", "version=auto"), pack("name=rival", "version=auto"), pack("name=two", "version=any"))
	var changed []bool
	var errs []string
	for _, r := range d.ApplyAll(t.Context(), mixed, true) {
		changed = append(changed, r.Changed)
		if r.Err != nil {
			errs = append(errs, r.Err.Error())
		}
	}
	require.Equal(t, []bool{false, true, true, false, false}, changed)
	require.Len(t, errs, 3)
	require.Contains(t, errs[0], "no-such-package")
	require.Contains(t, errs[1], "post-installation script")
	// One that waits for its configuration only is not installed again: apt-get has no file for that.
	again := d.ApplyAll(t.Context(), items(pack("name=broken", "version=auto")), true)
	require.ErrorContains(t, again[0].Err, "post-installation script")
	require.Equal(t, driver.Incorrect, again[0].State)
	require.Contains(t, errs[2], "it would take away what is configured or vital: two")
}

type recorder struct {
	system.Processes
	ran []system.Command
}

func (r *recorder) Run(ctx context.Context, c system.Command) (system.Result, error) {
	r.ran = append(r.ran, c)
	return r.Processes.Run(ctx, c)
}

func (r *recorder) effects() []string {
	var out []string
	for _, c := range r.ran {
		if c.Asks {
			continue
		}
		for _, a := range c.Args {
			if a == "install" || a == "update" || a == "--configure" || a == "purge" {
				out = append(out, c.Args[0]+" "+a)
			}
		}
	}
	return out
}

// What an entry decides about is not the package's fault, nor what dpkg was told.
func TestWhatVerificationLeavesOut(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	dir := m.Processes.(inside).dir
	install(t, m, "one=1.0-1")
	check := func(others ...config.Entry) []string {
		r := newDriver(t, m).(driver.Batch).ApplyAll(t.Context(), items(append(others, pack("name=one", "version=any"))...), false)
		require.NoError(t, r[0].Err)
		return r[0].Reasons
	}
	require.Empty(t, check())
	put(t, dir+"/usr/share/one/data", "changed")
	require.Equal(t, []string{"its files are not what was installed: /usr/share/one/data"}, check())
	quick := items(pack("name=one", "version=1.0-1"))
	quick[0].Quick = true
	out, err := newDriver(t, m).Apply(t.Context(), quick[0], false)
	require.NoError(t, err)
	require.Equal(t, driver.Correct, out.State, "a quick run believes files")
	path := func(kind, name string) config.Entry {
		return config.Entry{Tag: "Path", Attrs: []config.Attr{{Name: "type", Value: kind}, {Name: "name", Value: name}}}
	}
	for _, e := range []config.Entry{path("file", "/usr/share/one/data"), path("ignore", "/usr/share/one/data"), path("nonexistent", "/usr/share/one")} {
		require.Empty(t, check(e))
	}
	require.NotEmpty(t, check(path("directory", "/usr/share/one")), "a directory says nothing of its files")
	put(t, dir+"/usr/share/one/data", "data of 1.0-1")
	put(t, dir+"/usr/lib/one/plugin", "changed")
	require.NotEmpty(t, check(path("file", "/lib/one/plugin")), "which is another file")
	require.NoError(t, os.Symlink("usr/lib", dir+"/lib"))
	require.Empty(t, check(path("file", "/lib/one/plugin")))
	require.NotEmpty(t, check(path("file", "/lib/one")))
	put(t, dir+"/usr/lib/one/plugin", "plugin")
	put(t, dir+"/usr/share/one/data", "changed")
	put(t, dir+"/etc/dpkg/dpkg.cfg.d/lean", "path-exclude=/usr/share/*\npath-include /x\npath-include=/usr/share/doc/[!x]ne/*\n")
	require.Empty(t, check())
	require.NoError(t, os.Remove(dir+"/usr/share/doc/one/copyright"))
	require.Equal(t, []string{"its files are not what was installed: /usr/share/doc/one/copyright"}, check())
	require.NoError(t, os.Remove(dir+"/etc/dpkg/dpkg.cfg.d/lean"))

	put(t, dir+"/usr/share/doc/one/copyright", "free")
	put(t, dir+"/usr/share/one/moved", "data of 1.0-1")
	put(t, dir+"/var/lib/dpkg/diversions", "/usr/share/one/data\n/usr/share/one/moved\nother\n")
	require.Empty(t, check())
	put(t, dir+"/var/lib/dpkg/diversions", "/usr/share/one/data\n/usr/share/one/moved\none\n")
	require.NotEmpty(t, check())
}

// A package on hold is left as it is, unless its version is written down.
func TestHold(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	held(t, m)
	d := newDriver(t, m)
	out, err := d.Apply(t.Context(), items(pack("name=one", "version=auto"))[0], true)
	require.NoError(t, err)
	require.Equal(t, driver.Correct, out.State)
	out, err = d.Apply(t.Context(), items(pack("name=one", "version=2.0-1"))[0], true)
	require.EqualError(t, err, "it is on hold")
	require.Equal(t, driver.Incorrect, out.State)
}

// Lists that do not know a package yet are fetched anew.
func TestStaleLists(t *testing.T) {
	t.Parallel()
	repo := archive(t)
	old, err := os.ReadFile(repo + "/Packages")
	require.NoError(t, err)
	put(t, repo+"/Packages", "")
	m := root(t, repo)
	put(t, repo+"/Packages", string(old))
	counted := &recorder{Processes: m.Processes}
	m.Processes = counted
	out, err := newDriver(t, m).Apply(t.Context(), items(pack("name=one", "version=auto"))[0], true)
	require.NoError(t, err)
	require.True(t, out.Changed)
	require.Equal(t, []string{"apt-get update", "apt-get install"}, counted.effects())
}

func TestExtras(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	install(t, m, "one", "two")
	extras := func(i []driver.Item) string {
		list, err := newDriver(t, m).(driver.Surveyor).Extras(t.Context(), i)
		require.NoError(t, err)
		var out []string
		for _, e := range list {
			out = append(out, e.Name+" "+e.What)
		}
		return strings.Join(out, ", ")
	}
	require.Equal(t, "one 2.0-1, two 1", extras(nil), "base came along")
	require.Equal(t, "two 1", extras(items(pack("name=one"))))
}

// The agent's own package is never extra, and nothing that takes it away is installed.
func TestTheAgentStays(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	install(t, m, "bindery-agent", "two")
	d := newDriver(t, m)
	list, err := d.(driver.Surveyor).Extras(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "two", list[0].Name)
	_, err = d.Apply(t.Context(), items(pack("name=usurper", "version=auto"))[0], true)
	require.ErrorContains(t, err, "it would take away what is configured or vital: bindery-agent")
	back := d.(driver.Keeper).Restore(t.Context(), driver.Passage{Standing: driver.Standing{State: "two:all 1\nbase:all 1:3\n"}}, driver.Restoration{Apply: true, Force: true})
	require.NoError(t, back.Err)
	require.Empty(t, back.What)
	require.Equal(t, []string{"bindery-agent: the agent does not take itself away"}, back.Kept)
	errs := d.(driver.Remover).Remove(t.Context(), []driver.Surplus{{Name: "bindery-agent:amd64"}})
	require.ErrorContains(t, errs[0], "the agent does not take itself away")
	errs = d.(driver.Remover).Remove(t.Context(), []driver.Surplus{{Name: "bindery-agent"}, {Name: "two"}})
	require.ErrorContains(t, errs[0], "the agent does not take itself away")
	require.NoError(t, errs[1])
	list, err = d.(driver.Surveyor).Extras(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, list)
}

func TestWhereNothingIsKnown(t *testing.T) {
	t.Parallel()
	m, _, procs := systemtest.Machine()
	i := items(pack("name=one", "version=auto", "reloc=/opt"))
	for _, root := range []string{"/", "/elsewhere"} {
		m.Root = root
		r := newDriver(t, m).(driver.Batch).ApplyAll(t.Context(), i, true)
		require.NoError(t, r[0].Err)
		require.Equal(t, driver.NotVerified, r[0].State)
		require.NotEmpty(t, r[0].Reasons)
	}
	require.Empty(t, procs.Ran())
	m.Root = "/"
	require.NoError(t, m.Files.Change(system.Change{Op: system.Mkdir, Name: "/var"}))
	require.NoError(t, m.Files.Change(system.Change{Op: system.Mkdir, Name: "/var/lib"}))
	require.NoError(t, m.Files.Change(system.Change{Op: system.Mkdir, Name: "/var/lib/dpkg"}))
	require.NoError(t, m.Files.Change(system.Change{Op: system.Write, Name: "/var/lib/dpkg/status", Content: []byte("Package: one\nStatus: install ok installed\nArchitecture: i386\nVersion: 1\n")}))
	r, err := newDriver(t, m).Apply(t.Context(), items(pack("name=one", "version=any", "reloc=/opt"))[0], false)
	require.NoError(t, err)
	require.Equal(t, []string{"reloc"}, r.Unverified)
	r, err = newDriver(t, m).Apply(t.Context(), items(pack("name=one", "version=any", "multiarch=i386,amd64"))[0], false)
	require.NoError(t, err)
	require.Equal(t, []string{"amd64: is not installed"}, r.Reasons)
}

// A package that was right is looked at again after an hour, or when dpkg touched
// it.
func TestVerifyEvery(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	dir := m.Processes.(inside).dir
	install(t, m, "one=1.0-1")
	now := time.Now()
	m.Now = func() time.Time { return now }
	d := newDriver(t, m)
	state := func() driver.State {
		out, err := d.Apply(t.Context(), items(pack("name=one", "version=any"))[0], false)
		require.NoError(t, err)
		return out.State
	}
	require.Equal(t, driver.Correct, state())
	put(t, dir+"/usr/share/one/data", "changed")
	require.Equal(t, driver.Correct, state())
	now = now.Add(time.Hour)
	require.Equal(t, driver.Incorrect, state())
	require.Equal(t, driver.Incorrect, state(), "what is wrong is looked at each time")
	put(t, dir+"/usr/share/one/data", "data of 1.0-1")
	require.Equal(t, driver.Correct, state())
	now = now.Add(2 * time.Hour)
	require.Equal(t, driver.Correct, state(), "and nothing changed")
	put(t, dir+"/usr/share/one/data", "changed")
	install(t, m, "one=2.0-1")
	put(t, dir+"/usr/share/one/data", "changed")
	require.Equal(t, driver.Incorrect, state())
	now = now.Add(-24 * time.Hour)
	require.Equal(t, driver.Incorrect, state(), "a clock that went back")
}

// The next process knows what was right; what is damaged teaches nothing.
func TestLearned(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	install(t, m, "one=1.0-1")
	e := items(pack("name=one", "version=1.0-1"))[0]
	state := func(d driver.Driver) driver.State {
		out, err := d.Apply(t.Context(), e, false)
		require.NoError(t, err)
		return out.State
	}
	first := newDriver(t, m).(*deb.Driver)
	require.Equal(t, driver.Correct, state(first))
	data, err := first.Learned()
	require.NoError(t, err)
	again, err := first.Learned()
	require.NoError(t, err)
	require.Nil(t, again, "nothing new")

	put(t, m.Processes.(inside).dir+"/usr/share/one/data", "changed")
	next := newDriver(t, m).(*deb.Driver)
	next.Learn(data)
	require.Equal(t, driver.Correct, state(next), "not looked at within an hour")
	require.Equal(t, driver.Incorrect, state(newDriver(t, m)))
	for _, damaged := range []string{"", "{", `{"good": 7}`, "null"} {
		d := newDriver(t, m).(*deb.Driver)
		d.Learn([]byte(damaged))
		require.Equal(t, driver.Incorrect, state(d))
	}
}
