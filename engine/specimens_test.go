// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/problem/explain"
	"github.com/bindery/bindery/engine/secret"
)

// specimen is a specification that lint looks at, where no small files of text can
// show a problem.
type specimen struct {
	fsys    fs.FS
	options engine.Options
	facts   map[string]engine.Facts
}

// pair is a specimen that has a problem, and one that has not.
type pair struct{ bad, good specimen }

// inputs are some of its hosts, with what is known of them.
func (s specimen) inputs(hosts []string) []engine.Input {
	var in []engine.Input
	for _, h := range hosts[:min(len(hosts), 100)] {
		in = append(in, engine.Input{Host: h, Probes: s.facts[h].Probes, External: s.facts[h].External})
	}
	return in
}

// filled is the small specification with some files in it; "" takes one away.
func filled(files map[string]string) fstest.MapFS {
	all := example(nil)
	maps.Copy(all, files)
	maps.DeleteFunc(all, func(_, data string) bool { return data == "" })
	return tree(all)
}

// files are two specifications that differ in what one file holds.
func files(name, bad, good string) pair {
	return pair{specimen{fsys: filled(map[string]string{name: bad})}, specimen{fsys: filled(map[string]string{name: good})}}
}

// served is a file of bytes that a host is to have, and one of text.
func served(bad string) pair {
	return files("Cfg/etc/ntp.conf/ntp.conf", bad, "server 192.0.2.1\n")
}

// named takes a fixture whose bundle b names one path alone.
func named(t *testing.T, fixture, bad, good string) pair {
	with := func(path string) specimen {
		f := readFixture(t, "../fixtures/specs/"+fixture+".txtar")
		f.fsys["Bundler/b.xml"] = &fstest.MapFile{Data: []byte(`<Bundle><Path name="` + path + `"/></Bundle>`)}
		return specimen{f.fsys, f.options, f.facts}
	}
	return pair{with(bad), with(good)}
}

// links are two specifications with a symbolic link, or another kind of file.
func links(kind fs.FileMode, bad, good string) pair {
	with := func(target string) specimen {
		fsys := filled(nil)
		fsys["Cfg/etc/ntp.conf/ntp.conf.H_www.example.org"] = &fstest.MapFile{Data: []byte(target), Mode: kind}
		return specimen{fsys: fsys}
	}
	out := pair{with(bad), with(good)}
	if good == "" {
		out.good = specimen{fsys: filled(nil)}
	}
	return out
}

// stubborn opens nothing, as keys do that do not fit, or all.
type stubborn struct{ opens bool }

func (s stubborn) Open(secret.Sealed) ([]byte, error) {
	if s.opens {
		return []byte("server 192.0.2.1\n"), nil
	}
	return nil, &secret.Error{Code: secret.CodeWrong, Msg: "the key does not open it"}
}

func sealed() pair {
	with := func(opens bool) specimen {
		fsys := filled(map[string]string{"Cfg/etc/ntp.conf/ntp.conf": "", "Cfg/etc/ntp.conf/ntp.conf.crypt": "U2FsdGVkX18wMTIzNDU2Nzg5MDEyMzQ1"})
		return specimen{fsys: fsys, options: engine.Options{Secrets: stubborn{opens}}}
	}
	return pair{with(false), with(true)}
}

// groups are so many groups of which each has the next one.
func groups(n int) string {
	var b strings.Builder
	b.WriteString(`<Groups><Group name="web" profile="true"><Bundle name="ntp"/><Group name="g0"/></Group>`)
	for i := n; i > 0; i-- {
		fmt.Fprintf(&b, "<Group name='g%d'><Group name='g%d'/></Group>\n", i-1, i)
	}
	return b.String() + fmt.Sprintf("<Group name='g%d'/></Groups>", n)
}

// deep is an entry that is nested so often.
func deep(n int) string {
	return "<Bundle><Path name='/etc/ntp.conf'/><BoundPath name='/deep' type='file'>" + strings.Repeat("<x>", n) + strings.Repeat("</x>", n) + "</BoundPath></Bundle>"
}

// included is a bundle that includes a file so often.
func included(n int) pair {
	with := func(n int) specimen {
		return specimen{fsys: filled(map[string]string{
			"Bundler/ntp.xml": `<Bundle xmlns:xi="http://www.w3.org/2001/XInclude">` + strings.Repeat(`<xi:include href="x.inc"/>`, n) + "</Bundle>",
			"Bundler/x.inc":   "<Bundle>" + strings.Repeat("<Path name='/etc/ntp.conf'/>", 2000) + "</Bundle>",
		})}
	}
	return pair{with(n), with(1)}
}

// stray are so many files that Cfg does not understand.
func stray(n int) specimen {
	list := map[string]string{}
	for i := range n {
		list[fmt.Sprintf("Cfg/stray%d", i)] = "x"
	}
	return specimen{fsys: filled(list)}
}

// specimens are for the codes that lint can tell of and whose text has no example.
func specimens(t *testing.T) map[string]pair {
	unreadable := broken{filled(nil), "Cfg/etc/ntp.conf/ntp.conf", errors.New("bad sector")}
	packages := func(bundle string) specimen {
		f := readFixture(t, "../fixtures/specs/packages-groups.txtar")
		f.fsys["Bundler/rpm.xml"] = &fstest.MapFile{Data: []byte(bundle)}
		return specimen{f.fsys, f.options, f.facts}
	}
	return map[string]pair{
		"bad-authority":              named(t, "keys", "/badca.crt", "/tls.crt"),
		"certificate-not-signed":     named(t, "keys", "/unsigned.crt", "/tls.crt"),
		"certificate-of-another-key": named(t, "keys", "/other.crt", "/tls.crt"),
		"certificate-without-key":    named(t, "keys", "/keyless.crt", "/tls.crt"),
		"key-locked":                 named(t, "keys", "/locked.crt", "/tls.crt"),
		"old-signature":              named(t, "keys", "/old.crt", "/tls.crt"),
		"entry-too-deep":             files("Bundler/ntp.xml", deep(100), deep(2)),
		"file-too-large":             served(strings.Repeat("server 192.0.2.1\n", 2_000_000)),
		"groups-too-complex":         files("Metadata/groups.xml", groups(5000), groups(5)),
		"no-groups":                  {specimen{fsys: filled(map[string]string{"Metadata/groups.xml": ""})}, specimen{fsys: filled(nil)}},
		"not-utf-8":                  files("Probes/motd", "#!/bin/sh\necho \xff\n", "#!/bin/sh\necho ÿ\n"),
		"secret-not-opened":          sealed(),
		"special-file":               links(fs.ModeNamedPipe, "x", ""),
		"symlink":                    links(fs.ModeSymlink, "../../../../outside", "ntp.conf"),
		"template-encoding":          files("Cfg/etc/ntp.conf/ntp.conf.jinja2", "server \xff\n", "server ÿ\n"),
		"too-many-findings":          {stray(6000), stray(10)},
		"undecodable-content":        served("server \xff\n"),
		"unknown-package-group":      {packages(`<Bundle><Package group="none"/></Bundle>`), packages(`<Bundle><Package group="web"/></Bundle>`)},
		"unreadable-file":            {specimen{fsys: unreadable}, specimen{fsys: filled(nil)}},
		"xinclude-too-large":         included(1000),
	}
}

// elsewhere are the codes that lint never tells of, and one that takes it long, with
// where they are tested.
func elsewhere() map[string]string {
	return map[string]string{
		"assertion-failed":        "engine/assertion/testdata/absolute.txtar",
		"assertion-without-hosts": "engine/assertion/testdata/malformed.txtar",
		"bad-number":              "cmd/bindery/internal/hostkeys/hostkeys_test.go",
		"certificate-expires":     "cmd/bindery/testdata/keys.txtar",
		"certificate-not-made":    "cmd/bindery/internal/hostkeys/hostkeys_test.go",
		"entry-failed":            "engine/review/forms_test.go",
		"half-a-key":              "cmd/bindery/internal/hostkeys/hostkeys_test.go",
		"internal-error":          "engine/guard_test.go",
		"key-not-made":            "cmd/bindery/internal/hostkeys/hostkeys_test.go",
		"no-authority":            "cmd/bindery/testdata/keys.txtar",
		"probed-file-unusable":    "cmd/bindery/testdata/facts.txtar",
		"profile-not-public":      "engine/internal/host/host_test.go",
		"too-many-clients":        "engine/internal/host/bound_test.go",
		"refused":                 "engine/review/forms_test.go",
	}
}

// looked gives the codes that lint finds in a specimen, with all of its hosts built.
func looked(t *testing.T, s specimen) []string {
	t.Helper()
	spec, err := engine.Open(t.Context(), s.fsys, s.options)
	require.NoError(t, err)
	problems, err := spec.LintBuilt(t.Context(), s.inputs(spec.Hosts()))
	require.NoError(t, err)
	var out []string
	for _, p := range problems {
		out = append(out, p.Code)
	}
	return out
}

// Every code without an example of text has a specimen that has it and one that has
// not, or is tested where it is told.
func TestSpecimensOfProblems(t *testing.T) {
	all, err := explain.All()
	require.NoError(t, err)
	kept, others := specimens(t), elsewhere()
	for _, c := range all {
		one, here := kept[c.Code]
		file, there := others[c.Code]
		require.Equal(t, c.Needs != "", here || there, "%s: write an example, or else a specimen", c.Code)
		require.False(t, here && there, c.Code)
		delete(kept, c.Code)
		delete(others, c.Code)
		switch {
		case here:
			t.Run(c.Code, func(t *testing.T) {
				require.Contains(t, looked(t, one.bad), c.Code)
				require.NotContains(t, looked(t, one.good), c.Code)
			})
		case there:
			t.Run(c.Code, func(t *testing.T) { requireTold(t, file, c.Code) })
		}
	}
	require.Empty(t, kept, "no code is called so")
	require.Empty(t, others, "no code is called so")
}

// requireTold wants a test of a package or a command that looks for a code.
func requireTold(t *testing.T, file, code string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", file))
	require.NoError(t, err)
	looks := regexp.MustCompile(`(?m)["\[ ']` + regexp.QuoteMeta(code) + `["\\\]:']`).Match(data)
	require.True(t, looks, "%s does not look for %s", file, code)
}
