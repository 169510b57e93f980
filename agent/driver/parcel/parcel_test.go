// SPDX-License-Identifier: Apache-2.0

package parcel_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/drivertest"
	"github.com/bindery/bindery/agent/driver/parcel"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

// host is a host in memory whose tools answer in the words of their man pages.
type host struct {
	files    *systemtest.Files
	have     map[string]string // versions of System V
	bad      map[string]string // files of packages that differ
	commands []string
}

func (h *host) answer(c system.Command) (r system.Result, err error) {
	if !c.Asks {
		h.commands = append(h.commands, strings.Join(c.Args, " "))
	}
	name := c.Args[len(c.Args)-1]
	switch c.Args[0] {
	case "/usr/bin/pkginfo":
		out := ""
		for _, name := range slices.Sorted(maps.Keys(h.have)) {
			out += fmt.Sprintf("%-11s %s, for tests\n            (sparc) %s\n", name, name, h.have[name])
		}
		r.Stdout = []byte(out)
	case "/usr/sbin/pkgchk":
		if path := h.bad[name]; path != "" {
			r.Exit, r.Stdout = 1, []byte("ERROR: "+path+"\n    file cksum <1> expected <2> actual\n")
		}
	case "/usr/sbin/pkgrm":
		delete(h.have, name)
	case "/usr/sbin/pkgadd", "/opt/csw/bin/pkg-get":
		return h.add(name), nil
	default:
		return h.epkg(c.Args[1:]), nil
	}
	return r, nil
}

func (h *host) add(name string) (r system.Result) {
	switch name {
	case "CSWlonely", "lonely":
		r.Exit, r.Tail = 1, []byte("pkgadd: ERROR: no package associated with <lonely>\n")
	case "CSWlies", "lies":
	default:
		h.have["CSW"+strings.TrimPrefix(name, "CSW")] = "2.0,REV=1"
		delete(h.bad, name)
		delete(h.bad, "CSW"+name)
	}
	return r
}

func (h *host) epkg(args []string) (r system.Result) {
	name := strings.TrimSuffix(args[len(args)-1][strings.LastIndex(args[len(args)-1], "/")+1:], ".tar.gz")
	dir := "/usr/local/encap/" + name
	switch {
	case slices.Contains(args, "-k"):
		r.Exit = map[bool]int{true: 1}[h.bad[name] != ""]
	case slices.Contains(args, "-r"):
		_ = h.files.Change(system.Change{Op: system.Remove, Name: dir})
	case strings.HasPrefix(name, "CSWlonely"):
		r.Exit, r.Tail = 1, []byte("epkg: cannot download\n")
	case strings.HasPrefix(name, "CSWlies"):
	default:
		delete(h.bad, name)
		_ = h.files.Change(system.Change{Op: system.Mkdir, Name: dir, Mode: 0o755})
	}
	return r
}

func newHost(t *testing.T) (*system.Machine, *host) {
	t.Helper()
	m, files, procs := systemtest.Machine()
	h := &host{files: files, have: map[string]string{"CSWhere": "2.0,REV=1", "CSWold": "1.0", "CSWbad": "2.0,REV=1"}, bad: map[string]string{"CSWbad": "/opt/csw/bin/bad", "CSWbad-2.0": "x"}}
	procs.Answer = h.answer
	for _, dir := range []string{
		"/usr", "/usr/bin", "/usr/sbin", "/usr/local", "/usr/local/bin", "/usr/local/encap", "/opt", "/opt/csw", "/opt/csw/bin", "/var", "/var/sadm", "/var/sadm/install",
		"/var/sadm/install/admin", "/usr/local/encap/CSWhere-2.0", "/usr/local/encap/CSWold-1.0", "/usr/local/encap/CSWbad-2.0",
	} {
		require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: dir, Mode: 0o755}))
	}
	for _, name := range []string{"/usr/bin/pkginfo", "/usr/sbin/pkgadd", "/opt/csw/bin/pkg-get", "/usr/local/bin/epkg"} {
		require.NoError(t, files.Change(system.Change{Op: system.Write, Name: name, Mode: 0o755}))
	}
	return m, h
}

func of(kind string) func(*testing.T, *system.Machine) driver.Driver {
	return func(t *testing.T, m *system.Machine) driver.Driver {
		t.Helper()
		d, err := parcel.New(parcel.Config{Machine: m, Type: kind})
		require.NoError(t, err)
		return d
	}
}

func pack(words ...string) config.Entry {
	e := config.Entry{Tag: "Package"}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		e.Attrs = append(e.Attrs, config.Attr{Name: name, Value: value})
	}
	return e
}

func TestConformance(t *testing.T) {
	t.Parallel()
	missing, wrong, right := driver.Missing, driver.Incorrect, driver.Correct
	for _, kind := range parcel.Types() {
		version := map[bool]string{true: "version=2.0", false: "version=2.0,REV=1"}[kind == "encap"]
		one := func(name string, words ...string) config.Entry {
			more := []string{"name=" + name, "url=https://example.org/p", "file=" + name + "-2.0.tar.gz"}
			return pack(append(more, words...)...)
		}
		cases := []drivertest.Case{
			{Name: "missing", Entry: one("CSWnew", version), Found: missing},
			{Name: "right", Entry: one("CSWhere", version), Found: right},
			{Name: "any", Entry: one("CSWold", "version=any"), Found: right},
			{Name: "noverify", Entry: one("CSWold", "version=noverify"), Found: right},
			{Name: "another version", Entry: one("CSWnewer", version, "verify=true"), Found: missing},
			{Name: "altered and not verified", Entry: one("CSWbad", version, "verify=false"), Found: right},
			{Name: "altered", Entry: one("CSWbad", version), Found: wrong},
			{Name: "cannot be had", Entry: one("CSWlonely", version), Found: missing, Stuck: true, Partly: kind != "encap"},
			{Name: "a tool that lies", Entry: one("CSWlies", version), Found: missing, Stuck: true, Partly: true},
			{Name: "no version", Entry: one("CSWnew"), Fails: true},
			{Name: "no name of a package", Entry: one("-x", "version=any"), Fails: true},
			{Name: "no version of a package", Entry: one("CSWnew", "version=1 2"), Fails: true},
			{Name: "no source", Entry: pack("name=CSWnew", "version=any", "url=ssh://x"), Fails: true},
		}
		if kind != "blast" {
			cases = append(cases, drivertest.Case{Name: "without a source", Entry: pack("name=CSWnew", "version=any"), Fails: true})
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			drivertest.Suite{Machine: func(t *testing.T) *system.Machine {
				t.Helper()
				m, _ := newHost(t)
				return m
			}, New: of(kind)}.Run(t, cases)
		})
	}
}

func item(e config.Entry) driver.Item { return driver.Item{Entry: config.NewEntry(e)} }

// What each of them is called with, and where packages come from.
func TestCommands(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"sysv":  "/usr/sbin/pkgadd -a bindery -n -d http://example.org/sol/a.pkg CSWnew",
		"blast": "/opt/csw/bin/pkg-get -f install new",
		"encap": "/usr/local/bin/epkg -l -f -q http://example.org/sol/a.pkg",
	} {
		m, h := newHost(t)
		out, _ := of(kind)(t, m).Apply(t.Context(), item(pack("name=CSWnew", "bname=new", "version=auto", "url=http://example.org/sol/", "simplefile=a.pkg", "file=b.pkg", "reloc=/opt", "srcs=x", "multiarch=y")), true)
		require.Equal(t, want, h.commands[0])
		require.Equal(t, []string{"multiarch", "reloc", "srcs", "version: what is newest cannot be asked"}, out.Unverified)
	}
}

// A version that was replaced is kept as it is, and one changed since is too.
func TestWhatDoesNotComeBack(t *testing.T) {
	t.Parallel()
	m, h := newHost(t)
	k := of("sysv")(t, m).(driver.Keeper)
	was := driver.Standing{Kind: driver.Kind{Tag: "Package", Type: "sysv"}, Name: "CSWhere", State: "1.0"}
	r := k.Restore(t.Context(), driver.Passage{Standing: was}, driver.Restoration{Apply: true})
	require.Equal(t, []string{"CSWhere: where its version 1.0 came from is not known"}, r.Kept)
	after := "-"
	r = k.Restore(t.Context(), driver.Passage{Standing: was, After: &after}, driver.Restoration{Apply: true})
	require.Equal(t, []string{"CSWhere: it was changed since, and is 2.0,REV=1"}, r.Kept)
	require.Empty(t, h.commands)
}

// The agent is not taken away, though a run brought it.
func TestTheAgentStays(t *testing.T) {
	t.Parallel()
	m, h := newHost(t)
	h.have["bindery-agent"] = "1"
	was := driver.Standing{Kind: driver.Kind{Tag: "Package", Type: "sysv"}, Name: "bindery-agent", State: "-"}
	r := of("sysv")(t, m).(driver.Keeper).Restore(t.Context(), driver.Passage{Standing: was}, driver.Restoration{Apply: true, Force: true})
	require.NoError(t, r.Err)
	require.Equal(t, []string{"bindery-agent: the agent does not take itself away"}, r.Kept)
	require.Empty(t, h.commands)
}

// A file that an entry decides about is not the package's fault; a tool that fails
// without a word about files is.
func TestVerify(t *testing.T) {
	t.Parallel()
	m, h := newHost(t)
	e := pack("name=CSWbad", "version=any", "url=/p")
	paths := driver.NewPaths(&config.Config{Bundles: []*config.Bundle{config.NewBundle("Bundle", nil, []*config.Entry{
		config.NewEntry(config.Entry{Tag: "Path", Attrs: []config.Attr{{Name: "name", Value: "/opt/csw/bin/bad"}, {Name: "type", Value: "file"}}}),
	})}})
	out, err := of("sysv")(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(e), Paths: paths}, false)
	require.NoError(t, err)
	require.Equal(t, driver.Correct, out.State)
	h.bad["CSWbad"] = ""
	m.Processes.(*systemtest.Processes).Answer = func(c system.Command) (system.Result, error) {
		r, err := h.answer(c)
		if c.Args[0] == "/usr/sbin/pkgchk" {
			r.Exit = 9
		}
		return r, err
	}
	out, err = of("sysv")(t, m).Apply(t.Context(), item(e), false)
	require.ErrorContains(t, err, "pkgchk ended with status 9")
	require.Equal(t, driver.NotVerified, out.State)
}

func TestWhereNothingIsKnown(t *testing.T) {
	t.Parallel()
	for _, kind := range parcel.Types() {
		m, _, procs := systemtest.Machine()
		for _, root := range []string{"/", "/elsewhere"} {
			m.Root = root
			d := of(kind)(t, m)
			one := item(pack("name=one", "version=any", "url=/p"))
			out, err := d.Apply(t.Context(), one, true)
			require.NoError(t, err)
			require.Equal(t, driver.NotVerified, out.State)
			was, err := d.(driver.Keeper).Standing(t.Context(), []driver.Item{one})
			require.NoError(t, err)
			require.Empty(t, was)
		}
		require.Empty(t, procs.Ran())
	}
	_, err := parcel.New(parcel.Config{Machine: &system.Machine{}, Type: "deb"})
	require.ErrorContains(t, err, `type "deb" is none of sysv,`)
}
