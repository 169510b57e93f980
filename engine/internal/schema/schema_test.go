// SPDX-License-Identifier: Apache-2.0

package schema_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/schema"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

func check(t *testing.T, file, text string, templated bool) []string {
	t.Helper()
	root, p := xmltree.Parse(file, []byte(text))
	require.Nil(t, p)
	s := schema.New().For(file, root.Tag)
	require.NotNil(t, s)
	var out []string
	for _, p := range problem.Sort(s.Check(root, templated)) {
		out = append(out, p.Code+" "+p.Msg)
	}
	return out
}

// What the documentation's tables of attributes list is known, or known as old.
func TestDocumentedAttributes(t *testing.T) {
	for _, entry := range []string{
		`<Package name="x" version="1" file="f" simplefile="s" verify="false" multiarch="a" srcs="b" type="rpm" url="u"/>`,
		`<Action name="n" command="c" when="modified" timing="post" status="ignore" build="true"/>`,
		`<Service name="n" status="on" target="restart" type="chkconfig" sequence="1"/>`,
		`<Path type="device" name="/n" dev_type="block" owner="o" group="g" major="1" minor="2"/>`,
		`<Path type="directory" name="/n" mode="0755" owner="o" group="g" prune="true"/>`,
		`<Path type="nonexistent" name="/n" recursive="true"/>`,
		`<Path type="vcs" name="/n" vcstype="git" sourceurl="u" revision="r"/>`,
		`<Path type="file" name="/n" encoding="base64" empty="true" mode="0644" owner="o" group="g"/>`,
		`<Path type="symlink" name="/n" to="/x"/>`,
		`<Path type="augeas" name="/n" lens="l"><Set path="p" value="v"/><Clear path="p"/></Path>`,
		`<Path type="directory" name="/n" mode="0755" owner="o" group="g"><ACL type="default" scope="user" user="u" perms="rwx"/></Path>`,
		`<POSIXUser name="u" uid="1" group="g" gecos="x" home="/h" shell="/s"><MemberOf>g</MemberOf></POSIXUser>`,
		`<SEPort name="80/tcp" selinuxtype="t"/>`,
	} {
		require.Empty(t, check(t, "Rules/r.xml", `<Rules priority="0">`+entry+`</Rules>`, false), entry)
		name, _, _ := strings.Cut(entry[1:], " ")
		bound := "<Bound" + entry[1:]
		if before, ok := strings.CutSuffix(bound, "</"+name+">"); ok {
			bound = before + "</Bound" + name + ">"
		}
		require.Empty(t, check(t, "Bundler/b.xml", `<Bundle>`+bound+`</Bundle>`, false), bound)
	}
	for old, want := range map[string]string{
		`<Package name="x" reloc="r"/>`:       "deprecated-attribute reloc on <Package> is an old spelling",
		`<Service name="x" mode="manual"/>`:   "deprecated-attribute mode on <Service> is an old spelling",
		`<Service name="x" supervised="t"/>`:  "deprecated-attribute supervised on <Service> is an old spelling",
		`<Path name="/x" perms="0644"/>`:      "deprecated-attribute perms on <Path> is an old spelling",
		`<PostInstall name="x"/>`:             "deprecated-element <PostInstall> is an old spelling",
		`<Directory name="/x" perms="0644"/>`: "deprecated-element <Directory> is an old spelling",
	} {
		require.Equal(t, []string{want}, check(t, "Rules/r.xml", `<Rules priority="0">`+old+`</Rules>`, false))
	}
}

// A template's values and elements are only known once it is rendered.
func TestTemplates(t *testing.T) {
	const text = `<Bundle xmlns:py="http://genshi.edgewall.org/">
  <py:if test="x"><Service name="a" status="${s}"/><Wrong/></py:if>
  <BoundAction py:attrs="more" timing="$t"/>
  <div py:strip=""><Package name="p"/></div>
</Bundle>`
	require.Equal(t, []string{"unknown-element <Wrong> is not known in <Bundle>"}, check(t, "Bundler/b.xml", text, true))
}

func TestFilesWithoutSchema(t *testing.T) {
	for _, file := range []string{"Properties/p.xml", "Cfg/etc/x.xml/x.xml", "README", "docs/x.xml", "Packages/yum.xml", "SSHbase/x"} {
		require.Nil(t, schema.New().For(file, "Anything"), file)
	}
	require.Equal(t, "clients", schema.New().For("Metadata/more.xml", "Clients").Name)
	require.Equal(t, "info", schema.New().For("Cfg/etc/x/info.xml", "FileInfo").Name)
}

func TestSecretsAreNotShown(t *testing.T) {
	for _, found := range check(t, "Metadata/clients.xml", `<Clients><Client name="a" password="canary" secure="canry" profile="p" pasword="canary"/></Clients>`, false) {
		require.NotContains(t, found, "canary")
	}
}

func TestNearest(t *testing.T) {
	known := []string{"Service", "Package", "Path", "status", "fc4"}
	for word, want := range map[string]string{
		"Servce": "Service", "service": "Service", "Pacakge": "Package", "statsu": "status", "fc5": "fc4",
		"Path": "", "x": "", "Completely": "", strings.Repeat("Service", 100): "",
	} {
		require.Equal(t, want, schema.Nearest(word, known), word)
	}
}

func TestModesAndOwners(t *testing.T) {
	for mode, good := range map[string]bool{"644": true, "0644": true, "00644": true, "10644": false, "0888": false, "": false, "rw": false} {
		require.Equal(t, good, schema.ValidMode(mode), mode)
	}
	for name, good := range map[string]bool{"root": true, "www-data": true, "machine$": true, "0": true, "no body": false, "": false, "-x": false} {
		require.Equal(t, good, schema.ValidOwner(name), name)
	}
}
