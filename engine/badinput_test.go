// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
)

// good is a specification in which everything binds; cases break it.
func good() fstest.MapFS {
	out := fstest.MapFS{}
	for name, data := range map[string]string{
		"Metadata/groups.xml":      `<Groups><Group name="p" profile="true"><Bundle name="b"/><Bundle name="other"/></Group></Groups>`,
		"Metadata/clients.xml":     `<Clients><Client name="good" profile="p"/></Clients>`,
		"Bundler/b.xml":            `<Bundle><Path name="/good"/><Service name="s"/></Bundle>`,
		"Bundler/other.xml":        `<Bundle><Path name="/other"/><Package name="p"/></Bundle>`,
		"Cfg/good/good":            "good",
		"Cfg/other/other":          "other",
		"Rules/r.xml":              `<Rules priority="1"><Service name="s"/></Rules>`,
		"Packages/sources.xml":     `<Sources/>`,
		"GroupPatterns/config.xml": `<GroupPatterns/>`,
		"Defaults/d.xml":           `<Defaults priority="1"/>`,
		"Probes/p":                 "echo",
	} {
		out[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return out
}

const laughs = `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">
<!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;"><!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;">]><a>&g;&g;</a>`

// Every case is one file that is wrong: where the finding is, what it says, and
// what is still bound on the host "good".
func TestBadInput(t *testing.T) {
	nested := strings.Repeat("<Group name='p'>", 300) + strings.Repeat("</Group>", 300)
	all := "Package:p Path:/good Path:/other Service:s"
	for name, c := range map[string]struct{ file, data, finding, bound string }{
		"malformed bundle":              {"Bundler/b.xml", "<Bundle>\n  <Path name='/good'>\n</Bundle>", "good: Bundler/b.xml:3:1: error bundle-not-found: bundle b cannot be used: not well-formed: </Bundle> closes <Path> of line 2", "Package:p Path:/other"},
		"malformed rules":               {"Rules/r.xml", "<Rules priority='1'><Service name=s/></Rules>", "Rules/r.xml:1:35: error xml-failed-to-parse: not well-formed: the value of attribute name is not quoted", "Package:p Path:/good Path:/other"},
		"malformed info":                {"Cfg/good/info.xml", "<FileInfo", "good Path /good: Cfg/good/info.xml:1:10: error info-unreadable: info.xml cannot be read: not well-formed: the file ends inside a tag", "Package:p Path:/other Service:s"},
		"malformed sources":             {"Packages/sources.xml", "<Sources>&x;</Sources>", "Packages/sources.xml:1:10: error xml-failed-to-parse: not well-formed: entity x is not defined", all},
		"malformed patterns":            {"GroupPatterns/config.xml", "", "GroupPatterns/config.xml:1:1: error xml-failed-to-parse: not well-formed: there is no root element", all},
		"malformed defaults":            {"Defaults/d.xml", "<a/><b/>", "Defaults/d.xml:1:5: error xml-failed-to-parse: not well-formed: something stands behind the root element", all},
		"malformed groups":              {"Metadata/groups.xml", "<Groups><Group></Groups>", "good refused: Metadata/groups.xml:1:16: error metadata-unreadable: no host can be built, because the metadata cannot be read: not well-formed: </Groups> closes <Group> of line 1", "refused"},
		"binary junk in groups":         {"Metadata/groups.xml", "<Groups>\x00\xff\x01</Groups>", "good refused: Metadata/groups.xml:1:9: error metadata-unreadable: no host can be built, because the metadata cannot be read: not well-formed: character U+0000 is not allowed in XML", "refused"},
		"not UTF-8 in groups":           {"Metadata/groups.xml", "<Groups>\n\xff</Groups>", "Metadata/groups.xml:2:1: error xml-failed-to-parse: not well-formed: byte 0xFF is not UTF-8", "refused"},
		"ELF in groups":                 {"Metadata/groups.xml", "\x7fELF\x02\x01", "Metadata/groups.xml:1:1: error xml-failed-to-parse: not well-formed: text before the root element", "refused"},
		"billion laughs":                {"Metadata/groups.xml", laughs, "error xml-failed-to-parse: not well-formed: entities expand to more than 1048576 bytes", "refused"},
		"billion laughs in a bundle":    {"Bundler/b.xml", laughs, "Bundler/b.xml:2:", "Package:p Path:/other"},
		"external entity":               {"Bundler/b.xml", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`, "Bundler/b.xml:1:14: error xml-failed-to-parse: not well-formed: entity x is external; nothing outside the specification is read", "Package:p Path:/other"},
		"entity of itself":              {"Bundler/b.xml", `<!DOCTYPE a [<!ENTITY x "&y;"><!ENTITY y "&x;">]><a>&x;</a>`, "error xml-failed-to-parse: not well-formed: entity x refers to itself", "Package:p Path:/other"},
		"deep nesting":                  {"Bundler/b.xml", nested, "Bundler/b.xml:1:4097: error xml-failed-to-parse: not well-formed: elements are nested more than 256 deep", "Package:p Path:/other"},
		"cyclic groups":                 {"Metadata/groups.xml", `<Groups><Group name="p" profile="true"><Group name="a"/><Bundle name="b"/></Group><Group name="a"><Group name="b"/></Group><Group name="b"><Group name="a"/><Group name="p"/></Group></Groups>`, "good: profile p, groups a b p", "Path:/good Service:s"},
		"rules that never end":          {"Metadata/groups.xml", `<Groups><Group name="p" profile="true"><Group name="a" negate="true"><Group name="a"/><Group name="b"/></Group><Group name="a"><Group name="a" negate="true"/></Group><Group name="b" negate="true"/></Group></Groups>`, "good: profile p, groups p", ""},
		"cyclic includes":               {"Metadata/groups.xml", `<Groups xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="groups.xml"/><Group name="p" profile="true"><Bundle name="b"/></Group></Groups>`, "Metadata/groups.xml:1:52: warning xinclude-cycle: Metadata/groups.xml is included by a file that it includes itself; the include is left out", "Path:/good Service:s"},
		"include out of the tree":       {"Bundler/b.xml", `<Bundle xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="../../../etc/passwd"/><xi:include href="/etc/passwd"/><xi:include href="../Cfg/good/&#10;"/><Path name="/good"/></Bundle>`, "Bundler/b.xml:1:52: error xinclude-does-not-exist: ../../../etc/passwd does not exist; the include is left out", "Package:p Path:/good Path:/other"},
		"include of what is broken":     {"Bundler/b.xml", `<Bundle xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="../Cfg/good/good"/></Bundle>`, "good: Cfg/good/good:1:1: error bundle-not-found: bundle b cannot be used: not well-formed: text before the root element", "Package:p Path:/other"},
		"unknown group":                 {"Metadata/clients.xml", `<Clients>` + "\n" + `<Client name="good" profile="typo"/></Clients>`, `good: Metadata/clients.xml:2:1: warning nonexistent-profile-group: profile group "typo" is not defined`, ""},
		"missing bundle":                {"Metadata/groups.xml", `<Groups><Group name="p" profile="true"><Bundle name="b"/>` + "\n" + `<Bundle name="../../etc/shadow"/></Group></Groups>`, `good: Metadata/groups.xml:2:9: error bundle-not-found: there is no bundle "../../etc/shadow"`, "Path:/good Service:s"},
		"missing required bundle":       {"Bundler/b.xml", `<Bundle><RequiredBundle name="x"/><Path name="/good"/></Bundle>`, `good: Bundler/b.xml:1:25: error bundle-not-found: there is no bundle "x"`, "Package:p Path:/good Path:/other"},
		"client name with slashes":      {"Metadata/clients.xml", `<Clients><Client name="../../x" profile="p"/><Client name="good" profile="p"/></Clients>`, "Metadata/clients.xml:1:18: error bad-host-name: the client's name is no host name; it is left out", all},
		"client name with newline":      {"Metadata/clients.xml", `<Clients><Client name="a&#10;b" profile="p"/><Client name=".." profile="p"/><Client name="good" profile="p"/></Clients>`, "Metadata/clients.xml:1:54: error bad-host-name: the client's name is no host name; it is left out", all},
		"client name with NUL":          {"Metadata/clients.xml", `<Clients><Client name="a&#0;b"/></Clients>`, "Metadata/clients.xml:1:25: error xml-failed-to-parse: not well-formed: &#0; is no character that XML allows", "refused"},
		"client without name":           {"Metadata/clients.xml", `<Clients><Client profile="p"/></Clients>`, "good refused: Metadata/clients.xml:1:10: error metadata-unreadable: no host can be built, because the metadata cannot be read: a Client without name: no client can be known", "refused"},
		"entry names from elsewhere":    {"Bundler/b.xml", `<Bundle><Path name="/../../etc/shadow"/><Path name="../good/good"/><Path name="/good&#10;"/><Path name="/good"/></Bundle>`, `good Path ../good/good: Bundler/b.xml:1:41: error no-generator: no generator has Path ../good/good`, "Package:p Path:/good Path:/other"},
		"file name with newline":        {"Cfg/good/good.G1_p\n", "x", "Cfg/good/good.G1_p\n: warning unknown-cfg-files: Cfg does not understand this file name; the file is ignored", all},
		"probe with newline":            {"Probes/p\nq", "x", "Probes/p\nq: warning unknown-probe-file: the name is no probe's; the file is ignored", all},
		"probe that is binary":          {"Probes/q", "\xff", "Probes/q: error not-utf-8: a probe must be UTF-8 text", all},
		"bindery.yaml is not YAML":      {"bindery.yaml", "plugins: [", "bindery.yaml:1:10: error bad-settings: ", all},
		"bindery.yaml with unknown key": {"bindery.yaml", "plugin: [Cfg]\n", `bindery.yaml:1:1: error bad-settings: unknown field "plugin"`, all},
		"bindery.yaml that is deep":     {"bindery.yaml", "plugins: " + strings.Repeat("[", 1000), "bindery.yaml:1: error bad-settings: it is nested too deeply", all},
		"bindery.yaml is empty":         {"bindery.yaml", "# nothing\n", "good: profile p, groups p", all},
		"bcfg2.conf is no settings":     {"bcfg2.conf", "\x00\xff", "bcfg2.conf: error bad-conf: ", all},
		"pattern that is no expression": {"GroupPatterns/config.xml", "<G><GroupPattern><NamePattern>(?=x)</NamePattern></GroupPattern></G>", "GroupPatterns/config.xml:1:18: error bad-regex: ", all},
		"entry that is deep":            {"Bundler/b.xml", "<Bundle><Path name='/good'/><BoundPath name='/deep'>" + strings.Repeat("<x>", 100) + strings.Repeat("</x>", 100) + "</BoundPath></Bundle>", "good Path /deep: Bundler/b.xml:1:29: error entry-too-deep: Path /deep holds elements nested more than 60 deep", "Package:p Path:/good Path:/other"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := good()
			fsys[c.file] = &fstest.MapFile{Data: []byte(c.data)}
			found, bound := buildGood(t, fsys)
			require.Contains(t, found, c.finding)
			require.Equal(t, c.bound, bound)
		})
	}
}

// buildGood builds the host "good" and gives what is found, and what is bound.
func buildGood(t *testing.T, fsys fs.FS) (found, bound string) {
	t.Helper()
	spec := open(t, fsys, engine.Options{Clients: []string{"good"}})
	r, err := spec.Build(t.Context(), engine.Input{Host: "good"})
	require.NoError(t, err)
	checkFailures(t, r)
	out := show(spec, []*engine.Result{r})
	if r.Config == nil {
		return out["problems"], "refused"
	}
	var names []string
	for _, k := range r.Config.Keyed() {
		if k.Entry.Failure == "" {
			names = append(names, k.Key.String())
		}
	}
	slices.Sort(names)
	return out["hosts"] + out["problems"], strings.Join(names, " ")
}

// broken is a file system in which some things cannot be read.
type broken struct {
	fs.FS
	name string
	err  error
}

func (b broken) Open(name string) (fs.File, error) {
	if name == b.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: b.err}
	}
	return b.FS.Open(name)
}

func TestUnreadableFiles(t *testing.T) {
	for name, want := range map[string]struct{ finding, bound string }{
		"Metadata/groups.xml":      {"good refused: Metadata/groups.xml: error metadata-unreadable", "refused"},
		"Metadata/clients.xml":     {"good refused: Metadata/clients.xml: error metadata-unreadable", "refused"},
		"Bundler/b.xml":            {"good: Bundler/b.xml: error bundle-not-found: bundle b cannot be used: cannot be read: bad sector", "Package:p Path:/other"},
		"Cfg/good/good":            {"good Path /good: Cfg/good/good: error unreadable-file: cannot be read: bad sector", "Package:p Path:/other Service:s"},
		"Cfg/good":                 {"Cfg/good: error unreadable-file: cannot be read: bad sector", "Package:p Path:/other Service:s"},
		"Cfg":                      {"Cfg: error unreadable-file: cannot be read: bad sector", "Package:p Service:s"},
		"Rules/r.xml":              {"Rules/r.xml: error unreadable-file: cannot be read: bad sector", "Package:p Path:/good Path:/other"},
		"Packages/sources.xml":     {"Packages/sources.xml: error unreadable-file: cannot be read: bad sector", "Package:p Path:/good Path:/other Service:s"},
		"GroupPatterns/config.xml": {"GroupPatterns/config.xml: error unreadable-file: cannot be read: bad sector", "Package:p Path:/good Path:/other Service:s"},
		"Probes":                   {"Probes: error unreadable-file: cannot be read: bad sector", "Package:p Path:/good Path:/other Service:s"},
		"Probes/p":                 {"Probes/p: error unreadable-file: cannot be read: bad sector", "Package:p Path:/good Path:/other Service:s"},
		"bindery.yaml":             {"bindery.yaml: error unreadable-file: cannot be read: bad sector", "Package:p Path:/good Path:/other Service:s"},
		"bcfg2.conf":               {"bcfg2.conf: error unreadable-file: cannot be read: bad sector", "Package:p Path:/good Path:/other Service:s"},
	} {
		t.Run(name, func(t *testing.T) {
			found, bound := buildGood(t, broken{good(), name, errors.New("bad sector")})
			require.Contains(t, found, want.finding)
			require.Equal(t, want.bound, bound)
		})
	}
	_, err := engine.Open(t.Context(), broken{good(), ".", errors.New("bad sector")}, engine.Options{})
	require.ErrorContains(t, err, "read specification: open .: bad sector")
}

func TestEmptyTree(t *testing.T) {
	found, bound := buildGood(t, fstest.MapFS{})
	require.Equal(t, "refused", bound)
	require.Contains(t, found, "Metadata/groups.xml: error no-groups: the file does not exist: there is no group, and hosts get nothing")
	require.Contains(t, found, "good refused: Metadata/clients.xml: error unknown-host: host good is not listed, and no group is the default")
}

// large says that one file has 100 MB, and fails when its content is read.
type large struct {
	fstest.MapFS
	name string
}

type largeInfo struct{ fs.FileInfo }

func (largeInfo) Size() int64 { return 100 << 20 }

func (f large) Stat(name string) (fs.FileInfo, error) {
	st, err := f.MapFS.Stat(name)
	if name == f.name && err == nil {
		st = largeInfo{st}
	}
	return st, err
}

func (f large) ReadFile(name string) ([]byte, error) {
	if name == f.name {
		return nil, errors.New("the content was read")
	}
	return f.MapFS.ReadFile(name)
}

func (f large) Open(name string) (fs.File, error) {
	if name == f.name {
		return nil, errors.New("the file was opened")
	}
	return f.MapFS.Open(name)
}

func TestLargeFiles(t *testing.T) {
	for name, want := range map[string]string{
		"Cfg/good/good":       "good Path /good: Cfg/good/good: error file-too-large: good has 104857600 bytes; at most 33554432 are read",
		"Probes/p":            "Probes/p: error file-too-large: p has 104857600 bytes; at most 1048576 are read",
		"Metadata/groups.xml": "Metadata/groups.xml: error file-too-large: groups.xml has 104857600 bytes; at most 67108864 are read",
		"Bundler/b.xml":       "good: Bundler/b.xml: error bundle-not-found: bundle b cannot be used: b.xml has 104857600 bytes; at most 67108864 are read",
		"bindery.yaml":        "bindery.yaml: error file-too-large: bindery.yaml has 104857600 bytes; at most 1048576 are read",
	} {
		fsys := good()
		if fsys[name] == nil {
			fsys[name] = &fstest.MapFile{}
		}
		found, _ := buildGood(t, large{fsys, name})
		require.Contains(t, found, want)
	}
}

// Small files that include much are refused before they take all memory.
func TestHugeIncludes(t *testing.T) {
	fsys := good()
	fsys["Bundler/b.xml"].Data = []byte(`<Bundle xmlns:xi="http://www.w3.org/2001/XInclude">` + strings.Repeat(`<xi:include href="x.inc"/>`, 200) + `</Bundle>`)
	for _, inc := range []string{"<x>" + strings.Repeat("<x/>", 10000) + "</x>", "<x><!--" + strings.Repeat("x", 1<<20) + "--></x>"} {
		fsys["Bundler/x.inc"] = &fstest.MapFile{Data: []byte(inc)}
		found, bound := buildGood(t, fsys)
		require.Contains(t, found, "bundle b cannot be used: the includes of this file bring too much")
		require.Equal(t, "Package:p Path:/other", bound)
	}
}

func TestCancelled(t *testing.T) {
	spec := open(t, good(), engine.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := spec.Build(ctx, engine.Input{Host: "good"})
	require.ErrorIs(t, err, context.Canceled)
	_, err = spec.All(ctx, []engine.Input{{Host: "good"}, {Host: "other"}})
	require.ErrorIs(t, err, context.Canceled)
	_, err = engine.Open(ctx, good(), engine.Options{})
	require.ErrorIs(t, err, context.Canceled)
}

// A long chain of groups takes as many passes as it has links; the work is bounded
// and the host is refused rather than half built.
func TestHugeGroups(t *testing.T) {
	chain := func(n int) fstest.MapFS {
		var b strings.Builder
		b.WriteString(`<Groups><Group name="p" profile="true"><Group name="g0"/><Bundle name="b"/></Group>`)
		for i := range n {
			fmt.Fprintf(&b, "<Group name='g%d'><Group name='g%d'/></Group>\n", n-i-1, n-i)
		}
		fsys := good()
		fsys["Metadata/groups.xml"].Data = []byte(b.String() + "</Groups>")
		return fsys
	}
	found, bound := buildGood(t, chain(1000))
	require.Contains(t, found, " g1000 ")
	require.Equal(t, "Path:/good Service:s", bound)
	found, bound = buildGood(t, chain(20000))
	require.Contains(t, found, "good refused: Metadata/groups.xml: error groups-too-complex: the groups of the host cannot be found: the rules do not come to an end")
	require.Equal(t, "refused", bound)
}
