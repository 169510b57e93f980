// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"maps"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem/explain"
)

// fixed gives the tree as it is with its fixes, and whether entries of before 1.0
// were among them.
func fixed(t *testing.T, fsys fstest.MapFS, fixes []engine.Fix) (fstest.MapFS, bool) {
	t.Helper()
	out, old := maps.Clone(fsys), false
	for _, f := range fixes {
		if f.Left != "" {
			continue
		}
		require.NotEqual(t, string(f.Before), string(f.After))
		_, p := xmltree.Parse(f.File, f.After)
		require.Nil(t, p, "%s:\n%s", f.File, f.After)
		if !f.Changes {
			out[f.File] = &fstest.MapFile{Data: f.After}
		}
		for _, e := range f.Edits {
			old = old || e.Code == "deprecated-element"
		}
	}
	return out, old
}

func digests(t *testing.T, fsys fstest.MapFS, opts engine.Options) map[string]string {
	t.Helper()
	spec, err := engine.Open(t.Context(), fsys, opts)
	require.NoError(t, err)
	out := map[string]string{}
	for _, h := range spec.Hosts() {
		r, err := spec.Build(t.Context(), engine.Input{Host: h})
		require.NoError(t, err)
		if out[h] = "refused"; r.Config != nil {
			out[h] = r.Config.Digest().String()
		}
	}
	return out
}

// No fix changes what any host of any fixture is given, but for entries of before 1.0.
func TestFixesKeepConfigurations(t *testing.T) {
	names, err := filepath.Glob("../fixtures/specs/*.txtar")
	require.NoError(t, err)
	some := 0
	for _, name := range names {
		f := readFixture(t, name)
		fixes, err := engine.Fixes(t.Context(), f.fsys, f.options)
		require.NoError(t, err, name)
		if len(fixes) == 0 {
			continue
		}
		after, old := fixed(t, f.fsys, fixes)
		if !old {
			some++
			require.Equal(t, digests(t, f.fsys, f.options), digests(t, after, f.options), name)
		}
	}
	require.Greater(t, some, 3)
}

// What a code says of --fix is so: its example has the code no more.
func TestFixesOfExamples(t *testing.T) {
	all, err := explain.All()
	require.NoError(t, err)
	some := 0
	for _, c := range all {
		if c.Mended == "" {
			continue
		}
		some++
		fsys := tree(example(c.Bad))
		fixes, err := engine.Fixes(t.Context(), fsys, engine.Options{})
		require.NoError(t, err)
		require.NotEmpty(t, fixes, c.Code)
		after, _ := fixed(t, fsys, fixes)
		found, err := engine.Lint(t.Context(), after, engine.Options{})
		require.NoError(t, err)
		for _, p := range found {
			require.NotEqual(t, c.Code, p.Code)
		}
	}
	require.Greater(t, some, 3)
}

// oldSpellings are files with every fix that there is; entries has those of before 1.0.
func oldSpellings(entries bool) fstest.MapFS {
	files := map[string]string{
		"bcfg2.conf":                "[errors]\nexplicit-bundle-name = warning\n",
		"Metadata/clients.xml":      `<Clients><Client name="www.example.org" profile="web" location="floating" pingable="Y" pingtime="1"/></Clients>`,
		"Metadata/groups.xml":       `<Groups><Group name="web" profile="true"><Bundle name="ntp"/><Bundle name="own"/></Group></Groups>`,
		"Bundler/ntp.xml":           `<Bundle name="time"><Path name="/etc/ntp.conf"/><BoundPath name="/b" type="directory" owner="root" group="root" perms="0755"/></Bundle>`,
		"Bundler/own.xml":           `<Bundle name="own"><Path name="/r"/><Path name="/d"/></Bundle>`,
		"Cfg/etc/ntp.conf/info.xml": `<FileInfo><Info owner="root" group="root" perms="0600"/></FileInfo>`,
		"Rules/r.xml":               `<Rules priority="1"><Path name="/r" type="directory" owner="root" group="root" perms="0700"/><Path name="/d" type="directory" owner="root" group="root"/></Rules>`,
		"Defaults/d.xml":            `<Defaults priority="1"><Path name="/d" perms="0711"/></Defaults>`,
	}
	if entries {
		files["Bundler/old.xml"] = `<Bundle><ConfigFile name="/c"/><Directory name="/o"/><SymLink name="/s"/><Permissions name="/p"/><PostInstall name="/bin/true"/></Bundle>`
		files["Rules/old.xml"] = `<Rules priority="2"><ConfigFile name="/c" owner="root" group="root" perms="0644">x</ConfigFile><Directory name="/o" owner="root" group="root" perms="0755"/>` +
			`<SymLink name="/s" to="/t"/><Permissions name="/p" owner="root" group="root" perms="0644"/><PostInstall name="/bin/true"/></Rules>`
		files["Metadata/groups.xml"] = `<Groups><Group name="web" profile="true"><Bundle name="ntp"/><Bundle name="own"/><Bundle name="old"/></Group></Groups>`
	}
	return filled(files)
}

// One tree has something for every fix, and its hosts are given what they were.
func TestEveryFixKeepsConfigurations(t *testing.T) {
	perms := []string{"perms → mode"}
	want := map[string][]string{
		"Bundler/ntp.xml": {"the bundle's name is that of its file", "perms → mode"}, "Bundler/own.xml": {"the bundle's name is that of its file"},
		"Cfg/etc/ntp.conf/info.xml": perms, "Defaults/d.xml": perms, "Rules/r.xml": perms,
		"Metadata/clients.xml": {`location="floating" → floating="true"`, "pingable is not read", "pingtime is not read"},
	}
	entries := []string{"ConfigFile → Path", "Directory → Path", "SymLink → Path", "Permissions → Path", "PostInstall → Action"}
	for _, before1 := range []bool{false, true} {
		fsys := oldSpellings(before1)
		if before1 {
			want["Bundler/old.xml"], want["Rules/old.xml"] = entries, entries
		}
		fixes, err := engine.Fixes(t.Context(), fsys, engine.Options{})
		require.NoError(t, err)
		got := map[string][]string{}
		for _, f := range fixes {
			require.False(t, f.Changes, f.File)
			for _, e := range f.Edits {
				got[f.File] = append(got[f.File], e.What)
			}
		}
		require.Equal(t, want, got)
		after, old := fixed(t, fsys, fixes)
		require.Equal(t, before1, old)
		if !old {
			require.Equal(t, digests(t, fsys, engine.Options{}), digests(t, after, engine.Options{}))
		}
		again, err := engine.Fixes(t.Context(), after, engine.Options{})
		require.NoError(t, err)
		require.Empty(t, again)
	}
}

// Files in another charset are named and left.
func TestForeignFilesAreLeft(t *testing.T) {
	fixes, err := engine.Fixes(t.Context(), filled(map[string]string{
		"Cfg/etc/ntp.conf/info.xml": "\uFEFF<FileInfo><Info owner='root' group='root' perms='0600'/></FileInfo>",
		"Metadata/clients.xml":      "<?xml version='1.0' encoding='iso-8859-1'?><Clients><Client name='www.example.org' profile='web' pingable='\xff'/></Clients>",
		"Bundler/ntp.xml":           "\uFEFF<Bundle><Path name='/etc/ntp.conf'/></Bundle>",
	}), engine.Options{})
	require.NoError(t, err)
	require.Len(t, fixes, 2)
	for i, want := range []string{"it begins with a byte order mark", "it is in another charset than UTF-8"} {
		require.Equal(t, want, fixes[i].Left)
		require.Equal(t, fixes[i].Before, fixes[i].After)
		require.False(t, fixes[i].Changes)
	}
}
